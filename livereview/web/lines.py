"""The status line above a record: what became of the last thing a person did, and what they can do
about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from livereview.store.open import Connection
from livereview.web import mine, pages
from livereview.web.guard import ReviewContext


@dataclass(frozen=True, slots=True)
class Back:
    """What Undo takes back."""

    record: str
    stage: str
    role: str
    title: str


@dataclass(frozen=True, slots=True)
class Change:
    """How a person changes a decision of theirs that had arrived: `instead` is the form that
    brought it.
    """

    verdict: str
    reason: str
    note: str
    tags: str
    shown: str
    instead: str


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of a record.

    Attributes:
        more: A further sentence.
        typed: What a person typed that was not kept, so that it is not lost.
        back: What Undo would take back; None: there is nothing.
        change: How to change what stands; None: there is nothing to change.
        saved: Whether what was typed about this record is kept in a decision of this person.
        notice: Whether it says that something was not done.
    """

    words: str
    title: str
    record: str
    stage: str
    role: str = "vote"
    more: str = ""
    typed: str = ""
    back: Back | None = None
    change: Change | None = None
    saved: bool = False
    notice: bool = False


def done(
    con: Connection,
    context: ReviewContext,
    record: str,
    stage: str,
    role: str = "vote",
    more: str = "",
) -> Line | None:
    """My decision in force on this record, which Undo takes back; None where there is none."""
    word = mine.my_word(con, context, record, stage, role) if record else None
    if word is None:
        return None
    title, verdict = mine.title_of(con, record), pages.VERDICTS[word["verdict"]]
    words = f"Settled: {verdict}" if role == "adjudication" else verdict
    back = Back(record, stage, role, title)
    return Line(words, title, record, stage, role, more=more, back=back, saved=True)


def undone(con: Connection, context: ReviewContext, record: str, stage: str) -> Line | None:
    """That my vote on this record was taken back; Undo then takes back the one before."""
    was_mine = bool(record and mine.last_word(con, context, record, stage))
    if not was_mine or mine.my_word(con, context, record, stage):
        return None
    title = mine.title_of(con, record)
    before = mine.latest_vote(con, context, stage)
    if before is None:
        nothing = "That was all of yours at this stage; there is nothing more to undo."
        return Line("Taken back", title, record, stage, more=nothing)
    earlier = before["record_id"]
    back = Back(earlier, stage, "vote", mine.title_of(con, earlier))
    return Line("Taken back", title, record, stage, back=back)


def not_needed(
    con: Connection, context: ReviewContext, record: str, stage: str, typed: str, role: str = "vote"
) -> Line:
    """Why a decision was not written: I had decided already, or the report takes no more at this
    stage.
    """
    title = mine.title_of(con, record)
    word = mine.my_word(con, context, record, stage, role)
    if word:
        verdict = pages.VERDICTS[word["verdict"]]
        more = f"{verdict} is what you had said, perhaps in another tab, and it stands. Nothing was changed."
        back = Back(record, stage, role, title)
        return Line(
            "You had decided this record already",
            title,
            record,
            stage,
            role,
            more=more,
            typed="" if typed == typed_in(context, word) else typed,
            back=back,
            saved=True,
            notice=True,
        )
    more = (
        "It has got all the answers that it needs meanwhile. Yours was not needed and is not saved."
    )
    if role == "adjudication":
        more = _who_settled(con, context, record, stage)
    words = "This record no longer waits for you"
    return Line(words, title, record, stage, role, more=more, typed=typed, notice=True)


def _who_settled(con: Connection, context: ReviewContext, record: str, stage: str) -> str:
    """What stands of a conflict: whoever settles one may see all that is said of it."""
    settled = mine.settlement(con, context, record, stage)
    if settled is None:
        return "There is no open conflict on it any more. Nothing was changed."
    verdict = pages.VERDICTS[settled["verdict"]]
    return f"{settled['reviewer']} has settled it meanwhile: {verdict}. Nothing was changed."


def used(con: Connection, record: str, stage: str, typed: str, role: str = "vote") -> Line:
    """A form that had arrived, and what it said was taken back since."""
    more = "This form was used before, and what it said was taken back since. Nothing was changed."
    return Line(
        "Not saved",
        mine.title_of(con, record),
        record,
        stage,
        role,
        more=more,
        typed=typed,
        notice=True,
    )


def arrived(
    con: Connection,
    context: ReviewContext,
    record: str,
    stage: str,
    before: Mapping[str, Any],
    change: Change,
    role: str = "vote",
) -> Line:
    """A form that had arrived with other words: those stand, and can be changed into the new ones."""
    title, old = mine.title_of(con, record), pages.VERDICTS[before["verdict"]]
    if before["verdict"] == change.verdict:
        more = "It had arrived without what you wrote since; nothing was changed."
    else:
        more = (
            f"That is what stands. Your {pages.VERDICTS[change.verdict]} after it changed nothing."
        )
    return Line(
        f"Your {old} had arrived",
        title,
        record,
        stage,
        role,
        more=more,
        back=Back(record, stage, role, title),
        change=change,
        saved=True,
        notice=True,
    )


def typed_in(context: ReviewContext, said: Mapping[str, Any]) -> str:
    """Reason, tags and note in one line, to be read again."""
    labels = {reason.id: reason.label for reason in context.review.reasons}
    tags = said.get("tags") or ()
    tags = tags if isinstance(tags, str) else ", ".join(tags)
    reason = labels.get(said.get("reason") or "", said.get("reason") or "")
    return "; ".join(filter(None, (reason, tags, said.get("note") or "")))
