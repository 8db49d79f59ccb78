"""The use cases over a real store: what a page, a decision, a pair and an extraction may change,
and what not.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview import ops
from livereview.commands import Begin, ReadStatus, Rebuild
from livereview.commands.wire import decode, decode_answer, encode_answer
from livereview.errors import Refused, SourceBroken
from livereview.ops import evidence, protocols, publish, screen, status, surveil
from livereview.store import decisions, matches, queues, searches
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, article, found

LATER = NOW + timedelta(days=20)


def ris(*titles: str, doi: str = "10.1000/ris{}") -> bytes:
    entry = "TY  - JOUR\nTI  - {}\nAU  - Doe, Jane\nPY  - 2020\nJO  - J Care\nDO  - {}\nER  - \n"
    return "".join(entry.format(title, doi.format(n)) for n, title in enumerate(titles)).encode()


def bring(store: Store, body: bytes, name: str = "a.ris", now: datetime = NOW) -> dict[str, Any]:
    return surveil.import_file(store, review=REVIEW, source="ris", name=name, body=body, now=now)


def rows(store: Store, sql: str, *values: object) -> list[Any]:
    with store.read() as con:
        return con.execute(sql, list(values)).fetchall()


def decide(store: Store, record: str, reviewer: str, verdict: str, **more: Any) -> dict[str, Any]:
    given = {
        "stage": "title_abstract",
        "role": "vote",
        "now": NOW,
        "id": f"{reviewer}{record}{verdict}{more}",
        **more,
    }
    return screen.decide(
        store, review=REVIEW, record=record, reviewer=reviewer, verdict=verdict, **given
    )


def include(store: Store, record: str) -> None:
    for stage in ("title_abstract", "full_text"):
        for person in ("ada", "bo"):
            decide(store, record, person, "include", stage=stage)


# Pages


def test_the_same_bytes_again_change_nothing_and_get_the_first_answer(reviewed: Store) -> None:
    surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search="s", now=NOW)
    body = _openalex("W1", "W2")
    first = surveil.ingest(reviewed, search="s", body=body, now=NOW)
    assert surveil.ingest(reviewed, search="s", body=body, now=LATER) == first
    assert (first["found"], first["fresh"]) == (2, 2)
    assert rows(reviewed, "SELECT count(*) FROM record") == [(2,)]
    assert rows(reviewed, "SELECT count(*) FROM hit") == [(2,)]


def test_a_search_that_has_ended_takes_no_page_but_the_ones_it_had(reviewed: Store) -> None:
    surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search="s", now=NOW)
    first = surveil.ingest(reviewed, search="s", body=_openalex("W1"), now=NOW)
    surveil.finish(reviewed, search="s", now=NOW)
    with pytest.raises(Refused, match=r"has ended \(ok\), so it takes no more pages"):
        surveil.ingest(reviewed, search="s", body=_openalex("W2"), now=NOW)
    assert surveil.ingest(reviewed, search="s", body=_openalex("W1"), now=NOW) == first


def test_a_changed_record_becomes_a_second_version_and_an_old_one_can_come_back(
    reviewed: Store,
) -> None:
    for n, title in enumerate(("A", "B", "A")):
        surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search=f"s{n}", now=NOW)
        surveil.ingest(reviewed, search=f"s{n}", body=_openalex("W1", title=title), now=NOW)
        surveil.finish(reviewed, search=f"s{n}", now=NOW)
    assert rows(reviewed, "SELECT version, title FROM record ORDER BY version") == [
        (1, "A"),
        (2, "B"),
        (3, "A"),
    ]


def test_a_page_that_cannot_be_read_is_kept_with_its_problem(reviewed: Store) -> None:
    surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search="s", now=NOW)
    answer = surveil.ingest(
        reviewed,
        search="s",
        body=b"<html>Too busy</html>",
        now=NOW,
        url="https://x.org/",
        status=200,
    )
    assert answer["found"] == 0 and answer["problem"]
    (sha,) = rows(reviewed, "SELECT sha256 FROM page WHERE problem IS NOT NULL")[0]
    with reviewed.read() as con:
        assert searches.body(con, sha) == b"<html>Too busy</html>"


def test_each_search_ends_in_exactly_one_way_and_stays_there(reviewed: Store) -> None:
    endings = {
        "ok": (_openalex("W1"), None),
        "ok-zero": (_openalex(), None),
        "partial": (_openalex("W2"), "the connection broke"),
        "failed": (None, "the source answered 500"),
    }
    for outcome, (body, error) in endings.items():
        surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search=outcome, now=NOW)
        if body:
            surveil.ingest(reviewed, search=outcome, body=body, now=NOW)
        assert surveil.finish(reviewed, search=outcome, now=NOW, error=error)["outcome"] == outcome
        assert (
            surveil.finish(reviewed, search=outcome, now=LATER, error="later")["outcome"] == outcome
        )


def test_the_window_starts_at_the_last_success_less_the_overlap(reviewed: Store) -> None:
    name = _first(reviewed)
    with reviewed.read() as con:
        plan = protocols.protocol(con, REVIEW).search(name)
    assert plan
    surveil.begin(reviewed, review=REVIEW, name=name, search="good", now=NOW)
    surveil.finish(reviewed, search="good", now=NOW)
    surveil.begin(reviewed, review=REVIEW, name=name, search="bad", now=LATER)
    surveil.finish(reviewed, search="bad", now=LATER, error="broke")
    window = surveil.begin(
        reviewed, review=REVIEW, name=name, search="next", now=LATER + timedelta(days=1)
    )
    assert datetime.fromisoformat(window["start"]) == NOW - timedelta(days=plan.overlap_days)


def test_a_search_whose_process_died_ends_as_failed_when_the_next_begins(reviewed: Store) -> None:
    surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search="dead", now=NOW)
    surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search="alive", now=LATER)
    assert rows(reviewed, "SELECT search, outcome FROM attempt ORDER BY seq") == [
        ("dead", "failed"),
        ("alive", "running"),
    ]


def test_a_zero_where_there_usually_is_something_is_an_alarm(reviewed: Store) -> None:
    for name, body in (("full", _openalex("W1", "W2", "W3")), ("empty", _openalex())):
        surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search=name, now=NOW)
        surveil.ingest(reviewed, search=name, body=body, now=NOW)
        surveil.finish(reviewed, search=name, now=NOW)
    told = status.status(reviewed, now=NOW)["reviews"][0]["alarms"]
    assert any(
        "found nothing (nothing this time); it usually brings 3 records" in alarm for alarm in told
    )


def test_a_file_that_is_something_else_is_refused_and_leaves_nothing(reviewed: Store) -> None:
    with pytest.raises(SourceBroken, match="not a RIS file"):
        bring(reviewed, b"hello")
    assert rows(reviewed, "SELECT count(*) FROM search") == [(0,)]


def test_a_file_imported_twice_is_known(reviewed: Store) -> None:
    assert bring(reviewed, ris("One", "Two"))["known"] is False
    again = bring(reviewed, ris("One", "Two"), name="copy.ris", now=LATER)
    assert again["known"] is True and again["found"] == 2
    assert rows(reviewed, "SELECT databases, duplicates, awaiting_screening FROM flow_counts") == [
        (2, 0, 2)
    ]


def test_records_count_for_each_search_that_found_them_however_often(reviewed: Store) -> None:
    bring(reviewed, ris("One", "Two"))
    bring(reviewed, ris("One", "Two") + b"\n", name="b.ris")
    assert rows(reviewed, "SELECT databases, duplicates, awaiting_screening FROM flow_counts") == [
        (4, 2, 2)
    ]


# Pairs


def test_merging_and_undoing_it_keeps_every_decision_and_reopens_a_conflict(
    reviewed: Store,
) -> None:
    left, right = found(reviewed, article(1), article(2))
    for record, verdict in ((left, "include"), (right, "exclude")):
        for person in ("ada", "bo"):
            decide(reviewed, record, person, verdict)
    screen.judge(reviewed, id="m1", left=left, right=right, verdict="same", person="lena", now=NOW)
    assert rows(reviewed, "SELECT state FROM screening_state") == [("conflict",)]
    screen.judge(
        reviewed, id="m2", left=left, right=right, verdict="withdrawn", person="lena", now=NOW
    )
    assert sorted(rows(reviewed, "SELECT state FROM screening_state")) == [("excluded",), ("open",)]
    assert rows(reviewed, "SELECT count(*) FROM decision") == [(4,)]


def test_a_persons_word_on_a_pair_stands_over_the_rules(reviewed: Store) -> None:
    bring(reviewed, ris("Mentoring", doi="10.1000/same"))
    surveil.begin(reviewed, review=REVIEW, name=_first(reviewed), search="s", now=NOW)
    work = {
        "id": "https://openalex.org/W1",
        "title": "Mentoring",
        "doi": "https://doi.org/10.1000/SAME",
    }
    body = json.dumps({"meta": {"count": 1, "next_cursor": None}, "results": [work]}).encode()
    surveil.ingest(reviewed, search="s", body=body, now=NOW)
    left, right = sorted(row[0] for row in rows(reviewed, "SELECT DISTINCT record_id FROM record"))
    assert rows(reviewed, "SELECT count(DISTINCT report_id) FROM report") == [(1,)]
    screen.judge(
        reviewed, id="m", left=left, right=right, verdict="different", person="lena", now=NOW
    )
    assert rows(reviewed, "SELECT count(DISTINCT report_id) FROM report") == [(2,)]
    with reviewed.read() as con:
        assert matches.doubtful_count(con, REVIEW) == 0


def test_reports_can_be_made_again_from_the_events(reviewed: Store) -> None:
    bring(reviewed, ris("One thing", "Another thing", "A third thing"))
    bring(reviewed, ris("One thing", "Another thing", "A third thing") + b" ", "b.ris")
    before = rows(reviewed, "SELECT record_id, report_id FROM report ORDER BY ALL")
    ops.run(reviewed, Path(), Rebuild())
    assert rows(reviewed, "SELECT record_id, report_id FROM report ORDER BY ALL") == before
    assert rows(reviewed, "SELECT count(*) FROM block")[0][0] > 0


# Decisions


def test_two_votes_take_a_report_through_both_stages(reviewed: Store) -> None:
    (one,) = found(reviewed, article(1))
    assert decide(reviewed, one, "ada", "include")["state"] == "half"
    assert decide(reviewed, one, "bo", "maybe") == {
        "report": one, "stage": "full_text", "state": "open", "votes": 0, "known": False, "stands": True,
    }  # fmt: skip
    decide(reviewed, one, "ada", "include", stage="full_text")
    assert decide(reviewed, one, "bo", "include", stage="full_text")["state"] == "included"
    assert rows(reviewed, "SELECT report_id FROM to_extract") == [(one,)]


def test_the_order_of_votes_is_irrelevant(reviewed: Store) -> None:
    one, two = found(reviewed, article(1), article(2))
    for person, verdict in (("ada", "include"), ("bo", "exclude")):
        decide(reviewed, one, person, verdict)
    for person, verdict in (("bo", "exclude"), ("ada", "include")):
        decide(reviewed, two, person, verdict)
    assert rows(reviewed, "SELECT DISTINCT state FROM screening_state") == [("conflict",)]


def test_a_conflict_is_settled_by_a_third_person_and_the_votes_stay(reviewed: Store) -> None:
    (one,) = found(reviewed, article(1))
    decide(reviewed, one, "ada", "include")
    decide(reviewed, one, "bo", "exclude")
    with pytest.raises(Refused, match="a third person must settle it"):
        decide(reviewed, one, "ada", "include", role="adjudication")
    with pytest.raises(Refused, match="a further vote would not count"):
        decide(reviewed, one, "cy", "include")
    assert decide(reviewed, one, "cy", "exclude", role="adjudication")["state"] == "excluded"
    with pytest.raises(Refused, match="only they can take that back"):
        decide(reviewed, one, "ada", "withdrawn")
    with reviewed.read() as con:
        kept = decisions.on_report(con, REVIEW, one, "title_abstract")
    assert [(d["reviewer"], d["verdict"]) for d in kept] == [
        ("ada", "include"),
        ("bo", "exclude"),
        ("cy", "exclude"),
    ]


def test_a_decision_sent_twice_counts_once_and_an_undo_takes_it_back(reviewed: Store) -> None:
    (one,) = found(reviewed, article(1))
    assert decide(reviewed, one, "ada", "exclude", id="x")["known"] is False
    assert decide(reviewed, one, "ada", "exclude", id="x")["known"] is True
    assert decide(reviewed, one, "ada", "withdrawn")["state"] == "open"
    with pytest.raises(Refused, match="nothing of yours to take back"):
        decide(reviewed, one, "ada", "withdrawn", id="again")
    assert rows(reviewed, "SELECT count(*) FROM decision") == [(2,)]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"stage": "abstract"}, "stage must be one of title_abstract, full_text"),
        ({"verdict": "yes"}, "verdict must be one of include"),
        ({"stage": "full_text"}, "still at title_abstract"),
        ({"reason": "boring"}, "unknown reason 'boring'; choose one of wrong-population"),
        ({"reason": "not-english"}, "unknown reason"),
        ({"verdict": "not_retrieved"}, "full-text verdict"),
        ({"role": "adjudication"}, "no conflict to settle"),
    ],
)
def test_a_decision_against_the_rules_is_refused_and_changes_nothing(
    reviewed: Store, more: dict[str, Any], problem: str
) -> None:
    (one,) = found(reviewed, article(1))
    with pytest.raises(Refused, match=problem):
        decide(reviewed, one, "ada", **{"verdict": "exclude", **more})
    assert rows(reviewed, "SELECT count(*) FROM decision") == [(0,)]


def test_the_room_decides_only_what_waits_for_its_reviewer(reviewed: Store) -> None:
    one, two = found(reviewed, article(1), article(2))
    assert decide(reviewed, one, "ada", "include", id="x", waiting=True)["stands"] is True
    again = decide(reviewed, one, "ada", "include", id="x", waiting=True)
    assert (again["known"], again["stands"], again["votes"]) == (True, True, 1)
    with pytest.raises(screen.Stale) as late:
        decide(reviewed, one, "ada", "exclude", id="y", waiting=True)
    assert late.value.mine
    assert decide(reviewed, one, "ada", "exclude", id="y")["state"] == "half", (
        "elsewhere people may change their minds"
    )
    decide(reviewed, one, "ada", "withdrawn", id="z")
    gone = decide(reviewed, one, "ada", "include", id="x", waiting=True)
    assert (gone["known"], gone["stands"], gone["votes"]) == (True, False, 0), (
        "an old form brings nothing back"
    )
    for person in ("ada", "bo"):
        decide(reviewed, two, person, "exclude")
    with pytest.raises(screen.Stale) as late:
        decide(reviewed, two, "cy", "exclude", waiting=True)
    assert not late.value.mine


def test_an_old_id_brings_nothing_back_when_the_report_was_decided_on_another_record(
    reviewed: Store,
) -> None:
    one, two = found(reviewed, article(1), article(2))
    decide(reviewed, one, "ada", "include", id="x")
    screen.judge(reviewed, id="p", left=one, right=two, verdict="same", person="lena", now=NOW)
    decide(reviewed, two, "ada", "exclude", id="y")
    assert decide(reviewed, one, "ada", "include", id="x")["known"] is True
    with reviewed.read() as con:
        assert [vote["verdict"] for vote in decisions.on_report(con, REVIEW, min(one, two))] == [
            "exclude"
        ]


def test_a_full_text_exclusion_needs_a_reason_and_not_retrieved_is_a_state(reviewed: Store) -> None:
    (one,) = found(reviewed, article(1))
    for person in ("ada", "bo"):
        decide(reviewed, one, person, "include")
    with pytest.raises(Refused, match="needs a reason"):
        decide(reviewed, one, "ada", "exclude", stage="full_text")
    assert decide(reviewed, one, "ada", "not_retrieved", stage="full_text")["state"] == "open"
    assert (
        decide(reviewed, one, "bo", "not_retrieved", stage="full_text")["state"] == "not_retrieved"
    )
    assert decide(reviewed, one, "bo", "withdrawn", stage="full_text")["state"] == "open"
    assert decide(reviewed, one, "bo", "include", stage="full_text")["state"] == "half"


def test_the_queue_of_a_small_team_does_not_move_by_a_vote(reviewed: Store) -> None:
    one, two, three = found(reviewed, article(1), article(2), article(3))
    decide(reviewed, three, "bo", "include")
    with reviewed.read() as con:
        rules = protocols.protocol(con, REVIEW)
        assert queues.waiting_for(con, rules, "ada", "title_abstract") == [one, two, three]
        head = queues.head(con, rules, "ada", "title_abstract", most=2, wanted=[two, "nothing"])
        assert [(row.report_id, row.votes) for row in head.reports] == [(one, 0), (two, 0)]
        assert [(row.report_id, row.votes) for row in head.wanted] == [(two, 0)]
        assert (head.waiting, head.done) == (3, 0)
        bos = queues.head(con, rules, "bo", "title_abstract", wanted=[three])
        assert (bos.first, bos.wanted, bos.waiting, bos.done) == (one, (), 2, 1)


# Evidence and publishing


def form(**more: Any) -> dict[str, Any]:
    return {"study": "doe-2020", "label": "Doe 2020", "reports": ["10.1000/trial1"], **more}


def test_only_an_included_report_can_be_extracted(reviewed: Store) -> None:
    (one,) = found(reviewed, article(1))
    with pytest.raises(
        Refused, match="it is open at title_abstract, not included; screen it first"
    ):
        evidence.extract(reviewed, id="e", review=REVIEW, data=form(), extractor="ada", now=NOW)
    include(reviewed, one)
    first = evidence.extract(reviewed, id="e", review=REVIEW, data=form(), extractor="ada", now=NOW)
    again = evidence.extract(reviewed, id="e", review=REVIEW, data=form(), extractor="ada", now=NOW)
    assert (first["reports"], first["known"], again["known"]) == (1, False, True)
    assert rows(reviewed, "SELECT count(*) FROM to_extract") == [(0,)]


def test_a_form_with_errors_is_refused_naming_them(reviewed: Store) -> None:
    (one,) = found(reviewed, article(1))
    include(reviewed, one)
    bad = form(results=[{"outcome": "happiness", "construct": "x", "direction": "up"}])
    with pytest.raises(Refused, match="happiness") as caught:
        evidence.extract(reviewed, id="e", review=REVIEW, data=bad, extractor="ada", now=NOW)
    assert "favours_intervention" in str(caught.value)
    assert rows(reviewed, "SELECT count(*) FROM study") == [(0,)]


def test_unchanged_content_makes_no_version_and_identical_bytes(
    reviewed: Store, tmp_path: Path
) -> None:
    (one,) = found(reviewed, article(1))
    include(reviewed, one)
    evidence.extract(reviewed, id="e", review=REVIEW, data=form(), extractor="ada", now=NOW)
    first = publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    latest = tmp_path / REVIEW / "latest"
    before = {path.name: path.read_bytes() for path in latest.iterdir() if path.is_file()}
    again = publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=LATER)
    assert (first["new"], again["new"], again["version"]) == (True, False, 1)
    assert {path.name: path.read_bytes() for path in latest.iterdir() if path.is_file()} == before
    assert rows(reviewed, "SELECT number FROM version") == [(1,)]


def test_a_build_that_fails_leaves_the_last_page_and_tells_the_lead(
    reviewed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(reviewed, article(1))
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    page = (tmp_path / REVIEW / "latest" / "index.html").read_bytes()
    found(reviewed, article(2), search="s2")
    monkeypatch.setattr(publish.site, "draft", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=LATER)
    assert (tmp_path / REVIEW / "latest" / "index.html").read_bytes() == page
    told = status.status(reviewed, now=LATER)["reviews"][0]["alarms"]
    assert any(
        "the last build failed and the old page stands: ZeroDivisionError" in alarm
        for alarm in told
    )


# The door


def test_a_command_that_can_not_be_carried_out_names_what_is_wrong() -> None:
    with pytest.raises(Refused, match="begin: review is missing; it takes review, name, search,"):
        decode(Begin, {"name": "x", "search": "y"})
    with pytest.raises(Refused, match="begin: there is no argument 'nam'; it takes review, name"):
        decode(Begin, {"review": "r", "nam": "x", "search": "y"})
    with pytest.raises(Refused, match="'reviews'; it may take now, review"):
        decode(ReadStatus, {"reviews": "r"})
    with pytest.raises(Refused, match="not an ISO time"):
        decode(ReadStatus, {"now": "yesterday"})
    with pytest.raises(Refused, match="has no time zone"):
        decode(ReadStatus, {"now": "2026-03-01T02:00"})


def test_an_answer_is_plain_data_at_the_door_and_comes_back_the_same(reviewed: Store) -> None:
    asked = decode(ReadStatus, {"now": "2026-03-01T02:00+00:00"})
    answer = ops.run(reviewed, Path(), asked)
    plain = json.loads(json.dumps(encode_answer(answer)))
    assert decode_answer(asked, plain) == answer
    assert plain["reviews"][0]["review"] == REVIEW


def _first(store: Store) -> str:
    with store.read() as con:
        return protocols.protocol(con, REVIEW).searches[0].name


def _openalex(*keys: str, title: str = "Mentoring") -> bytes:
    works = [
        {
            "id": f"https://openalex.org/{key}",
            "title": f"{title}" if len(keys) == 1 else f"{title} {key}",
        }
        for key in keys
    ]
    return json.dumps(
        {"meta": {"count": len(works), "next_cursor": None}, "results": works}
    ).encode()
