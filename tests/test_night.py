"""Whole nights over the recorded example: failures are loud, replays identical, kill -9 loses and
doubles nothing.
"""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import requests

from livereview import settings
from livereview.client import Session
from livereview.commands import ReadStatus
from livereview.store.open import Store
from tests.night_process import run

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "youth-homelessness"
NIGHTS = {str(n): datetime(2026, month, 1, 2, tzinfo=UTC) for n, month in ((1, 3), (2, 4), (3, 5))}
KILLS = 20


def nights(home: Path, *which: str) -> None:
    for night in which:
        run(home, EXAMPLE, night, NIGHTS[night])


def corpus(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """What must be equal however a night went: records and versions, who found what, verdicts,
    reports, pages.
    """
    questions = {
        "records": "SELECT record_id, version, fingerprint FROM record",
        "hits": "SELECT DISTINCT h.review, h.record_id, s.name FROM hit h JOIN search s USING (search)",
        "matches": "SELECT left_id, right_id, verdict FROM current_match",
        "bodies": "SELECT sha256 FROM body",
        "rejects": "SELECT DISTINCT s.name, r.reason, r.place FROM reject r JOIN search s USING (search)",
        "reports": "SELECT list_sort(list(record_id)) FROM report GROUP BY report_id",
        "flow": "SELECT * FROM flow_counts",
    }
    with Store(settings.read({}, home).database) as store, store.read() as con:
        return {
            name: sorted(map(str, con.execute(sql).fetchall())) for name, sql in questions.items()
        }


def published(home: Path) -> dict[str, bytes]:
    latest = home / "site" / "youth-homelessness" / "latest"
    return {
        str(path.relative_to(latest)): path.read_bytes()
        for path in sorted(latest.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights that nothing disturbed."""
    home = tmp_path_factory.mktemp("calm")
    nights(home, "1", "2", "3")
    return home


def test_a_replay_of_the_same_answers_gives_the_same_bytes(calm: Path, tmp_path: Path) -> None:
    nights(tmp_path, "1", "2", "3")
    assert corpus(tmp_path) == corpus(calm)
    assert published(tmp_path) == published(calm)
    assert len(published(calm)) > 5


def test_a_replay_on_a_slow_machine_gives_the_same_bytes(
    calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = count(step=7)
    monkeypatch.setattr("flows.surveil.monotonic", lambda: float(next(seconds)))
    nights(tmp_path, "1", "2", "3")
    assert published(tmp_path) == published(calm)


def test_the_source_that_breaks_is_told_and_spares_the_others(calm: Path) -> None:
    with Store(settings.read({}, calm).database) as store, store.read() as con:
        rows = con.execute(
            "SELECT name, outcome, error, found, window_start FROM attempt ORDER BY seq"
        ).fetchall()
    broken = [row for row in rows if row[1] == "failed"]
    assert len(broken) == 1
    name, _, error, found, _ = broken[0]
    assert found == 0 and error
    outcomes = [row[1] for row in rows if row[0] == name]
    assert outcomes == ["ok", "failed", "ok"]
    windows = [row[4] for row in rows if row[0] == name]
    assert windows[1] == windows[2], (
        "the night after a failure asks for everything since the last success"
    )
    assert sum(row[1] == "ok" for row in rows) >= len(rows) - 3


def kill_and_rerun(home: Path, night: str, after: float) -> bool:
    """Run a night, kill it after so many seconds, run it again to the end.

    True if the kill found it alive.
    """
    command = [
        sys.executable,
        "-m",
        "tests.night_process",
        str(home),
        str(EXAMPLE),
        night,
        NIGHTS[night].isoformat(),
    ]
    process = subprocess.Popen(command, cwd=EXAMPLE.parents[1])
    time.sleep(after)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    nights(home, night)
    return alive


@pytest.mark.slow
def test_kill_9_at_twenty_random_points_loses_and_doubles_nothing(
    calm: Path, tmp_path: Path
) -> None:
    started = time.monotonic()
    nights(tmp_path / "timing", "1")
    length = 2.5 + time.monotonic() - started  # a process of its own imports first
    dice = random.Random(20260301)
    killed = 0
    for n in range(KILLS):
        home = tmp_path / str(n)
        after = dice.uniform(0, length)
        if kill_and_rerun(home, "1", after):
            killed += 1
        else:
            length = after  # a night is over by then on this machine
        if n == 0:
            expected = corpus(home)
        assert corpus(home) == expected
        assert published(home) == published(tmp_path / "timing")
    assert killed >= KILLS // 2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve(home: Path, port: int) -> subprocess.Popen[bytes]:
    """An owner of this home, once it answers."""
    command = [
        sys.executable,
        "-m",
        "livereview",
        "serve",
        "--new",
        "--home",
        str(home),
        "--port",
        str(port),
    ]
    owner = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    for _ in range(200):
        with suppress(requests.ConnectionError):
            if requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok:
                return owner
        time.sleep(0.05)
    raise AssertionError("the owner does not answer")


def wait_until_begun(home: Path) -> None:
    """The night has found its owner: one that began without any would own the database itself."""
    for _ in range(600):
        with Session(settings.read({}, home)) as client:
            if client.run(ReadStatus()).reviews:
                return
        time.sleep(0.05)
    raise AssertionError("the night does not begin")


@pytest.mark.slow
def test_kill_9_of_the_owner_in_mid_night_loses_and_doubles_nothing(tmp_path: Path) -> None:
    nights(tmp_path / "calm", "1")
    home, port, dice = tmp_path / "home", free_port(), random.Random(3)
    owner = serve(home, port)
    command = [
        sys.executable,
        "-m",
        "tests.night_process",
        str(home),
        str(EXAMPLE),
        "1",
        NIGHTS["1"].isoformat(),
    ]
    night = subprocess.Popen(command, cwd=EXAMPLE.parents[1])
    wait_until_begun(home)
    kills = 0
    while night.poll() is None and kills < 4:
        time.sleep(dice.uniform(0.05, 0.6))
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        kills += 1
        owner = serve(home, port)
    assert night.wait(120) == 0
    owner.send_signal(signal.SIGTERM)
    owner.wait(30)
    assert corpus(home) == corpus(tmp_path / "calm")
    assert published(home) == published(tmp_path / "calm")
    assert kills >= 2
