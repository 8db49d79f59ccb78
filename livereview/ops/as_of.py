"""What was published at a moment, made again from the events that were known then: the same bytes."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from livereview import durable
from livereview.errors import Refused
from livereview.ops import published_files, settle
from livereview.ops.publish import LATEST, files_of
from livereview.ops.published_files import ReviewFolder
from livereview.ops.snapshot import snapshot
from livereview.store import past, records, versions
from livereview.store.open import Connection, Store
from livereview.store.versions import Version
from livereview.summary import data


def as_of(
    store: Store, *, review: str, moment: datetime, folder: Path, now: datetime
) -> dict[str, Any]:
    """Write `folder/<review>/as-of/<moment>/`: the bytes that `latest` had then.

    Nothing else changes.

    It is not a copy: the events after that moment are left out of a copy of the database, and the
    version is built again. Only a version that was made by other rules than today's is a copy of
    its numbered folder, since today's would make a page that nobody published. Raises Refused where
    nothing had been published yet, and where that folder is gone.
    """
    version, files = shown_at(store, review, moment, folder)
    target = folder / review / "as-of" / f"{moment.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}"
    durable.write_folder(target, files)
    return {"version": version, "folder": str(target)}


def shown_at(
    store: Store, review: str, moment: datetime, folder: Path
) -> tuple[int, Mapping[str, bytes]]:
    """What `latest` showed then: the version's number and its files.

    Raises:
        Refused: as `as_of` does.
    """
    with store.read() as con:
        build = past.last_build(con, review, moment)
    if build is None:
        raise Refused(f"nothing of {review} was published at {moment:%Y-%m-%d %H:%M} UTC")
    with then(store, build) as con:
        known = versions.all_of(con, review)
        if not made_by_these_rules(known[-1]):
            return known[-1].number, kept(ReviewFolder(folder / review), known[-1])
        (files,) = files_of(snapshot(con, review, known), known[-1], LATEST)
    return known[-1].number, files


def made_by_these_rules(version: Version) -> bool:
    """Whether today's rules make a version's bytes again."""
    rules = json.loads(version.summary)["version"].get("rules")
    return bool(rules == data.RULES_VERSION)


def kept(home: ReviewFolder, version: Version) -> Mapping[str, bytes]:
    """The bytes of a numbered version as they were published.

    Raises:
        Refused: where they are not whole.
    """
    files = published_files.read(home.version(version.number))
    problem = published_files.sums_problem(files)
    if problem is None and files["summary.json"].decode() == version.summary:
        return files
    raise Refused(
        f"version {version.number} was made by rules that this service no longer has, and v/{version.number}/ is not "
        f"as it was published ({problem or 'it holds another version'}); bring that folder back from a backup"
    )


@contextmanager
def then(store: Store, upto: int) -> Iterator[Connection]:
    """A copy of the database that knows nothing from after event `upto`, but the versions made from
    it.
    """
    with closing(back_through(store, [upto])) as copies:
        yield next(copies)


def back_through(store: Store, events: Sequence[int]) -> Generator[Connection]:
    """One copy of the database, as it was at each of these events, which go back in time."""
    with past.copy(store, f"as-of-{uuid4().hex}") as con:
        for upto in events:
            past.forget(con, upto)
            settle.derive(con, records.ids(con))
            yield con
