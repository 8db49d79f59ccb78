"""Who gets another secret hears of it by mail within a minute, once, at the old address too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview.ops.team import add_account, close_account
from livereview.secret_mails import MOST_TRIES, SecretTeller, wanted
from livereview.settings import Settings
from livereview.store.open import Store
from tests.conftest import NOW
from tests.test_notices import Post
from tests.test_notices import office as office

MINUTE = timedelta(minutes=1)


@pytest.fixture
def people(store: Store) -> Iterator[Callable[..., None]]:
    """people("ada", "ada@x.org") opens an account, or gives one another secret."""
    made = 0

    def account(name: str, email: str | None = None, role: str = "reviewer") -> None:
        nonlocal made
        made += 1
        secret = f"{name}-has-long-secret-{made}"
        add_account(store, name=name, role=role, secret=secret, email=email, now=NOW)

    yield account


def mailing(tmp_path: Path, post: Post) -> Settings:
    return Settings(
        home=tmp_path,
        secrets={"LIVEREVIEW_SMTP": post.url()},
        sender="robot@example.org",
        url="https://reviews.example.org",
    )


def told(post: Post) -> list[str]:
    """Who was mailed, in order."""
    return [line.split("<")[1].rstrip(">") for line in post.heard if line.startswith("rcpt")]


def test_a_new_secret_is_mailed_once_through_restarts(
    store: Store, people: Callable[..., None], office: Callable[..., Post], tmp_path: Path
) -> None:
    post = office()
    settings = mailing(tmp_path, post)
    assert wanted(settings)
    people("ada", "ada@example.org")
    people("ada", "ada@example.org")
    assert SecretTeller(settings, tmp_path).look(store, NOW) == []
    assert told(post) == [], "what was before the first look the digests have told"

    people("ada", "ada@example.org")
    people("bo", "bo@example.org")  # who is new
    teller = SecretTeller(settings, tmp_path)
    assert teller.look(store, NOW) == []
    for later in (teller, SecretTeller(settings, tmp_path)):
        assert later.look(store, NOW + MINUTE) == []
    assert told(post) == ["ada@example.org"]
    (text,) = post.mails
    assert b"Your sign-in secret was replaced" in text
    assert b"https://reviews.example.org/account" in text


def test_the_address_that_was_replaced_with_the_secret_hears_of_it_too(
    store: Store, people: Callable[..., None], office: Callable[..., Post], tmp_path: Path
) -> None:
    post = office()
    people("ada", "ada@example.org")
    people("eve", None)
    teller = SecretTeller(mailing(tmp_path, post), tmp_path)
    teller.look(store, NOW)
    people("ada", "thief@example.org")
    people("eve", None)  # nobody knows where to reach her
    assert teller.look(store, NOW) == []
    assert sorted(told(post)) == ["ada@example.org", "thief@example.org"]


def test_readers_are_told_and_closed_accounts_are_not(
    store: Store, people: Callable[..., None], office: Callable[..., Post], tmp_path: Path
) -> None:
    post = office()
    people("rea", "rea@example.org", "reader")
    people("ada", "ada@example.org")
    teller = SecretTeller(mailing(tmp_path, post), tmp_path)
    teller.look(store, NOW)
    people("rea", "rea@example.org", "reader")
    people("ada", "ada@example.org")
    close_account(store, name="ada", now=NOW)
    teller.look(store, NOW)
    assert told(post) == ["rea@example.org"]


def test_a_mail_server_that_is_away_is_tried_again_and_blocks_nobody_for_ever(
    store: Store, people: Callable[..., None], office: Callable[..., Post], tmp_path: Path
) -> None:
    away: dict[str, Any] = {"RCPT": "451 later"}
    post = office(says=away)
    people("ada", "ada@example.org")
    people("bo", "bo@example.org")
    teller = SecretTeller(mailing(tmp_path, post), tmp_path)
    teller.look(store, NOW)
    people("ada", "ada@example.org")
    people("bo", "bo@example.org")
    (problem,) = teller.look(store, NOW)
    assert problem.startswith("ada: ")
    for _ in range(MOST_TRIES - 2):
        assert len(teller.look(store, NOW)) == 1
    assert [words[:4] for words in teller.look(store, NOW)] == ["ada:", "bo: "]
    away.clear()
    assert teller.look(store, NOW) == []
    assert len(post.mails) == 1
    assert b"bo@example.org" in post.mails[0]


def test_nobody_is_mailed_where_mail_is_not_set(settings: Settings) -> None:
    assert not wanted(settings)
