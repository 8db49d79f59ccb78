"""Who tries too often is held up; who has the right secret never is."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from fastapi import FastAPI

from livereview.errors import Retry
from livereview.ops.team import add_account
from livereview.store.open import Store
from livereview.web import guard, provider
from livereview.web.limits import (
    AN_HOUR,
    LONG_EACH,
    WIDE_A_DAY,
    Line,
    Recent,
    Senders,
    network_of,
    wide_network_of,
)
from tests.conftest import NOW, TestClient, secret_of
from tests.test_web_proxies import SECRET, asks, serving, signs_in


@pytest.mark.parametrize(
    ("address", "network", "wide"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "unknown", "unknown"),
        ("x" * 10_000, "unknown", "unknown"),
    ],
)
def test_a_network_is_what_one_person_has(address: str, network: str, wide: str) -> None:
    assert (network_of(address), wide_network_of(address)) == (network, wide)


def test_memory_is_bounded_and_times_run_out() -> None:
    recent = Recent(AN_HOUR, most_keys=50)
    for number in range(1_000):
        assert recent.take(f"k{number}", NOW, 3) == 0
    assert len(recent) == 50
    assert [recent.take("k999", NOW, 3) for _ in range(3)] == [0, 0, 3_600]
    assert recent.take("k999", NOW + timedelta(minutes=59, seconds=59), 3) == 1
    assert recent.take("k999", NOW + AN_HOUR, 3) == 0
    recent.give_back("k999", NOW + AN_HOUR)
    assert recent.count("k999", NOW + AN_HOUR) == 0 and len(recent) == 49


def test_a_form_that_is_refused_by_one_limit_counts_for_none() -> None:
    senders = Senders()
    assert [senders.take("suggest", "192.0.2.1", NOW, 2) for _ in range(4)] == [0, 0, 3_600, 3_600]
    assert senders.wide.count("suggest 192.0.2.0/24", NOW) == 2
    senders.give_back("suggest", "192.0.2.1", NOW)
    assert senders.take("suggest", "192.0.2.1", NOW, 2) == 0
    for number in range(WIDE_A_DAY - 2):
        assert senders.take("suggest", f"192.0.2.{number + 2}", NOW, 2) == 0
    assert senders.take("suggest", "192.0.2.250", NOW, 2) > 0 and senders.noisy(
        "suggest", "192.0.2.9", NOW
    )
    assert (
        senders.take("suggest", "192.0.3.1", NOW, 2) == 0
        and senders.take("comment", "192.0.2.1", NOW, 2) == 0
    )


def test_a_full_line_says_to_come_back() -> None:
    async def crowd() -> list[object]:
        line, gate = Line(at_once=1, most_waiting=2), threading.Event()
        turns = [asyncio.create_task(line.turn(gate.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*turns, return_exceptions=True)

    answers = asyncio.run(crowd())
    assert answers[:3] == [True] * 3 and all(isinstance(answer, Retry) for answer in answers[3:])


def test_a_person_who_asks_for_many_long_pages_holds_up_nobody_else(
    app: FastAPI, reviewed: Store
) -> None:
    for name in ("ada", "ben"):
        add_account(reviewed, name=name, role="lead", secret=secret_of(name), now=NOW)
    desk: guard.AppState = app.state.shared
    gate = threading.Event()

    async def export(line: Line) -> list[object]:
        pressed = [asyncio.create_task(line.turn(gate.wait, "ada")) for _ in range(LONG_EACH)]
        await asyncio.sleep(0)
        try:
            return [await asyncio.to_thread(look) for look in (export_of_ada, queue_of_ada, health)]
        finally:
            gate.set()
            await asyncio.gather(*pressed)

    ada = TestClient(app)
    ada.post("/sign-in", data={"secret": secret_of("ada")})
    address = "/r/small-review/export/csv"

    def export_of_ada() -> int:
        return ada.get(address).status_code

    def queue_of_ada() -> int:
        return ada.get("/r/small-review/screen/title_abstract").status_code

    def health() -> int:
        return ada.get("/healthz").status_code

    assert asyncio.run(export(desk.long_tasks)) == [503, 200, 200]
    assert export_of_ada() == 200, "and afterwards it is made"


def test_many_wrong_secrets_at_once_are_answered_ten_times(app: FastAPI, reviewed: Store) -> None:
    http = TestClient(app)
    with ThreadPoolExecutor(16) as pool:
        codes = Counter(
            pool.map(
                lambda _: http.post("/sign-in", data={"secret": "wrong"}).status_code, range(40)
            )
        )
    assert codes == {401: 10, 429: 30}


def test_an_attacker_behind_the_same_address_locks_nobody_out(
    app: FastAPI, reviewed: Store
) -> None:
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    attacker = TestClient(app, client=("2001:db8:1:2::1", 1))
    for _ in range(30):
        attacker.post("/sign-in", data={"secret": "wrong"})
    for address in ("2001:db8:1:2::1", "2001:db8:1:2::99", "2001:db8:9::1"):
        http = TestClient(app, client=(address, 1), follow_redirects=False)
        assert http.post("/sign-in", data={"secret": secret_of("ada")}).status_code == 303, address
        wrong = http.post("/sign-in", data={"secret": "wrong"})
        assert wrong.status_code == (401 if address == "2001:db8:9::1" else 429), address
    assert int(wrong.headers.get("retry-after", "0")) == 0


def test_an_account_has_so_many_sessions_and_no_more(
    reviewed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from livereview.store import accounts

    monkeypatch.setattr(accounts, "SESSIONS_EACH", 5)
    for name in ("ada", "bo"):
        add_account(reviewed, name=name, role="reviewer", secret=secret_of(name), now=NOW)
    with reviewed.read() as con:
        known = {name: accounts.open_one(con, name) for name in ("ada", "bo")}
    for name, account in known.items():
        assert account is not None
        for number in range(9):
            now = NOW + timedelta(seconds=number)
            reviewed.write(
                lambda con, of=account, key=f"{name}{number}", now=now: accounts.start_session(
                    con, key, of, NOW + timedelta(days=1), now
                )
            )
    with reviewed.read() as con:
        rows = con.execute(
            "SELECT name, count(*) FROM session GROUP BY name ORDER BY name"
        ).fetchall()
        assert rows == [("ada", 5), ("bo", 5)]
        assert accounts.by_session(con, "ada8", NOW) and not accounts.by_session(con, "ada3", NOW)


def test_twenty_right_secrets_at_once_from_one_address_all_get_in_among_wrong_ones(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as port:
        start = threading.Barrier(40)

        def enter(secret: str) -> tuple[int, str]:
            session = asks(port)
            start.wait(60)
            answer = signs_in(session, secret)
            inside = session.get(f"http://127.0.0.1:{port}/", allow_redirects=False, timeout=60)
            return answer.status_code, str(inside.status_code)

        with ThreadPoolExecutor(40) as pool:
            answers = Counter(pool.map(enter, [SECRET, "wrong"] * 20))
        assert answers == {(303, "200"): 20, (401, "303"): 10, (429, "303"): 10}
        assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60).json()["ok"]


def test_a_class_that_signs_in_through_its_organisation_waits_its_turn() -> None:
    asked = provider.Provider()

    def talk(_: int) -> bool:
        with asked._talk():
            return not threading.Event().wait(0.01)

    with ThreadPoolExecutor(provider.IN_LINE) as pool:
        assert all(pool.map(talk, range(provider.IN_LINE)))
    assert provider.AT_ONCE < provider.IN_LINE < 40, "others' pages keep threads of their own"
