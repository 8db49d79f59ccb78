"""Nobody who votes learns that a colleague has voted, or how: the same world three times, byte for
byte.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from livereview import ops
from livereview.ops import protocols, publish, surveil
from livereview.ops.notices import digests
from livereview.ops.screen import Stale
from livereview.ops.team import add_account
from livereview.screening import order as rules_of_order
from livereview.screening.order import CROWD, OWN_READS, Order, order, step_of
from livereview.screening.shares import Person
from livereview.settings import Settings
from livereview.store import queues, voters
from livereview.store.open import Store
from livereview.web.app import create
from tests.conftest import DATA, NOW, REVIEW, Browser, article, found, secret_of
from tests.test_ops import decide

People = Callable[..., Browser]
RECORDS = 30
VOTED = 7  # the eighth record
TEXT = (DATA / "review.toml").read_text(encoding="utf-8")
TEAM = {
    "r1": "reviewer",
    "r2": "reviewer",
    "r3": "reviewer",
    "lena": "lead",
    "adam": "adjudicator",
    "rea": "reader",
}
VOTERS = {
    name: role for name, role in TEAM.items() if role in ("reviewer", "lead")
}  # the others' pages are of one kind
AT_FULL_TEXT = "at full text"
WORLDS: dict[str, tuple[str, dict[str, str]]] = {
    "plain": (TEXT, TEAM),
    AT_FULL_TEXT: (TEXT, TEAM),
    "unranked": (TEXT.replace("votes = 2", "votes = 2\nranked = false"), VOTERS),
    "core": (TEXT.replace("votes = 2", 'votes = 2\ncore = ["r3"]'), VOTERS),
    "shares": (
        TEXT.replace("votes = 2", "votes = 2\nshares = { r1 = 50, r2 = 30, r3 = 20 }"),
        VOTERS,
    ),
    "three votes": (TEXT.replace("votes = 2", "votes = 3"), VOTERS),
    "two people": (TEXT, {"r1": "reviewer", "r2": "reviewer"}),
    "a lead and a reviewer": (TEXT, {"r1": "reviewer", "lena": "lead"}),
}
# Whatever of the table of records could be moved by a vote: its counts, orders, searches and cells.
# The plain page has the counts of all facets.
TABLE = (
    "columns=decision,tags,state,found&size=100",
    "sort=rank&state=half&state=open",
    "by=r1&vote=include&awaits=r1",
    "q=veiled",
    "tag=veiled",
)
RANDOM = re.compile(
    r'name="(?:form|csrf|shown|instead)" value="[^"]*"|data-(?:form|shown)="[^"]*"|'
    r"\b[0-9a-f]{64}\b|[0-9a-f]{32}"
)


def seen_by(
    app: FastAPI, store: Store, settings: Settings, name: str, records: list[str], *, public: bool
) -> dict[str, Any]:
    """All that a person can fetch, without what is random in each form.

    The public files too, or not.
    """
    person = Browser(app, secret_of(name))
    shown: dict[str, Any] = {}
    for route in app.routes:
        if not isinstance(route, APIRoute) or "GET" not in route.methods or "oidc" in route.path:
            continue
        if "{path:path}" in route.path and not public:
            continue
        for path in addresses(route.path, records, settings):
            answer = person.http.get(path, follow_redirects=False)
            headers = {
                key: value
                for key, value in answer.headers.items()
                if key not in ("content-length", "set-cookie", "x-request-id")
            }
            shown[path] = (answer.status_code, content(answer.content), headers)
    told = digests(store, base_url="https://r.example.org", now=NOW, person=name, always=True)[
        "digests"
    ]
    person.http.close()
    return shown | {"digest": told}


def addresses(path: str, records: list[str], settings: Settings) -> Iterator[str]:
    """The route's addresses in this review, with every value that a person could try."""
    values = {
        "stage": ["title_abstract", "full_text"],
        "kind": ["csv", "xlsx", "ris", "json", "svg", "png"],
        "record": [records[0], records[VOTED]],
        "study": ["new", "s-1"],
        "name": ["style.css"],
        "sha256": ["0" * 64],
        **{name: ["0" * 32] for name in ("draft", "trial", "id", "secret")},  # another person's
        "step": ["question", "check"],
        "number": ["1"],
        "token": ["nobody"],
        "form": ["0" * 32],
    }
    path = path.replace("{review}", REVIEW)
    if "{path:path}" in path:
        site = settings.site
        files = sorted(str(one.relative_to(site)) for one in site.rglob("*") if one.is_file())
        yield from (path.replace("{path:path}", name) for name in files if "/v/" not in name)
        return
    found_in = re.findall(r"{(\w+)(?::\w+)?}", path)
    if not found_in:
        yield path
        if path.endswith("/records"):
            yield from (f"{path}?{query}" for query in TABLE)
        if path.endswith(("/retrieval", "/conflicts", "/duplicates", "/history")):
            yield f"{path}?done={records[VOTED]}&stage=title_abstract"
        return
    for chosen in product(*(values[name] for name in found_in)):
        address = path
        for value in chosen:
            address = re.sub(r"{[^}]*}", value, address, count=1)
        yield address
        if found_in == ["stage"]:
            yield f"{address}?record={records[VOTED]}"


def content(body: bytes) -> Any:
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            return {name: packed.read(name) for name in packed.namelist()}
    try:
        return RANDOM.sub("", body.decode())
    except UnicodeDecodeError:
        return body


def world(folder: Path, name: str, verdict: str | None) -> dict[str, dict[str, Any]]:
    """A review in which r1 has or has not voted on one record, as everybody else sees it."""
    text, team = WORLDS[name]
    settings = Settings(home=folder, secrets={}, memory="500MB", threads=1)
    with Store(settings.database, settings.memory, settings.threads) as store:
        surveil.register(store, text=text, now=NOW)
        for person, role in team.items():
            add_account(store, name=person, role=role, secret=secret_of(person), now=NOW)
        records = found(store, *(article(number) for number in range(RECORDS)))
        voting = sorted(
            (name for name, role in team.items() if role in ("reviewer", "lead")), reverse=True
        )
        for person in voting[: 3 if name == "three votes" else 2]:
            decide(store, records[0], person, "include")  # one report has all its votes
        with store.read() as con:  # in the room r1 meets no other
            ours = queues.waiting_for(con, protocols.protocol(con, REVIEW), "r1", "title_abstract")
        records[VOTED] = ours[VOTED]
        stage = "title_abstract"
        if name == AT_FULL_TEXT:
            stage = "full_text"
            sent_on = [records[0], *ours[VOTED - 3 : VOTED + 3]]
            for record in sent_on[1:]:
                for person in voting[:2]:
                    decide(store, record, person, "include")
            decide(store, sent_on[1], "r2", "not_retrieved", stage=stage)
            decide(store, sent_on[2], "r1", "not_retrieved", stage=stage)
        if verdict:
            said: dict[str, Any] = {
                "note": "SECRET veiled",
                "tags": ("SECRET", "veiled"),
                "stage": stage,
            }
            if verdict == "exclude":
                said["reason"] = "wrong-design"
            decide(store, records[VOTED], "r1", verdict, **said)
        publish.publish(store, review=REVIEW, folder=settings.site, now=NOW)
        app = create(store, settings, token="owner-token", clock=lambda: NOW)
        others = [person for person in team if person != "r1"]
        return {
            person: seen_by(app, store, settings, person, records, public=person == others[0])
            for person in others
        }


@pytest.mark.parametrize("name", WORLDS)
def test_no_byte_tells_that_or_how_a_colleague_voted(tmp_path: Path, name: str) -> None:
    silent, *others = (
        world(tmp_path / str(verdict), name, verdict) for verdict in (None, "include", "exclude")
    )
    assert sum(map(len, silent.values())) > 40 * len(silent)
    assert "SECRET" not in str(others)
    for voted in others:
        assert voted.keys() == silent.keys()
        differ = [
            (person, path)
            for person, shown in voted.items()
            for path in shown.keys() | silent[person].keys()
            if shown.get(path) != silent[person].get(path)
        ]
        assert differ == []


# The rule of the order


def team_of(count: int, core: int = 0) -> tuple[Person, ...]:
    return tuple(Person(f"p{n:02}", 1.0, n < core) for n in range(count))


def test_half_screened_records_come_first_in_a_crowd_only() -> None:
    assert not order("r", team_of(CROWD), "p00", 2, False).crowd
    assert order("r", team_of(CROWD + 1), "p00", 2, False) == Order(crowd=True)
    assert not order("r", team_of(50), "p00", 2, True).crowd, (
        "with shares only two people can have voted"
    )
    assert not order("r", team_of(50, core=1), "p49", 2, False).crowd, (
        "one of the votes can only be p00's"
    )
    assert order("r", team_of(2), "p00", 2, False) == Order(crowd=False)


@pytest.mark.parametrize("count", [3, 5, 10])
def test_each_record_has_its_first_readers_and_then_one_more_at_a_time(count: int) -> None:
    people = team_of(count)
    turns = rules_of_order.turns("r", people, 2)
    for slot in (0, 1, 77, 4_096, 65_535):
        ours = sorted(
            sum(
                (plane[slot >> 3] >> (7 - slot % 8) & 1) << bit
                for bit, plane in enumerate(turns[one.name])
            )
            for one in people
        )
        assert ours == [0, *range(count - 1)]


@pytest.mark.parametrize(("people", "seats"), [(3, 1), (3, 2), (7, 3), (10, 2), (10, 3)])
def test_a_turn_later_is_as_many_own_records_later_in_any_team(people: int, seats: int) -> None:
    """Whoever keeps within so many records of the others meets none that is on enough screens."""
    own = step_of(people, seats) * seats / people
    assert OWN_READS <= own < OWN_READS + 1
    assert order("r", team_of(people), "p00", seats, False).step == step_of(people, seats)


def team(store: Store, *names: str, role: str = "reviewer") -> None:
    for name in names:
        add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)


def queue(store: Store, name: str) -> list[str]:
    with store.read() as con:
        return queues.waiting_for(con, protocols.protocol(con, REVIEW), name, "title_abstract")


def test_in_a_crowd_half_screened_records_come_first(reviewed: Store) -> None:
    team(reviewed, *(f"p{n}" for n in range(CROWD + 1)))
    records = found(reviewed, *(article(number) for number in range(5)))
    decide(reviewed, records[3], "p1", "include")
    assert queue(reviewed, "p0") == [records[3], *records[:3], records[4]]


def test_people_of_a_small_team_begin_at_different_records_and_meet_all(reviewed: Store) -> None:
    team(reviewed, "ada", "bo", "cy")
    step = step_of(3, 2)
    records = found(reviewed, *(article(number) for number in range(3 * step)))
    firsts = {name: queue(reviewed, name) for name in ("ada", "bo", "cy")}
    assert all(sorted(one) == sorted(records) for one in firsts.values())
    for record in records[:step]:
        early = [
            name for name, ours in firsts.items() if ours.index(record) <= records.index(record)
        ]
        assert len(early) == 2, "two read it first"
        (late,) = firsts.keys() - set(early)
        assert firsts[late].index(record) <= records.index(record) + step


def test_every_record_is_finished_where_one_of_three_never_comes(reviewed: Store) -> None:
    team(reviewed, "ada", "bo", "idle")
    records = found(reviewed, *(article(number) for number in range(40)))
    while any(queues_ := {name: queue(reviewed, name) for name in ("ada", "bo")}.values()):
        assert queues_ is not None
        for name in ("ada", "bo"):
            if ours := queue(reviewed, name):
                decide(reviewed, ours[0], name, "exclude", id=f"{name}-{ours[0]}", waiting=True)
    with reviewed.read() as con:
        states = con.execute("SELECT state, count(*) FROM screening_state GROUP BY ALL").fetchall()
    assert states == [("excluded", len(records))]


def test_novices_are_dealt_their_records_in_advance(store: Store) -> None:
    surveil.register(store, text=WORLDS["core"][0], now=NOW)
    team(store, "r1", "r2", "r3")
    records = found(store, *(article(number) for number in range(RECORDS)))
    one, two, core = (queue(store, name) for name in ("r1", "r2", "r3"))
    assert sorted(one + two) == sorted(core) == sorted(records) and not set(one) & set(two)
    with pytest.raises(Stale, match="for others"):
        decide(store, one[0], "r2", "include", waiting=True)
    decide(store, one[0], "r1", "include", waiting=True)
    assert queue(store, "r2") == two


# Who does not screen


def test_a_lead_who_does_not_screen_says_so_and_then_sees_all(
    reviewed: Store, browser: People
) -> None:
    first, second = found(reviewed, article(1), article(2))
    team(reviewed, "ada", "bo")
    lena = browser("lena", "lead")
    decide(reviewed, first, "ada", "include", note="SECRET")
    export = f"/r/{REVIEW}/export/csv"
    screen = f"/r/{REVIEW}/screen/title_abstract"
    assert "SECRET" not in lena.get(export) and "open at title_abstract" in lena.page.text
    lena.get(f"/r/{REVIEW}/team")
    lena.press("I do not screen in this review")
    assert "<strong>lena</strong> does not screen in this review" in lena.page.text
    assert "SECRET" in lena.get(export) and "half at title_abstract" in lena.page.text
    assert "waiting for you" not in lena.get("/") and lena.http.get(screen).status_code == 403
    with pytest.raises(Stale):
        decide(reviewed, second, "lena", "include", waiting=True)

    lena.get(f"/r/{REVIEW}/team")
    lena.press("I screen in this review again")
    assert queue(reviewed, "lena") == [second], "a vote on the first was there to be seen"
    assert "SECRET" not in lena.get(export)
    decide(reviewed, second, "ada", "include")
    decide(reviewed, first, "ada", "withdrawn", id="back")
    assert queue(reviewed, "lena") == [second], "what happens later moves nothing"
    with reviewed.read() as con:
        rows = con.execute("SELECT account, abstains FROM abstention ORDER BY seq").fetchall()
    assert rows == [("lena", True), ("lena", False)]


def test_only_leads_say_that_they_do_not_screen(reviewed: Store) -> None:
    team(reviewed, "ada")
    with pytest.raises(ops.team.Refused, match="ada is no lead"):
        ops.team.screens(reviewed, id="x", review=REVIEW, account="ada", screens=False, now=NOW)
    with reviewed.read() as con:
        assert voters.names(con, REVIEW) == {"ada"}
