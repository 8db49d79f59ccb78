"""What every act that can undo others' work has: what is asked, what was done, and its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from livereview import rights
from livereview.errors import Refused
from livereview.ops.protocols import protocol
from livereview.rights import Principal
from livereview.store import evidence as studies
from livereview.store import standings
from livereview.store.acts import LoggedAct
from livereview.store.open import Connection

NO_SECRET = "-"  # noqa: S105 - opens nothing: no digest looks like it


class NothingToDo(Refused):
    """The act would change nothing: there is nothing to confirm, and nothing for the log."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An act that somebody asks for.

    Attributes:
        id: The act's own; what it writes has ids that follow from it.
        review: Where it was asked for.
        given: What it is about, as its kind names it.
        by: What signed in.
        author: Whose name the log has.
        reason: Why; some kinds need one.
        secret_hash: Of the secret that an account gets; it is in no log.
        looked: What its kind's `look` found, for `concerns` and `do`.
    """

    id: str
    review: str
    given: Mapping[str, str]
    by: Principal
    author: str
    now: datetime
    reason: str = ""
    secret_hash: str = NO_SECRET
    looked: object = None

    def value(self, name: str) -> str:
        """One of the values; raises Refused where it is missing."""
        value = self.given.get(name, "")
        if not isinstance(value, str) or not value:
            raise Refused(
                f"{name} is missing, so it is not clear what is to be done; reload the page and try again"
            )
        return value


@dataclass(frozen=True, slots=True)
class Done:
    """What an act did beside what `ops.effects` measures: sentences of its own, and what taking it
    back needs.
    """

    lines: tuple[str, ...]
    undo: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of act.

    Attributes:
        title: What it is called, as an imperative; `{name}` is a value of what is given.
        do: Does it.
        undo: Takes it back, and gives sentences on what could not be restored; raises Refused where
        nothing can.
        right: Who may do it.
        needs_reason: Whether it is refused without one.
        look: Works out, once, what both `concerns` and `do` need.
        concerns: The reviews that it may change something in.
        is_long: It takes so long that decisions must not wait for it.
        moves_reports: Whether it can move where reports stand, or votes.
    """

    title: str
    do: Callable[[Connection, Asked], Done]
    undo: Callable[[Connection, LoggedAct, Asked], tuple[str, ...]]
    right: rights.Act = rights.MANAGE
    needs_reason: bool = False
    look: Callable[[Connection, Asked], object] = lambda con, asked: None
    concerns: Callable[[Connection, Asked], list[str]] = lambda con, asked: [asked.review]
    is_long: bool = False
    moves_reports: bool = True

    def named(self, given: Mapping[str, str]) -> str:
        """Its title with what it is about."""
        return self.title.format_map(_Blank(given))


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def later_votes(con: Connection, review: str, reports: list[str], stage: str) -> tuple[str, ...]:
    """That words at later stages are kept, if there are any."""
    stages = protocol(con, review).screening.stages
    later = set(stages[stages.index(stage) + 1 :])
    given = standings.in_force(con, standings.members(con, reports))
    kept = sum(word["review"] == review and word["stage"] in later for word in given)
    extracted = set(reports) & {
        report for some in studies.reports_of(con, review).values() for report in some
    }
    lines = []
    if kept:
        noun = "decision" if kept == 1 else "decisions"
        lines.append(
            f"{kept:,} {noun} at full text are kept, and count again when the report goes on again."
        )
    if extracted:
        lines.append(
            "What was extracted is kept, and is shown again when the report is included again."
        )
    return tuple(lines)
