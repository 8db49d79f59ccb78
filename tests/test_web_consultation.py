"""Readers and panel members comment on a version.

The lead invites, moderates, answers and publishes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from livereview.ops import consultation
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.web import consultation as web
from tests.conftest import NOW, REVIEW, Browser, Forms, TestClient
from tests.test_consultation import (
    TOKEN,
    accept,
    build,
    close,
    invite,
    opened,
    publish,
    published,
    say,
    standing,
)

__all__ = ["published"]  # a fixture
People = Callable[..., Browser]
PATH, DESK = f"/comment/{REVIEW}", f"/r/{REVIEW}/consultation"
EVIL = '</textarea><script>alert(1)</script>"><img src=x onerror=alert(1)>'


def form_of(page: str) -> dict[str, Any]:
    (form,) = Forms(page).all
    found: dict[str, Any] = form
    return found


def send(http: TestClient, text: str, path: str = PATH, **more: str) -> Any:
    """Fill in the form of this page and send it, as a browser without scripts does."""
    form = form_of(http.get(path).text)
    fields = {key: value for key, value in form["fields"].items() if key != "named"}
    return http.post(form["action"], data={**fields, "text": text, **more})


def test_the_whole_way_from_opening_to_the_published_page(
    app: FastAPI, published: Store, browser: People, tmp_path: Path
) -> None:
    lena = browser("lena", "lead")
    assert f'href="{DESK}"' in lena.get(f"/r/{REVIEW}")
    assert "Nothing is open for comment" in lena.get(DESK)
    lena.press(
        "Open it for comment", until="2026-03-20", readers="yes", note="Are the words plain?"
    )
    reader = TestClient(app)
    page = reader.get(PATH).text
    assert (
        "Comment on version 1" in page
        and "Are the words plain?" in page
        and "until 2026-03-20" in page
    )
    assert f'href="/site/{REVIEW}/v/1/"' in page
    answer = send(
        reader,
        "First line.\nSecond line.",
        about="finding:main/attendance",
        name="Rae",
        named="yes",
    )
    assert answer.status_code == 200 and "Thank you" in answer.text
    page = lena.get(DESK)
    assert (
        "1 comment, 1 to accept or refuse" in page
        and '<p dir="auto">Second line.</p>' in page
        and "Rae" in page
    )
    lena.press("Accept")
    lena.press("Respond", text="We agree.", changed="The sentence is plainer.", changed_in="2")
    lena.press("Close it now")
    assert "No version of this review is open for comment now." in reader.get(PATH).text
    lena.press("Publish the consultation on version 1")
    files = build(published, tmp_path)
    told = files["consultation-1.html"].decode()
    assert all(
        words in told for words in ("Second line.", "Rae", "We agree.", "The sentence is plainer.")
    )


def test_with_nothing_open_the_page_is_empty_and_an_unknown_review_is_not_there(
    app: FastAPI, published: Store
) -> None:
    http = TestClient(app)
    page = http.get(PATH)
    assert (
        page.status_code == 200
        and Forms(page.text).all == []
        and "No version of this review is open" in page.text
    )
    assert (
        http.get("/comment/other").status_code == 404
        and http.get("/comment/..%2F..").status_code == 404
    )
    assert http.post("/comment/other", data={"text": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("x" * 5_001, {}, "longer than 5,000 characters"),
        ("A fair point.", {"about": "outcome:gone"}, "not in this version"),
        ("A fair point.", {"name": "n" * 121}, "The name is longer"),
    ],
)
def test_what_is_refused_comes_back_in_the_form_and_can_be_sent_again(
    app: FastAPI, published: Store, text: str, more: dict[str, str], words: str
) -> None:
    opened(published)
    http = TestClient(app)
    answer = send(http, text, named="yes", **more)
    form = form_of(answer.text)
    assert answer.status_code == 422 and words in answer.text and form["fields"]["text"] == text
    assert (
        re.search(r'name="named" value="yes" checked', answer.text)
        and not standing(published).comments
    )
    sent = http.post(
        form["action"], data={**form["fields"], "text": text[:100], "about": "", "name": ""}
    )
    assert sent.status_code == 200 and [one.text for one in standing(published).comments] == [
        text[:100]
    ]


def test_a_comment_that_comes_too_late_is_handed_back(app: FastAPI, published: Store) -> None:
    opened(published)
    http = TestClient(app)
    form = form_of(http.get(PATH).text)
    close(published)
    answer = http.post(form["action"], data={**form["fields"], "text": "Three pages of thoughts."})
    assert answer.status_code == 422 and "your comment was not taken" in answer.text
    assert re.search(r"<textarea[^>]*>Three pages of thoughts.</textarea>", answer.text)


def test_a_form_sent_again_with_another_text_loses_neither(app: FastAPI, published: Store) -> None:
    opened(published)
    http = TestClient(app)
    form = form_of(http.get(PATH).text)
    for _ in range(2):
        assert http.post(PATH, data={**form["fields"], "text": "The first."}).status_code == 200
    answer = http.post(PATH, data={**form["fields"], "text": "The second."})
    assert answer.status_code == 422
    again = form_of(answer.text)["fields"]
    assert (
        again["form"] != form["fields"]["form"] and http.post(PATH, data=again).status_code == 200
    )
    assert [one.text for one in standing(published).comments] == ["The first.", "The second."]


def test_an_address_sends_five_an_hour_and_the_sixth_is_handed_back(
    app: FastAPI, published: Store
) -> None:
    opened(published)
    http = TestClient(app)
    assert send(http, "x" * 5_001).status_code == 422  # what is refused does not count
    codes = [send(http, f"Comment {number}").status_code for number in range(7)]
    assert codes == [200] * 5 + [429] * 2 and len(standing(published).comments) == 5
    answer = send(http, "One more thought")
    assert (
        "come back in an hour" in answer.text
        and form_of(answer.text)["fields"]["text"] == "One more thought"
    )
    assert (
        http.post(f"/suggest/{REVIEW}", data={"title": "A study that has a title"}).status_code
        == 200
    )
    app.state.shared = replace(app.state.shared, clock=lambda: NOW + timedelta(hours=1))
    assert send(http, "An hour later").status_code == 200


def test_the_panels_limit_is_by_link_and_wider(
    app: FastAPI, published: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "EACH_OF_PANEL", 7)
    opened(published)
    for token in (TOKEN, TOKEN[::-1]):
        invite(published, token, name=token)
        http = TestClient(app)
        codes = [send(http, f"Comment {n}", f"{PATH}/{token}").status_code for n in range(8)]
        assert codes == [200] * 7 + [429]


def test_a_robot_that_fills_in_every_field_is_thanked_and_forgotten(
    app: FastAPI, published: Store
) -> None:
    opened(published)
    answer = TestClient(app).post(
        PATH, data={"text": "Buy this", "website": "https://spam.example"}
    )
    assert answer.status_code == 200 and not standing(published).comments


def test_programs_get_json(app: FastAPI, published: Store) -> None:
    opened(published)
    answer = TestClient(app).post(
        PATH, data={"text": "By a program"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 201 and answer.json() == {"commented": REVIEW}


# The panel


def test_a_link_is_shown_once_and_opens_the_form_of_one_person(
    app: FastAPI, published: Store, browser: People
) -> None:
    opened(published, readers=False)
    lena = browser("lena", "lead")
    lena.get(DESK)
    action, fields = lena.form("Make a link")
    page = lena.http.post(
        action, data={**fields, "name": "Pat Panel", "address": "pat@example.org"}
    ).text
    (token,) = re.findall(rf"{PATH}/([A-Za-z0-9_-]{{43}})<", page)
    assert (
        token not in lena.get(DESK)
        and "pat@example.org" in lena.page.text
        and "1 invited" in lena.page.text
    )
    again = lena.http.post(action, data={**fields, "name": "Pat Panel"}).text
    assert "was invited already" in again and not re.findall(rf"{PATH}/[A-Za-z0-9_-]{{43}}<", again)
    guest = TestClient(app)
    seen = guest.get(f"{PATH}/{token}").text
    assert "Pat Panel, you are invited" in seen and form_of(seen)["fields"]["name"] == "Pat Panel"
    assert guest.get(PATH).status_code == 200 and Forms(guest.get(PATH).text).all == []
    assert "Thank you" in send(guest, "A word of the panel.", f"{PATH}/{token}").text
    (one,) = standing(published).comments
    assert (one.panel, one.name, one.named) == ("Pat Panel", "Pat Panel", False)
    close(published)
    assert "takes no comments now" in guest.get(f"{PATH}/{token}").text


@pytest.mark.parametrize(
    "wrong", [TOKEN[:-1], TOKEN.upper(), "x", "a" * 5_000, "%00", "%F0%9F%98%80", "'; DROP TABLE x"]
)
def test_a_wrong_token_is_no_page(app: FastAPI, published: Store, wrong: str) -> None:
    opened(published)
    invite(published)
    http = TestClient(app)
    assert http.get(f"{PATH}/{TOKEN}").status_code == 200
    assert http.get(f"{PATH}/{wrong}").status_code == 404
    assert http.post(f"{PATH}/{wrong}", data={"text": "Let me in"}).status_code == 404
    assert not standing(published).comments


def test_a_link_goes_to_no_other_site_and_no_cache(app: FastAPI, published: Store) -> None:
    opened(published)
    invite(published)
    headers = TestClient(app).get(f"{PATH}/{TOKEN}").headers
    assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-store"


def test_a_link_is_mailed_where_there_is_a_mail_server_and_shown_too(
    published: Store,
    settings: Settings,
    browser: People,
    app: FastAPI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(published)
    lena = browser("lena", "lead")
    assert "and mail it" not in lena.get(DESK)
    able = replace(
        settings,
        secrets={"LIVEREVIEW_SMTP": "smtp://localhost"},
        sender="reviews@example.org",
        url="https://reviews.example.org/",
    )
    app.state.shared = replace(app.state.shared, settings=able)
    sent: list[Any] = []
    monkeypatch.setattr(
        "livereview.notices.post.smtp", lambda message, server: sent.append(message)
    )
    lena.get(DESK)
    page = lena.press("Make a link and mail it", name="Pat", address="pat@example.org")
    (link,) = re.findall(rf"https://reviews\.example\.org{PATH}/[A-Za-z0-9_-]{{43}}(?=<)", page)
    assert (
        "was mailed to pat@example.org" in page
        and link in sent[0].get_body(("plain",)).get_content()
    )
    page = lena.press("Make a link and mail it", name="Quin", address="")
    assert lena.page.status_code == 422 and "give an address" in page and 'value="Quin"' in page
    page = lena.press("Make a link and mail it", name="Quin", address="quin@@example.org")
    assert (
        "It was not mailed:" in page
        and len(sent) == 1
        and re.search(rf"{PATH}/[A-Za-z0-9_-]{{43}}<", page)
    )


# The lead


def test_nobody_but_the_lead_sees_what_waits(published: Store, browser: People) -> None:
    opened(published)
    say(published, "a", "WORDS-THAT-WAIT")
    for name, role in (("ada", "reviewer"), ("adi", "adjudicator"), ("rob", "reader")):
        person = browser(name, role)
        assert "WORDS-THAT-WAIT" not in person.get(DESK) and person.page.status_code == 403
    assert "WORDS-THAT-WAIT" in browser("lena", "lead").get(DESK)


def test_readers_comments_show_nowhere_public_before_they_are_published(
    app: FastAPI, published: Store, tmp_path: Path
) -> None:
    opened(published)
    http = TestClient(app)
    send(http, "WORDS-THAT-WAIT")
    assert "WORDS-THAT-WAIT" not in http.get(PATH).text
    assert not any(b"WORDS-THAT-WAIT" in body for body in build(published, tmp_path).values())
    (one,) = standing(published).comments
    accept(published, one.id)
    assert not any(b"WORDS-THAT-WAIT" in body for body in build(published, tmp_path).values())
    close(published)
    publish(published)
    assert any(b"WORDS-THAT-WAIT" in body for body in build(published, tmp_path).values())


def test_what_the_lead_typed_is_not_lost_when_it_is_refused(
    published: Store, browser: People
) -> None:
    opened(published)
    say(published, "a")
    accept(published, "a")
    lena = browser("lena", "lead")
    lena.get(DESK)
    page = lena.press("Respond", text="A long answer.", changed="Much.", changed_in="9")
    assert lena.page.status_code == 422 and "at most in the next one, 2" in page
    assert (
        ">A long answer.</textarea>" in page and ">Much.</textarea>" in page and 'value="9"' in page
    )
    assert "is no version" in lena.press(
        "Respond", text="A long answer.", changed="Much.", changed_in="two"
    )
    page = lena.press("Save", until="2020-01-01", note="Look here.")
    assert lena.page.status_code == 422 and "Look here." in page and 'value="2020-01-01"' in page
    assert "Please write the reason" in lena.press("Refuse", reason="")
    assert "Refused: <span" in lena.press("Refuse", reason="off the subject")
    lena.http.post(DESK, data={**lena.form("Close it now")[1], "act": "burn"})
    assert standing(published).open


def test_a_comment_of_another_review_is_not_there(
    published: Store, browser: People, protocol: str
) -> None:
    from livereview.ops import surveil

    opened(published)
    say(published, "a")
    surveil.register(
        published, text=protocol.replace('id = "small-review"', 'id = "other"'), now=NOW
    )
    lena = browser("lena", "lead")
    lena.get(DESK)
    _, fields = lena.form("Accept")
    answer = lena.http.post("/r/other/consultation/comment", data=fields)
    assert answer.status_code == 422 and "there is no such comment" in answer.text
    assert standing(published).comments[0].accepted is None


def test_markup_stays_text_on_every_page(app: FastAPI, published: Store, browser: People) -> None:
    opened(published, note=EVIL)
    invite(published, name=EVIL)
    http = TestClient(app)
    pages = [send(http, EVIL, name=EVIL, about=EVIL).text]
    assert form_of(pages[0])["fields"]["text"] == EVIL
    say(published, "a", EVIL, name=EVIL, named=True)
    say(published, "b", EVIL, name=EVIL, token=TOKEN)
    accept(published, "a")
    consultation.respond(
        published, id="r", review=REVIEW, comment="a", text=EVIL, changed=EVIL, by="lena", now=NOW
    )
    lena = browser("lena", "lead")
    pages += [http.get(PATH).text, http.get(f"{PATH}/{TOKEN}").text, lena.get(DESK)]
    pages.append(lena.press("Respond", text=EVIL, changed=EVIL, changed_in=EVIL))
    pages.append(lena.press("Refuse", reason=EVIL))
    for page in pages:
        assert "<img" not in page and "<script>" not in page and "&lt;script&gt;" in page
