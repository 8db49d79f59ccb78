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
from livereview.store import open_copies, records, retrieval
from livereview.store.open import Connection
from livereview.store.open_copies import Tried
from livereview.store.retrieval import Entry
from livereview.web import card, guard, pages
from livereview.web.guard import ReviewContext
from livereview.web.runs import LOOK_UPS

SHOWN = 200  # rows; the numbers above the list count all


@dataclass(frozen=True, slots=True)
class Row:
    """A report of the list.

    Attributes:
        link: Its DOI or page.
        open_copy: Where it can be read without paying, as Unpaywall says.
        mine: I have said that I can't get it.
        tries: Open copies that a night tried to fetch, the newest first.
    """

    entry: Entry
    record: Record
    link: str | None
    open_copy: str | None
    mine: bool
    tries: Sequence[Tried]


def page(context: guard.InReview, done: str = "") -> Response:
    """The list as it is now; `done`: the record of which a file or link just came."""
    return _show(context, done=done)


def _show(
    context: ReviewContext,
    status: int = 200,
    *,
    done: str = "",
    problem: str = "",
    dropped: Sequence[Dropped] = (),
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    with context.shared.store.read() as con:
        entries = ops.retrieval.entries(con, context.review)
        sought = [entry for entry in entries if not entry.final]
        final = [entry for entry in entries if entry.final]
        values: dict[str, Any] = {
            "sought": _rows(con, context, sought[:SHOWN]),
            "final": _rows(con, context, final[:SHOWN]),
            "counts": (len(sought), len(final)),
            "arrived": _arrived(con, context, done),
        }
    runs = context.shared.runs.of(context.review.id, context.shared.clock())
    values |= {
        "look_ups": runs.get(LOOK_UPS),
        "look_ups_name": LOOK_UPS,
        "dropped": dropped,
        "dropped_titles": titles,
        "most_files": ops.dropped.MOST_FILES,
        "leads": context.may(rights.MANAGE),
        "votes": context.may(rights.SCREEN),
        "needed": context.review.screening.votes,
    }
    return pages.show("retrieval.html", context, status, problem=problem, **values)


def _rows(con: Connection, context: ReviewContext, entries: Sequence[Entry]) -> list[Row]:
    ids = [entry.report_id for entry in entries]
    found = records.reports(con, context.review.id, ids)
    tries = open_copies.of_reports(con, context.review.id, ids)
    return [
        _row(context, entry, found[entry.report_id], tries[entry.report_id]) for entry in entries
    ]


def _row(
    context: ReviewContext, entry: Entry, members: Sequence[Record], tries: Sequence[Tried]
) -> Row:
    record, _ = records.merged(members)
    mine = any(request.person == context.me for request in entry.requests)
    return Row(entry, record, card.link(record), card.open_copy(members), mine, tries)


def _arrived(con: Connection, context: ReviewContext, record: str) -> str | None:
    """The title of a report that was brought back a moment ago."""
    if not record or not records.in_review(con, context.review.id, record):
        return None
    known = records.current(con, [record]).get(record)
    return (known and known.title) or "Untitled record"


def act(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    act: Annotated[str, Form()],
    link: Annotated[str, Form()] = "",
) -> Response:
    """Say where a report can be had, or that I can get it after all, which shows it to me."""
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
    here = f"/r/{context.review.id}/retrieval"
    try:
        if act == "link":
            _link(context, form, record, link)
            return RedirectResponse(f"{here}?done={record}", 303)
        if act == "have":
            _have(context, form, record)
            return RedirectResponse(
                f"/r/{context.review.id}/screen/{retrieval.STAGE}?record={record}", 303
            )
    except Refused as refusal:
        return _show(context, 422, problem=refusal.message)
    raise HTTPException(422, "act must be one of link, have")


def take_files(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    files: Annotated[list[UploadFile], File()],
) -> Response:
    """Put each PDF with the report of the list that it is of, and say what became of each."""
    if len(files) > ops.dropped.MOST_FILES:
        problem = f"{len(files)} files are too many at once; send up to {ops.dropped.MOST_FILES}"
        return _show(context, 422, problem=problem)
    candidates = _candidates(context)
    dropped = [
        ops.dropped.keep(
            context.shared.store,
            context.shared.settings.full_texts,
            id=f"{context.me}-{form}-{number}",
            review=context.review.id,
            name=file.filename or "",
            body=file.file.read(ops.full_text.LARGEST + 1),
            candidates=candidates,
            author=context.me,
            now=context.shared.clock(),
        )
        for number, file in enumerate(files)
    ]
    ops.quotes.look_up(
        context.shared.store,
        context.shared.settings.full_texts,
        review=context.review.id,
        now=context.shared.clock(),
    )
    titles = {one.report_id: one.record.title or "Untitled record" for one in candidates}
    return _show(context, dropped=dropped, titles=titles)


def _candidates(context: ReviewContext) -> list[Candidate]:
    """The reports of the list, also those that were given up."""
    with context.shared.store.read() as con:
        reports = [entry.report_id for entry in ops.retrieval.entries(con, context.review)]
        found = records.reports(con, context.review.id, reports)
    return [Candidate(report, records.merged(found[report])[0]) for report in reports]


def _link(context: ReviewContext, form: str, record: str, link: str) -> None:
    ops.retrieval.link(
        context.shared.store,
        id=f"{context.me}-{form}",
        review=context.review.id,
        record=record,
        link=link,
        person=context.me,
        now=context.shared.clock(),
    )


def _have(context: ReviewContext, form: str, record: str) -> None:
    ops.screen.decide(
        context.shared.store,
        id=f"{context.me}-{form}",
        review=context.review.id,
        record=record,
        stage=retrieval.STAGE,
        reviewer=context.me,
        verdict="withdrawn",
        now=context.shared.clock(),
    )


def settle(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    act: Annotated[str, Form()],
) -> Response:
    """The lead makes it final that a report can't be had, or has it sought again."""
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
    doing = {"final": ops.retrieval.give_up, "again": ops.retrieval.seek_again}.get(act)
    if doing is None:
        raise HTTPException(422, "act must be one of final, again")
    try:
        doing(
            context.shared.store,
            id=f"{context.me}-{form}",
            review=context.review.id,
            record=record,
            person=context.me,
            now=context.shared.clock(),
        )
    except Refused as refusal:
        return _show(context, 422, problem=refusal.message)
    return RedirectResponse(f"/r/{context.review.id}/retrieval", 303)
