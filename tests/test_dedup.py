"""Deduplication: what is merged, what is never merged silently, and the same answer whatever the order."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview import dedup_files
from livereview.dedup.clusters import clusters
from livereview.dedup.match import block_keys, judge, judge_all
from livereview.dedup.text import family, features, pages
from livereview.errors import Refused
from livereview.ops.settle import settle
from livereview.records import Record, from_json
from livereview.store import matches, records
from livereview.store.open import memory_database

DATA = Path(__file__).parent / "data" / "dedup"
SHARED = Path(__file__).resolve().parents[2] / "shared"
SETS = SHARED / "data" / "dedup"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CASES = json.loads((DATA / "pairs.json").read_text(encoding="utf-8"))
BASE = {"title": "Mentoring for young people leaving care: a randomised trial", "authors": ["Doe, Jane", "Roe, Rik"]}


def record(key: str, source: str = "openalex", **known: object) -> Record:
    return from_json({"source": source, "source_key": key, **known})


def pair(case: dict[str, dict[str, object]]) -> tuple[Record, Record]:
    return record("a", **{**BASE, **case["a"]}), record("b", "crossref", **{**BASE, **case["b"]})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_pair_made_by_hand_gets_its_verdict_either_way_round(case: dict[str, dict[str, object]]) -> None:
    a, b = (features(one) for one in pair(case))
    assert judge(a, b).verdict == case["verdict"], judge(a, b)
    assert judge(b, a) == judge(a, b)
    assert judge_all([(a, b)]) == [judge(a, b)]


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["verdict"] in ("same", "doubtful")], ids=lambda case: case["name"]
)
def test_pairs_that_matter_meet_under_a_shared_key(case: dict[str, dict[str, object]]) -> None:
    a, b = pair(case)
    assert set(block_keys(features(a))) & set(block_keys(features(b)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Doe, Jane", "doe"), ("Jane Doe", "doe"), ("Doe JA", "doe"), ("Doe J.A.", "doe"), ("J. A. Doe", "doe"),
        ("Müller, K", "muller"), ("van der Berg, Piet", "berg"), ("Doe", "doe"),
    ],
)  # fmt: skip
def test_the_family_name_is_found_in_every_way_of_writing_it(name: str, expected: str) -> None:
    assert family(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("288-97", ("288", "297")), ("288–297", ("288", "297")), ("e12724", ("e12724", "")), ("01-Jun", ("1", "6")),
        (None, ("", "")), ("S87", ("s87", "")), ("p. 12-14", ("12", "14")), ("376 -- 383", ("376", "383")),
    ],
)  # fmt: skip
def test_pages_are_read_in_every_way_of_writing_them(text: str | None, expected: tuple[str, str]) -> None:
    assert pages(text) == expected


words = st.sampled_from(["care", "children", "safety", "trial", "home", "mentoring", "family", "review", "part", "ii"])
texts = st.lists(words, min_size=2, max_size=7).map(" ".join)
some_records = st.builds(
    lambda n, title, doi, name, year, volume, page: record(
        f"W{n}", title=title, doi=doi, authors=[name], year=year, volume=volume, pages=page, container_title="J Care"
    ),
    st.integers(0, 10**6), texts, st.sampled_from([None, "10.1000/a", "10.1000/b", "10.1000/c"]),
    st.sampled_from(["Doe, J", "Roe, R"]), st.sampled_from([2019, 2020]), st.sampled_from([None, "1", "2"]),
    st.sampled_from([None, "1-9", "20-30"]),
)  # fmt: skip
corpora = st.lists(some_records, min_size=2, max_size=14, unique_by=lambda one: one.record_id)


def reports(nights: list[list[Record]]) -> set[frozenset[str]]:
    """The reports, as sets of records, after these nights through the real store."""
    con = memory_database(threads=1)
    for night in nights:
        records.append(con, night, "0" * 64, NOW)
        settle(con, night, NOW)
    rows = con.execute("SELECT list(record_id) FROM report GROUP BY report_id").fetchall()
    con.close()
    return {frozenset(row[0]) for row in rows}


@settings(max_examples=15, deadline=None)
@given(corpora, st.data())
def test_any_nights_in_any_order_give_the_reports_of_one_batch(corpus: list[Record], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(corpus))
    cut = data.draw(st.integers(0, len(corpus)))
    assert reports([shuffled[:cut], shuffled[cut:]]) == reports([corpus])


@settings(max_examples=200, deadline=None)
@given(some_records, some_records)
def test_two_different_dois_are_never_merged(a: Record, b: Record) -> None:
    if a.doi and b.doi and a.doi != b.doi:
        assert judge(features(a), features(b)).verdict != "same"


EDGES = [("a", "b", "same", "rule", 0.9), ("b", "c", "same", "rule", 0.8), ("c", "d", "same", "rule", 0.7)]


@given(st.permutations(EDGES))
def test_clusters_ignore_the_order_of_edges(edges: list[tuple[str, str, str, str, float]]) -> None:
    assert clusters("abcde", edges, {}) == {"a": "a", "b": "a", "c": "a", "d": "a", "e": "e"}


def test_what_a_person_told_apart_stays_apart_and_the_weaker_edge_gives_way() -> None:
    found = clusters("abcd", [*EDGES, ("a", "d", "different", "amina", 0.0)], {})
    assert found == {"a": "a", "b": "a", "c": "a", "d": "d"}


def test_two_dois_do_not_meet_through_a_record_without_one() -> None:
    same = {**BASE, "year": 2020, "container_title": "Journal of Care", "volume": "4"}
    first, bridge, second = record("1", **same, doi="10.1/x"), record("2", **same), record("3", **same, doi="10.1/y")
    con = memory_database(threads=1)
    records.append(con, [first, bridge, second], "0" * 64, NOW)
    settle(con, [first, bridge, second], NOW)
    found = records.report_of(con, [first.record_id, bridge.record_id, second.record_id])
    assert found[first.record_id] != found[second.record_id]
    assert found[bridge.record_id] in (found[first.record_id], found[second.record_id])


def test_a_changed_record_is_judged_again() -> None:
    a = record("1", **BASE, doi="10.1/x")
    con = memory_database(threads=1)
    for night in ([a], [record("2", title="To be completed")], [record("2", **BASE, doi="10.1/x")]):
        records.append(con, night, "0" * 64, NOW)
        settle(con, night, NOW)
    assert len(set(records.report_of(con, [a.record_id, record("2").record_id]).values())) == 1
    assert matches.rule_verdicts(con, [tuple(sorted((a.record_id, record("2").record_id)))])


def sheet(path: Path, *rows: dict[str, str]) -> Path:
    columns = ["record_id", "title", "authors", "year", "container_title", "volume", "number", "pages", "doi"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_command_writes_every_record_in_order_and_the_doubtful_pairs(tmp_path: Path) -> None:
    title = "Mentoring for young people leaving care"
    source = sheet(
        tmp_path / "in.csv",
        {"record_id": "3", "title": title, "authors": "Doe, J", "year": "2020", "doi": "10.1000/a"},
        {"record_id": "1", "title": "Another thing altogether", "authors": "Roe, R", "year": "2001"},
        {
            "record_id": "2",
            "title": title.upper(),
            "authors": "Jane Doe",
            "year": "2020",
            "doi": "https://doi.org/10.1000/A",
        },
        {"record_id": "9", "title": title, "authors": "Doe, Jane", "year": "2020", "doi": "10.1000/b"},
    )
    out, doubtful = tmp_path / "clusters.csv", tmp_path / "pairs.csv"
    command = [sys.executable, "-m", "livereview", "dedup", str(source), "--out", str(out), "--doubtful", str(doubtful)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == "record_id,cluster_id\n3,3\n1,1\n2,3\n9,9\n"
    rows = list(csv.DictReader(doubtful.read_text(encoding="utf-8").splitlines()))
    assert {frozenset((row["left"], row["right"])) for row in rows} == {frozenset("39"), frozenset("29")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,title\n1,a\n", "no column record_id"),
        ("record_id,title\n1,a\n1,b\n", "comes twice"),
        ("record_id,title\n1,a\n,b\n", "line 3: record_id is empty"),
    ],
)
def test_a_bad_sheet_is_refused_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(text)
    with pytest.raises(Refused, match=problem):
        dedup_files.run([path], tmp_path / "out.csv")


FLOORS = {  # record F1 and pair precision that must not be lost again
    "cytology_screening": (0.995, 0.998), "respiratory": (0.99, 0.998), "diabetes": (0.998, 0.998),
    "digital_work": (0.985, 0.995), "mis_baseline": (0.985, 0.998), "mis_mixed": (0.96, 0.99),
}  # fmt: skip


@pytest.mark.skipif(not SETS.is_dir(), reason="the labelled sets are not part of the project")
@pytest.mark.parametrize("name", FLOORS)
def test_the_labelled_sets_keep_their_scores(name: str, tmp_path: Path) -> None:
    out = tmp_path / "clusters.csv"
    dedup_files.run([SETS / name / "records.csv.gz"], out)
    command = [sys.executable, str(SHARED / "bench" / "score_dedup.py"), str(out), str(SETS / name / "truth.csv.gz")]
    score = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    f1, precision = FLOORS[name]
    assert score["rec_f1"] >= f1
    assert score["pair_precision"] >= precision
