"""What the model expects among the unread, and whether the calibrated rule would stop there.

Each ranking leaves its expectation in the books. Those of reviews that were read to the end show
how far to trust the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from livereview.store import ranks
from livereview.store.open import Connection
from livereview.store.ranks import Finished, Ranking

HOURS = 10  # that the lead is told the yield of
SECONDS = 36  # a title and abstract takes a person; Cochrane's planning figure of 2024


@dataclass(frozen=True, slots=True)
class Expected:
    """What the model expected when the queue was ranked last.

    Attributes:
        read, found: Reports settled by then, and those of them that went on.
        unread: Reports that were not settled.
        left: Relevant reports expected among the unread: mostly too many, so a cautious figure.
        least: Share of the relevant that is found if as many are left as expected.
        ratio, limit: `left` by `found`, and how small it must be for the calibrated rule.
        reviews, least_kept: Finished reviews that the limit rests on, in all of which it kept
            recall .95; and the share of such reviews that this record still allows, at 95%.
        own: Whether these are the installation's own reviews.
        may_stop: Whether the calibrated rule stops. Never with reports that came since.
        next_hours, next_reports, next_found: HOURS more hours of all reviewers together, or fewer
            where fewer finish; the reports they would read; the relevant ones expected in these.
        made: When the queue was ranked.
    """

    read: int
    found: int
    unread: int
    left: float
    least: float
    ratio: float | None
    limit: float
    reviews: int
    least_kept: float
    own: bool
    may_stop: bool
    next_hours: float
    next_reports: int
    next_found: float
    made: datetime


def learned(finished: Sequence[Finished]) -> dict[str, Any]:
    """The limit that an installation's finished reviews give, as plain data of a `Limit`."""
    from livereview.ranking import calibrated

    ratios = []
    for review in finished:
        looks = [
            calibrated.Look(look["read"], look["found"], look["left"]) for look in review.expected
        ]
        if review.relevant >= calibrated.FEWEST_RELEVANT:
            ratios.append(calibrated.smallest_too_large(looks, review.relevant))
    return asdict(calibrated.learned(ratios))


def expected(con: Connection, review: str, votes: int) -> Expected | None:
    """What the ranking in use expects; None before it can expect anything.

    Args:
        votes: That a report needs.
    """
    last = ranks.last(con, review)
    if last is None or not last.told.get("expected"):
        return None
    return _expected(last, ranks.reports(con, review), votes)


def _expected(last: Ranking, reports: int, votes: int) -> Expected:
    from livereview.ranking import calibrated

    told, limit = last.told["expected"], calibrated.Limit(**last.told["limit"])
    look = calibrated.Look(told["read"], told["found"], told["left"])
    unread = last.reports - look.read
    next_reports = min(HOURS * 3600 // (SECONDS * votes), unread)
    return Expected(
        read=look.read,
        found=look.found,
        unread=unread,
        left=look.expected,
        least=look.found / (look.found + look.expected),
        ratio=look.ratio if look.found else None,
        limit=limit.ratio,
        reviews=limit.reviews,
        least_kept=limit.least,
        own=limit.own,
        may_stop=calibrated.may_stop(look, limit) and reports == last.reports,
        next_hours=min(HOURS, next_reports * SECONDS * votes / 3600),
        next_reports=next_reports,
        next_found=within(told["ahead"], told["step"], next_reports, look.expected, unread),
        made=last.made,
    )


def ahead(con: Connection, review: str) -> list[tuple[int, float]]:
    """(reports read, relevant ones expected by then) from the last ranking on; empty without one.

    The last point is that of all reports. Reports that came since are not in it.
    """
    last = ranks.last(con, review)
    told = last.told.get("expected") if last else None
    if last is None or not told:
        return []
    points = [
        (told["read"] + told["step"] * number, told["found"] + expected)
        for number, expected in enumerate(told["ahead"], 1)
    ]
    end = (last.reports, told["found"] + told["left"])
    return [point for point in points if point[0] < last.reports] + [end]


def within(ahead: Sequence[float], step: int, reports: int, left: float, unread: int) -> float:
    """How many relevant reports are expected among the next `reports` of the queue.

    Straight lines join the points that were kept: after each `step` reports, and at the end.

    Args:
        ahead: Expected among the first step, 2 step, ... of the queue.
        left: Expected among all the unread.
        unread: Their number.
    """
    places = [0, *(step * number for number in range(1, len(ahead) + 1))]
    values = [0.0, *ahead]
    if unread > places[-1]:
        places.append(unread)
        values.append(left)
    before = max(index for index, place in enumerate(places) if place <= reports)
    if before == len(places) - 1:
        return values[-1]
    part = (reports - places[before]) / (places[before + 1] - places[before])
    return values[before] + part * (values[before + 1] - values[before])


def plain(expected: Expected) -> dict[str, Any]:
    """What is kept with a stop, and published: what the calibrated rule said that day."""
    kept = ("read", "found", "left", "limit", "reviews", "least_kept", "own", "may_stop")
    told = asdict(expected)
    return {name: told[name] for name in kept}
