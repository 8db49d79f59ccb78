"""How searches end, and what a night comes to: what flows hand on, and command lines show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livereview.commands.publishing import Published
from livereview.commands.searching import Finished

RAN_THROUGH = ("ok", "ok-zero")

# the outcome of a search that somebody else ran, or has in hand, for the same slot: no failure, and
# no row in the ledger of searches
ALREADY_RUN = "already run"


@dataclass(frozen=True, slots=True)
class Ending:
    """How one search ended, in records.

    Attributes:
        outcome: ok, ok-zero, partial, failed, or ALREADY_RUN.
        error: Why it did not run through; None: it did.
    """

    name: str
    source: str
    error: str | None
    outcome: str
    found: int = 0
    fresh: int = 0
    changed: int = 0
    rejected: int = 0

    @property
    def ran_through(self) -> bool:
        """Whether it asked for all that it should, and got it."""
        return self.outcome in RAN_THROUGH

    @property
    def already_run(self) -> bool:
        """Whether somebody else runs it, or ran it."""
        return self.outcome == ALREADY_RUN

    @property
    def is_done(self) -> bool:
        """Whether nobody need try again."""
        return self.ran_through or self.already_run


def ending_of(name: str, source: str, error: str | None, finished: Finished) -> Ending:
    """The ending that the owner has written down."""
    return Ending(
        name=name,
        source=source,
        error=error,
        outcome=finished.outcome,
        found=finished.found,
        fresh=finished.fresh,
        changed=finished.changed,
        rejected=finished.rejected,
    )


@dataclass(frozen=True, slots=True)
class NightReport:
    """What a night came to.

    Attributes:
        searches: In the order in which they ended.
        published: What became of the page; None: it was not looked at.
        note: Why nothing was searched; None: something was.
    """

    review: str
    searches: Sequence[Ending] = ()
    published: Published | None = None
    note: str | None = None
