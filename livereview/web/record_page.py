"""Everything of one report: what its records say and said, who did what to it, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fastapi import HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview import rights
from livereview.links import WORDS, LinkKind
from livereview.ops import opinions, page_texts
from livereview.ops.opinions import Opinion
from livereview.records import FIELDS, Record, Related
from livereview.store import (
    finding,
    full_texts,
    matches,
    open_copies,
    ranks,
    records,
    report_events,
    tags,
)
from livereview.store.finding import Eyes, Row
from livereview.store.open import Connection
from livereview.store.report_events import Event, Version
from livereview.web import card, coding, guard, pages, record_table
from livereview.web.coding import MapCard
from livereview.web.guard import ReviewContext
from livereview.web.mine import report_of

FIELD_WORDS = {
    "title": "Title",
    "authors": "Authors",
    "year": "Year",
    "published": "Published",
    "container_title": "Published in",
    "volume": "Volume",
    "issue": "Issue",
    "pages": "Pages",
    "doi": "DOI",
    "pmid": "PMID",
    "pmcid": "PMCID",
    "issn": "ISSN",
    "isbn": "ISBN",
    "url": "Address",
    "abstract": "Abstract",
    "language": "Language",
    "type": "Type",
    "retraction": "Retraction",
    "registration": "Registration",
    "related": "Belongs to",
}
"""The fields that people read, in this order; source and key stand above them."""

RETRIEVAL = {
    "asked": "can’t get the full text",
    "taken_back": "can get the full text after all",
    "arrived": "brought the full text",
    "final": "made it final that it can’t be had",
    "opened": "had it sought again",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a version of a record changed."""

    words: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Member:
    """One record of the report, with what each of its later versions changed, newest first."""

    record_id: str
    record: Record
    changes: tuple[tuple[Version, tuple[Change, ...]], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the time line."""

    made: Any
    seq: int
    words: str
    detail: str = ""


def page(context: guard.InReview, record: str) -> Response:
    """The report of this record."""
    review = context.review.id
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
        report = report_of(con, record)
        eyes = record_table.eyes_of(con, context)
        rows = finding.rows(con, review, [report], eyes)
        if not rows:
            raise HTTPException(404, "There is no such record in this review.")
        if report != record:
            return RedirectResponse(f"/r/{review}/records/{report}", 303)
        values = _values(con, context, rows[0], eyes)
    return pages.show("record.html", context, **values)


def _values(con: Connection, context: ReviewContext, row: Row, eyes: Eyes) -> dict[str, Any]:
    review, report = context.review.id, row.report_id
    some = records.reports(con, review, [report])[report]
    shown, origin = records.merged(some)
    ids = [member.record_id for member in some]
    versions = report_events.versions(con, ids)
    kinds = matches.linked(con, report)
    linked = records.of_review(con, review, list(kinds))
    place = ranks.place(con, review, report) if context.user.role == "lead" else None
    files = full_texts.of(con, review, report)
    return {
        "row": row,
        "card": card.of(con, review, report, context.review.highlights),
        "fields": _fields(shown, origin),
        "members": [_member(member, versions[member.record_id]) for member in some],
        "shown": shown.record_id,
        "linked": records.current(con, linked),
        "link_words": {other: _link_words(kinds[other]) for other in linked},
        "doubted": report_events.doubted(con, review, ids),
        "files": files,
        "tries": open_copies.of_reports(con, review, [report])[report],
        "file_names": {file.sha256: file.name for file in files},
        "kinds": full_texts.KINDS,
        "cautions": page_texts.cautions(
            context.shared.settings.full_texts, [file.sha256 for file in files]
        ),
        "tags": tags.of(con, review),
        "place": place[0] if place else None,
        "studies": _studies(con, review, report, eyes),
        "steps": _steps(con, context, row, ids, eyes),
        "states": record_table.STATES,
        "reasons": {reason.id: reason.label for reason in context.review.reasons},
        "map_card": _map_card(con, context, row, eyes),
        "opinion": _opinion(con, context, row, eyes),
        "takes_part": context.may(rights.TAKE_PART),
        "sees_evidence": context.may(rights.SEE_AS_VOTER),
        "manages": context.may(rights.MANAGE),
        "stages_done": _decided(context, row),
    }


def _map_card(con: Connection, context: ReviewContext, row: Row, eyes: Eyes) -> MapCard | None:
    """The report's codes for the map; None for whoever may not code, and where they are asked about
    the report a second time: that somebody coded it would tell them what was thought of it.
    """
    if not context.may(rights.EXTRACT) or row.report_id in eyes.again:
        return None
    return coding.card(con, context.review, row.report_id)


SETTLED = ("included", "excluded", "not_retrieved")


def _opinion(con: Connection, context: ReviewContext, row: Row, eyes: Eyes) -> Opinion | None:
    """What a language model said of the report, for whoever may see it by now."""
    if row.report_id in eyes.again:
        return None
    own = [vote for vote in row.votes if vote["reviewer"] == context.me]
    may_see = opinions.may_see(
        context.review,
        leads=context.user.role == "lead",
        settled=row.state in SETTLED,
        decided=any(vote["stage"] == row.stage for vote in own),
    )
    return opinions.opinion(con, context.review.id, row.report_id) if may_see else None


def _fields(shown: Record, origin: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(field, value, the source that says so) of all that is known of the report."""
    rows = []
    for name, words in FIELD_WORDS.items():
        text = _text(getattr(shown, name))
        if text:
            rows.append((words, text, origin.get(name, shown.source)))
    return rows


def _link_words(kind: LinkKind | None) -> str:
    """What two linked reports are to each other; of one study, where nobody said more."""
    return WORDS[kind or LinkKind.SAME_STUDY]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(_part, value))
    return "" if value is None else str(value)


def _part(value: object) -> str:
    """One of several values of a field."""
    if isinstance(value, Related):
        return f"{WORDS[value.kind]}: {value.id}"
    return str(value)


def _member(record: Record, versions: Sequence[Version]) -> Member:
    pairs = list(pairwise(versions))
    changes = [(new, _changes(old.record, new.record)) for old, new in reversed(pairs)]
    return Member(record.record_id, record, tuple(changes))


def _changes(old: Record, new: Record) -> tuple[Change, ...]:
    changed = [name for name in FIELDS if getattr(old, name) != getattr(new, name)]
    return tuple(
        Change(FIELD_WORDS.get(name, name), _text(getattr(old, name)), _text(getattr(new, name)))
        for name in changed
    )


def _studies(con: Connection, review: str, report: str, eyes: Eyes) -> list[str]:
    if report in eyes.again:
        return []
    rows = con.execute(
        "SELECT study FROM current_study WHERE review = ? AND report_id = ? ORDER BY study",
        [review, report],
    ).fetchall()
    return [study for (study,) in rows]


def _decided(context: ReviewContext, row: Row) -> list[str]:
    """The stages at which a lead can have the report decided again."""
    stages = list(context.review.screening.stages)
    at = stages.index(row.stage)
    settled = row.state in ("included", "excluded", "conflict", "not_retrieved")
    return stages[: at + 1] if settled else stages[:at]


def _steps(
    con: Connection, context: ReviewContext, row: Row, ids: Sequence[str], eyes: Eyes
) -> list[Step]:
    """The time line, newest first."""
    hidden = row.report_id in eyes.again
    steps = [
        _step(event)
        for event in report_events.events(con, context.review.id, ids)
        if not (hidden and event.kind == "study")
    ]
    reasons = {reason.id: reason.label for reason in context.review.reasons}
    for decision in _told(con, context, row, ids, eyes):
        steps.append(_decision_step(decision, reasons))
    return sorted(steps, key=lambda step: step.seq, reverse=True)


def _told(
    con: Connection, context: ReviewContext, row: Row, ids: Sequence[str], eyes: Eyes
) -> list[dict[str, Any]]:
    """The decisions of the time line: of others those that may be seen and are in force, of one's
    own and for a lead who sees all every word.
    """
    if row.report_id in eyes.again:
        return []
    every = report_events.decisions(con, context.review.id, ids)
    if eyes.everything:
        return every
    seen = {vote["id"] for vote in row.votes}
    return [one for one in every if one["id"] in seen or one["reviewer"] == eyes.me]


def _decision_step(decision: Mapping[str, Any], reasons: Mapping[str, str]) -> Step:
    stage = pages.STAGES[decision["stage"]].lower()
    if decision["verdict"] == "withdrawn":
        words = f"{decision['reviewer']} took their decision at {stage} back"
    else:
        verdict = pages.VERDICTS.get(decision["verdict"], decision["verdict"])
        how = "settled it" if decision["role"] == "adjudication" else "decided"
        words = f"{decision['reviewer']} {how} at {stage}: {verdict}"
    reason = decision["reason"]
    detail = ". ".join(filter(None, (reasons.get(reason, reason), decision["note"])))
    return Step(decision["made"], decision["seq"], words, detail)


def _step(event: Event) -> Step:
    words = {
        "found": f"Found by the search {event.about} in {event.detail}",
        "changed": f"{event.detail} changed it: version {event.about} of its record",
        "pair": f"{event.author} on a pair of records: "
        f"{pages.VERDICTS.get(event.about, 'taken back')}",
        "reopened": f"{event.author} had it decided again at "
        f"{pages.STAGES.get(event.about, event.about).lower()}",
        "full_text": f"{event.author} added the file {event.about}",
        "file_used": f"{event.author} said what the file {event.about} is",
        "file_replaced": f"{event.author} put another file in the place of {event.about}",
        "file_removed": f"{event.author} removed the file {event.about}",
        "retrieval": f"{event.author} {RETRIEVAL.get(event.about, event.about)}",
        "study": f"{event.author} took it to the study {event.about}"
        if event.about
        else f"{event.author} took it out of its study",
        "tagged": f"{event.author} tagged it {event.about}",
        "untagged": f"{event.author} took the tag {event.about} off it",
        "task": f"A task was raised: {event.about.replace('-', ' ')}",
        "settled": f"{event.author} settled the task {event.about.replace('-', ' ')}",
    }[event.kind]
    quiet = event.kind in ("found", "changed", "full_text")
    return Step(event.made, event.seq, words, "" if quiet else event.detail or "")
