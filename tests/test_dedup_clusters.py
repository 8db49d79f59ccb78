"""Reports from pairs: the same whatever the order, and never two DOIs or two told apart in one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.dedup import blocks
from livereview.dedup.blocks import meetings
from livereview.dedup.clusters import Edge, clusters, left_out
from livereview.ops.settle import settle
from livereview.records import Record, from_json
from livereview.store import candidates, matches, records
from livereview.store.open import memory_database

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CASES = json.loads(
    (Path(__file__).parent / "data" / "dedup" / "pairs.json").read_text(encoding="utf-8")
)
BASE = {
    "title": "Mentoring for young people leaving care: a randomised trial",
    "authors": ["Doe, Jane", "Roe, Rik"],
}
EDGES: list[Edge] = [
    ("a", "b", "same", "rule", 0.9),
    ("b", "c", "same", "rule", 0.8),
    ("c", "d", "same", "rule", 0.7),
]


def record(key: str, **known: object) -> Record:
    return from_json({"source": "s", "source_key": key, **BASE, **known})


@given(st.permutations(EDGES))
def test_clusters_ignore_the_order_of_edges(edges: list[Edge]) -> None:
    assert clusters("abcde", edges, {}) == {"a": "a", "b": "a", "c": "a", "d": "a", "e": "e"}


def test_a_report_is_named_after_the_first_of_its_records() -> None:
    assert clusters("dcba", EDGES, {}) == dict.fromkeys("dcba", "d")


def test_what_a_person_told_apart_stays_apart_and_the_weaker_edge_gives_way() -> None:
    edges = [*EDGES, ("a", "d", "different", "amina", 0.0)]
    found = clusters("abcd", edges, {})
    assert found == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert left_out(edges, found) == [EDGES[2]]


def test_what_a_rule_linked_is_not_merged_by_a_chain_unless_a_person_says_so() -> None:
    linked: Edge = ("a", "d", "linked", "rule", 0.9)
    assert clusters("abcd", [*EDGES, linked], {})["d"] == "d"
    told: Edge = ("a", "d", "same", "amina", 1.0)
    assert set(clusters("abcd", [*EDGES, linked, told], {}).values()) == {"a"}


def test_two_dois_do_not_meet_through_a_record_without_one_unless_a_person_says_so() -> None:
    dois = {"a": "10.1/x", "c": "10.1/y"}
    assert clusters("abc", EDGES[:2], dois) == {"a": "a", "b": "a", "c": "c"}
    told: Edge = ("a", "c", "same", "amina", 1.0)
    assert set(clusters("abc", [*EDGES[:2], told], dois).values()) == {"a"}


def test_a_record_that_weak_edges_draw_into_two_reports_follows_neither() -> None:
    weak: list[Edge] = [("a", "u", "same", "rule", 0.6), ("c", "u", "same", "rule", 0.57)]
    found = clusters("abcu", [EDGES[0], *weak], {})
    assert found == {"a": "a", "b": "a", "c": "c", "u": "u"}
    assert left_out(weak, found) == weak
    assert clusters("abcu", [*EDGES[:2], *weak], {})["u"] == "a"
    assert set(clusters("acu", weak, dict.fromkeys("acu", "10.1/x")).values()) == {"a"}
    told: Edge = ("c", "u", "same", "amina", 1.0)
    assert clusters("abcu", [EDGES[0], weak[0], told], {})["u"] == "a"


def test_two_articles_of_one_team_in_one_issue_do_not_meet_through_a_record_without_title() -> None:
    place = {"year": 2020, "container_title": "J Care", "volume": "4", "issue": "2"}
    one, other, lost = (record(str(n), title=title, **place) for n, title in enumerate(
        ["What mentors cost", "Mentoring and school attendance of girls", None]))  # fmt: skip
    assert len(reports([[one, lost]])) == 1
    assert len(reports([[one, other, lost]])) == len(reports([[one, lost], [other]])) == 3


ids = st.sampled_from("abcdefgh")
edges = st.lists(
    st.tuples(ids, ids, st.sampled_from(["same", "same", "linked", "different"]), st.sampled_from(["rule", "amina"]),
              st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9])).filter(lambda e: e[0] < e[1]),
    max_size=14, unique_by=lambda e: e[:2],
)  # fmt: skip


@settings(max_examples=300)
@given(edges, st.dictionaries(ids, st.sampled_from(["10.1/x", "10.1/y"]), max_size=5), st.randoms())
def test_any_edges_in_any_order_keep_two_dois_and_told_pairs_apart(
    edges: list[Edge], dois: dict[str, str], dice: Random
) -> None:
    found = clusters("abcdefgh", edges, dois)
    assert clusters("abcdefgh", dice.sample(edges, len(edges)), dois) == found
    for left, right, verdict, author, _ in edges:
        if verdict == "different" and author == "amina":
            assert found[left] != found[right]
    if not any(edge[2:4] == ("same", "amina") for edge in edges):
        of = {
            report: {dois[x] for x in dois if found[x] == report} for report in set(found.values())
        }
        assert all(len(some) <= 1 for some in of.values())


words = st.sampled_from(
    ["care", "children", "safety", "trial", "home", "mentoring", "family", "review", "part", "ii"]
)
some_records = st.builds(
    lambda n, title, doi, names, year, volume, page: record(
        f"W{n}", title=title, doi=doi, authors=names, year=year, volume=volume, issue="1" if volume else None,
        pages=page, container_title="J Care"
    ),
    st.integers(0, 10**6), st.none() | st.lists(words, min_size=2, max_size=7).map(" ".join),
    st.sampled_from([None, "10.1000/a", "10.1000/b", "10.1000/c"]),
    st.sampled_from([["Doe, J"], ["Roe, R"], ["Doe, J", "Roe, R"]]),
    st.sampled_from([2019, 2020]), st.sampled_from([None, "1", "2"]), st.sampled_from([None, "1-9", "20-30"]),
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


@settings(max_examples=15)
@given(corpora, st.data())
def test_any_nights_in_any_order_give_the_reports_of_one_batch(
    corpus: list[Record], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(corpus))
    cut = data.draw(st.integers(0, len(corpus)))
    assert reports([shuffled[:cut], shuffled[cut:]]) == reports([corpus])


def test_the_pairs_made_by_hand_give_one_batch_whatever_the_nights() -> None:
    corpus = [record(f"{side}{n}", **case[side]) for n, case in enumerate(CASES) for side in "ab"]
    whole = reports([corpus])
    assert reports([corpus[::2], corpus[1::2]]) == reports([corpus[::-1]]) == whole
    assert len(whole) < len(corpus)


def test_a_late_record_that_bridges_two_reports_merges_them() -> None:
    place = {"year": 2020, "container_title": "Journal of Care", "volume": "4"}
    first = record("1", **place, pages="5-19", doi="10.1/x")
    second = record(
        "2",
        **place,
        pages="5-19",
        title="[Begleitung junger Menschen nach der Heimerziehung]",
        authors=[],
    )
    bridge = record(
        "3",
        **place,
        pages="5-19",
        doi="10.1/x",
        title="Begleitung junger Menschen nach der Heimerziehung",
    )
    assert len(reports([[first], [second]])) == 2
    assert len(reports([[first], [second], [bridge]])) == 1


def test_a_changed_record_is_judged_again() -> None:
    a = record("1", doi="10.1/x")
    con = memory_database(threads=1)
    for night in ([a], [record("2", title="To be completed")], [record("2", doi="10.1/x")]):
        records.append(con, night, "0" * 64, NOW)
        settle(con, night, NOW)
    pair = (a.record_id, record("2").record_id)
    assert len(set(records.report_of(con, list(pair)).values())) == 1
    assert matches.rule_words(con, [tuple(sorted(pair))])


def test_candidates_are_the_pairs_that_share_a_key_each_once() -> None:
    con = memory_database(threads=1)
    keyed = {"a": ("k1", "k2"), "b": ("k1", "k2"), "c": ("k2",), "d": ("k9",)}
    candidates.add(con, keyed)
    assert sorted(candidates.pairs(con, {"c": keyed["c"]})) == [("a", "c"), ("b", "c")]
    both = {record: keyed[record] for record in ("b", "a")}
    assert sorted(candidates.pairs(con, both)) == [("a", "b"), ("a", "c"), ("b", "c")]
    candidates.remove(con, ["a"])
    candidates.add(con, {"a": ("k9",)})
    assert candidates.pairs(con, {"a": ("k9",)}) == [("a", "d")]
    assert sorted(candidates.pairs(con, {"c": keyed["c"]})) == [("b", "c")]
    candidates.clear(con)
    assert candidates.pairs(con, keyed) == []


@pytest.mark.parametrize(("records", "found"), [(3, 3), (4, 0)])
def test_a_key_that_too_many_share_is_skipped(
    records: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "CAP", 3)
    con = memory_database(threads=1)
    keyed = {str(n): ("k",) for n in range(records)}
    candidates.add(con, keyed)
    assert len(candidates.pairs(con, {n: keyed[n] for n in ("0", "1", "2")})) == found


def test_a_pair_is_judged_again_though_its_key_grew_past_the_cap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(candidates, "CAP", 2)
    con = memory_database(threads=1)
    candidates.add(con, {"a": ("k",), "b": ("k",), "c": ("k",), "d": ("m",)})
    assert candidates.pairs(con, {"a": ("k",)}) == []
    assert candidates.sharing(con, {("a", "b"), ("a", "d")}) == [("a", "b")]
    assert candidates.sharing(con, set()) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sets(st.sampled_from("klmnop"), max_size=4).map(lambda keys: tuple(sorted(keys))),
        max_size=9,
    )
)
def test_files_are_blocked_as_the_database_would(keyed: list[tuple[str, ...]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (blocks, candidates):
            patch.setattr(module, "CAP", 3)
        con = memory_database(threads=1)
        by_record = {str(place): keys for place, keys in enumerate(keyed)}
        candidates.add(con, by_record)
        stored = sorted(candidates.pairs(con, by_record))
        con.close()
        assert (
            sorted(
                (str(other), str(place)) for place, others in meetings(keyed) for other in others
            )
            == stored
        )
