"""What another site is told that wants to show a published review in a frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from livereview.summary import oembed


def embed(
    folder: Path,
    *,
    review: str,
    build: str,
    base: str,
    maxwidth: int | None = None,
    maxheight: int | None = None,
) -> dict[str, Any] | None:
    """The oEmbed answer for `folder/<review>/<build>/`, which is served at `base`.

    None where nothing is published.

    Args:
        build: "latest" or "v/7".
        base: The address of `folder`, without a slash at the end; limits in pixels.
    """
    try:
        told = json.loads((folder / review / build / "oembed.json").read_bytes())
    except OSError:
        return None
    return oembed.sized(told, f"{base}/{review}/{build}/", maxwidth, maxheight)
