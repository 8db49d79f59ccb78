"""The screening room: one report, one decision, the next one.

Nothing here tells what a co-reviewer did.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Form, Header, HTTPException
from fastapi.responses import JSONResponse, RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.links import WORDS, LinkKind
from livereview.ops.screen import Arrived, Outdated, Stale
from livereview.records import Record
from livereview.review import Review
from livereview.rights import Kind
from livereview.screening.decisions import BadField
from livereview.store import (
    calibration,
    decisions,
    full_texts,
    matches,
    queues,
    records,
    retrieval,
    shares,
    standings,
)
from livereview.store.open import Connection
from livereview.web import as_shown, card, guard, lines, pages
from livereview.web.as_shown import OnScreen
from livereview.web.guard import ReviewContext
from livereview.web.leases import Question
from livereview.web.lines import Change, Line, typed_in
from livereview.web.mine import asked_again, last_word, must_screen, my_word, report_of, title_of
from livereview.web.reader import Reader, terms

NOTE_LIMIT = 4_000  # characters
MOST_TAGS, LONGEST_TAG = 20, 50


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form holds already: after a refusal, or after an undo.

    `field` is the one to be mended.
    """

    reason: str = ""
    note: str = ""
    problem: str | None = None
    tags: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A decision as a form brought it.

    Attributes:
        shown: What was on the screen, sealed.
        instead: The form whose decision this one takes the place of, if it does.
        dropped: The reason that was left out, as it was no exclusion.
    """

    form: str
    record: str
    stage: str
    verdict: str
    draft: Draft
    shown: str
    instead: str
    dropped: str = ""

    def id(self, context: ReviewContext) -> str:
        """The decision's: nobody else's form can have it."""
        return f"{context.me}-{self.form}"

    def change(self) -> Change:
        """The form with which this becomes what stands."""
        draft = self.draft
        return Change(self.verdict, draft.reason, draft.note, draft.tags, self.shown, self.form)


def page(
    context: guard.InReview,
    stage: str,
    record: str = "",
    done: str = "",
    undone: str = "",
    skip: str = "",
    dropped: str = "",
) -> Response:
    """The next report that waits for me at this stage, or the one of `record` if it waits too.

    Args:
        skip: The record before me, which I do not want to see until all others are answered.
    """
    _stage(context, stage)
    with context.shared.store.read() as con:
        must_screen(con, context)
        if skip and records.in_review(con, context.review.id, skip):
            place = context.review.id, stage
            context.shared.leases.skip(
                place, context.me, report_of(con, skip), context.shared.clock()
            )
        line = lines.done(con, context, done, stage, more=_without(context.review, dropped))
        line = line or lines.undone(con, context, undone, stage)
        if record and record == undone:
            draft = _draft(con, context, record, stage)
        else:
            draft = Draft()
        return _show(con, context, stage, record, draft, line)


def _stage(context: ReviewContext, stage: str) -> None:
    if stage not in context.review.screening.stages:
        raise HTTPException(404, "This review has no such stage.")


def _show(
    con: Connection,
    context: ReviewContext,
    stage: str,
    wanted: str,
    draft: Draft,
    line: Line | None = None,
    status: int = 200,
) -> Response:
    """The record `wanted` with what was typed on it, if it waits for me.

    Else the next one, and a line that says so.
    """
    review = context.review.id
    asked = report_of(con, wanted) if wanted else ""

    def look(question: Question) -> queues.Head:
        return queues.head(
            con, context.review, context.me, stage, most=question.most, wanted=question.wanted
        )

    votes, now = context.review.screening.votes, context.shared.clock()
    taken = context.shared.leases.take((review, stage), context.me, now, votes, look, asked)
    report = taken.report
    if wanted and report != asked:
        line = line or _not_there(con, context, wanted, stage, draft)
        draft = Draft()
    shown = card.of(con, review, report, context.review.highlights) if report else None
    together = _together(con, context, report, stage) if report else {}
    sealed = ""
    if shown and report:
        sealed = as_shown.seal(
            as_shown.of(con, context, shown, report, together), context.user.csrf
        )
    if report and stage == "full_text":
        every = full_texts.of(con, review, report)
    else:
        every = []
    files = [file for file in every if file.is_used]
    values = {
        "card": shown,
        "sealed": sealed,
        "files": files,
        "reader": Reader(
            base=f"/r/{review}", files=tuple(files), terms=terms(context.review.highlights)
        ),
        "cautions": ops.page_texts.cautions(
            context.shared.settings.full_texts, [file.sha256 for file in files]
        ),
        "links": retrieval.links(con, review, report) if report and stage == "full_text" else [],
        "together": together,
        "together_words": _together_words(con, report, together),
        "draft": draft,
        "line": line,
        "done": taken.head.done,
        "waiting": taken.head.waiting,
    }
    return pages.show("screen.html", context, status, stage=stage, **values)


def _not_there(
    con: Connection, context: ReviewContext, wanted: str, stage: str, draft: Draft
) -> Line | None:
    """Why another record is shown than the one that was asked for."""
    if not records.in_review(con, context.review.id, wanted):
        return None
    more = (
        draft.problem
        or "You have answered it, others have it before them, or it needs no more answers here."
    )
    typed = typed_in(context, asdict(draft))
    words = "Not saved" if draft.problem else "This record does not wait for you now"
    return Line(words, title_of(con, wanted), wanted, stage, more=more, typed=typed, notice=True)


def _together(con: Connection, context: ReviewContext, report: str, stage: str) -> dict[str, str]:
    """Linked reports that wait for me too, with their titles: one decision may stand for all, if I
    say so.
    """
    waiting = [one for one in matches.linked(con, report) if _waits(con, context, one, stage)]
    others = shares.asked(con, context.review, context.me, waiting) if waiting else ()
    return {
        one: title_of(con, one)
        for one in waiting
        if one in others and my_word(con, context, one, stage) is None
    }


def _together_words(
    con: Connection, report: str | None, together: Collection[str]
) -> dict[str, str]:
    """What each of the linked reports that are offered is to this one."""
    kinds = matches.linked(con, report) if report and together else {}
    return {other: WORDS[kinds.get(other) or LinkKind.SAME_STUDY] for other in together}


def _draft(con: Connection, context: ReviewContext, record: str, stage: str) -> Draft:
    """The reason and note of what I took back, so that nothing needs to be typed again."""
    reason, note, tags = last_word(con, context, record, stage) or (None, None, [])
    return Draft(reason or "", note or "", tags=", ".join(tags))


def decide(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    stage: Annotated[str, Form()],
    verdict: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    tags: Annotated[str, Form()] = "",
    shown: Annotated[str, Form()] = "",
    instead: Annotated[str, Form()] = "",
    together: Annotated[list[str] | None, Form()] = None,
    hx_request: Annotated[str, Header()] = "",
) -> Response:
    """Write my decision, for linked reports too where I said so, and go on.

    A form sent twice counts once. Whatever is not done is told above the next record, in words and
    with what I typed.

    A script gets the next record in the answer itself, one round trip; a browser without scripts is
    sent on to it.
    """
    _stage(context, stage)
    draft = Draft(reason, note.strip(), tags=tags)
    posted = posting(form, record, stage, verdict, draft, shown, instead)
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
        if together:
            others = _together(con, context, report_of(con, record), stage)
        else:
            others = {}
    if refused := _write(context, posted):
        return refused
    left = [
        title
        for one, title in others.items()
        if one in (together or ()) and not _with(context, posted, one)
    ]
    more = f"Not decided with it, please see to it: {'; '.join(left)}." if left else ""
    if hx_request or left:
        with context.shared.store.read() as con:
            more = " ".join(filter(None, (_without(context.review, posted.dropped), more)))
            return _show(
                con, context, stage, "", Draft(), lines.done(con, context, record, stage, more=more)
            )
    if re.fullmatch(r"[\w-]+", posted.dropped):
        dropped = f"&dropped={posted.dropped}"
    else:
        dropped = ""
    return RedirectResponse(f"/r/{context.review.id}/screen/{stage}?done={record}{dropped}", 303)


def posting(
    form: str, record: str, stage: str, verdict: str, draft: Draft, shown: str, instead: str
) -> Posted:
    """A decision as a form brought it.

    A reason that belongs to no exclusion is left out, which is then said.
    """
    dropped = draft.reason if verdict != "exclude" else ""
    if dropped:
        draft = replace(draft, reason="")
    return Posted(form, record, stage, verdict, draft, shown, instead, dropped)


def _without(review: Review, reason: str) -> str:
    """That a reason was left out, in words."""
    label = next((one.label for one in review.reasons if one.id == reason), "")
    if label:
        return f"The reason that you had chosen ({label}) was left out: it belongs to an exclusion."
    return ""


def _waits(con: Connection, context: ReviewContext, record: str, stage: str) -> bool:
    """Whether the report of this record takes votes at this stage, or I am asked about it again."""
    return (
        _open(con, context, report_of(con, record), stage)
        or asked_again(con, context, record, stage) is not None
    )


def _open(con: Connection, context: ReviewContext, report: str, stage: str) -> bool:
    standing = standings.of(con, context.review.id, report)
    return standing is not None and standing.stage == stage and standing.state in ("open", "half")


def _write(context: ReviewContext, posted: Posted) -> Response | None:
    """Write the decision, or give the page that says why it can't be written, with everything typed
    still there.
    """
    record, stage, draft = posted.record, posted.stage, posted.draft
    try:
        if posted.verdict not in ("include", "exclude", "maybe", "not_retrieved"):
            raise Refused(
                "choose include, exclude or maybe; at full text also that you can't get it"
            )
        answer = write(context, posted)
    except Stale as late:
        with context.shared.store.read() as con:
            line = late_line(con, context, posted, late)
            return _show(con, context, stage, "", Draft(), line, 409)
    except Outdated as change:
        with context.shared.store.read() as con:
            problem = outdated_words(con, context, posted, change)
            return _show(con, context, stage, record, replace(draft, problem=problem), status=409)
    except Refused as refusal:
        with context.shared.store.read() as con:
            mended = replace(
                draft, problem=refusal_words(refusal, context.review), field=field_of(refusal)
            )
            return _show(con, context, stage, record, mended, status=422)
    with context.shared.store.read() as con:
        context.shared.leases.decided(
            (context.review.id, stage), context.me, report_of(con, record)
        )
        if answer["stands"]:
            return None
        line = lines.used(con, record, stage, typed_in(context, asdict(draft)))
        return _show(con, context, stage, "", Draft(), line, 409)


def write(context: ReviewContext, posted: Posted, role: str = "vote") -> dict[str, Any]:
    """Write a decision as it was posted; raises Refused and its kinds, having changed nothing."""
    draft = posted.draft
    if len(draft.note) > NOTE_LIMIT:
        raise BadField(
            f"the note is too long; keep it under {NOTE_LIMIT:,} characters", field="note"
        )
    tags = split(draft.tags)
    screen = _on_screen(context, posted)
    return ops.screen.decide(
        context.shared.store,
        id=posted.id(context),
        review=context.review.id,
        record=posted.record,
        stage=posted.stage,
        reviewer=context.me,
        role=role,
        verdict=posted.verdict,
        reason=draft.reason or None,
        note=draft.note or None,
        tags=tags,
        now=context.shared.clock(),
        waiting=True,
        shown=screen.cited() if screen else None,
        instead=f"{context.me}-{posted.instead}" if posted.instead else None,
    )


def _on_screen(context: ReviewContext, posted: Posted) -> OnScreen | None:
    """What the form says was on the screen; None where a program decides, which has no screen.

    Raises:
        Outdated: where another record of the report, or other words of it, would be shown now.
    """
    screen = as_shown.opened(posted.shown, context.user.csrf)
    if screen is None and context.user.principal.kind == Kind.TOKEN:
        return None
    if screen is None or screen.record != posted.record:
        raise Outdated("this form does not say what was on the screen", what="form")
    with context.shared.store.read() as con:
        changed = as_shown.changed_fields(screen, _now(con, context, posted.record))
        if changed and my_word(con, context, posted.record, posted.stage) is None:
            raise Outdated("the record has changed", what="record")
    return screen


def _now(con: Connection, context: ReviewContext, record: str) -> Record:
    """The report of a record as it would be shown now."""
    report = report_of(con, record)
    return records.merged(records.reports(con, context.review.id, [report])[report])[0]


def _with(context: ReviewContext, posted: Posted, other: str) -> bool:
    """Whether the decision could stand for a linked report too, as it was on the screen."""
    draft = posted.draft
    screen = as_shown.opened(posted.shown, context.user.csrf)
    shown = screen.cited_of(other) if screen else None
    if shown is None and context.user.principal.kind != Kind.TOKEN:  # a program has no screen
        return False
    try:
        answer = ops.screen.decide(
            context.shared.store,
            id=f"{posted.id(context)}-{other}",
            review=context.review.id,
            record=other,
            stage=posted.stage,
            reviewer=context.me,
            verdict=posted.verdict,
            reason=draft.reason or None,
            note=draft.note or None,
            tags=split(draft.tags),
            now=context.shared.clock(),
            waiting=True,
            shown=shown,
        )
    except Refused:
        return False
    context.shared.leases.decided((context.review.id, posted.stage), context.me, other)
    return bool(answer["stands"])


def not_added(context: ReviewContext, record: str, why: str) -> Response:
    """The record again, with why a file could not be added to it."""
    with context.shared.store.read() as con:
        draft = Draft(problem=f"The file was not added: {why}.", field="file")
        return _show(con, context, "full_text", record, draft, status=422)


def late_line(
    con: Connection, context: ReviewContext, posted: Posted, late: Stale, role: str = "vote"
) -> Line:
    """What stands where a decision came late or twice."""
    record, stage = posted.record, posted.stage
    typed = typed_in(context, asdict(posted.draft))
    if isinstance(late, Arrived):
        word = my_word(con, context, record, stage, role)
        if word and word["id"] == posted.id(context):
            return lines.arrived(con, context, record, stage, late.said, posted.change(), role)
        return lines.used(con, record, stage, typed, role)
    return lines.not_needed(con, context, record, stage, typed, role)


def outdated_words(
    con: Connection, context: ReviewContext, posted: Posted, change: Outdated
) -> str:
    """What has changed since the form was made, in words."""
    screen = as_shown.opened(posted.shown, context.user.csrf)
    if screen is None or change.what == "form":
        return "The page was made before the server's last change. What you typed is here: please decide again."
    again = "Please look again and decide; what you typed is kept."
    if change.what == "criteria":
        changes = " ".join(as_shown.criteria_changes(con, screen, context.review))
        return f"The criteria have changed since you opened this record. {changes} {again}"
    fields = ", ".join(as_shown.changed_fields(screen, _now(con, context, posted.record)))
    return f"This record has changed since you opened it ({fields or 'in details that are not shown'}). {again}"


def refusal_words(refusal: Refused, review: Review) -> str:
    """A refusal for people: labels and keys in place of ids."""
    if field_of(refusal) != "reason":
        return refusal.message[:1].upper() + refusal.message[1:] + "."
    labels = [reason.label for reason in review.reasons if not reason.retired]
    choices = ", ".join(f"{number} {label}" for number, label in enumerate(labels, 1))
    if refusal.message.startswith("unknown"):
        start = "Choose"
    else:
        start = "An exclusion here needs"
    return f"{start} one of these reasons; press its number: {choices}."


def field_of(refusal: Refused) -> str:
    """The field that a refusal is about, if it is about one."""
    return refusal.field if isinstance(refusal, BadField) else ""


def split(tags: str) -> list[str]:
    """The tags of a form's line; raises Refused where there are too many or too long ones."""
    found = list(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags.split(",")))))
    if len(found) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in found):
        said = f"at most {MOST_TAGS} tags of up to {LONGEST_TAG} characters; put the rest into the note"
        raise BadField(said, field="tags")
    return found


def arrived(context: guard.InReview, form: str) -> Response:
    """Whether a form of mine has arrived, for a page that got no answer to it."""
    if not re.fullmatch(r"[0-9a-f]{32}", form):
        raise HTTPException(404, "There is no such form.")
    id = f"{context.me}-{form}"
    with context.shared.store.read() as con:
        said = decisions.by_id(con, id) or calibration.by_id(con, id) or retrieval.by_id(con, id)
    verdict = pages.VERDICTS.get(said["verdict"], said["verdict"]) if said else None
    return JSONResponse({"arrived": said is not None, "verdict": verdict})
