"""A version opened for comment: who may say what, what is kept, and what the public sees and when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.ops import as_of, consultation, surveil
from livereview.ops import publish as publishing
from livereview.store import consultation as kept
from livereview.store import past, versions
from livereview.store.open import Store
from livereview.summary import consultation as public
from livereview.summary import site
from tests import snapshots
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import include
from tests.test_ops_as_of import extract, read

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL = "2026-03-20"
TOKEN = "a-token-that-is-long-and-random-enough"
ADDRESS = f"https://reviews.example.org/comment/{REVIEW}"


@pytest.fixture
def published(reviewed: Store, protocol: str, tmp_path: Path) -> Store:
    """The small review with version 1 on its page, and an address for readers."""
    text = protocol.replace(
        'licence = "CC-BY-4.0"',
        f'licence = "CC-BY-4.0"\nsuggestions = "https://reviews.example.org/suggest/{REVIEW}"',
    )
    surveil.register(reviewed, text=text, now=NOW)
    (one, two) = found(reviewed, article(1), article(2))
    include(reviewed, one)
    include(reviewed, two)
    extract(reviewed, 1, NOW)
    build(reviewed, tmp_path)
    return reviewed


def build(store: Store, folder: Path, now: datetime = NOW) -> dict[str, bytes]:
    """Publish, and what `latest` holds then."""
    told = publishing.publish(store, review=REVIEW, folder=folder, now=now)
    if told.get("held"):
        publishing.sign(store, id=f"sign-{now}", review=REVIEW, by="lena", now=now)
        publishing.publish(store, review=REVIEW, folder=folder, now=now)
    return read(folder / REVIEW / "latest")


def opened(
    store: Store, version: int = 1, until: str = UNTIL, now: datetime = NOW, **more: Any
) -> dict[str, Any]:
    asked: dict[str, Any] = {"id": f"open-{version}-{until}", "by": "lena", **more}
    return consultation.open_version(
        store, review=REVIEW, version=version, until=until, now=now, **asked
    )


def say(
    store: Store, id: str, text: str = "Please look again.", now: datetime = NOW, **more: Any
) -> dict[str, Any]:
    return consultation.comment(store, id=id, review=REVIEW, text=text, now=now, **more)


def accept(store: Store, comment: str, now: datetime = NOW) -> None:
    consultation.moderate(
        store,
        id=f"yes-{comment}-{now}",
        review=REVIEW,
        comment=comment,
        accepted=True,
        by="lena",
        now=now,
    )


def refuse(store: Store, comment: str, now: datetime = NOW, reason: str = "names a family") -> None:
    asked: dict[str, Any] = {"comment": comment, "accepted": False, "reason": reason, "by": "lena"}
    consultation.moderate(store, id=f"no-{comment}-{now}", review=REVIEW, now=now, **asked)


def invite(
    store: Store, token: str = TOKEN, name: str = "Pat Panel", now: datetime = NOW
) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "name": name,
        "address": "pat@example.org",
        "token": token,
        "by": "lena",
    }
    return consultation.invite(store, id=f"invite-{name}", review=REVIEW, now=now, **asked)


def respond(store: Store, comment: str, now: datetime = NOW, **more: Any) -> dict[str, Any]:
    asked = {
        "text": "Thank you.",
        "changed": "the wording stands by the rule",
        "by": "lena",
        **more,
    }
    return consultation.respond(
        store, id=f"re-{comment}-{now}", review=REVIEW, comment=comment, now=now, **asked
    )


def close(store: Store, version: int = 1, now: datetime = NOW) -> None:
    consultation.close(
        store, id=f"close-{version}-{now}", review=REVIEW, version=version, by="lena", now=now
    )


def publish(store: Store, version: int = 1, now: datetime = NOW) -> None:
    consultation.publish(
        store, id=f"pub-{version}-{now}", review=REVIEW, version=version, by="lena", now=now
    )


def standing(store: Store, now: datetime = NOW, version: int = 1) -> consultation.Standing:
    with store.read() as con:
        return next(
            one
            for one in consultation.state(con, REVIEW, now)
            if one.consultation.version == version
        )


# Opening and closing


def test_only_a_published_version_is_opened_and_one_at_a_time(
    published: Store, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="version 2 is not published"):
        opened(published, 2)
    opened(published)
    extract(published, 2, NOW + HOUR)
    build(published, tmp_path, NOW + HOUR)
    with pytest.raises(Refused, match="version 1 is open for comment; close it first"):
        opened(published, 2, now=NOW + HOUR)
    close(published, now=NOW + HOUR)
    opened(published, 2, now=NOW + HOUR)
    with published.read() as con:
        now_open = consultation.now_open(con, REVIEW, NOW + HOUR)
    assert now_open and now_open.version == 2


@pytest.mark.parametrize("until", ["2026-03-01", "2027-03-04", "soon", "", "2026-02-30"])
def test_a_day_that_wont_do_is_refused(published: Store, until: str) -> None:
    with pytest.raises(Refused, match="day"):
        opened(published, until=until)


def test_it_is_open_up_to_the_end_of_its_last_day_where_the_review_lives(published: Store) -> None:
    opened(published, until="2026-06-20")
    # one second before midnight in London
    summer = datetime.fromisoformat("2026-06-20T22:59:59+00:00")
    assert (
        standing(published, summer).open
        and not standing(published, summer + timedelta(seconds=1)).open
    )
    say(published, "in-time", now=summer)
    with pytest.raises(Refused, match="your comment was not taken"):
        say(published, "late", now=summer + timedelta(seconds=1))
    assert [one.id for one in standing(published).comments] == ["in-time"]


def test_opened_again_the_day_moves_and_what_was_said_stays(published: Store) -> None:
    opened(published)
    say(published, "a")
    close(published)
    with pytest.raises(Refused, match="is closed already"):
        consultation.close(published, id="again", review=REVIEW, version=1, by="lena", now=NOW)
    opened(
        published, until="2026-04-01", readers=False, note="Look at the outcomes.", now=NOW + DAY
    )
    one = standing(published)
    assert (one.consultation.until, one.consultation.readers, one.consultation.closed) == (
        date(2026, 4, 1),
        False,
        None,
    )
    assert (
        one.open and one.consultation.opened == NOW and [said.id for said in one.comments] == ["a"]
    )


def test_every_act_twice_is_the_act_once(published: Store) -> None:
    assert [opened(published)["known"] for _ in range(2)] == [False, True]
    assert [invite(published)["known"] for _ in range(2)] == [False, True]
    assert [say(published, "a")["known"] for _ in range(2)] == [False, True]
    for _ in range(2):
        accept(published, "a")
    assert [respond(published, "a")["known"] for _ in range(2)] == [False, True]
    for _ in range(2):
        close(published)
    for _ in range(2):
        publish(published)
    with published.read() as con:
        for table in ("comment", "moderation", "response", "invitation"):
            assert con.execute(f"SELECT count(*) FROM consultation_{table}").fetchall() == [(1,)]
        assert con.execute("SELECT act FROM consultation ORDER BY seq").fetchall() == [
            ("open",), ("close",), ("publish",),
        ]  # fmt: skip


# Comments


def test_what_is_no_comment_is_refused_and_nothing_is_cut(published: Store) -> None:
    with pytest.raises(Refused, match="No version of this review is open"):
        say(published, "early")
    opened(published)
    with pytest.raises(Refused, match=r"longer than 5,000 characters \(it has 5,001\)"):
        say(published, "long", "x" * 5_001)
    with pytest.raises(Refused, match="Please write the comment"):
        say(published, "empty", " \n\t ")
    with pytest.raises(Refused, match="is not in this version"):
        say(published, "where", about="outcome:nowhere")
    with pytest.raises(Refused, match="The name is longer"):
        say(published, "who", name="x" * 121)
    text = "p < 0.05 & <b>not</b> bold\r\n\r\n  second paragraph\u202e\x00 " + "y" * 4_000
    say(published, "right", text, about="finding:main/attendance")
    (one,) = standing(published).comments
    assert one.text == "p < 0.05 & <b>not</b> bold\n\nsecond paragraph " + "y" * 4_000
    assert one.about == "finding:main/attendance" and one.accepted is None and one.shown is None


def test_another_text_in_a_form_that_was_sent_is_not_swallowed(published: Store) -> None:
    opened(published)
    say(published, "a", "The first text.")
    with pytest.raises(Refused, match="Send it again to add this one too"):
        say(published, "a", "The second text.")


def test_where_only_the_panel_is_asked_readers_are_refused(published: Store) -> None:
    opened(published, readers=False)
    invite(published)
    with pytest.raises(Refused, match="No version of this review is open"):
        say(published, "reader")
    say(published, "panel", token=TOKEN)
    (one,) = standing(published).comments
    assert one.panel == "Pat Panel" and one.shown is not None


def test_a_token_opens_its_own_version_only_and_is_not_kept(
    published: Store, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="open a version for comment first"):
        invite(published)
    opened(published)
    invite(published)
    for wrong in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper()):
        with pytest.raises(Refused, match="this link is not good"):
            say(published, "w", token=wrong)
    with pytest.raises(Refused, match="long and random"):
        invite(published, token="short")
    close(published)
    extract(published, 2, NOW + HOUR)
    build(published, tmp_path, NOW + HOUR)
    opened(published, 2, now=NOW + HOUR)
    with pytest.raises(
        Refused, match="The consultation on version 1 is closed, so your comment was not taken"
    ):
        say(published, "old", token=TOKEN, now=NOW + HOUR)
    with published.read() as con:
        assert TOKEN not in str(con.execute("SELECT * FROM consultation_invitation").fetchall())
        assert kept.by_token(con, "other-review", TOKEN) is None


def test_a_review_takes_so_many_comments_of_readers_a_day(
    published: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consultation, "READERS_A_DAY", 3)
    opened(published)
    invite(published)
    for number in range(3):
        say(published, str(number))
    with pytest.raises(Refused, match="come back tomorrow"):
        say(published, "more")
    say(published, "panel", token=TOKEN)
    say(published, "more", now=NOW + DAY + HOUR)


# Moderation and responses


def test_a_refusal_needs_a_reason_and_the_last_word_counts(published: Store) -> None:
    opened(published)
    say(published, "a")
    with pytest.raises(Refused, match="Please write the reason"):
        refuse(published, "a", reason=" ")
    refuse(published, "a")
    with pytest.raises(Refused, match="accept this comment before you respond"):
        respond(published, "a")
    assert (
        standing(published).comments[0].reason == "names a family"
        and standing(published).waiting == 0
    )
    accept(published, "a", NOW + HOUR)
    assert standing(published).comments[0].accepted is True
    with pytest.raises(Refused, match="there is no such comment"):
        accept(published, "b")


def test_what_changed_is_in_a_later_version_or_nothing_did(published: Store) -> None:
    opened(published)
    say(published, "a")
    accept(published, "a")
    for number in (0, 1, 3):
        with pytest.raises(Refused, match="in a version after 1 and at most in the next one, 2"):
            respond(published, "a", changed_in=number)
    with pytest.raises(Refused, match="Please write the text on what changed"):
        respond(published, "a", changed="")
    respond(published, "a", changed_in=2, changed="The outcome's wording.")
    respond(published, "a", now=NOW + HOUR)
    assert [one.changed_in for one in standing(published).responses["a"]] == [2, None]


# What the public sees


def test_while_it_is_open_the_latest_page_says_so_without_a_new_version(
    published: Store, tmp_path: Path
) -> None:
    before = build(published, tmp_path)
    opened(published)
    after = build(published, tmp_path, NOW + HOUR)
    assert (
        f'<a href="{ADDRESS}">'.encode() in after["index.html"]
        and b"until 20 March 2026" in after["index.html"]
    )
    assert (
        ADDRESS.encode() not in before["index.html"]
        and after["summary.json"] == before["summary.json"]
    )
    assert ADDRESS not in (tmp_path / REVIEW / "v" / "1" / "index.html").read_text(encoding="utf-8")
    with published.read() as con:
        assert len(versions.all_of(con, REVIEW)) == 1
    close(published, now=NOW + HOUR)
    assert build(published, tmp_path, NOW + 2 * HOUR) == before


def test_a_call_needs_an_address_and_readers_and_is_not_on_a_numbered_version() -> None:
    review = snapshots.review(suggestions=f"https://reviews.example.org/suggest/{REVIEW}/")
    asked = public.Consultations(call=public.Call(3, date(2026, 4, 1)))
    told = public.call(asked, review, "../")
    assert told == {"version": 3, "until": "1 April 2026", "address": ADDRESS}
    assert public.call(public.Consultations(), review, "../") is None
    assert public.call(asked, review, "../../") is None
    for address in (None, "https://reviews.example.org/forms/7"):
        assert public.call(asked, replace(review, suggestions=address), "../") is None


def test_nothing_is_public_before_the_lead_publishes_and_then_only_what_was_accepted(
    published: Store, tmp_path: Path
) -> None:
    opened(published)
    invite(published)
    say(
        published,
        "r1",
        "Words of a reader.",
        name="Rae Reader",
        named=True,
        about="finding:main/attendance",
    )
    say(published, "r2", "Words that were refused.", name="Ray Refused", named=True)
    say(published, "p1", "Words of the panel.", name="Pat Hidden", named=False, token=TOKEN)
    with pytest.raises(Refused, match="still open for comment; close it first"):
        publish(published)
    close(published)
    with pytest.raises(Refused, match="2 comments wait: accept or refuse each before you publish"):
        publish(published)
    accept(published, "r1")
    refuse(published, "r2")
    respond(published, "r1", changed_in=2, changed="The sentence was made plainer.")
    before = build(published, tmp_path, NOW + HOUR)
    assert not [name for name in before if name.startswith("consultation")]
    assert not any(b"Words of" in body for body in before.values())
    publish(published, now=NOW + HOUR)
    after = build(published, tmp_path, NOW + HOUR)
    (told,) = json.loads(after["consultations.json"])
    assert [(one["by"], one["role"], one["text"]) for one in told["comments"]] == [
        ("Rae Reader", "reader", "Words of a reader."),
        ("a panel member", "panel", "Words of the panel."),
    ]
    assert (told["version"], told["panel_invited"], told["not_accepted"]) == (1, 1, 1)
    (answer,) = told["comments"][0]["responses"]
    assert (answer["changed_in"], answer["changed_in_exists"]) == (2, False)
    page = after["consultation-1.html"].decode()
    assert "version 2, which is still to come" in page and told["comments"][0]["about_text"] in page
    for body in after.values():
        for signed in (
            b"<dd>lena</dd>",
            b"signed off by lena",
        ):  # she opened the review: version 1 shows it
            body = body.replace(signed, b"")
        for secret in (
            b"Words that were",
            b"Ray Refused",
            b"Pat Hidden",
            b"Pat Panel",
            b"pat@example.org",
            b"lena<",
        ):
            assert secret not in body
    assert (
        b'href="consultation-1.html"' in after["index.html"]
        and b"consultation-1.html" in after["SHA256SUMS"]
    )
    assert after["summary.json"] == before["summary.json"]


def test_later_words_wait_for_the_next_publication_and_a_refused_one_leaves(
    published: Store, tmp_path: Path
) -> None:
    opened(published)
    for name in ("a", "b"):
        say(published, name, f"Comment {name}.")
        accept(published, name)
    close(published)
    publish(published)
    respond(published, "a", now=NOW + HOUR)
    opened(published, until="2026-03-21", now=NOW + HOUR)
    say(published, "c", "Comment c.", now=NOW + HOUR)
    accept(published, "c", NOW + HOUR)
    told = _comments(build(published, tmp_path, NOW + HOUR))
    assert told == {"Comment a.": 0, "Comment b.": 0}
    refuse(published, "b", NOW + 2 * HOUR)
    assert _comments(build(published, tmp_path, NOW + 2 * HOUR)) == {"Comment a.": 0}
    accept(published, "b", NOW + 3 * HOUR)
    assert _comments(build(published, tmp_path, NOW + 3 * HOUR)) == {"Comment a.": 0}
    close(published, now=NOW + 3 * HOUR)
    publish(published, now=NOW + 4 * HOUR)
    told = _comments(build(published, tmp_path, NOW + 4 * HOUR))
    assert told == {"Comment a.": 1, "Comment b.": 0, "Comment c.": 0}


def _comments(files: dict[str, bytes]) -> dict[str, int]:
    (told,) = json.loads(files["consultations.json"])
    return {one["text"]: len(one["responses"]) for one in told["comments"]}


def test_the_next_version_carries_it_and_the_one_it_is_about_stays_as_it_was(
    published: Store, tmp_path: Path
) -> None:
    first = read(tmp_path / REVIEW / "v" / "1")
    opened(published)
    say(published, "a")
    accept(published, "a")
    respond(published, "a", changed_in=2, changed="A study was added.")
    close(published)
    publish(published)
    extract(published, 2, NOW + HOUR)
    build(published, tmp_path, NOW + HOUR)
    assert read(tmp_path / REVIEW / "v" / "1") == first
    second = read(tmp_path / REVIEW / "v" / "2")
    assert (
        b'href="../../v/1/"' in second["consultation-1.html"]
        and b'href="../../v/2/"' in second["consultation-1.html"]
    )


def test_it_is_made_again_byte_for_byte_as_of_any_moment(published: Store, tmp_path: Path) -> None:
    held = {NOW: read(tmp_path / REVIEW / "latest")}

    def then(step: int) -> datetime:
        return NOW + step * HOUR

    opened(published, now=then(1))
    held[then(1)] = build(published, tmp_path, then(1))
    say(published, "a", "One.", now=then(2))
    accept(published, "a", then(2))
    extract(published, 2, then(2))
    held[then(2)] = build(published, tmp_path, then(2))
    close(published, now=then(3))
    publish(published, now=then(3))
    held[then(3)] = build(published, tmp_path, then(3))
    respond(published, "a", now=then(4))
    publish(published, now=then(4))
    held[then(4)] = build(published, tmp_path, then(4))
    refuse(published, "a", then(5))
    held[then(5)] = build(published, tmp_path, then(5))
    assert len({body["index.html"] for body in held.values()}) == 5
    for moment, files in held.items():
        told = as_of.as_of(
            published, review=REVIEW, moment=moment + HOUR / 2, folder=tmp_path, now=then(9)
        )
        assert read(Path(told["folder"])) == files, moment


def test_its_tables_are_events(published: Store) -> None:
    with published.read() as con:
        names = ("", "_invitation", "_comment", "_moderation", "_response")
        assert {f"consultation{name}" for name in names} <= set(past.event_tables(con))


def test_hostile_words_stay_words_on_the_published_page() -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e'
    answer = public.Answer(evil, evil, None, NOW)
    said = public.Said("answer", evil, evil, "reader", evil, NOW, (answer,))
    one = public.Consulted(1, NOW, date(2026, 3, 20), True, evil, NOW, 0, (said,), 0)
    made = snapshots.snapshot(consultations=public.Consultations((one,)))
    files = site.build(made, 1, "a scheduled rebuild").files
    page = files["consultation-1.html"].decode()
    assert page.count("&lt;script&gt;alert(1)") == 6 and "\u202e" not in page
    assert "<script" not in page and "<img" not in page


def test_a_consultation_without_comments_says_so(published: Store, tmp_path: Path) -> None:
    opened(published, readers=False)
    close(published)
    publish(published)
    page = build(published, tmp_path)["consultation-1.html"].decode()
    assert "No comment was published." in page and "nobody was invited" in page


def test_the_mail_holds_the_link_and_no_header_of_the_title(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        "livereview.notices.post.smtp", lambda message, server: sent.append(message)
    )
    asked: dict[str, Any] = {
        "title": "A review\r\nBcc: all@example.org",
        "until": date(2026, 3, 20),
        "now": NOW,
    }
    asked |= {"name": "Pat <b>", "server": "smtp://localhost", "sender": "reviews@example.org"}
    link = "https://reviews.example.org/comment/x/token"
    assert consultation.mail_link(address="pat@example.org", link=link, **asked) is None
    (message,) = sent
    plain, html = (part.get_content() for part in message.iter_parts())
    assert link in plain and link in html and "Pat &lt;b&gt;" in html and message["Bcc"] is None
    assert "must be like name@example.org" in str(
        consultation.mail_link(address="nobody", link=link, **asked)
    )


def test_evidence_is_untouched_by_all_of_it(published: Store) -> None:
    with published.read() as con:
        before = versions.latest(con, REVIEW)
    opened(published, now=NOW + HOUR)
    say(published, "a", now=NOW + HOUR)
    with published.read() as con:
        assert versions.latest(con, REVIEW) == before
