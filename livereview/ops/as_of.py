"""What was published at a moment, made again from the events that were known then: the same bytes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from livereview import durable
from livereview.errors import Refused
from livereview.ops import settle
from livereview.ops.publish import LATEST, files_of
from livereview.ops.snapshot import snapshot
from livereview.store import past, records, versions
from livereview.store.open import Connection, Store


def as_of(store: Store, *, review: str, moment: datetime, folder: Path, now: datetime) -> dict[str, Any]:
    """Write `folder/<review>/as-of/<moment>/`: the bytes that `latest` had then. Nothing else changes.

    It is not a copy: the events after that moment are left out of a copy of the database, and the version is built
    again. Raises Refused where nothing had been published yet.
    """
    version, files = shown_at(store, review, moment)
    target = folder / review / "as-of" / f"{moment.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}"
    durable.write_folder(target, files)
    return {"version": version, "folder": str(target)}


def shown_at(store: Store, review: str, moment: datetime) -> tuple[int, Mapping[str, bytes]]:
    """What `latest` showed then: the version's number and its files. Raises Refused where there was nothing yet."""
    with store.read() as con:
        build = past.last_build(con, review, moment)
    if build is None:
        raise Refused(f"nothing of {review} was published at {moment:%Y-%m-%d %H:%M} UTC")
    with then(store, build, moment) as con:
        known = versions.all_of(con, review)
        (files,) = files_of(snapshot(con, review, known), known[-1], LATEST)
    return known[-1].number, files


@contextmanager
def then(store: Store, upto: int, moment: datetime) -> Iterator[Connection]:
    """A copy of the database that knows nothing from after event `upto`, but the versions made by then."""
    with closing(back_through(store, [(upto, moment)])) as copies:
        yield next(copies)


def back_through(store: Store, moments: Sequence[tuple[int, datetime]]) -> Generator[Connection]:
    """One copy of the database, as it was at each of these (event, moment), which go back in time."""
    with past.copy(store, f"as-of-{uuid4().hex}") as con:
        for upto, moment in moments:
            past.forget(con, upto, moment)
            settle.derive(con, records.ids(con))
            yield con
