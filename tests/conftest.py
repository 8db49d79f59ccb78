"""What many tests start from: a real store in a folder of its own, and a small review."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from livereview import ops
from livereview.commands import AnswerT, Command
from livereview.ops import protocols, publish, settle, surveil
from livereview.ops.team import add_account
from livereview.records import Record
from livereview.settings import Settings
from livereview.store import records, searches, standings
from livereview.store.open import Connection, Store
from livereview.web.app import create

# No test fails because the machine is slow.
hypothesis_settings.register_profile(
    "calm", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("calm")

with warnings.catch_warnings():  # Starlette would rather have httpx2; Prefect brings httpx
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient as TestClient

DATA = Path(__file__).parent / "data"
REVIEW = "small-review"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, secrets={}, memory="500MB", threads=1)


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of today's schema without an event; its making takes longer than most tests."""
    path = tmp_path_factory.mktemp("new") / "livereview.duckdb"
    Store(path, "500MB", 1).close()
    return path


@pytest.fixture
def store(settings: Settings, new_database: Path) -> Iterator[Store]:
    shutil.copy(new_database, settings.database)
    with Store(settings.database, settings.memory, settings.threads) as opened:
        yield opened
        opened.write(_stands)


def _stands(con: Connection) -> None:
    """Whatever a test did, where reports stand must be what all the events together say."""
    everything = "SELECT * FROM screening_state ORDER BY ALL"
    kept = con.execute(everything).fetchall()
    standings.refresh_all(con)
    assert kept == con.execute(everything).fetchall()
    counted = {(one["id"], one["seq"]) for one in standings.in_force(con, None)}
    assert counted == set(con.execute("SELECT id, seq FROM current_decision").fetchall())


@pytest.fixture
def protocol() -> str:
    """The text of a small review.toml: two votes, two stages."""
    return (DATA / "review.toml").read_text(encoding="utf-8")


@pytest.fixture
def reviewed(store: Store, protocol: str) -> Store:
    """A store in which the small review is in force and open to the public, without records."""
    surveil.register(store, text=protocol, now=NOW)
    publish.open_review(store, id="opening", review=REVIEW, by="the lead", now=NOW)
    return store


def article(number: int, **fields: object) -> Record:
    """A record that is no other's duplicate; `fields` as in Record."""
    plain: dict[str, object] = {
        "source": "openalex",
        "source_key": f"W{number}",
        "title": f"Trial {number} of mentoring",
        "authors": ("Doe, Jane", "Roe, Richard"),
        "year": 2020,
        "container_title": "Journal of Care",
        "doi": f"10.1000/trial{number}",
        "abstract": f"Abstract {number}: young people in residential care.",
    }
    return Record(**{**plain, **fields})  # type: ignore[arg-type]


def found(
    store: Store, *news: Record, review: str = REVIEW, search: str = "s1", now: datetime = NOW
) -> list[str]:
    """Let a search of the review have found these records; their ids, in order.

    Each is a report of its own.
    """

    def job(con: Connection) -> list[str]:
        plan = protocols.protocol(con, review).searches[0]
        searches.begin(con, search, review, plan, searches.Run("search", None, now), now)
        ids = [record.record_id for record in news]
        fresh = records.sort_news(news, records.known(con, ids)).fresh
        records.append(con, fresh, "0" * 64, now)
        records.add_hits(con, review, search, dict.fromkeys(ids, 1), now)
        settle.refresh(con, ids)
        searches.end(con, search, "ok", None, searches.Counts(len(news), len(news)), None, now)
        return ids

    return store.write(job)


class OpenStore:
    """A client of a store that this process has open."""

    def __init__(self, store: Store, site: Path = Path()):
        self.store, self.site = store, site

    def run(self, command: Command[AnswerT], /) -> AnswerT:
        return ops.run(self.store, self.site, command)

    def close(self) -> None:
        """It stays open."""


class Forms(HTMLParser):
    """The forms of a page: for each its address, its fields as filled in, and its buttons by their
    words.
    """

    def __init__(self, page: str):
        super().__init__()
        self.all: list[dict[str, Any]] = []
        self._button: dict[str, str | None] | None = None
        self._field: str | None = None  # the textarea or select that is open
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self.all.append({"action": has.get("action"), "fields": {}, "buttons": {}})
        elif has.get("type") == "radio" and "checked" not in has:
            pass  # a browser sends the chosen one of a group
        elif tag in ("input", "textarea", "select") and "name" in has:
            self.all[-1]["fields"][has["name"]] = has.get("value") or ""
            self._field = has["name"] if tag != "input" else None
        elif tag == "option" and self._field and "selected" in has and has.get("value"):
            self.all[-1]["fields"][self._field] = has["value"]
        elif tag == "button" and has.get("type") != "button":
            self._button = has

    def handle_data(self, data: str) -> None:
        if self._button is not None and data.strip():
            name = self._button.get("name")
            self.all[-1]["buttons"][data.strip()] = (
                {name: self._button.get("value") or ""} if name else {}
            )
            self._button = None
        elif self._field is not None and self.lasttag == "textarea":
            self.all[-1]["fields"][self._field] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._field = None


class Browser:
    """One person's browser: it follows links and presses buttons of the page that it shows."""

    def __init__(self, app: FastAPI, secret: str):
        self.http = TestClient(app)
        self.page = self.http.post("/sign-in", data={"secret": secret})

    def get(self, path: str) -> str:
        self.page = self.http.get(path)
        return self.page.text

    def form(self, button: str) -> tuple[str, dict[str, str]]:
        """(address, fields) that pressing a button of this page would send."""
        one = next(form for form in Forms(self.page.text).all if button in form["buttons"])
        return one["action"], {**one["fields"], **one["buttons"][button]}

    def press(self, button: str, **typed: str) -> str:
        action, fields = self.form(button)
        self.page = self.http.post(action, data={**fields, **typed})
        return self.page.text


def secret_of(name: str) -> str:
    return f"{name}-has-a-long-secret-word"


@pytest.fixture
def app(reviewed: Store, settings: Settings) -> FastAPI:
    """The web app over the small review, at NOW."""
    return create(reviewed, settings, token="owner-token", clock=lambda: NOW)


@pytest.fixture
def browser(app: FastAPI, reviewed: Store) -> Iterator[Callable[..., Browser]]:
    """browser("ada") is ada, a reviewer, signed in; browser("lena", "lead") has another role."""
    opened: list[Browser] = []

    def sign_in(name: str, role: str = "reviewer") -> Browser:
        add_account(reviewed, name=name, role=role, secret=secret_of(name), now=NOW)
        opened.append(Browser(app, secret_of(name)))
        return opened[-1]

    yield sign_in
    for one in opened:
        one.http.close()
