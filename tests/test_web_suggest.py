"""Readers suggest studies.

The lead looks at each; what is accepted is queued like any other record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI

from livereview.errors import Refused
from livereview.ops import status, tips
from livereview.store import tasks
from livereview.store.open import Store
from livereview.web.limits import WIDE_A_DAY, WIDE_QUIET_A_DAY
from tests.conftest import NOW, REVIEW, Browser, Forms, TestClient

People = Callable[..., Browser]
PATH = f"/suggest/{REVIEW}"
STUDY = {
    "title": "Mentoring for care leavers: a trial",
    "link": "https://a.example/report.pdf",
    "note": "Seen at work",
}


def waiting(store: Store) -> list[str]:
    return [task["title"] for task in status.status(store, now=NOW)["reviews"][0]["tasks"]]


def test_a_reader_without_an_account_suggests_a_study_and_the_lead_queues_it(
    app: FastAPI, reviewed: Store, browser: People
) -> None:
    reader = TestClient(app)
    (form,) = Forms(reader.get(PATH).text).all
    answer = reader.post(form["action"], data={**form["fields"], **STUDY})
    assert "Thank you" in answer.text and STUDY["title"] in answer.text
    lena = browser("lena", "lead")
    page = lena.get(f"/r/{REVIEW}")
    assert "was suggested by a reader" in page and STUDY["note"] in page and STUDY["link"] in page
    lena.press("Queue it for screening")
    assert waiting(reviewed) == []
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM queue").fetchall() == [(1,)]
        assert con.execute("SELECT title, source FROM record").fetchall() == [
            (STUDY["title"], "tip")
        ]
    flow = status.status(reviewed, now=NOW)["reviews"][0]["flow"]
    assert (flow["databases"], flow["other"]) == (0, 1)


def test_a_declined_suggestion_leaves_no_record_and_is_settled_once(
    reviewed: Store, browser: People
) -> None:
    tips.suggest(reviewed, review=REVIEW, id="a", now=NOW, **STUDY)
    lena = browser("lena", "lead")
    lena.get(f"/r/{REVIEW}")
    action, fields = lena.form("Decline")
    assert lena.http.post(action, data=fields).status_code == 200
    assert "settled already" in lena.http.post(action, data=fields).text
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM record").fetchall() == [(0,)]


def test_the_same_form_sent_twice_is_one_suggestion(app: FastAPI, reviewed: Store) -> None:
    for _ in range(2):
        TestClient(app).post(PATH, data={**STUDY, "form": "a" * 32})
    assert len(waiting(reviewed)) == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "short", "whole title"),
        ("title", "x" * 501, "shorten"),
        ("link", "javascript:alert(1)", "must start with https://"),
        ("link", "file:///etc/passwd", "must start with https://"),
        ("note", "x" * 2001, "shorten"),
    ],
)
def test_what_is_no_suggestion_is_told_why_and_nothing_typed_is_lost(
    app: FastAPI, reviewed: Store, field: str, value: str, words: str
) -> None:
    answer = TestClient(app).post(PATH, data={**STUDY, field: value})
    assert answer.status_code == 422 and words in answer.text
    kept = "note" if field != "note" else "title"
    assert STUDY[kept] in answer.text and waiting(reviewed) == []


def test_markup_in_a_suggestion_stays_text(app: FastAPI, reviewed: Store, browser: People) -> None:
    TestClient(app).post(
        PATH,
        data={**STUDY, "title": "<script>alert(1)</script> & a long title", "note": "<b>x</b>"},
    )
    assert "<script>alert" not in browser("lena", "lead").get(f"/r/{REVIEW}")
    assert waiting(reviewed) == ["& a long title"] or "<" not in waiting(reviewed)[0]


def test_an_address_sends_five_an_hour(app: FastAPI, reviewed: Store) -> None:
    http = TestClient(app)
    codes = [
        http.post(PATH, data={**STUDY, "title": f"A long enough title {n}"}).status_code
        for n in range(7)
    ]
    assert codes == [200] * 5 + [429] * 2 and len(waiting(reviewed)) == 5


def test_on_a_busy_day_suggestions_are_held_back_and_nobody_is_refused(
    reviewed: Store, browser: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tips, "A_DAY", 3)
    monkeypatch.setattr(tips, "MOST_A_DAY", 6)
    for n in range(6):
        tips.suggest(
            reviewed,
            review=REVIEW,
            id=str(n),
            now=NOW,
            **{**STUDY, "title": f"A study, number {n}"},
        )
    with pytest.raises(Refused, match="come back tomorrow"):
        tips.suggest(reviewed, review=REVIEW, id="more", now=NOW, **STUDY)
    lena = browser("lena", "lead")
    page = lena.get(f"/r/{REVIEW}")
    assert "3 suggestions of busy days, held back" in page
    assert page.index("number 2") < page.index("held back") < page.index("number 3")
    lena.press("Decline all 3")
    assert waiting(reviewed) == [f"A study, number {n}" for n in range(3)]
    tips.suggest(
        reviewed, review=REVIEW, id="next", now=NOW + timedelta(days=1, seconds=1), **STUDY
    )
    lena.get(f"/r/{REVIEW}")
    assert "held back" not in lena.page.text


def test_twenty_addresses_do_not_use_up_the_day_of_an_honest_reader(
    app: FastAPI, reviewed: Store
) -> None:
    def sends(address: str, times: int, hour: int = 0) -> list[int]:
        app.state.shared = replace(app.state.shared, clock=lambda: NOW + timedelta(hours=hour))
        http = TestClient(app, client=(address, 1))
        return [
            http.post(PATH, data={**STUDY, "title": f"{address} {n} {hour} title"}).status_code
            for n in range(times)
        ]

    one_site = [f"2001:db8:1:1::{n:x}" for n in range(20)]
    codes = [code for address in one_site for code in sends(address, 2)]
    assert codes.count(200) == 5, "a /64 is one sender"
    for hour in range(12):
        for n in range(20):
            sends(f"198.51.100.{n}", 5, hour)
    kept = waiting(reviewed)
    assert len(kept) <= WIDE_A_DAY + 5, "a neighbourhood has a share of the day"
    assert sends("203.0.113.7", 1, 12) == [200] and "203.0.113.7 0 12 title" in waiting(reviewed)
    with reviewed.read() as con:
        front = [task for task in tasks.of(con, REVIEW) if "held" not in task.data]
    assert len(front) <= WIDE_QUIET_A_DAY + 5 + 1, "the noisy are behind the others"
    assert front[-1].data["title"] == "203.0.113.7 0 12 title"


def test_a_robot_that_fills_in_every_field_is_thanked_and_forgotten(
    app: FastAPI, reviewed: Store
) -> None:
    assert (
        TestClient(app).post(PATH, data={**STUDY, "website": "https://spam.example"}).status_code
        == 200
    )
    assert waiting(reviewed) == []


def test_programs_get_json_and_an_unknown_review_is_not_there(app: FastAPI) -> None:
    http = TestClient(app)
    answer = http.post(PATH, data=STUDY, headers={"Accept": "application/json"})
    assert answer.status_code == 201 and answer.json() == {"suggested": STUDY["title"]}
    assert http.get("/suggest/other").status_code == 404


def test_a_doi_alone_is_a_link(reviewed: Store) -> None:
    tips.suggest(reviewed, review=REVIEW, id="d", title=STUDY["title"], link="10.1000/xyz", now=NOW)
    (task,) = status.status(reviewed, now=NOW)["reviews"][0]["tasks"]
    tips.settle_tip(
        reviewed, review=REVIEW, task=task["id"], outcome="accepted", by="lena", now=NOW
    )
    with reviewed.read() as con:
        assert con.execute("SELECT doi FROM record").fetchall() == [("10.1000/xyz",)]
