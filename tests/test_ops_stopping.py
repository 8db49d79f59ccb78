"""Stopping is a lead's signed act.

It hides nothing, outlives no new arrival, and an audit looks behind it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scipy.stats import hypergeom

from livereview import ops
from livereview.errors import Refused
from livereview.ops import protocols, surveil
from livereview.ops.snapshot import snapshot
from livereview.store import queues
from livereview.store.open import Store
from livereview.summary import flow_diagram, words
from tests.conftest import NOW, REVIEW, Browser, Forms, article, found
from tests.test_ops_ranking import STAGE, queue, settle
from tests.test_web_screen import vote

People = Callable[..., Browser]


def many(store: Store, count: int = 100) -> list[str]:
    return found(store, *(article(number) for number in range(count)))


def read(store: Store, ids: list[str], relevant: int = 2) -> None:
    for number, record in enumerate(ids):
        settle(store, record, "include" if number < relevant else "exclude")


def stop(store: Store, id: str = "s1", note: str | None = None) -> dict[str, object]:
    return ops.stopping.stop(store, id=id, review=REVIEW, by="lena", now=NOW, note=note)


def flow(store: Store) -> dict[str, int]:
    return dict(ops.status.status(store, now=NOW, review=REVIEW)["reviews"][0]["flow"])


def test_a_stop_that_the_test_does_not_support_needs_a_reason(reviewed: Store) -> None:
    ids = many(reviewed)
    with pytest.raises(Refused, match="nothing has gone on to full text yet"):
        stop(reviewed)
    read(reviewed, ids[:20])
    with pytest.raises(Refused, match=r"p = 0\.\d+ that fewer than 95% are found"):
        stop(reviewed)
    assert stop(reviewed, note="the grant has ended")["stops"] and queue(reviewed) == []


def test_a_stop_empties_the_queue_but_for_what_is_half_read_and_shows_in_the_flow(
    reviewed: Store,
) -> None:
    ids = many(reviewed)
    read(reviewed, ids[:96])
    vote(reviewed, ids[96], "ada", "exclude")
    assert stop(reviewed)["told"]["may_stop"] is True  # type: ignore[index]
    assert queue(reviewed, "bo") == [ids[96]] and queue(reviewed, "ada") == []
    assert (flow(reviewed)["not_screened"], flow(reviewed)["awaiting_screening"]) == (3, 0)
    with reviewed.read() as con:
        told = snapshot(con, REVIEW, ())
        flow_diagram.check(told)
        assert queues.head(con, protocols.protocol(con, REVIEW), "cy", STAGE).first == ids[96]
    assert (
        told.flow.not_screened == 3 and told.stop is not None and dict(told.stop.told)["read"] == 96
    )
    assert "by a stopping rule" in flow_diagram.svg(told.flow)


def test_reading_on_takes_it_back_and_the_same_act_twice_is_one(reviewed: Store) -> None:
    ids = many(reviewed, 30)
    read(reviewed, ids[:29])
    assert [stop(reviewed)["known"], stop(reviewed)["known"]] == [False, True]
    ops.stopping.read_on(reviewed, id="r1", review=REVIEW, by="lena", now=NOW)
    assert queue(reviewed) == ids[29:] and flow(reviewed)["not_screened"] == 0
    with pytest.raises(Refused, match="no stop holds here"):
        ops.stopping.read_on(reviewed, id="r2", review=REVIEW, by="lena", now=NOW)


def test_a_stop_outlives_neither_a_new_report_nor_a_new_protocol(
    reviewed: Store, protocol: str
) -> None:
    ids = many(reviewed, 40)
    read(reviewed, ids[:38])
    stop(reviewed, note="enough")
    assert queue(reviewed) == []
    new = found(reviewed, article(99), search="s2")
    assert queue(reviewed) == [*ids[38:], *new]
    with reviewed.read() as con:
        reading = ops.ranking.reading(con, REVIEW)
    assert reading.stop is None and reading.lapsed is not None and reading.lapsed.author == "lena"
    stop(reviewed, "s2", "enough")
    surveil.register(
        reviewed, text=protocol.replace("votes = 2", "votes = 2\nrecall_target = 0.9"), now=NOW
    )
    assert len(queue(reviewed)) == 3


def test_an_audit_is_logged_read_first_and_gives_an_interval(reviewed: Store) -> None:
    ids = many(reviewed)
    read(reviewed, ids[:50], relevant=5)
    stop(reviewed, note="enough")
    told = ops.stopping.draw(reviewed, id="a1", review=REVIEW, number=20, by="lena", now=NOW)
    assert told == {"drawn": 20, "unread": 50, "known": False}
    again = ops.stopping.draw(reviewed, id="a1", review=REVIEW, number=20, by="lena", now=NOW)
    assert again == {"drawn": 20, "known": True}
    waiting = queue(reviewed)
    assert (
        len(waiting) == 20
        and set(waiting) <= set(ids[50:])
        and flow(reviewed)["not_screened"] == 30
    )
    read(reviewed, waiting, relevant=1)
    with reviewed.read() as con:
        audited = ops.stopping.audited(con, REVIEW)
        p = con.execute("SELECT DISTINCT probability, author FROM draw").fetchall()
    assert p == [(0.4, "lena")]
    assert audited is not None and (
        audited.drawn,
        audited.settled,
        audited.relevant,
        audited.unread,
    ) == (20, 20, 1, 50)
    most = max(m for m in range(51) if hypergeom.cdf(1, 50, m, 20) > 0.05)
    assert (
        audited.most == most
        and audited.low == pytest.approx(5 / (5 + most))
        and audited.estimate == 5 / 7.5
    )


def test_audits_of_several_nights_are_taken_together(reviewed: Store) -> None:
    ids = many(reviewed, 60)
    read(reviewed, ids[:10], relevant=2)
    ops.stopping.draw(reviewed, id="a1", review=REVIEW, number=10, by="lena", now=NOW)
    read(reviewed, queue(reviewed)[:10], relevant=0)
    found(reviewed, *(article(number) for number in range(60, 80)), search="s2")
    ops.stopping.draw(reviewed, id="a2", review=REVIEW, number=12, by="lena", now=NOW)
    read(reviewed, queue(reviewed)[:12], relevant=0)
    with reviewed.read() as con:
        audited = ops.stopping.audited(con, REVIEW)
    assert audited is not None and (audited.drawn, audited.unread, audited.relevant) == (22, 70, 0)
    assert audited.most is not None and audited.most > 0 and audited.high == 1.0


def test_drawing_from_nothing_is_refused(reviewed: Store) -> None:
    with pytest.raises(Refused, match="nothing is unread"):
        ops.stopping.draw(reviewed, id="a1", review=REVIEW, number=5, by="lena", now=NOW)


def test_the_lead_does_all_of_it_on_a_page(reviewed: Store, browser: People) -> None:
    ids = many(reviewed, 30)
    read(reviewed, ids[:28])
    lena = browser("lena", "lead")
    page = lena.get(f"/r/{REVIEW}")
    assert "Stop reading here" in page and "Audit the unread" in page
    assert "2 reports left unread" in lena.press("Stop reading here", note="enough")
    lena.press("Yes, do this")
    assert "<strong>Reading is stopped</strong>" in lena.get(f"/r/{REVIEW}")
    page = lena.press("Audit the unread", number="1")
    assert "of 2 unread, 1 were drawn at random" in page
    assert "Reading is stopped" not in lena.press("Read on")
    assert lena.http.post(f"/r/{REVIEW}/reading", data={"act": "burn"}).status_code in (403, 422)


def test_the_price_of_each_recall_is_told(reviewed: Store, browser: People) -> None:
    ids = found(
        reviewed,
        *(
            article(
                n, title=f"{('Mentoring in care', 'Bridges and load')[n % 2]} {n}", abstract=None
            )
            for n in range(60)
        ),
    )
    for n, record in enumerate(ids[:40]):
        settle(reviewed, record, "exclude" if n % 2 else "include")
    ops.ranking.rerank(reviewed, review=REVIEW, now=NOW, apart=False)
    with reviewed.read() as con:
        cuts = ops.ranking.reading(con, REVIEW).stream
    assert [cut["target"] for cut in cuts] == [0.9, 0.95, 0.99] and cuts[0]["relevant"] == 20
    assert cuts[0]["low"] < cuts[0]["recall"] == cuts[0]["found"] / 20
    assert 8 <= cuts[0]["above"] <= 10 and cuts[0]["reading"] == pytest.approx(0.5, abs=0.15)
    assert cuts[2]["score"] is None, "twenty relevant ones can't tell of 99%"
    assert "If you read only the new records" in browser("lena", "lead").get(f"/r/{REVIEW}")


def test_doubted_decisions_are_listed_explained_and_asked_again(
    reviewed: Store, browser: People
) -> None:
    topics = ("Mentoring in foster care", "Bridges under load")
    ids = found(
        reviewed,
        *(
            article(n, title=f"{topics[n % 2]} {n}", abstract=f"{topics[n % 2]}.")
            for n in range(60)
        ),
    )
    wrong = ids[7]
    for n, record in enumerate(ids[:50]):
        settle(reviewed, record, "include" if n % 2 == 0 or record == wrong else "exclude")
    ops.ranking.rerank(reviewed, review=REVIEW, now=NOW, apart=False)
    with reviewed.read() as con:
        doubts = ops.ranking.reading(con, REVIEW).doubts
    assert wrong in [one["record_id"] for one in doubts] and len(doubts) <= 20
    lena = browser("lena", "lead")
    assert "decisions that the model would have made otherwise" in lena.get(f"/r/{REVIEW}")
    why = lena.get(f"/r/{REVIEW}/why/{ids[50]}")
    assert "mentoring" in why and "everything else" in why and "in the queue" in why
    assert lena.http.get(f"/r/{REVIEW}/curve.png").content.startswith(b"\x89PNG")
    lena.get(f"/r/{REVIEW}")
    asked = next(
        form for form in Forms(lena.page.text).all if form["fields"].get("record") == wrong
    )
    lena.page = lena.http.post(asked["action"], data=asked["fields"])
    lena.press("Yes, do this")
    assert wrong in queue(reviewed)
    with reviewed.read() as con:
        assert wrong not in [one["record_id"] for one in ops.ranking.reading(con, REVIEW).doubts]


@pytest.mark.parametrize("supports", [True, False])
def test_the_public_sentence_tells_of_the_calibrated_rule_where_it_supports_a_stop(
    supports: bool,
) -> None:
    said = {"read": 400, "total": 1000, "found": 40, "low": 0.8, "confidence": 0.95, "most": 50}
    said |= {"may_stop": False, "target": 0.95}
    sentence = words.stop(said | {"calibrated": {"may_stop": supports, "left": 3.14, "reviews": 8}})
    assert "The target is not met: 95% of them." in sentence
    assert ("expected 3.1 relevant ones" in sentence) is supports
    assert ("In 8 of 8 finished reviews" in sentence) is supports
    assert ("no guarantee" in sentence) is supports
    assert words.stop(said) in sentence
