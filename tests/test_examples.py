"""The example that `make demo` runs: its data are small, agree with each other, and can be made
again.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from livereview import fetch, review_toml, sources
from livereview.errors import SourceBroken
from livereview.evidence import checks
from livereview.fetch import paging
from livereview.records import clean_doi
from livereview.replay import ReplayServer
from livereview.sources.protocol import Query

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "youth-homelessness"
sys.path.insert(0, str(ROOT / "examples"))

import make_recordings as made  # noqa: E402

CATALOGUE = made.load(EXAMPLE)
WORKS = CATALOGUE["works"]
REVIEW = review_toml.parse((EXAMPLE / "review.toml").read_text(encoding="utf-8"))
NIGHTS = (1, 2, 3)


def decisions(night):
    with (EXAMPLE / "decisions" / f"night-{night}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def answered(night):
    """{search: works that it brought that night}; a broken search brought none."""
    brought = {}
    for search in REVIEW.searches:
        broken = search.name in CATALOGUE["nights"][night - 1].get("broken", ())
        window = made.windows(CATALOGUE, search)[night - 1]
        brought[search.name] = [] if broken else made.found(CATALOGUE, search, window)
    return brought


def arrived(night):
    """Keys of the works that the review has seen by then."""
    return {work["key"] for n in NIGHTS[:night] for works in answered(n).values() for work in works}


def named(reference, night):
    """Keys of the works that a person means by a DOI, "pmid:1" or a title, as they were served by
    then.
    """
    served = [work for n in NIGHTS[:night] for works in answered(n).values() for work in works]
    doi = clean_doi(reference)
    return {
        work["key"]
        for work in served
        if (doi and work.get("doi") == doi)
        or reference == f"pmid:{work.get('pmid')}"
        or reference == work["title"]
    }


def letters(title):
    return "".join(c for c in title.lower() if c.isalnum())


def fates():
    """{key: its fate after the third night} by the screening rule: two equal votes, or the
    adjudicator's word.
    """
    votes = {}
    for night in NIGHTS:
        for row in decisions(night):
            (key,) = named(row["record"], night)
            votes.setdefault((key, row["stage"]), []).append(row)
    return {
        work["key"]: fate(
            votes.get((work["key"], "title_abstract"), []),
            votes.get((work["key"], "full_text"), []),
        )
        for work in WORKS
    }


def fate(first, last):
    return (
        (verdict(first) or "open")
        if verdict(first) != "include"
        else f"full text: {verdict(last) or 'open'}"
    )


def verdict(rows):
    for row in rows:
        if row["role"] == "adjudication":
            return row["verdict"]
    words = ["include" if row["verdict"] == "maybe" else row["verdict"] for row in rows]
    return words[0] if len(words) == 2 and len(set(words)) == 1 else None


def test_the_catalogue_is_small_and_holds_no_abstract():
    assert len(WORKS) == len({work["key"] for work in WORKS}) == 183
    assert sum(len(work["served"]) for work in WORKS) <= 400
    assert not any("abstract" in work or len(work["title"]) > 400 for work in WORKS)


def test_the_catalogue_holds_every_report_that_the_review_included_or_excluded_at_full_text():
    assert Counter(work["study"] for work in WORKS if "study" in work) == {
        "kozloff-2016": 11,
        "gilmer-2016": 3,
        "slesnick-2023": 2,
        "thulien-2022": 2,
        "raithel-2015": 1,
    }
    assert Counter(work["excluded_for"] for work in WORKS if "excluded_for" in work) == {
        "Wrong Intervention": 27,
        "Wrong Population": 26,
        "Wrong Study Design": 12,
        "Study protocol": 2,
    }


SIGNS = ROOT / "examples" / "signs-of-safety"


@pytest.mark.parametrize("example", [EXAMPLE, SIGNS], ids=lambda path: path.name)
def test_the_same_catalogue_gives_the_committed_recordings_byte_by_byte(example, tmp_path):
    made.record(example, tmp_path)
    committed = {
        path.relative_to(example / "nights"): path
        for path in (example / "nights").rglob("*")
        if path.is_file()
    }
    again = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    assert committed.keys() == again.keys() and committed
    assert all(path.read_bytes() == again[name].read_bytes() for name, path in committed.items())


def test_what_sources_answer_for_signs_of_safety_is_what_its_files_of_records_say():
    known = {}
    for name in ("records.ris", "later-records.ris"):
        page = sources.find("ris").parse((SIGNS / name).read_bytes(), None)
        known |= {record.doi: record for record in page.records if record.doi}
    works = made.load(SIGNS)["works"]
    assert len(works) == 14
    for work in works:
        record = known[work["doi"]]
        assert (work["title"], work["year"]) == (record.title, record.year)
        assert tuple(work["authors"]) == record.authors
    review = review_toml.parse((SIGNS / "review.toml").read_text(encoding="utf-8"))
    swept = made.windows(made.load(SIGNS), review.search("pubmed"))
    assert [window.start for window in swept] == [None] * 3, "a month is long enough for a sweep"


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("name", [search.name for search in REVIEW.searches])
def test_a_search_reads_back_what_the_catalogue_says_it_finds(name, night):
    search = REVIEW.search(name)
    answers = list(made.answers(CATALOGUE, search, night))
    if name in CATALOGUE["nights"][night - 1].get("broken", ()):
        with pytest.raises(SourceBroken):
            sources.find(search.source).parse(answers[0].body, None)
        return
    pages = [sources.find(search.source).parse(answer.body, answer.cursor) for answer in answers]
    works = answered(night)[name]
    assert not any(page.rejects or page.warnings for page in pages)
    read = [facts(record) for page in pages for record in page.records]
    assert sorted(read) == sorted(stated(work, search.grey) for work in works)


@pytest.mark.parametrize("night", NIGHTS)
def test_the_real_fetch_finds_every_answer_in_the_recording(night):
    with (
        ReplayServer(EXAMPLE / "nights" / str(night)) as server,
        fetch.Fetcher(secrets={}, via=server.base) as fetcher,
    ):
        for search in REVIEW.searches:
            query, window = (
                Query(search.query, search.filters, search.url),
                made.windows(CATALOGUE, search)[night - 1],
            )
            expected = [answer.body for answer in made.answers(CATALOGUE, search, night)]
            got = []
            try:
                got.extend(
                    answer.body
                    for answer in paging.pages(fetcher, sources.find(search.source), query, window)
                )
            except SourceBroken:
                assert search.name in CATALOGUE["nights"][night - 1]["broken"]
            else:
                assert got == expected


def facts(record):
    return (record.title.rstrip("."), record.doi or "", record.year, record.volume or "")


def stated(work, grey):
    """A feed of reports dates an entry by the day it appeared, and knows no DOI."""
    if grey:
        return (work["title"].rstrip("."), "", int(work["served"][:4]), "")
    return (
        work["title"].rstrip("."),
        work.get("doi") or "",
        work["year"],
        work.get("volume") or "",
    )


def test_the_second_night_repeats_records_of_the_first_and_adds_sources_to_known_works():
    first, second = (
        {(name, work["key"]) for name, works in answered(n).items() for work in works}
        for n in (1, 2)
    )
    databases = {"openalex", "pubmed", "europepmc"}
    assert {name for name, _ in first & second} >= databases
    seen = {key for _, key in first}
    assert any(key in seen for name, key in second - first if name in databases)


def test_crossref_fails_on_the_second_night_and_catches_up_on_the_third():
    first, second, third = made.windows(CATALOGUE, REVIEW.search("crossref"))
    assert second.start == third.start < first.end < second.end
    missed = made.found(CATALOGUE, REVIEW.search("crossref"), second)
    assert {work["key"] for work in missed} <= {work["key"] for work in answered(3)["crossref"]}
    assert answered(2)["crossref"] == [] and len(missed) > 10


def test_a_record_without_volume_and_pages_gets_them_on_the_third_night():
    before, after = (
        next(
            work
            for work in answered(night)["pubmed"]
            if work["key"] == "slesnick2023housingsupportiveservices"
        )
        for night in (2, 3)
    )
    assert (before["volume"], before["pages"]) == (None, None)
    assert (after["volume"], after["pages"]) == ("144", "108917")


@pytest.mark.parametrize("night", NIGHTS)
def test_every_decision_names_one_work_that_has_arrived_and_gives_a_known_reason(night):
    reasons = {reason.id for reason in REVIEW.reasons}
    for row in decisions(night):
        assert len(named(row["record"], night)) == 1, row
        assert row["stage"] in REVIEW.screening.stages
        needs_reason = (row["stage"], row["verdict"]) == ("full_text", "exclude")
        assert row["reason"] in reasons if needs_reason else row["reason"] == "", row


def test_decisions_leave_the_published_counts_and_six_reports_undecided():
    assert Counter(fates().values()) == {
        "exclude": 91,
        "full text: exclude": 67,
        "full text: include": 19,
        "full text: open": 1,
        "open": 5,
    }


def test_only_disagreements_are_adjudicated():
    for night in NIGHTS:
        votes = {}
        for row in decisions(night):
            votes.setdefault((row["record"], row["stage"]), []).append(row)
        for rows in votes.values():
            verdicts = {row["verdict"] for row in rows if row["role"] == "vote"}
            settled = any(row["role"] == "adjudication" for row in rows)
            assert not settled or len(verdicts) == 2, rows


def sheets():
    return sorted((EXAMPLE / "extractions").glob("*.json"))


@pytest.mark.parametrize("path", sheets(), ids=lambda path: path.stem)
def test_an_extraction_is_a_valid_form_on_reports_included_by_then(path):
    form = checks.from_json(json.loads(path.read_text(encoding="utf-8")), REVIEW, path.name)
    night = int(path.name[0])
    keys = {key for reference in form.reports for key in named(reference, night)}
    assert keys == {work["key"] for work in WORKS if work.get("study") == form.study}
    assert all(fates()[key] == "full text: include" for key in keys)


def test_the_five_extractions_hold_all_ninety_nine_results_and_two_of_these_in_numbers_of_people():
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sheets()]
    assert {one["study"]: len(one["results"]) for one in found} == {
        "thulien-2022": 9,
        "gilmer-2016": 4,
        "kozloff-2016": 69,
        "slesnick-2023": 11,
        "raithel-2015": 8,
    }
    assert {path.name[0] for path in sheets()} == {"1", "2", "3"}
