"""Pages are stored when they come and taken in together: with the outcome that they would have had
one by one, and none lost between the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from livereview.ops import nights, publish, surveil, taking_in
from livereview.store.open import Store
from livereview.store.searches import Counts
from tests.conftest import DATA, NOW, REVIEW

TEXT = (DATA / "review.toml").read_text(encoding="utf-8")

# What a source says of a few works, and the pages that it says it in. It says the same throughout: of a
# record that changes, pages one by one keep a verdict on what it was before.
says = st.dictionaries(
    st.integers(1, 6),
    st.tuples(
        st.sampled_from(["Mentoring of young carers at home", "Foster care and school exclusion"]),
        st.sampled_from([None, "10.1000/a", "10.1000/b"]),
    ),
    min_size=1,
)
pages = st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=4)
Said = dict[int, tuple[str, str | None]]
Work = tuple[int, str, str | None]


def body(page: Sequence[Work]) -> bytes:
    """An answer of OpenAlex with these works."""
    works = [
        {
            "id": f"https://openalex.org/W{number}",
            "title": title,
            "doi": doi and f"https://doi.org/{doi}",
            "publication_year": 2020,
        }
        for number, title, doi in page
    ]
    return json.dumps({"meta": {"count": len(works)}, "results": works}).encode()


def numbered(*numbers: int) -> bytes:
    return body([(number, f"Study {number} of mentoring at home", None) for number in numbers])


def rows(store: Store, sql: str) -> list[Any]:
    with store.read() as con:
        return con.execute(sql).fetchall()


def fresh(home: Path) -> Store:
    store = Store(home / "livereview.duckdb", threads=1)
    surveil.register(store, text=TEXT, now=NOW)
    publish.open_review(store, id="opening", review=REVIEW, by="the lead", now=NOW)
    return store


def begin(store: Store, search: str = "s") -> None:
    surveil.begin(store, review=REVIEW, name="openalex", search=search, now=NOW)


def send(store: Store, content: bytes, search: str = "s", more: bool = True) -> dict[str, Any]:
    return surveil.ingest(store, search=search, body=content, now=NOW, more=more)


def known(store: Store) -> int:
    return int(rows(store, "SELECT count(DISTINCT record_id) FROM record")[0][0])


def what_holds(store: Store) -> dict[str, list[Any]]:
    """All that taking pages in gives, without the numbers of events and of verdicts."""
    return {
        table: sorted(rows(store, f"SELECT {columns} FROM {table}"), key=repr)
        for table, columns in {
            "record": "record_id, version, fingerprint, sha256",
            "hit": "review, record_id, search, times",
            "report": "record_id, report_id",
            "screening_state": "review, report_id, stage, votes, state",
            "listing": "review, report_id, title, doi, sources, searches, records, w_text",
            "page_taken": "search, sha256, fresh, changed",
            "search_end": "search, outcome, found, fresh, changed, rejected",
            "block": "key, record_id",
        }.items()
    }


@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(says, st.lists(pages, min_size=1, max_size=3))
def test_pages_taken_in_together_give_what_they_give_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, said: Said, nights_of_pages: list[list[list[int]]]
) -> None:
    outcomes = []
    for more in (False, True):
        store = fresh(tmp_path_factory.mktemp("home"))
        for number, pages_of_numbers in enumerate(nights_of_pages):
            begin(store, f"s{number}")
            for page in pages_of_numbers:
                works = [(each, *said[each]) for each in page if each in said]
                send(store, body(works), f"s{number}", more)
            surveil.finish(store, search=f"s{number}", now=NOW)
        outcomes.append(what_holds(store))
        store.close()
    assert outcomes[0] == outcomes[1]


def test_a_page_waits_for_enough_others_or_for_the_end(
    reviewed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_in, "ENOUGH", 4)
    begin(reviewed)
    first = send(reviewed, numbered(1, 2))
    assert (first["found"], first["fresh"], known(reviewed)) == (2, 0, 0)
    assert send(reviewed, numbered(3, 4))["fresh"] == 2 and known(reviewed) == 4
    assert send(reviewed, numbered(1, 2)) == {**first, "fresh": 2}  # as it stands by now
    send(reviewed, numbered(4, 5))
    assert known(reviewed) == 4
    ended = surveil.finish(reviewed, search="s", now=NOW)
    assert ended == {"outcome": "ok", "found": 6, "fresh": 5, "changed": 0, "rejected": 0}
    assert known(reviewed) == 5 and taking_in.in_memory(reviewed).take("s") == {}


def test_a_page_after_which_none_is_expected_takes_in_all_that_wait(reviewed: Store) -> None:
    begin(reviewed)
    send(reviewed, numbered(1))
    assert send(reviewed, numbered(2), more=False)["fresh"] == 1 and known(reviewed) == 2


def test_what_waits_is_read_again_by_the_next_owner(tmp_path: Path) -> None:
    store = fresh(tmp_path)
    begin(store)
    send(store, numbered(1, 2))
    assert send(store, b"<html>Too busy</html>")["problem"]
    store.close()
    again = Store(tmp_path / "livereview.duckdb", threads=1)
    assert known(again) == 0
    send(again, numbered(3))
    ended = surveil.finish(again, search="s", now=NOW)
    assert (ended["outcome"], ended["found"], ended["fresh"]) == ("ok", 3, 3)
    assert known(again) == 3
    again.close()


@pytest.mark.parametrize("end", ["the next run", "a look at who is alive"])
def test_what_waits_of_a_search_that_died_is_taken_in_before_it_is_ended(
    reviewed: Store, end: str
) -> None:
    begin(reviewed)
    send(reviewed, numbered(1, 2))
    if end == "the next run":
        begin(reviewed, "later")
    else:
        surveil.finish(reviewed, search="s", now=NOW, error=nights.INTERRUPTED)
    counted = rows(reviewed, "SELECT outcome, found, fresh FROM search_end WHERE search = 's'")
    assert counted == [("partial", 2, 2)] and known(reviewed) == 2


def test_a_page_that_comes_while_its_search_is_ended_is_taken_in_as_well(
    reviewed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(reviewed)
    send(reviewed, numbered(1))
    take_in = taking_in.take_in
    late: Iterator[bytes] = iter([numbered(2)])

    def with_a_late_page(store: Store, search: str) -> None:
        take_in(store, search)
        if (content := next(late, None)) is not None:
            send(store, content)

    monkeypatch.setattr(taking_in, "take_in", with_a_late_page)
    assert surveil.finish(reviewed, search="s", now=NOW)["fresh"] == 2


def test_an_error_on_the_way_leaves_every_page_waiting(
    reviewed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(reviewed)
    send(reviewed, numbered(1))
    with monkeypatch.context() as patch:
        patch.setattr(taking_in, "refresh", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(reviewed, numbered(2), more=False)
    assert known(reviewed) == 0
    assert rows(reviewed, "SELECT count(*) FROM page_taken") == [(0,)]
    assert Counts(**_counts(surveil.finish(reviewed, search="s", now=NOW))) == Counts(2, 2)


def _counts(ended: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in ended.items() if name != "outcome"}
