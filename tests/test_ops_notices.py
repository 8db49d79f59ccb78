"""Digests count only what a person may know, and webhooks hear of each version until they answer or
say gone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from livereview import ops
from livereview.commands.service import Mail
from livereview.errors import Refused
from livereview.notices.message import verified
from livereview.notices.post import MAIL_SECONDS, deliver, mail
from livereview.notices.send import SIGNATURE, guarded
from livereview.ops import evidence, publish, retirement, surveil, team, withdraw
from livereview.ops.principals import OPERATOR
from livereview.rights import Kind, Principal, Scope
from livereview.store import accounts, notices
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, OpenStore, article, found
from tests.test_ops import form, include
from tests.test_web_screen import vote

SECRET = "a webhook secret"


def account(store: Store, name: str, role: str = "reviewer", email: str | None = None) -> None:
    team.add_account(
        store, name=name, role=role, secret=f"{name}-has-a-long-secret-word", now=NOW, email=email
    )


def told(store: Store, **more: Any) -> dict[str, dict[str, Any]]:
    found = ops.notices.digests(store, base_url="https://reviews.example.org", now=NOW, **more)[
        "digests"
    ]
    return {one["name"]: one for one in found}


def test_a_reviewer_hears_what_waits_and_nothing_of_votes(reviewed: Store) -> None:
    ids = found(reviewed, *(article(number) for number in range(5)))
    account(reviewed, "ada", email="ada@example.org")
    account(reviewed, "bo")
    before = told(reviewed)["bo"]
    assert (
        before["subject"] == "5 records wait for you in Mentoring for children in care"
        and before["email"] is None
    )
    vote(reviewed, ids[0], "ada", "include")
    vote(reviewed, ids[1], "ada", "exclude")
    after = told(reviewed)
    assert (after["bo"]["text"], after["ada"]["email"]) == (before["text"], "ada@example.org")
    assert after["ada"]["subject"].startswith("3 records wait")


def test_a_lead_hears_of_the_night_and_of_what_waits_for_a_name(reviewed: Store) -> None:
    found(reviewed, article(1))
    account(reviewed, "lena", "lead")
    text = told(reviewed)["lena"]["text"]
    assert "1 search ran; 1 new record" in text and "/r/small-review/ledger" in text


def test_readers_and_those_for_whom_nothing_waits_hear_nothing(reviewed: Store) -> None:
    account(reviewed, "rea", "reader")
    account(reviewed, "ada")
    assert told(reviewed) == {} and set(told(reviewed, always=True)) == {"ada"}
    assert set(told(reviewed, always=True, person="bo")) == set()


def test_an_address_is_kept_when_the_secret_changes_and_a_wrong_one_is_refused(
    reviewed: Store,
) -> None:
    found(reviewed, article(1))
    account(reviewed, "ada", email="ada@example.org")
    account(reviewed, "ada")
    assert told(reviewed)["ada"]["email"] == "ada@example.org"
    with pytest.raises(Refused, match="no mail address"):
        account(reviewed, "ada", email="ada at home")


def replaced(store: Store, moment: datetime, **more: Any) -> dict[str, list[dict[str, Any]]]:
    """The messages of a morning that tell of a secret, by their address."""
    answer = ops.notices.digests(store, base_url="https://reviews.example.org", now=moment)
    ops.notices.note_digests(store, people=answer["people"], now=moment)
    by_address: dict[str, list[dict[str, Any]]] = {}
    for one in answer["digests"]:
        if "Your account" in one["text"]:
            by_address.setdefault(one["email"], []).append(one)
    return by_address


def test_whose_secret_was_replaced_is_told_once_by_whom_and_what_to_do(reviewed: Store) -> None:
    hour = timedelta(hours=1)
    account(reviewed, "lena", "lead", "lena@example.org")
    with reviewed.read() as con:
        signed_in = accounts.open_one(con, "lena")
    assert signed_in is not None
    version = signed_in.version
    lena = Principal(Kind.SESSION, "lena", "lead", frozenset(Scope), None, account_version=version)
    people = {"ada": "reviewer", "rita": "reader", "bo": "reviewer", "dan": "reviewer"}
    for name, role in people.items():
        account(reviewed, name, role, f"{name}@example.org")
    assert replaced(reviewed, NOW + hour) == {}, "an account that is opened is no news"

    def another(name: str, by: Principal, email: str | None = None) -> None:
        team.add_account(
            reviewed, name=name, role=people[name], secret=f"another-long-secret-for-{name}",
            now=NOW + 2 * hour, email=email, by=by,
        )  # fmt: skip

    another("ada", lena)
    another("rita", OPERATOR)
    another("bo", lena, "thief@example.org")
    team.renew_own_secret(
        reviewed, account="dan", present="dan-has-a-long-secret-word",
        secret="one-that-dan-has-made-himself", now=NOW + 2 * hour,
    )  # fmt: skip
    told_of = replaced(reviewed, NOW + 3 * hour)
    assert sorted(told_of) == [
        f"{name}@example.org" for name in ("ada", "bo", "dan", "rita", "thief")
    ]
    (message,) = told_of["ada@example.org"]
    assert message["subject"] == "Your sign-in secret was replaced"
    for body in ("text", "html"):
        words = " ".join(message[body].split())
        assert "on 2026-03-02 11:00 UTC, by lena" in words
        assert "ends every session and token" in words
        assert "https://reviews.example.org/account" in words
    assert ", by you" in told_of["dan@example.org"][0]["text"]
    assert ", by the operator" in told_of["rita@example.org"][0]["text"]
    assert replaced(reviewed, NOW + 4 * hour) == {}, "told once"


def test_a_closed_account_that_comes_back_with_its_old_secret_was_given_no_other(
    reviewed: Store,
) -> None:
    account(reviewed, "ada", email="ada@example.org")
    with reviewed.read() as con:
        before = accounts.open_one(con, "ada")
    assert before is not None
    team.close_account(reviewed, name="ada", now=NOW)
    reviewed.write(lambda con: accounts.bring_back(con, "ada", before.version, "lena", NOW))
    assert replaced(reviewed, NOW + timedelta(hours=1)) == {}


def test_who_has_no_address_is_named_and_the_others_get_theirs(reviewed: Store) -> None:
    digest = Mail(name="ada", email=None, subject="s", text="t", html="<p>t</p>")
    ((name, why),) = mail([digest], "smtp://127.0.0.1:1", "livereview@example.org", NOW)
    assert name == "ada" and "livereview account NAME --email" in str(why)
    reachable = digest.model_copy(update={"email": "a@example.org"})
    ((_, why),) = mail([reachable], "smtp://127.0.0.1:1", "l@example.org", NOW)
    assert why and "127.0.0.1" in why, "a mail server that is not there is told, not raised"


def test_a_mail_server_that_hangs_for_each_mail_does_not_hold_up_the_night() -> None:
    people = [
        Mail(name=name, email=f"{name}@example.org", subject="s", text="t", html="")
        for name in "abc"
    ]
    clock = iter([0.0, 1.0, MAIL_SECONDS + 1, MAIL_SECONDS + 2])
    done = mail(people, "smtp://127.0.0.1:1", "l@example.org", NOW, lambda: next(clock))
    assert [name for name, why in done if why and why.startswith("not tried")] == ["b", "c"]


class Hook(BaseHTTPRequestHandler):
    answers: ClassVar[list[int]] = []
    heard: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Hook.heard.append((dict(self.headers), body))
        self.send_response(Hook.answers.pop(0) if Hook.answers else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.answers, Hook.heard = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


@pytest.fixture
def hooked(reviewed: Store, protocol: str, hook: str, tmp_path: Path) -> Store:
    """A review with a webhook, and version 1 published."""
    surveil.register(
        reviewed,
        text=protocol.replace("licence =", f'webhooks = ["{hook}"]\nlicence =', 1),
        now=NOW,
    )
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    evidence.extract(reviewed, id="e", review=REVIEW, data=form(), extractor="ada", now=NOW)
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    return reviewed


def post(store: Store, hook: str, now: datetime) -> list[tuple[str, str, str | None]]:
    port = int(hook.split(":")[2].split("/")[0])

    permitted = guarded(permitted=[("127.0.0.1", port)])
    return deliver(OpenStore(store), SECRET, now, permitted)


def test_a_webhook_hears_of_a_version_once_signed(hooked: Store, hook: str) -> None:
    assert post(hooked, hook, NOW) == [(hook, "ok", None)] and post(hooked, hook, NOW) == []
    ((headers, body),) = Hook.heard
    event = json.loads(body)
    assert (event["event"], event["version"], event["conclusion_changed"]) == (
        "version.published",
        1,
        False,
    )
    assert "Lack of evidence" in event["caveat"] and verified(
        SECRET.encode(), headers[SIGNATURE], body, NOW
    )


def test_a_failure_is_tried_again_later_and_logged(hooked: Store, hook: str) -> None:
    Hook.answers = [500, 503]
    assert post(hooked, hook, NOW)[0][1] == "retry" and post(hooked, hook, NOW) == []
    assert post(hooked, hook, NOW + timedelta(minutes=1))[0][1] == "retry"
    assert post(hooked, hook, NOW + timedelta(minutes=3)) == []
    assert post(hooked, hook, NOW + timedelta(minutes=6))[0][1] == "ok"
    with hooked.read() as con:
        tried = notices.attempts(con, REVIEW)
    assert [(one.attempt, one.outcome, one.status) for one in tried] == [
        (1, "retry", 500),
        (2, "retry", 503),
        (3, "ok", 200),
    ]


def heard() -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in Hook.heard]


def test_a_webhook_hears_once_that_a_version_is_withdrawn_and_that_it_stands_again(
    hooked: Store, hook: str, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {
        "review": REVIEW,
        "version": 1,
        "by": "lena",
        "folder": tmp_path,
        "now": NOW,
    }
    post(hooked, hook, NOW)
    withdraw.withdraw(hooked, id="w", reason="A study was counted twice.", **asked)
    Hook.answers = [500]
    assert post(hooked, hook, NOW)[0][1] == "retry" and post(hooked, hook, NOW) == []
    assert post(hooked, hook, NOW + timedelta(minutes=1)) == [(hook, "ok", None)]
    withdraw.take_back(hooked, id="b", reason="It was not.", **asked)
    later = NOW + timedelta(minutes=2)
    assert post(hooked, hook, later) == [(hook, "ok", None)] and post(hooked, hook, later) == []
    told = [(one["event"], one["version"], one.get("reason")) for one in heard()]
    assert told == [
        ("version.published", 1, None),
        ("version.withdrawn", 1, "A study was counted twice."),
        ("version.withdrawn", 1, "A study was counted twice."),
        ("version.reinstated", 1, "It was not."),
    ]
    assert [headers["X-Livereview-Event"] for headers, _ in Hook.heard] == [
        name for name, _, _ in told
    ]


def test_a_webhook_hears_that_a_review_was_retired_by_vote(hooked: Store, hook: str) -> None:
    for name, role in (("lena", "lead"), ("ada", "reviewer")):
        account(hooked, name, role)
    retirement.propose(
        hooked,
        id="p",
        review=REVIEW,
        kind="retire",
        by="lena",
        reason="The question is settled.",
        now=NOW,
    )
    for name in ("lena", "ada"):
        retirement.vote(hooked, id=f"v-{name}", review=REVIEW, by=name, verdict="yes", now=NOW)
    retirement.close(hooked, id="o", review=REVIEW, by="lena", now=NOW)
    post(hooked, hook, NOW)
    assert [(one["event"], one.get("reason")) for one in heard()] == [
        ("version.published", None),
        ("review.retired", "The question is settled."),
    ]
    assert post(hooked, hook, NOW) == []


def test_gone_ends_it_and_a_private_address_is_never_called(hooked: Store, hook: str) -> None:
    ((_, outcome, why),) = deliver(OpenStore(hooked), SECRET, NOW)
    assert outcome == "retry" and why and Hook.heard == []
    Hook.answers = [410]
    assert post(hooked, hook, NOW + timedelta(hours=1))[0][1] == "gone"
    assert post(hooked, hook, NOW + timedelta(days=9)) == []


def test_no_webhook_is_in_what_is_published(hooked: Store, hook: str, tmp_path: Path) -> None:
    for path in (tmp_path / REVIEW / "latest").iterdir():
        assert hook.encode() not in path.read_bytes()
