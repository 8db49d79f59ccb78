"""Write the recorded answers that `make demo` replays: what each source would have sent on each
night of an example.

    python examples/make_recordings.py [--example DIR] [--out DIR]

The facts come from the example's catalogue.json, the addresses from the real sources' `request` and
the next cursor from their `parse`, so a recording can't drift from the code that reads it. The same
catalogue gives the same bytes. In a work of the catalogue, `served` is the day a source first had
it, `written` how that source's words differ, and `earlier` what it did not know before a day.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feed_answers
import source_answers
from source_answers import ERROR_PAGE, Work

from livereview import review_toml, sources
from livereview.fetch import Answer, address
from livereview.replay import Recorder
from livereview.review import Search
from livereview.sources.protocol import Query, Request, Window

EXAMPLE = Path(__file__).parent / "youth-homelessness"
SPEAKERS = {
    "openalex": source_answers.openalex,
    "crossref": source_answers.crossref,
    "pubmed": source_answers.pubmed,
    "europepmc": source_answers.europepmc,
}

TYPES = {
    b'{"': "application/json",
    b"<?": "text/xml; charset=utf-8",
    b"<!": "text/html; charset=utf-8",
}


def load(example: Path) -> dict[str, Any]:
    """The catalogue of an example."""
    return dict(json.loads((example / "catalogue.json").read_text(encoding="utf-8")))


def windows(catalogue: dict[str, Any], search: Search) -> list[Window]:
    """What the search asks for on each night: from the last night that ran through, less the
    overlap, or from its start where it sweeps.
    """
    made = []
    start = datetime.fromisoformat(search.start).replace(tzinfo=UTC) if search.start else None
    since, swept = start, None
    for night in catalogue["nights"]:
        end = datetime.fromisoformat(night["at"])
        if swept and search.sweep_days and end - swept >= timedelta(days=search.sweep_days):
            since = start
        made.append(Window(since, end))
        if search.name not in night.get("broken", ()):
            swept = end if since == start else swept
            since = end - timedelta(days=search.overlap_days)
    return made


def found(catalogue: dict[str, Any], search: Search, window: Window) -> list[Work]:
    """What the search finds in these days, as its source writes it, in the order in which it came
    to the source.

    A feed can't be asked for days: it has everything up to now.
    """
    since = window.start if window.start and sources.find(search.source).days else None
    first, last = since.date().isoformat() if since else "0", window.end.date().isoformat()
    days = [(work["served"].get(search.name, ""), work["key"], work) for work in catalogue["works"]]
    return [
        said(work, search.name, last)
        for day, _, work in sorted(days, key=lambda d: d[:2])
        if first <= day <= last
    ]


def said(work: Work, search: str, day: str) -> Work:
    """The work in this source's words on this day, with the day on which the source first had it."""
    family = "medline" if search in ("pubmed", "europepmc") else search
    words = {**work, **work.get("written", {}).get(family, {}), "served": work["served"][search]}
    earlier = work.get("earlier", {}).get(search)
    if earlier and day < earlier["until"]:
        words.update(dict.fromkeys(earlier["unknown"]))
    return words


def answers(catalogue: dict[str, Any], search: Search, number: int) -> Iterator[Answer]:
    """Each page that the search gets on the night of this number, asked for as the real flow asks."""
    night, window = catalogue["nights"][number - 1], windows(catalogue, search)[number - 1]
    source, works, cursor = sources.find(search.source), found(catalogue, search, window), None
    query = Query(search.query, search.filters, search.url)
    while True:
        request = (
            source.request(query, window, cursor) if source.request else Request(search.url or "")
        )
        if search.name in night.get("broken", ()):
            yield answer(source.name, request, ERROR_PAGE, cursor)
            return
        body = page(search, works, request, window.end)
        yield answer(source.name, request, body, cursor)
        cursor = source.parse(body, cursor).next_cursor
        if cursor is None:
            return


def answer(source: str, request: Request, body: bytes, cursor: str | None) -> Answer:
    """The page as `livereview.fetch` hands it on."""
    headers = (("content-type", TYPES[body[:2]]),)
    return Answer(source, address(request), request.form, 200, headers, body, cursor)


def page(search: Search, works: list[Work], request: Request, until: datetime) -> bytes:
    """What the source of this search answers to one request."""
    if search.source == "feed":
        feed = feed_answers.atom if search.grey else feed_answers.rss
        return feed(works, search, until)
    return SPEAKERS[search.source](works, dict([*request.params, *(request.form or ())]))


def record(example: Path, out: Path) -> None:
    """Write the recordings of all nights of an example under `out`, a folder each."""
    catalogue, review = load(example), review_toml.load(example / "review.toml")
    for number in range(1, len(catalogue["nights"]) + 1):
        keep = Recorder(out / str(number)).keep
        for search in review.searches:
            for answer in answers(catalogue, search, number):
                keep(answer)


def main() -> None:
    """Replace an example's nights."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument(
        "--example", type=Path, default=EXAMPLE, help="folder with catalogue.json and review.toml"
    )
    asked.add_argument(
        "--out", type=Path, help="folder to replace; the example's own nights if not given"
    )
    options = asked.parse_args()
    out = options.out or options.example / "nights"
    shutil.rmtree(out, ignore_errors=True)
    record(options.example, out)


if __name__ == "__main__":
    main()
