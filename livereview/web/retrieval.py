"""The list "To be retrieved": reports that somebody can't get, for everybody of the review.

It tells nothing of votes: a row is made from requests, the record, and what this person said
themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import Depends, File, Form, HTTPException, UploadFile
from fastapi.responses import RedirectResponse, Response

from livereview import ops, rights
from livereview.dedup.publications import Candidate
from livereview.errors import Refused
from livereview.ops.dropped import Dropped
from livereview.records import Record
from livereview.store import records, retrieval
from livereview.store.open import Connection
from livereview.store.retrieval import Entry
from livereview.web import card, guard, pages
from livereview.web.guard import Room

SHOWN = 200  # rows; the numbers above the list count all


@dataclass(frozen=True, slots=True)
class Row:
    """A report of the list.

    Attributes:
        link: Its DOI or page.
        open_copy: Where it can be read without paying, as Unpaywall says.
        mine: I have said that I can't get it.
    """

    entry: Entry
    record: Record
    link: str | None
    open_copy: str | None
    mine: bool


def page(room: guard.Here, done: str = "") -> Response:
    """The list as it is now; `done`: the record of which a file or link just came."""
    return _show(room, done=done)


def _show(
    room: Room,
    status: int = 200,
    *,
    done: str = "",
    problem: str = "",
    dropped: Sequence[Dropped] = (),
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    with room.desk.store.read() as con:
        entries = ops.retrieval.entries(con, room.review)
        sought = [entry for entry in entries if not entry.final]
        final = [entry for entry in entries if entry.final]
        values: dict[str, Any] = {
            "sought": _rows(con, room, sought[:SHOWN]),
            "final": _rows(con, room, final[:SHOWN]),
            "counts": (len(sought), len(final)),
            "arrived": _arrived(con, room, done),
        }
    values |= {
        "dropped": dropped,
        "dropped_titles": titles,
        "most_files": ops.dropped.MOST_FILES,
        "leads": room.may(rights.MANAGE),
        "votes": room.may(rights.SCREEN),
        "needed": room.review.screening.votes,
    }
    return pages.show("retrieval.html", room, status, problem=problem, **values)


def _rows(con: Connection, room: Room, entries: Sequence[Entry]) -> list[Row]:
    found = records.reports(con, room.review.id, [entry.report_id for entry in entries])
    return [_row(room, entry, found) for entry in entries]


def _row(room: Room, entry: Entry, found: Mapping[str, Sequence[Record]]) -> Row:
    members = found[entry.report_id]
    record, _ = records.merged(members)
    mine = any(request.person == room.me for request in entry.requests)
    return Row(entry, record, card.link(record), card.open_copy(members), mine)


def _arrived(con: Connection, room: Room, record: str) -> str | None:
    """The title of a report that was brought back a moment ago."""
    if not record or not records.in_review(con, room.review.id, record):
        return None
    known = records.current(con, [record]).get(record)
    return (known and known.title) or "Untitled record"


def act(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    act: Annotated[str, Form()],
    link: Annotated[str, Form()] = "",
) -> Response:
    """Say where a report can be had, or that I can get it after all, which shows it to me."""
    with room.desk.store.read() as con:
        guard.recorded(con, room, record)
    here = f"/r/{room.review.id}/retrieval"
    try:
        if act == "link":
            _link(room, form, record, link)
            return RedirectResponse(f"{here}?done={record}", 303)
        if act == "have":
            _have(room, form, record)
            return RedirectResponse(
                f"/r/{room.review.id}/screen/{retrieval.STAGE}?record={record}", 303
            )
    except Refused as refusal:
        return _show(room, 422, problem=refusal.message)
    raise HTTPException(422, "act must be one of link, have")


def take_files(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    files: Annotated[list[UploadFile], File()],
) -> Response:
    """Put each PDF with the report of the list that it is of, and say what became of each."""
    if len(files) > ops.dropped.MOST_FILES:
        problem = f"{len(files)} files are too many at once; send up to {ops.dropped.MOST_FILES}"
        return _show(room, 422, problem=problem)
    candidates = _candidates(room)
    dropped = [
        ops.dropped.keep(
            room.desk.store,
            room.desk.settings.full_texts,
            id=f"{room.me}-{form}-{number}",
            review=room.review.id,
            name=file.filename or "",
            body=file.file.read(ops.full_text.LARGEST + 1),
            candidates=candidates,
            author=room.me,
            now=room.desk.clock(),
        )
        for number, file in enumerate(files)
    ]
    ops.quotes.look_up(
        room.desk.store,
        room.desk.settings.full_texts,
        review=room.review.id,
        now=room.desk.clock(),
    )
    titles = {one.report_id: one.record.title or "Untitled record" for one in candidates}
    return _show(room, dropped=dropped, titles=titles)


def _candidates(room: Room) -> list[Candidate]:
    """The reports of the list, also those that were given up."""
    with room.desk.store.read() as con:
        reports = [entry.report_id for entry in ops.retrieval.entries(con, room.review)]
        found = records.reports(con, room.review.id, reports)
    return [Candidate(report, records.merged(found[report])[0]) for report in reports]


def _link(room: Room, form: str, record: str, link: str) -> None:
    ops.retrieval.link(
        room.desk.store,
        id=f"{room.me}-{form}",
        review=room.review.id,
        record=record,
        link=link,
        person=room.me,
        now=room.desk.clock(),
    )


def _have(room: Room, form: str, record: str) -> None:
    ops.screen.decide(
        room.desk.store,
        id=f"{room.me}-{form}",
        review=room.review.id,
        record=record,
        stage=retrieval.STAGE,
        reviewer=room.me,
        verdict="withdrawn",
        now=room.desk.clock(),
    )


def settle(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    act: Annotated[str, Form()],
) -> Response:
    """The lead makes it final that a report can't be had, or has it sought again."""
    with room.desk.store.read() as con:
        guard.recorded(con, room, record)
    doing = {"final": ops.retrieval.give_up, "again": ops.retrieval.seek_again}.get(act)
    if doing is None:
        raise HTTPException(422, "act must be one of final, again")
    try:
        doing(
            room.desk.store,
            id=f"{room.me}-{form}",
            review=room.review.id,
            record=record,
            person=room.me,
            now=room.desk.clock(),
        )
    except Refused as refusal:
        return _show(room, 422, problem=refusal.message)
    return RedirectResponse(f"/r/{room.review.id}/retrieval", 303)
