"""A small internet: the sources' own interfaces over one catalogue of works, with the faults that
the real ones have.

    with Internet(catalogue) as net:
        net.now = datetime(...)                      # what the sources know by then
        net.faults = {"api.openalex.org": "loop"}    # what is wrong with a host
        Fetcher(secrets={}, via=net.base)

Paging, cursors, date filters and errors are those of each interface (`examples/source_answers.py`
speaks for them). A work is in a source's index from `appears` on, under the day `served`: where
these differ it came late.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.world import Reply, Seen, World, dropped, hang_up, reply

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
import feed_answers
import source_answers

from livereview.review import Search

Work = dict[str, Any]
HOSTS = {
    "api.openalex.org": "openalex",
    "api.crossref.org": "crossref",
    "eutils.ncbi.nlm.nih.gov": "pubmed",
    "www.ebi.ac.uk": "europepmc",
    "feeds.example.org": "feed",
}
SPEAKERS: dict[str, Callable[[list[Work], dict[str, str]], bytes]] = {
    "openalex": source_answers.openalex,
    "crossref": source_answers.crossref,
    "pubmed": source_answers.pubmed,
    "europepmc": source_answers.europepmc,
}
# How each interface is asked for days.
DAYS = {
    "openalex": r"from_created_date:([\d-]+),to_created_date:([\d-]+)",
    "crossref": r"from-index-date:([\d-]+),until-index-date:([\d-]+)",
    "pubmed": r'"([\d/]+)"\[crdt\] : "([\d/]+)"\[crdt\]',
    "europepmc": r"FIRST_IDATE:\[([\d-]+) TO ([\d-]+)\]",
}
ASKED = {"openalex": "filter", "crossref": "filter", "pubmed": "term", "europepmc": "query"}
FEED = Search("feed", "feed", "A journal", url="https://feeds.example.org/latest.rss")

# Faults that asking again mends, and those that end a search.
PASSING = ("once-429", "once-500", "once-cut", "once-dropped")
BREAKING = ("storm", "down", "html", "cut", "dropped", "silent", "loop", "schema", "empty")


# A schema that changed overnight: the list has another name.
RENAMED = (
    (b'"results"', b'"items_v2"'),
    (b'"items"', b'"works"'),
    (b'"resultList"', b'"list"'),
    (b"PubmedArticleSet", b"ArticleSetV2"),
    (b'"esearchresult"', b'"searchresult"'),
    (b"rss", b"nothing"),
)


@dataclass(slots=True)
class _State:
    """What the server remembers: how often each request came, and PubMed's last search."""

    times: dict[str, int] = field(default_factory=dict)
    history: list[Work] = field(default_factory=list)


class Internet(World):
    """The server while it is open; `told` are the faults that were really served, as (host, fault)."""

    def __init__(self, catalogue: list[Work], now: datetime | None = None):
        super().__init__()
        self.catalogue, self.now = catalogue, now or datetime(2100, 1, 1, tzinfo=UTC)
        self.faults: dict[str, str] = {}
        self.told: set[tuple[str, str]] = set()
        self._state = _State()

    def night(self, now: datetime, faults: dict[str, str]) -> None:
        """Let it be this night, with these faults."""
        self.now, self.faults, self._state = now, faults, _State()

    def next(self, request: Seen) -> Reply:
        with self._lock:
            self.seen.append(request)
            host = request.path.split("/")[2]
            asked = {**request.query, **request.form}
            key = f"{host} {json.dumps(asked, sort_keys=True)}"
            turn = self._state.times[key] = self._state.times.get(key, 0) + 1
            fault = self.faults.get(host, "")
            if (fault.startswith("once-") and turn == 1) or fault in BREAKING:
                self.told.add((host, fault))
            return self._reply(HOSTS[host], asked, fault, turn)

    def _reply(self, source: str, asked: dict[str, str], fault: str, turn: int) -> Reply:
        if fault.startswith("once-"):
            fault = fault.removeprefix("once-") if turn == 1 else ""
        wire = {
            "429": reply(b"slow down", 429, retry_after=1),
            "storm": reply(b"slow down", 429, retry_after=1),
            "500": reply(b"oops", 500),
            "down": reply(
                b"<html><title>502 Bad Gateway</title></html>", 502, content_type="text/html"
            ),
            "html": reply(source_answers.ERROR_PAGE, content_type="text/html"),
            "silent": hang_up(),
            "empty": reply(b""),
        }
        if fault in wire:
            return wire[fault]
        body = self._body(source, asked)
        if fault == "dropped":
            return dropped(body)
        kind = "application/json" if body[:1] == b"{" else "text/xml; charset=utf-8"
        return reply(spoilt(body, fault) if fault else body, content_type=kind)

    def _body(self, source: str, asked: dict[str, str]) -> bytes:
        works = [work for work in self.catalogue if source in work["served"]]
        works = [
            said(work, source, self.now)
            for work in works
            if work["appears"][source] <= day(self.now)
        ]
        works.sort(key=lambda work: (work["served"], work["key"]))
        # what is not said
        asked = {"per_page": asked.get("per-page", "25"), "rows": "20", "cursor": "*", **asked}
        if source == "feed":
            return feed_answers.rss(works, FEED, self.now)
        span = re.search(DAYS[source], asked.get(ASKED[source], ""))
        if span:
            first, last = (text.replace("/", "-") for text in span.groups())
            works = [work for work in works if first <= work["served"] <= last]
        if source == "pubmed":
            if "term" in asked:
                self._state.history = works
            works = self._state.history
        # the loop begins anew
        asked = {name: "*" if value == "again" else value for name, value in asked.items()}
        return SPEAKERS[source](works, asked)


def day(moment: datetime) -> str:
    return moment.date().isoformat()


def said(work: Work, source: str, now: datetime) -> Work:
    """The work as this source has it now: its day there, and its title before or after it was
    mended.
    """
    title = work["mended"] if work["mended_on"] <= day(now) and source != "feed" else work["title"]
    return {**work, "title": title, "served": work["served"][source]}


def spoilt(body: bytes, fault: str) -> bytes:
    """A body cut off, one with the same cursor for ever, or one in which the list has another name."""
    if fault == "cut":
        return body[: len(body) * 2 // 3]
    if fault == "loop":
        body = re.sub(
            rb'("(?:next_cursor|next-cursor|nextCursorMark)":)(?:"[^"]*"|null)', rb'\1"again"', body
        )
    for old, new in (
        RENAMED if fault == "schema" else RENAMED[-2:]
    ):  # PubMed and feeds have no cursor to repeat
        body = body.replace(old, new)
    return (
        body.replace(b'"esearchresult"', b'"searchresult"')
        .replace(b"<rss", b"<nothing")
        .replace(b"</rss", b"</nothing")
    )


def catalogue(size: int, first: date, days: int, seed: int = 7) -> list[Work]:
    """Works that came out over these days, each in one to five sources.

    Some late, some mended afterwards.
    """
    dice, found = Random(seed), []
    for number in range(size):
        out = dice.randrange(days)
        longest = 20 if out < days - 15 else 5  # days late at most
        found.append(_work(number, first + timedelta(days=out), longest, dice))
    return found


WORDS = """mentoring kinship foster residential reunification adoption neglect safeguarding therapeutic respite siblings
education attainment wellbeing placement stability contact supervision trauma resilience transitions leaving families
homelessness parents practitioners evaluation randomised cohort qualitative pilot""".split()  # noqa: SIM905


def _work(number: int, out: date, longest: int, dice: Random) -> Work:
    title = " ".join(dice.sample(WORDS, 7)).capitalize() + f" in area {number}"
    chosen = [source for source in HOSTS.values() if dice.random() < 0.5] or ["openalex"]
    served = {source: out + timedelta(days=dice.randrange(3)) for source in chosen}
    late = {
        source: 0 if source == "feed" else dice.choice((0, 0, 0, 0, 5, longest))
        for source in chosen
    }
    return {
        "key": f"w{number}",
        "openalex": f"W77{number:06d}",
        "pmid": str(30_000_000 + number),
        "ppr": f"PPR{number}",
        "doi": f"10.5555/care.{number}",
        "title": title,
        "mended": f"{title}: a corrected title",
        "mended_on": day(datetime.combine(out + timedelta(days=12), datetime.min.time()))
        if number % 9 == 0
        else "9999",
        "authors": [
            f"{name.title()}, {letter}."
            for name, letter in zip(dice.sample(WORDS, 3), "ABC", strict=True)
        ],
        "year": out.year,
        "date": f"{out:%Y-%m}",
        "container_title": f"Journal of {dice.choice(WORDS)}",
        "volume": str(dice.randrange(1, 60)),
        "issue": str(dice.randrange(1, 12)),
        "pages": f"{number + 1}-{number + 9}",
        "issn": "1234-5679",
        "type": "journal-article",
        "served": {source: served[source].isoformat() for source in chosen},
        "appears": {
            source: (served[source] + timedelta(days=late[source])).isoformat() for source in chosen
        },
    }


def nights(first: date, count: int) -> Iterator[datetime]:
    """Two o'clock of each night."""
    for number in range(count):
        yield datetime.combine(
            first + timedelta(days=number), datetime.min.time(), UTC
        ) + timedelta(hours=2)
