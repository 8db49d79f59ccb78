"""Where reviewers differ, and a third person settles it with both votes before them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.store import decisions
from livereview.store.open import Connection
from livereview.store.standings import Standing
from livereview.web import card, guard, pages
from livereview.web.guard import Room
from livereview.web.screen import NOTE_LIMIT, Draft, Line, my_word, report_of, split, title_of


def page(room: guard.Here, at: int = 0, done: str = "", stage: str = "") -> Response:
    """One conflict; `at` counts them."""
    with room.desk.store.read() as con:
        return _show(con, room, at, Draft(), line=_done(con, room, done, stage))


def _show(con: Connection, room: Room, at: int, draft: Draft, line: Line | None = None, status: int = 200) -> Response:
    found = decisions.conflicts(con, room.review.id)
    at = at if 0 <= at < len(found) else 0
    case = _case(con, room, found[at]) if found else None
    return pages.show("conflicts.html", room, status, case=case, at=at, count=len(found), draft=draft, line=line)


def _case(con: Connection, room: Room, standing: Standing) -> dict[str, Any]:
    """The report, the votes on it, and why I may not settle it, if I may not."""
    votes = decisions.on_report(con, room.review.id, standing.report_id, standing.stage)
    named = room.review.screening.adjudicators
    barred = None
    if room.me in {vote["reviewer"] for vote in votes}:
        barred = "You voted on this record, so a third person must settle it."
    elif named and room.me not in named:
        barred = f"review.toml names who settles conflicts: {', '.join(named)}."
    return {
        "card": card.of(con, room.review.id, standing.report_id, room.review.highlights),
        "stage": standing.stage,
        "votes": votes,
        "barred": barred,
        "reasons": {reason.id: reason.label for reason in room.review.reasons},
    }


def _done(con: Connection, room: Room, record: str, stage: str) -> Line | None:
    word = my_word(con, room, record, stage, "adjudication") if record else None
    if word is None:
        return None
    return Line(f"Settled: {pages.VERDICTS[word['verdict']]}", title_of(con, record), record, stage, "adjudication")


def settle(
    room: guard.Here,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    stage: Annotated[str, Form()],
    verdict: Annotated[str, Form()],
    at: Annotated[int, Form()] = 0,
    reason: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    tags: Annotated[str, Form()] = "",
) -> Response:
    """Settle a conflict as a third person; the votes stay as they are."""
    here, id, draft = f"/r/{room.review.id}/conflicts", f"{room.me}-{form}", Draft(reason, note.strip(), tags=tags)
    with room.desk.turns[room.me]:
        with room.desk.store.read() as con:
            guard.recorded(con, room, record)
            open_ones = {(one.report_id, one.stage) for one in decisions.conflicts(con, room.review.id)}
            word = my_word(con, room, record, stage, "adjudication")
            waits = (report_of(con, record), stage) in open_ones
        if not waits and not (word and word["id"] == id):
            return pages.error(409, "There is no open conflict on this record. Nothing was changed.", (here, "Go on"))
        if waits and (refused := _write(room, id, record, stage, verdict, draft)):
            with room.desk.store.read() as con:
                return _show(con, room, at, replace(draft, problem=refused), status=422)
    return RedirectResponse(f"{here}?done={record}&stage={stage}", 303)


def _write(room: Room, id: str, record: str, stage: str, verdict: str, draft: Draft) -> str | None:
    """Write it, or say why not."""
    try:
        if verdict not in ("include", "exclude"):
            raise Refused("choose include or exclude")
        if len(draft.note) > NOTE_LIMIT:
            raise Refused(f"the note is too long; keep it under {NOTE_LIMIT:,} characters")
        ops.screen.decide(
            room.desk.store,
            id=id,
            review=room.review.id,
            record=record,
            stage=stage,
            reviewer=room.me,
            role="adjudication",
            verdict=verdict,
            reason=draft.reason or None,
            note=draft.note or None,
            tags=split(draft.tags),
            now=room.desk.clock(),
        )
    except Refused as refusal:
        return refusal.message
    return None
