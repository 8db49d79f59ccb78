"""Ninety nights with faults on thirty of them, or with a clock that was wrong on two, end with the
corpus of faultless ones.

The ledger has every fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flows.surveil import run_search
from livereview import fetch, review_toml
from livereview.client import Local
from livereview.commands import ReadLedger, Register
from livereview.settings import Settings
from tests.conftest import DATA
from tests.internet import BREAKING, HOSTS, PASSING, Internet, catalogue, nights

FIRST, NIGHTS, WORKS = date(2026, 3, 1), 90, 160
DAYS = 70  # in which works come out: the last late ones are there before the last sweep
BROKEN_NIGHTS = 30
# A feed has one page and no cursor, its root's name is not looked at, and a cut one is read as far
# as it goes; Europe PMC repeats its cursor to say that a search has ended.
CANT = {"feeds.example.org": ("loop", "schema", "once-cut"), "www.ebi.ac.uk": ("loop",)}
SEARCHES = """
[[searches]]
name = "{name}"
source = "{name}"
platform = "{name}"
query = "children"
sweep_days = 14
"""
FEED = """
[[searches]]
name = "feed"
source = "feed"
platform = "A journal"
url = "https://feeds.example.org/latest.rss"
usual_zero = true
"""


def protocol_text(text: str) -> str:
    """The small review with one search of each source."""
    head, _, rest = text.partition("[[searches]]")
    tail = rest[rest.index("\n[screening]") :]
    names = [name for name in HOSTS.values() if name != "feed"]
    return head + "".join(SEARCHES.format(name=name) for name in names) + FEED + tail


def plan(dice: Random) -> dict[int, dict[str, str]]:
    """Which hosts are at fault on which nights, and how: each kind of fault at each host that can
    have it.
    """
    kinds = [
        (host, fault) for host in HOSTS for fault in BREAKING if fault not in CANT.get(host, ())
    ]
    chosen = sorted(dice.sample(range(2, DAYS), BROKEN_NIGHTS))
    found: dict[int, dict[str, str]] = {night: {} for night in chosen}
    for number, (host, fault) in enumerate(dice.sample(kinds, len(kinds))):
        found[chosen[number % len(chosen)]].setdefault(host, fault)
    for night in range(2, DAYS, 7):
        for host in HOSTS:
            passing = [fault for fault in PASSING if fault not in CANT.get(host, ())]
            found.setdefault(night, {}).setdefault(host, dice.choice(passing))
    return found


def season(
    home: Path,
    text: str,
    faults: dict[int, dict[str, str]],
    skew: timedelta,
    wrong_clock: Mapping[int, timedelta] | None = None,
) -> tuple[Local, Internet]:
    """All nights, one after another.

    Every fifth the sources' clocks are ahead by `skew`, two nights later behind.

    wrong_clock  by how much our own clock is ahead, by the number of the night
    """
    client = Local(Settings(home=home, secrets={}, memory="500MB", threads=1))
    client.run(Register(text=text, now=datetime(2026, 2, 28, tzinfo=UTC)))
    searches = review_toml.parse(text).searches
    with (
        Internet(catalogue(WORKS, FIRST, DAYS)) as net,
        fetch.Fetcher(secrets={}, via=net.base) as fetcher,
    ):
        for number, now in enumerate(nights(FIRST, NIGHTS)):
            net.night(now + skew * {0: 1, 2: -1}.get(number % 5, 0), faults.get(number, {}))
            said = now + (wrong_clock or {}).get(number, timedelta(0))
            for search in searches:
                run_search(client, fetcher, review_toml.parse(text).id, search, said)
    return client, net


def corpus(client: Local) -> dict[str, list[Any]]:
    """Records as they are now, who found them, and which are one report."""
    questions = {
        "records": "SELECT source, source_key, fingerprint FROM current_record ORDER BY ALL",
        "hits": "SELECT DISTINCT h.record_id, s.name FROM hit h JOIN search s USING (search) ORDER BY ALL",
        "reports": """SELECT list(record_id ORDER BY record_id) FROM report GROUP BY report_id ORDER BY ALL""",
        "queue": "SELECT count(*) FROM queue",
    }
    with client.store.read() as con:
        return {name: con.execute(sql).fetchall() for name, sql in questions.items()}


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """Ninety nights on which nothing went wrong."""
    home = tmp_path_factory.mktemp("calm")
    text = protocol_text((DATA / "review.toml").read_text(encoding="utf-8"))
    client, _ = season(home, text, {}, timedelta(0))
    yield client
    client.close()


@pytest.mark.slow
def test_ninety_nights_with_a_clock_ahead_on_two_end_as_ninety_without(
    tmp_path: Path, protocol: str, calm: Local
) -> None:
    ahead = {30: timedelta(days=40), 55: timedelta(days=3650)}
    wrong, _ = season(
        tmp_path / "wrong", protocol_text(protocol), {}, timedelta(0), wrong_clock=ahead
    )
    try:
        for name, rows in corpus(calm).items():
            assert corpus(wrong)[name] == rows, name
    finally:
        wrong.close()


@pytest.mark.slow
def test_ninety_nights_with_faults_end_as_ninety_without(
    tmp_path: Path, protocol: str, calm: Local
) -> None:
    text, faults = protocol_text(protocol), plan(Random(20260301))
    rough, net = season(tmp_path / "rough", text, faults, timedelta(hours=26))
    try:
        broken = {
            (night, host)
            for night, hosts in faults.items()
            for host, f in hosts.items()
            if f in BREAKING
        }
        assert len({night for night, _ in broken}) == BROKEN_NIGHTS
        assert {fault for _, fault in net.told} == {*BREAKING, *PASSING}
        for name, rows in corpus(calm).items():
            assert corpus(rough)[name] == rows, name
        whole = {(source, work["key"]) for work in net.catalogue for source in work["served"]}
        assert len(corpus(calm)["records"]) == len(whole), "late and backdated records are in"
        check_ledger(rough, broken)
    finally:
        rough.close()


def check_ledger(client: Local, broken: set[tuple[int, str]]) -> None:
    """Each fault that ended a search is there, with its reason.

    Nothing else failed, and no zero hides a fault.
    """
    moments = list(nights(FIRST, NIGHTS))
    review = "small-review"
    told = client.run(ReadLedger(review=review)).attempts
    failed = {
        (moments.index(datetime.fromisoformat(one.started)), one.name)
        for one in told
        if one.outcome in ("failed", "partial")
    }
    assert failed == {(night, HOSTS[host]) for night, host in broken}
    assert all(one.error for one in told if one.outcome in ("failed", "partial"))
    assert len(told) == NIGHTS * len(HOSTS)
