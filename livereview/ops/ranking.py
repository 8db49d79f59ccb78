"""Ranking the queue, and what the reading so far lets one say of what is left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from livereview.errors import Refused, Retry
from livereview.ops import drifts, expectations, ranking_process, stopping
from livereview.ops.expectations import SECONDS, Expected
from livereview.ops.protocols import protocol, protocols
from livereview.ops.ranking_process import RankingProcess, RankingRequest
from livereview.ops.screen import resolve
from livereview.ops.stopping import Audited
from livereview.ops.typed import typed
from livereview.review import Review
from livereview.store import ranks, records, standings, tasks, versions
from livereview.store import stopping as acts
from livereview.store.open import Connection, Store
from livereview.store.ranks import Age, Ranking
from livereview.store.stopping import Stop

if TYPE_CHECKING:
    from livereview.ranking.nightly import Ranked

log = logging.getLogger(__name__)
FEWEST = 2  # reports that can be put in an order
# so many settled reports more than last time, and this share of them, make a new ranking due
LEAST, GROWTH = 10, 0.05


def due(con: Connection) -> list[str]:
    """The reviews whose ranking is out of date: reports without a place, or many more settled ones."""
    ranked = [review for review in protocols(con) if review.screening.ranked]
    ages = ranks.ages(con, {review.id: review.screening.stages[0] for review in ranked})
    return [review for review, age in ages.items() if _is_due(age)]


def _is_due(age: Age) -> bool:
    if age.searching or age.reports < FEWEST:
        return False
    if age.labels is None or age.without:
        return True
    return age.settled - age.labels >= max(LEAST, GROWTH * age.labels)


def rerank(
    store: Store,
    *,
    review: str,
    now: datetime,
    seed: int = 0,
    apart: bool = True,
    stop: Event | None = None,
) -> dict[str, Any]:
    """Learn from all settled reports and put the whole queue in order.

    Nothing is hidden and nothing decided.

    Args:
        apart: In a process of its own, so that decisions do not wait for it.
        stop: Once set, ends that process: raises Retry, and the order before stands.
    """
    if not apart:
        return _ranked(store, review, now, seed, ranking_process.rank)
    with RankingProcess(stop) as process:
        return _ranked(store, review, now, seed, process.rank)


def rerank_due(store: Store, now: datetime, stop: Event | None = None) -> list[str]:
    """Rank each review whose ranking is out of date, one after the other in one process.

    A review whose ranking fails keeps its order, and the next one's turn comes.

    Args:
        stop: Once set, ends it: raises Retry, and what was not ranked keeps its order.

    Returns:
        The reviews that were ranked.
    """
    with store.read() as con:
        chosen = due(con)
    if not chosen:
        return []
    done = []
    with RankingProcess(stop) as process:
        for review in chosen:
            try:
                _ranked(store, review, now, 0, process.rank)
            except Retry as told:
                if stop is not None and stop.is_set():
                    raise
                log.warning("%s was not ranked: %s", review, told.message)
            else:
                done.append(review)
    return done


def _ranked(
    store: Store, review: str, now: datetime, seed: int, rank: Callable[[RankingRequest], Ranked]
) -> dict[str, Any]:
    """One review's queue put in order by `rank`, and stored."""
    store.reserve.require("queues are not ranked")
    with store.read() as con:
        rules = protocol(con, review)
        texts, labels = _texts(con, review), ranks.labels(con, review, rules.screening.stages[0])
        finished = ranks.finished(con)
        new = ranks.found_since(con, review, now - drifts.LATELY)
    found = rank(RankingRequest(texts, labels, words(rules), seed, str(_cache(store, review)), new))
    told = {**found.told, "limit": expectations.learned(finished)}
    ranking = Ranking(
        uuid4().hex, found.model, found.features, seed, len(texts), len(labels), now, told
    )
    store.write(
        lambda con: ranks.save(con, review, ranking, found.reports, found.scores), bulk=True
    )
    return asdict(ranking)


def why(store: Store, *, review: str, record: str, now: datetime) -> dict[str, Any]:
    """The words that moved a report's rank, and how much, by the model that the settled reports of
    today give.
    """
    from livereview.ranking.nightly import why as explained

    with store.read() as con:
        rules, found = protocol(con, review), resolve(con, review, record)
        report = records.report_of(con, [found]).get(found, found)
        texts, labels = _texts(con, review), ranks.labels(con, review, rules.screening.stages[0])
        place, last = ranks.place(con, review, report), ranks.last(con, review)
    told = explained(texts, labels, words(rules), report, last.seed if last else 0)
    return {
        **asdict(told),
        "remainder": told.remainder,
        "report": report,
        "place": place[0] if place else None,
    }


def _cache(store: Store, review: str) -> Path:
    """Where what the model sees of a review's texts is kept between rankings."""
    return store.database.parent / "ranking" / f"{review}.features"


def words(rules: Review) -> str:
    """What the protocol says that relevant records are about."""
    asked = rules.question
    parts = [rules.title, asked.text, asked.population, asked.intervention, asked.outcomes]
    parts += [one.text for one in rules.criteria if one.kind == "include"] + list(
        rules.highlights.include
    )
    return ". ".join(parts)


def _texts(con: Connection, review: str) -> list[tuple[str, str, str]]:
    reports = records.reports(con, review, [one.report_id for one in standings.all_of(con, review)])
    merged = ((report, records.merged(members)[0]) for report, members in sorted(reports.items()))
    return [(report, record.title or "", record.abstract or "") for report, record in merged]


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the reading of titles and abstracts is.

    Attributes:
        settled, went_on: Reports that are settled at the first stage, and those of them that went
            on to full text.
        conflicts: Reports that have all their votes, which differ: a third person has yet to say
            where they go.
        total: Reports in all.
        hours: What the rest will take all reviewers together.
        stream: What a cut of the nightly stream would cost: `ranking.nightly.stream`, and the
            reports `above` it.
        doubts: Settled reports that the model would have judged otherwise, with their titles.
        said: `stopping.test` today.
        expected: What the model expected when the queue was ranked last.
        stop: The stop that holds.
        lapsed: The last one, if it holds no more.
    """

    settled: int
    went_on: int
    conflicts: int
    total: int
    hours: float
    said: dict[str, Any]
    expected: Expected | None
    stop: Stop | None
    lapsed: Stop | None
    audited: Audited | None
    ranking: Ranking | None
    stream: tuple[dict[str, Any], ...]
    doubts: tuple[dict[str, Any], ...]


def reading(con: Connection, review: str) -> Reading:
    """What the lead is told of the reading: it holds for today's records, and only if the test's
    assumptions do.
    """
    said, rules = stopping.test(con, review), protocol(con, review)
    votes = rules.screening.votes
    stop, last = acts.in_force(con, review), acts.last(con, review)
    return Reading(
        settled=said["read"],
        went_on=said["found"],
        conflicts=ranks.conflicts(con, review, rules.screening.stages[0]),
        total=said["total"],
        hours=(said["total"] - said["read"]) * votes * SECONDS / 3600,
        said=said,
        expected=expectations.expected(con, review, votes),
        stop=stop,
        lapsed=last if last and last.stops and not stop else None,
        audited=stopping.audited(con, review),
        ranking=ranks.last(con, review),
        stream=tuple(_stream(con, review)),
        doubts=tuple(_doubts(con, review)),
    )


def _stream(con: Connection, review: str) -> Iterator[dict[str, Any]]:
    """Each cut with how many of the unread lie above it."""
    last, stage = ranks.last(con, review), protocol(con, review).screening.stages[0]
    for cut in last.told.get("stream", []) if last else []:
        score = cut["score"]
        yield {**cut, "above": None if score is None else ranks.above(con, review, stage, score)}


def _doubts(con: Connection, review: str) -> list[dict[str, Any]]:
    """What the model doubts and still stands as it was judged."""
    last, stage = ranks.last(con, review), protocol(con, review).screening.stages[0]
    told = last.told.get("doubts", []) if last else []
    now = dict(ranks.labels(con, review, stage)) if told else {}
    same = [one for one in told if now.get(one["record_id"]) == one["verdict"]]
    known = records.current(con, [one["record_id"] for one in same])
    return [
        {**one, "title": known[one["record_id"]].title} for one in same if one["record_id"] in known
    ]


@typed
def look_again(
    store: Store, *, id: str, review: str, record: str, by: str, now: datetime
) -> dict[str, Any]:
    """Open a settled report again that the model doubts: everyone votes afresh, and the old votes
    stay in the books.
    """

    def job(con: Connection) -> dict[str, Any]:
        check_doubted(con, review, record)
        stage = protocol(con, review).screening.stages[0]
        tasks.reopen(con, id, review, record, stage, by, "the lead asks for a second look", now)
        versions.ask(con, review, "a report is looked at a second time", now)
        return {"record": record}

    return store.write(job)


def check_doubted(con: Connection, review: str, record: str) -> None:
    """Raise Refused unless the model doubts how this record was decided."""
    if record not in {doubt["record_id"] for doubt in _doubts(con, review)}:
        raise Refused("this decision is not in doubt any more; reload the page")


CURVE = "Relevant reports found so far, by reports read"
EXPECTED_CURVE = "Relevant reports found so far and expected, by reports read"


def curve(con: Connection, review: str, png: bool = False) -> bytes | None:
    """The recall curve so far, as SVG or PNG; None before the first relevant report.

    Where the model expects anything, the SVG goes on from there, dotted.
    """
    from livereview.ranking import curve as drawn
    from livereview.ranking import png as painted

    rules = protocol(con, review)
    labels = [int(one) for _, one in ranks.labels(con, review, rules.screening.stages[0])]
    if not any(labels):
        return None
    if png:
        return painted.png(labels, CURVE)
    read, found = len(labels), sum(labels)
    ahead = [
        (place, max(expected, found))
        for place, expected in expectations.ahead(con, review)
        if place > read
    ]
    if ahead:
        return drawn.forecast(labels, EXPECTED_CURVE, ahead).encode()
    return drawn.svg(labels, CURVE).encode()
