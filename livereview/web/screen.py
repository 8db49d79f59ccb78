"""The screening room: one report, one decision, the next one. Nothing here tells what a co-reviewer did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Form, Header, HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.store import calibration, decisions, full_texts, matches, queues, records, shares, standings
from livereview.store.open import Connection
from livereview.web import card, guard, pages
from livereview.web.guard import Room
from livereview.web.leases import Question

NOTE_LIMIT = 4_000  # characters


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form holds already: after a refusal, or after an undo."""

    reason: str = ""
    note: str = ""
    problem: str | None = None
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """The status line: what I did last to which record, and whether it can be undone."""

    words: str
    title: str
    record: str
    stage: str
    role: str = "vote"
    undo: bool = True


def page(room: guard.Here, stage: str, record: str = "", done: str = "", undone: str = "", skip: str = "") -> Response:
    """The next report that waits for me at this stage, or the one of `record` if it waits too.

    skip   a record that I do not want to see until all others are answered
    """
    if stage not in room.review.screening.stages:
        raise HTTPException(404, "This review has no such stage.")
    with room.desk.store.read() as con:
        if skip and records.in_review(con, room.review.id, skip):
            place = room.review.id, stage
            room.desk.leases.skip(place, room.me, report_of(con, skip), room.desk.clock())
        line = _done(con, room, done, stage) or _undone(con, room, undone, stage)
        draft = _draft(con, room, record, stage) if record and record == undone else Draft()
        return _show(con, room, stage, record, draft, line)


def report_of(con: Connection, record: str) -> str:
    """The report a record belongs to."""
    return records.report_of(con, [record]).get(record, record)


def my_word(con: Connection, room: Room, record: str, stage: str, role: str = "vote") -> dict[str, Any] | None:
    """My own decision in force on the report of this record; where I am asked about it again, that answer alone."""
    if role == "vote" and (again := _again(con, room, record, stage)):
        return again[1]
    return my_vote(con, room, record, stage, role)


def my_vote(con: Connection, room: Room, record: str, stage: str, role: str = "vote") -> dict[str, Any] | None:
    """As `my_word`, but of decisions only."""
    votes = decisions.on_report(con, room.review.id, report_of(con, record), stage)
    return next((vote for vote in reversed(votes) if (vote["reviewer"], vote["role"]) == (room.me, role)), None)


def _again(con: Connection, room: Room, record: str, stage: str) -> tuple[str, dict[str, Any] | None] | None:
    """The hidden item that this record is to me, with my answer in force."""
    return calibration.item_of(con, room.review.id, room.me, report_of(con, record), stage)


def _show(
    con: Connection, room: Room, stage: str, wanted: str, draft: Draft, line: Line | None = None, status: int = 200
) -> Response:
    review, now = room.review.id, room.desk.clock()
    asked = report_of(con, wanted) if wanted else ""

    def look(question: Question) -> queues.Head:
        return queues.head(con, room.review, room.me, stage, most=question.most, wanted=question.wanted)

    votes = room.review.screening.votes
    taken = room.desk.leases.take((review, stage), room.me, now, votes, look, asked)
    report = taken.report
    values = {
        "card": card.of(con, review, report, room.review.highlights) if report else None,
        "files": full_texts.of(con, review, report) if report and stage == "full_text" else [],
        "together": _together(con, room, report, stage) if report else {},
        "draft": draft,
        "line": line,
        "done": taken.head.done,
        "waiting": taken.head.waiting,
    }
    return pages.show("screen.html", room, status, stage=stage, **values)


def _together(con: Connection, room: Room, report: str, stage: str) -> dict[str, str]:
    """Linked reports that wait for me too, with their titles: one decision may stand for all, if I say so."""
    if stage != "full_text":
        return {}
    waiting = [one for one in matches.linked(con, report) if _waits(con, room, one, stage)]
    others = shares.asked(con, room.review, room.me, waiting) if waiting else ()
    return {one: title_of(con, one) for one in waiting if one in others and my_word(con, room, one, stage) is None}


def title_of(con: Connection, record: str) -> str:
    found = records.current(con, [record]).get(record)
    return (found and found.title) or "Untitled record"


def _done(con: Connection, room: Room, record: str, stage: str) -> Line | None:
    word = my_word(con, room, record, stage) if record else None
    return Line(pages.VERDICTS[word["verdict"]], title_of(con, record), record, stage) if word else None


def _undone(con: Connection, room: Room, record: str, stage: str) -> Line | None:
    mine = bool(record and _last_word(con, room, record, stage))
    if not mine or my_word(con, room, record, stage):
        return None
    return Line("Taken back", title_of(con, record), record, stage, undo=False)


def _draft(con: Connection, room: Room, record: str, stage: str) -> Draft:
    """The reason and note of what I took back, so that nothing needs to be typed again."""
    reason, note, tags = _last_word(con, room, record, stage) or (None, None, [])
    return Draft(reason or "", note or "", tags=", ".join(tags))


def _last_word(con: Connection, room: Room, record: str, stage: str) -> tuple[str | None, str | None, list[str]] | None:
    """(reason, note, tags) of my last word, in force or taken back."""
    if again := _again(con, room, record, stage):
        return calibration.last_answer(con, again[0])
    return decisions.last_word(con, room.review.id, record, stage, room.me)


def decide(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    stage: Annotated[str, Form()],
    verdict: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    tags: Annotated[str, Form()] = "",
    together: Annotated[list[str] | None, Form()] = None,
    hx_request: Annotated[str, Header()] = "",
) -> Response:
    """Write my decision, for linked reports too where I said so, and go on.

    A form sent twice counts once; one that is out of date changes nothing.

    A script gets the next record in the answer itself, one round trip; a browser without scripts is sent on to it.
    """
    draft = Draft(reason, note.strip(), tags=tags)
    id = f"{room.me}-{form}"  # nobody else's form can have it
    with room.desk.store.read() as con:
        guard.recorded(con, room, record)
        others = _together(con, room, report_of(con, record), stage) if together else {}
    if refused := _write(room, id, record, stage, verdict, draft):
        return refused
    for one in others.keys() & set(together or ()):
        _write(room, f"{id}-{one}", one, stage, verdict, draft)
    if hx_request:
        with room.desk.store.read() as con:
            line = Line(pages.VERDICTS[verdict], title_of(con, record), record, stage)
            return _show(con, room, stage, "", Draft(), line)
    return RedirectResponse(f"/r/{room.review.id}/screen/{stage}?done={record}", 303)


def _waits(con: Connection, room: Room, record: str, stage: str) -> bool:
    """Whether the report of this record takes votes at this stage, or I am asked about it again."""
    return _open(con, room, report_of(con, record), stage) or _again(con, room, record, stage) is not None


def _open(con: Connection, room: Room, report: str, stage: str) -> bool:
    standing = standings.of(con, room.review.id, report)
    return standing is not None and standing.stage == stage and standing.state in ("open", "half")


def _write(room: Room, id: str, record: str, stage: str, verdict: str, draft: Draft) -> Response | None:
    """Write the decision, or give the page that says why it can't be written, with everything typed still there."""
    try:
        if verdict not in ("include", "exclude", "maybe", "not_retrieved"):
            raise Refused("choose include, exclude, maybe or not retrieved")
        if len(draft.note) > NOTE_LIMIT:
            raise Refused(f"the note is too long; keep it under {NOTE_LIMIT:,} characters")
        answer = ops.screen.decide(
            room.desk.store,
            id=id,
            review=room.review.id,
            record=record,
            stage=stage,
            reviewer=room.me,
            verdict=verdict,
            reason=draft.reason or None,
            note=draft.note or None,
            tags=split(draft.tags),
            now=room.desk.clock(),
            waiting=True,
        )
    except ops.screen.Stale as late:
        return _stale(room, stage, late.mine)
    except Refused as refusal:
        with room.desk.store.read() as con:
            return _show(con, room, stage, record, replace(draft, problem=refusal.message), status=422)
    with room.desk.store.read() as con:
        room.desk.leases.decided((room.review.id, stage), room.me, report_of(con, record))
    return None if answer["stands"] else _used(room, stage)


def split(tags: str) -> list[str]:
    """The tags of a form's line; raises Refused where there are too many or too long ones."""
    found = list(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags.split(",")))))
    if len(found) > 20 or any(len(tag) > 50 for tag in found):
        raise Refused("at most 20 tags of up to 50 characters; put the rest into the note")
    return found


def _stale(room: Room, stage: str, mine: bool) -> Response:
    if mine:
        message = "You had decided this record already, perhaps in another tab. Your earlier answer stands."
    else:
        message = "This record no longer waits for you at this stage."
    return _go_on(room, stage, message)


def _used(room: Room, stage: str) -> Response:
    return _go_on(room, stage, "This form was used before, and what it said was taken back since.")


def _go_on(room: Room, stage: str, message: str) -> Response:
    link = (f"/r/{room.review.id}/screen/{stage}", "On to the next record")
    return pages.error(409, f"{message} Nothing was changed.", link)
