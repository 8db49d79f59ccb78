"""The published pictures as PNG, for where an SVG can't go: slides, mails, word processors.

The letters are those of Source Sans, which comes with the program: the same picture is the same
bytes on every machine with the same version of resvg. Letters that this font lacks, such as Chinese
and Arabic ones, are empty boxes; the SVG of the same name has them.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from math import sqrt

import font_source_sans_pro  # type: ignore[import-untyped]
import resvg_py

WIDTH = 1200  # pixels
MOST = 3_000_000  # pixels of a picture; a longer one gets narrower
FAMILY, FONTS = (
    "Source Sans Pro",
    [font_source_sans_pro.SourceSansPro, font_source_sans_pro.SourceSansProSemibold],
)
PAPER = "#ffffff"
_SIZE = re.compile(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"')


def png(svg: str, width: int = WIDTH) -> bytes:
    """The picture in its own ink on white, `width` pixels wide.

    Less where it would have more than MOST pixels.

    Args:
        svg: With a viewBox of its own, as `drawing` makes them.

    Raises:
        ValueError: of resvg, for what is no SVG.
    """
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=_fitting(svg, width),
            background=PAPER,
            skip_system_fonts=True,
            font_files=FONTS,
            font_family=FAMILY,
            sans_serif_family=FAMILY,
        )
    )


def main() -> None:
    """Read SVGs as a JSON list, write their PNGs as one of base64: `python -m
    livereview.summary.raster`.
    """
    print(json.dumps([base64.b64encode(png(svg)).decode() for svg in json.load(sys.stdin)]))


def _fitting(svg: str, width: int) -> int:
    size = _SIZE.search(svg)
    across, down = map(float, size.groups()) if size else (1.0, 1.0)
    return max(1, min(width, int(sqrt(MOST * across / down))))


if __name__ == "__main__":
    main()
