"""The PRISMA-S report: as page and as data."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

from livereview.summary import search_report, site
from livereview.surveillance.recall import recall
from tests.snapshots import MOMENT, fact, review, snapshot, study

SEARCHES = (
    fact("openalex", filters=(("type", "article"), ("type", "report")), first_at=MOMENT, runs=3),
    fact("trials", source="clinicaltrials"),
    fact("tips", source="tip", grey=True),
    fact("chasing", source="citations", grey=True),
    fact("import: a.ris", source="ris"),
)


def built(**changes: object) -> tuple[dict[str, object], str]:
    files = site.build(snapshot(study("a"), searches=SEARCHES, **changes), 1, "first").files
    return json.loads(files["prisma-s.json"]), files["searches.html"].decode()


def test_each_source_is_told_with_its_strategy_filters_dates_and_counts() -> None:
    report, page = built()
    first = report["sources"][0]  # type: ignore[index]
    assert (
        first["strategy"] == "mentoring AND care" and first["runs"] == 3 and first["records"] == 12
    )
    assert first["filters"] == [["type", "article"], ["type", "report"]]
    assert first["first_run"] and first["last_success_display"] == "3 March 2026"
    assert "mentoring AND care" in page and "type: article; type: report" in page


def test_kinds_of_sources_answer_their_own_item() -> None:
    report, _ = built()
    answers = {row["item"].split()[0]: row["answer"] for row in report["items"]}  # type: ignore[attr-defined]
    assert answers["1"] == "openalex API; import: a.ris API"
    assert (
        answers["3"] == "trials API"
        and answers["4"] == "tips API"
        and answers["5"] == "chasing API"
    )
    assert answers["7"] == "None." and len(answers) == 16
    assert answers["14"] == "Not recorded by this service."


def test_limits_by_date_are_said() -> None:
    plans = tuple(replace(search, start="2026-01-01") for search in review().searches)
    report = search_report.of_snapshot(snapshot(review=review(searches=plans)))
    answers = {row.item: row.answer for row in report.items}
    assert answers["9 Limits and restrictions"] == "Nothing before 2026-01-01."


def test_recall_is_told_with_its_caveat_or_with_the_reason_why_not() -> None:
    _, few = built(recall=recall([frozenset({"openalex"})]))
    assert "is not estimated: fewer than 5 included reports" in few
    found = recall([frozenset({"openalex"})] * 4 + [frozenset({"openalex", "trials"})] * 2)
    report, page = built(recall=found)
    assert report["recall"]["estimate"] == found.estimate and "lower bound" in page  # type: ignore[index]
    assert "6 of 6" in page


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)


def test_what_people_wrote_stays_text_on_the_page() -> None:
    hostile = (fact("openalex", query='<script>alert(1)</script> AND "a"', platform="<img src=x>"),)
    page = site.build(snapshot(searches=hostile), 1, "first").files["searches.html"].decode()
    parser = Tags()
    parser.feed(page)
    assert "script" not in parser.seen and "img" not in parser.seen
