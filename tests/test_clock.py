"""A clock that was wrong for a night: nothing is lost, it is told why, and it heals by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest

from livereview.errors import Refused
from livereview.ops import protocols, recheck, status, surveil
from livereview.store.open import Store
from livereview.surveillance.clock import Event, behind
from tests.conftest import NOW, REVIEW

DAY = timedelta(days=1)
_numbers = count()


@pytest.fixture
def names(reviewed: Store) -> list[str]:
    """The searches of the small review."""
    with reviewed.read() as con:
        return [search.name for search in protocols.protocol(con, REVIEW).searches]


def night(store: Store, name: str, now: datetime, error: str | None = None) -> dict[str, str]:
    """A night in which a search runs through, or breaks; what `begin` answered."""
    search = f"n{next(_numbers)}"
    begun = surveil.begin(store, review=REVIEW, name=name, search=search, now=now)
    surveil.finish(store, search=search, now=now, error=error)
    return begun


def alarms(store: Store, now: datetime) -> list[str]:
    found: list[str] = status.status(store, now=now)["reviews"][0]["alarms"]
    return found


def ready(store: Store, names: list[str], nights: int) -> None:
    for number in range(nights):
        for name in names:
            night(store, name, NOW + number * DAY)


@pytest.mark.parametrize("ahead", [40 * DAY, 3650 * DAY])
def test_a_success_from_the_future_counts_for_nothing_and_the_next_night_heals(
    reviewed: Store, names: list[str], ahead: timedelta
) -> None:
    ready(reviewed, names, 3)
    for name in names:
        night(reviewed, name, NOW + 3 * DAY + ahead)
    told = alarms(reviewed, NOW + 4 * DAY)
    assert any(
        f"search {names[0]} ended ok-zero with a clock that said" in alarm for alarm in told
    ), told

    begun = night(reviewed, names[0], NOW + 4 * DAY)
    assert begun["start"] < (NOW + 2 * DAY).isoformat(), "from the last true success"
    assert begun["end"] == (NOW + 4 * DAY).isoformat()
    night(reviewed, names[1], NOW + 4 * DAY)
    assert alarms(reviewed, NOW + 4 * DAY) == []
    row = status.status(reviewed, now=NOW + 4 * DAY)["reviews"][0]["searches"][0]
    assert row["last_success"] == NOW + 4 * DAY


def test_a_false_success_does_not_count_when_its_time_has_come(
    reviewed: Store, names: list[str]
) -> None:
    ready(reviewed, names, 3)
    night(reviewed, names[0], NOW + 40 * DAY)
    for number in range(4, 42):
        night(reviewed, names[0], NOW + number * DAY, error="answered 500")
    begun = night(reviewed, names[0], NOW + 42 * DAY)
    assert begun["kind"] == "sweep" or begun["start"] < (NOW + 3 * DAY).isoformat()


def test_a_sweep_from_the_future_does_not_put_the_next_one_off(
    reviewed: Store, names: list[str]
) -> None:
    ready(reviewed, names, 3)
    night(reviewed, names[0], NOW + 3650 * DAY)  # a sweep, as the last is so old
    kinds = {night(reviewed, names[0], NOW + number * DAY)["kind"] for number in range(4, 40)}
    assert "sweep" in kinds


@pytest.mark.parametrize("back", [10 * DAY, 400 * DAY, 2 * DAY])
def test_a_clock_behind_the_last_event_is_refused_and_nothing_is_written(
    reviewed: Store, names: list[str], back: timedelta
) -> None:
    ready(reviewed, names, 12)
    last = NOW + 11 * DAY
    before = surveil_rows(reviewed)
    with pytest.raises(Refused) as refusal:
        night(reviewed, names[0], last - back)
    for word in (
        "--now",
        f"{last - back:%Y-%m-%d %H:%M}",
        f"{last:%Y-%m-%d %H:%M}",
        "24 hours",
        "--clock-is-right",
    ):
        assert word in str(refusal.value)
    assert surveil_rows(reviewed) == before
    night(reviewed, names[0], last - timedelta(hours=20))


def surveil_rows(store: Store) -> int:
    with store.read() as con:
        rows: int = con.execute("SELECT count(*) FROM search").fetchall()[0][0]
        return rows


def test_a_clock_that_was_ahead_for_several_nights_is_overruled_by_hand_once(
    reviewed: Store, names: list[str]
) -> None:
    ready(reviewed, names, 3)
    for number in (50, 51, 52):
        night(reviewed, names[0], NOW + number * DAY)
    with pytest.raises(Refused, match="--clock-is-right"):
        night(reviewed, names[0], NOW + 4 * DAY)
    begun = surveil.begin(
        reviewed,
        review=REVIEW,
        name=names[0],
        search="right",
        now=NOW + 4 * DAY,
        clock_is_right=True,
    )
    assert begun["start"] < (NOW + 3 * DAY).isoformat()
    surveil.finish(reviewed, search="right", now=NOW + 4 * DAY)
    night(reviewed, names[0], NOW + 5 * DAY)


def test_a_window_that_ends_before_it_starts_is_refused(
    reviewed: Store, protocol: str, names: list[str]
) -> None:
    later = (NOW + 400 * DAY).date().isoformat()
    text = protocol.replace("\n[screening]", f'\nstart = "{later}"\n[screening]', 1)
    surveil.register(reviewed, text=text, now=NOW)
    with reviewed.read() as con:
        late = next(
            search.name
            for search in protocols.protocol(con, REVIEW).searches
            if search.start == later
        )
    with pytest.raises(Refused, match="ends before it starts"):
        night(reviewed, late, NOW)


def test_a_look_up_with_a_clock_behind_is_refused_too(reviewed: Store, names: list[str]) -> None:
    ready(reviewed, names, 12)
    with pytest.raises(Refused, match="behind"):
        recheck.begin_lookup(
            reviewed, review=REVIEW, source="crossref", search="l", now=NOW + 5 * DAY
        )


def test_the_last_event_is_believed_unless_it_stands_alone() -> None:
    def event(days: float) -> Event:
        return Event(NOW + days * DAY, "something")

    assert behind([], NOW) is None
    assert behind([event(0.5)], NOW) is None, "within the tolerance"
    assert behind([event(2)], NOW) == event(2), "all that ever was is ahead"
    assert behind([event(-1), event(40), event(40.1)], NOW) is None, "one night with a wrong clock"
    assert behind([event(-1), event(2), event(3)], NOW) == event(3)
    assert behind([event(-1), event(40), event(-0.5)], NOW) is None, "it healed already"
