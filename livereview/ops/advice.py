"""What to do when a database can't be opened: which backup would do, and how to bring it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from livereview.backups.manifest import Manifest
from livereview.backups.target import at, without_secrets
from livereview.errors import LivereviewError
from livereview.ops.backup import whole_copies
from livereview.ops.restore import manifest_of
from livereview.store.condition import Unopenable


@contextmanager
def advice(home: Path, address: str) -> Iterator[None]:
    """Add to what says that a database can't be opened which backup would do, and how to bring it
    back.
    """
    try:
        yield
    except Unopenable as error:
        raise Unopenable(f"{error.message}. {_advice(home, address)}") from error


def _advice(home: Path, address: str) -> str:
    places = [place for place in (address, str(home / "backups"), _last_place(home)) if place]
    found = newest(list(dict.fromkeys(places)))
    if found is None:
        return f"No backup was found in {' or '.join(dict.fromkeys(places))}"
    place, manifest = found
    shown = without_secrets(place) if "://" in place else place
    return (
        f"The newest backup is {manifest.name} of {manifest.made[:16]} with {manifest.counts.get('decision', 0):,} "
        f"decisions: livereview restore {shown} --home {home} --replace"
    )


def _last_place(home: Path) -> str:
    """Where the last whole copy went, as noted in the home."""
    try:
        return str(json.loads((home / "backups" / "last.json").read_text())["place"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def newest(addresses: list[str]) -> tuple[str, Manifest] | None:
    """(address, manifest) of the newest whole copy in these places, as far as they can be reached."""
    found: list[tuple[str, Manifest]] = []
    for address in addresses:
        with suppress(LivereviewError):
            place = at(address)
            for name in reversed(whole_copies(place)):
                with suppress(LivereviewError):
                    found.append((address, manifest_of(place, name)))
                    break
    return max(found, key=lambda one: (one[1].seq, one[1].made), default=None)
