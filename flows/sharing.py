"""Which shared answers a run of a night may use."""

from __future__ import annotations

from datetime import UTC, datetime

from livereview.backups.target import at
from livereview.errors import Refused
from livereview.review import Search
from livereview.settings import Settings
from livereview.shared_answers import NightAnswers

FOLDER = "answers"  # in the data folder, where no other place is set


def name_of(slot: datetime, run: str = "") -> str:
    """What a night is called: by its slot, and by its dispatcher's run where it has one."""
    return f"{slot:%Y-%m-%dT%H:%M} {run}".strip()


def slot_of(name: str) -> datetime | None:
    """The slot of a night whose name `name_of` made; None for no night."""
    if name:
        return datetime.fromisoformat(name.partition(" ")[0]).replace(tzinfo=UTC)
    return None


def of_night(settings: Settings, name: str) -> NightAnswers:
    """The answers that the searches of a night share, whose name `name_of` made.

    Raises:
        Refused: for a name that it did not make.
    """
    place = at(settings.answers or str(settings.home / FOLDER))
    try:
        day = datetime.fromisoformat(name.partition(" ")[0])
    except ValueError:
        raise Refused(
            f"night must be as a dispatcher gives it, or left empty; got {name!r}"
        ) from None
    return NightAnswers(place, name, day)


def for_search(night: NightAnswers | None, plan: Search) -> NightAnswers | None:
    """The answers that a search may be given.

    An answer is as old as the night at most, so what came out since then is not in it: the overlap
    of the next window has it. A search without an overlap asks by itself.
    """
    return night if plan.overlap_days >= 1 else None
