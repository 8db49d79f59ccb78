"""The example that `make demo` runs: its data are small, agree with each other, and can be made again."""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from livereview import review_toml, sources
from livereview.errors import SourceBroken
from livereview.evidence import forms
from livereview.records import clean_doi

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
    """Keys of the works that a person means by a DOI, "pmid:1" or a title, as they were served by then."""
    served = [work for n in NIGHTS[:night] for works in answered(n).values() for work in works]
    doi = clean_doi(reference)
    return {
        work["key"]
        for work in served
        if (doi and work.get("doi") == doi)
        or reference == f"pmid:{work.get('pmid')}"
        or reference == work["title"]
    }


def fates():
    """{key: its fate after the third night} by the screening rule: two equal votes, or the adjudicator's word."""
    votes = {}
    for night in NIGHTS:
        for row in decisions(night):
            (key,) = named(row["record"], night)
            votes.setdefault((key, row["stage"]), []).append(row)
    return {
        work["key"]: fate(votes.get((work["key"], "title_abstract"), []), votes.get((work["key"], "full_text"), []))
        for work in WORKS
    }


def fate(first, last):
    return (verdict(first) or "open") if verdict(first) != "include" else f"full text: {verdict(last) or 'open'}"


def verdict(rows):
    for row in rows:
        if row["role"] == "adjudication":
            return row["verdict"]
    words = [row["verdict"] for row in rows]
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


def test_the_same_catalogue_gives_the_committed_recordings_byte_by_byte(tmp_path):
    made.record(EXAMPLE, tmp_path)
    committed = {path.relative_to(EXAMPLE / "nights"): path for path in (EXAMPLE / "nights").rglob("*") if path.is_file()}
    again = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    assert committed.keys() == again.keys() and committed
    assert all(path.read_bytes() == again[name].read_bytes() for name, path in committed.items())


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
    assert sorted(facts(record) for page in pages for record in page.records) == sorted(stated(work) for work in works)


def facts(record):
    return (record.title.rstrip("."), record.doi or "", record.year or 0, record.volume or "")


def stated(work):
    return (work["title"].rstrip("."), work.get("doi") or "", work["year"], work.get("volume") or "")
