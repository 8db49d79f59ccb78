"""The queue in ranked order, and what the lead is told of the reading."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from livereview import ops, review_toml
from livereview.errors import Refused, Retry
from livereview.ops import expectations, protocols, ranking_process, surveil
from livereview.ops.ranking_process import RankingProcess, RankingRequest
from livereview.store import queues, ranks
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_web_screen import vote

People = Callable[..., Browser]
STAGE = "title_abstract"
TOPICS = ("Mentoring of children in foster care", "Concrete bridges under load")


def library(store: Store, count: int = 30) -> list[str]:
    """Records of two topics in turn; only the first is the review's."""
    return found(
        store,
        *(
            article(
                number,
                title=f"{TOPICS[number % 2]}, study {number}",
                abstract=f"{TOPICS[number % 2]}.",
            )
            for number in range(count)
        ),
    )


def queue(store: Store, person: str = "ada") -> list[str]:
    with store.read() as con:
        return queues.waiting_for(con, protocols.protocol(con, REVIEW), person, STAGE)


def rank(store: Store) -> dict[str, object]:
    return ops.ranking.rerank(store, review=REVIEW, now=NOW, apart=False)


def settle(store: Store, record: str, verdict: str) -> None:
    for person in ("ada", "bo"):
        vote(store, record, person, verdict)


def test_before_any_label_the_protocol_orders_the_queue(reviewed: Store) -> None:
    ids = library(reviewed)
    assert queue(reviewed) == ids
    rank(reviewed)
    assert set(queue(reviewed)[:15]) == set(ids[::2]) and len(queue(reviewed)) == 30


def test_labels_order_it_and_the_same_labels_give_the_same_order(reviewed: Store) -> None:
    ids = library(reviewed)
    for record in ids[:3:2]:
        settle(reviewed, record, "exclude")
    for record in ids[1:4:2]:
        settle(reviewed, record, "include")
    first, order = rank(reviewed), queue(reviewed, "cy")
    assert set(order[:13]) == set(ids[5::2])
    again = rank(reviewed)
    assert (first["model"], first["labels"]) == (again["model"], 4) and queue(
        reviewed, "cy"
    ) == order


def test_a_decision_records_the_rank_and_the_model_its_reviewer_had(reviewed: Store) -> None:
    ids = library(reviewed)
    vote(reviewed, ids[1], "ada", "exclude")
    ranking = rank(reviewed)
    shown = queue(reviewed, "bo")[0]
    vote(reviewed, shown, "bo", "include")
    with reviewed.read() as con:
        rows = con.execute("SELECT rank, model FROM decision ORDER BY seq").fetchall()
    assert rows == [(None, None), (1, ranking["model"])]


def test_one_vote_alone_moves_no_rank(reviewed: Store) -> None:
    """A co-reviewer would see it in the order."""
    ids = library(reviewed)
    before = rank(reviewed)
    vote(reviewed, ids[1], "ada", "include")
    assert rank(reviewed)["model"] == before["model"]


def test_when_a_ranking_is_due(reviewed: Store, protocol: str) -> None:
    def due() -> bool:
        with reviewed.read() as con:
            return REVIEW in ops.ranking.due(con)

    assert not due()
    ids = library(reviewed)
    assert due()
    rank(reviewed)
    assert not due()
    for record in ids[:9]:
        settle(reviewed, record, "exclude")
    assert not due()
    settle(reviewed, ids[9], "include")
    assert due()
    rank(reviewed)
    found(reviewed, article(99), search="s2")
    assert due()
    surveil.register(
        reviewed, text=protocol.replace("votes = 2", "votes = 2\nranked = false"), now=NOW
    )
    assert not due()


def test_ranking_in_a_process_of_its_own_gives_the_same(reviewed: Store) -> None:
    library(reviewed)
    assert ops.ranking.rerank(reviewed, review=REVIEW, now=NOW)["model"] == rank(reviewed)["model"]
    assert ops.ranking.rerank_due(reviewed, NOW) == []


def test_one_process_ranks_one_queue_after_another_and_is_started_anew_where_it_died(
    tmp_path: Path,
) -> None:
    def asked(topic: str) -> RankingRequest:
        texts = [(str(number), f"{topic}, study {number}", topic) for number in range(4)]
        return RankingRequest(texts, [], topic, 0, str(tmp_path / topic))

    with RankingProcess() as process:
        first = process.rank(asked(TOPICS[0]))
        assert first == ranking_process.rank(asked(TOPICS[0]))
        (child,) = multiprocessing.active_children()
        process.rank(asked(TOPICS[1]))
        assert multiprocessing.active_children() == [child]
        child.kill()
        child.join()
        with pytest.raises(Retry, match="ended early"):
            process.rank(asked(TOPICS[0]))
        assert process.rank(asked(TOPICS[0])) == first
    assert multiprocessing.active_children() == []


def test_a_queue_that_can_not_be_ranked_holds_no_other_up(
    reviewed: Store, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(reviewed)
    other = protocol.replace(f'id = "{REVIEW}"', 'id = "another-review"')
    surveil.register(reviewed, text=other, now=NOW)
    found(reviewed, article(501), article(502), review="another-review", search="s9")

    def unlucky(process: RankingProcess, asked: RankingRequest) -> object:
        if len(asked.texts) == 2:
            raise Retry("the process that ranks ended early; the order before stands")
        return ranking_process.rank(asked)

    monkeypatch.setattr(RankingProcess, "rank", unlucky)
    with reviewed.read() as con:
        assert ops.ranking.due(con) == ["another-review", REVIEW]
    assert ops.ranking.rerank_due(reviewed, NOW) == [REVIEW]
    with reviewed.read() as con:
        assert ops.ranking.due(con) == ["another-review"]


def test_words_are_read_once_for_the_same_records(reviewed: Store) -> None:
    ids = library(reviewed)
    first = rank(reviewed)
    kept = reviewed.database.parent / "ranking" / f"{REVIEW}.features"
    before = kept.read_bytes()
    settle(reviewed, ids[1], "include")
    settle(reviewed, ids[0], "exclude")
    assert rank(reviewed)["model"] != first["model"] and kept.read_bytes() == before
    ranked = queue(reviewed, "cy")
    kept.write_bytes(before[:40] + b"torn")
    rank(reviewed)
    assert queue(reviewed, "cy") == ranked and kept.read_bytes() == before
    found(reviewed, article(77), search="s2")
    rank(reviewed)
    assert kept.read_bytes() != before


def test_a_ranking_that_is_stopped_leaves_the_order_before(reviewed: Store) -> None:
    library(reviewed)
    before, stop = queue(reviewed), Event()
    stop.set()
    with pytest.raises(Retry, match="the order before stands"):
        ops.ranking.rerank(reviewed, review=REVIEW, now=NOW, stop=stop)
    assert queue(reviewed) == before and multiprocessing.active_children() == []


def test_a_review_of_empty_records_is_ranked_too(reviewed: Store) -> None:
    ids = found(reviewed, *(article(n, title=None, abstract=None) for n in range(3)))
    rank(reviewed)
    assert sorted(queue(reviewed)) == sorted(ids)


def test_the_lead_sees_the_curve_an_estimate_and_the_work_left(
    reviewed: Store, browser: People
) -> None:
    ids = library(reviewed)
    lena = browser("lena", "lead")
    page = lena.get(f"/r/{REVIEW}")
    assert "Nothing went on yet" in page and "about 36 minutes" in page and "not ranked yet" in page
    assert lena.http.get(f"/r/{REVIEW}/curve.svg").status_code == 404
    rank(reviewed)
    for record in ids[:20]:
        settle(reviewed, record, "include" if record in ids[:4:2] else "exclude")
    page = lena.get(f"/r/{REVIEW}")
    assert (
        "<strong>20</strong> of 30 reports" in page and "<strong>2</strong> of them went on" in page
    )
    assert "no certificate" in page and "Ranked 2026-03-02" in page
    with reviewed.read() as con:
        told = ops.ranking.reading(con, REVIEW)
    assert told.said["low"] == pytest.approx(2 / told.said["most"])
    curve = lena.http.get(f"/r/{REVIEW}/curve.svg")
    assert (
        curve.headers["content-type"].startswith("image/svg+xml")
        and "2 relevant of 20 records" in curve.text
    )


def test_the_target_is_checked(protocol: str) -> None:
    with pytest.raises(Refused, match=r"0\.5 to below 1"):
        review_toml.parse(protocol.replace("votes = 2", "votes = 2\nrecall_target = 1.0"))
    assert review_toml.parse(protocol).screening.recall_target == 0.95


def test_a_conflict_has_gone_nowhere_until_it_is_settled(reviewed: Store) -> None:
    one, two, three, four = library(reviewed, 4)
    settle(reviewed, one, "exclude")
    vote(reviewed, two, "ada", "include")
    vote(reviewed, two, "bo", "exclude")
    vote(reviewed, three, "ada", "include")
    settle(reviewed, four, "include")
    with reviewed.read() as con:
        assert ranks.labels(con, REVIEW, STAGE) == [(one, False), (four, True)]
        reading = ops.ranking.reading(con, REVIEW)
    assert (reading.settled, reading.went_on, reading.conflicts, reading.total) == (2, 1, 1, 4)
    assert (reading.said["read"], reading.said["found"]) == (2, 1)
    ops.screen.decide(
        reviewed,
        id="third",
        review=REVIEW,
        record=two,
        stage=STAGE,
        reviewer="cy",
        role="adjudication",
        verdict="include",
        now=NOW,
    )
    with reviewed.read() as con:
        assert dict(ranks.labels(con, REVIEW, STAGE))[two] is True
        reading = ops.ranking.reading(con, REVIEW)
    assert (reading.settled, reading.went_on, reading.conflicts) == (3, 2, 0)


def test_before_ten_of_each_nothing_is_expected(reviewed: Store) -> None:
    ids = library(reviewed, 40)
    for record in ids[:12]:
        settle(reviewed, record, "include" if record in ids[::2] else "exclude")
    rank(reviewed)
    with reviewed.read() as con:
        assert ops.ranking.reading(con, REVIEW).expected is None


def test_two_rules_stand_side_by_side_and_a_stop_keeps_what_both_say(
    reviewed: Store, browser: People
) -> None:
    ids = library(reviewed, 80)
    for record in ids[:50]:
        settle(reviewed, record, "include" if record in ids[::2] else "exclude")
    told = rank(reviewed)["told"]
    assert told["limit"]["own"] is False  # type: ignore[index]
    with reviewed.read() as con:
        reading = ops.ranking.reading(con, REVIEW)
    expected = reading.expected
    assert expected is not None
    assert (expected.read, expected.found, expected.unread) == (50, 25, 30)
    assert expected.left == pytest.approx(15, abs=3)
    assert not expected.may_stop and expected.next_reports == 30
    assert expected.next_found == pytest.approx(expected.left)
    assert expected.next_hours == pytest.approx(30 * 36 * 2 / 3600)

    lena = browser("lena", "lead")
    page = lena.get(f"/r/{REVIEW}")
    guarantee, calibrated = page.index("The guarantee"), page.index("Calibrated on finished")
    assert guarantee < page.index("has p ") < calibrated < page.index("It promises nothing: on ")
    curve = lena.http.get(f"/r/{REVIEW}/curve.svg").text
    assert "25 relevant among 50 read" in curve and "expected among the 30 unread" in curve

    kept = ops.stopping.stop(
        reviewed, id="s1", review=REVIEW, by="lena", now=NOW, note="the grant has ended"
    )["told"]
    assert kept["calibrated"]["may_stop"] is False and kept["may_stop"] is False

    found(reviewed, article(99), search="s2")
    with reviewed.read() as con:
        later = ops.ranking.reading(con, REVIEW).expected
    assert later is not None and not later.may_stop


def test_finished_reviews_are_kept_as_experience(reviewed: Store) -> None:
    ids = library(reviewed, 60)
    for record in ids[:40]:
        settle(reviewed, record, "include" if record in ids[::2] else "exclude")
    rank(reviewed)
    with reviewed.read() as con:
        assert ranks.finished(con) == []
    for record in ids[40:]:
        settle(reviewed, record, "include" if record in ids[::2] else "exclude")
    with reviewed.read() as con:
        (review,) = ranks.finished(con)
    assert (review.review, review.relevant) == (REVIEW, 30)
    (look,) = review.expected
    assert (look["read"], look["found"]) == (40, 20)


@pytest.mark.parametrize(
    ("reports", "expected"), [(0, 0.0), (50, 2.0), (100, 4.0), (200, 5.0), (250, 5.5), (300, 6.0)]
)
def test_what_more_reading_would_bring_lies_between_the_points_kept(
    reports: int, expected: float
) -> None:
    got = expectations.within([4.0, 5.0], 100, reports, left=6.0, unread=300)
    assert got == pytest.approx(expected)
