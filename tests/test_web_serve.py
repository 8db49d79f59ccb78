from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from livereview import ops
from livereview.client import Session
from livereview.commands import OpenReview, ReadStatus, Register
from livereview.errors import Refused
from livereview.settings import Settings
from livereview.store import versions
from livereview.store.open import Store, owner
from livereview.web.serve import LONGEST_WAIT, TRY_AGAIN, Publisher, _loopback, _url, serve
from tests.conftest import NOW, REVIEW

OWNER = """
import sys
from pathlib import Path
from livereview.settings import Settings
from livereview.web.serve import serve
serve(Settings(home=Path(sys.argv[1]), secrets={}, memory="500MB", threads=1), port=0)
"""


@pytest.fixture
def builds(reviewed: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The builds that a publisher starts, in place of building: each says whether it worked."""
    built: list[bool] = []

    def settle(store: Store, **_: Any) -> dict[str, Any]:
        with store.read() as con:
            asked = versions.asked(con)[REVIEW]
        built.append(len(built) > 0)
        store.write(
            lambda con: versions.answered(
                con, REVIEW, asked.last, None if built[-1] else "it broke", NOW
            )
        )
        return {}

    monkeypatch.setattr(ops.publish, "settle_outbox", settle)
    return built


def test_a_burst_makes_one_build_and_a_failed_one_waits(
    reviewed: Store, settings: Settings, builds: list[bool]
) -> None:
    publisher = Publisher(reviewed, settings.site, lambda: NOW)

    def ask() -> None:
        reviewed.write(lambda con: versions.ask(con, REVIEW, "an event", NOW))

    for _ in range(3):
        ask()
        assert not publisher.look(), "events still come"
    assert publisher.look() and builds == [False]
    assert not publisher.look(), "it failed and nothing is new"
    ask()
    assert [publisher.look(), publisher.look(), publisher.look()] == [
        False,
        True,
        False,
    ] and builds == [False, True]


def test_events_that_never_rest_can_not_stop_a_build(
    reviewed: Store, settings: Settings, builds: list[bool]
) -> None:
    publisher = Publisher(reviewed, settings.site, lambda: NOW)
    looks = []
    for _ in range(LONGEST_WAIT):
        reviewed.write(lambda con: versions.ask(con, REVIEW, "an event", NOW))
        looks.append(publisher.look())
    assert looks == [False] * (LONGEST_WAIT - 1) + [True]


def test_a_failed_build_is_tried_again_after_a_while(
    reviewed: Store, settings: Settings, builds: list[bool]
) -> None:
    publisher = Publisher(reviewed, settings.site, lambda: NOW)
    looks = [publisher.look() for _ in range(TRY_AGAIN + 5)]
    assert builds == [False, True] and looks.index(True) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_owner_answers_flows_publishes_and_ends_cleanly(
    settings: Settings,
    protocol: str,
    tmp_path: Path,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = Path(__file__).resolve().parents[1]
    with (tmp_path / "out").open("w+") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(settings.home)], cwd=home, stdout=out, stderr=out
        )
        try:
            url = _announced(process, settings)
            with Session(settings) as client:
                client.run(Register(text=protocol))
                client.run(OpenReview(id="opening", review=REVIEW, by="lena"))
                assert client.run(ReadStatus()).reviews[0].review == REVIEW
            monkeypatch.setattr("livereview.web.serve.SERVED_WAIT", 0.5)
            with pytest.raises(Refused, match="serving http"):
                serve(settings)
            page = _published(url)
        finally:
            process.send_signal(number)
            assert process.wait(30) == 0
        out.seek(0)
        said = out.read()
    announced, first_account, *rest = said.splitlines()
    assert announced == f"livereview answers at {url} until Ctrl-C"
    assert first_account.startswith(
        f"Nobody has an account yet. Make the first lead's: {url}/first/"
    )
    assert rest == [], "nothing else is logged; least of all a secret"
    assert "Mentoring for children in care" in page
    assert (
        owner(settings.database) is None
        and not settings.database.with_suffix(".duckdb.wal").exists()
    )


def _announced(process: subprocess.Popen[bytes], settings: Settings) -> str:
    for _ in range(600):
        known = owner(settings.database)
        if known and known.get("url"):
            return str(known["url"])
        assert process.poll() is None, "the owner died"
        time.sleep(0.05)
    raise AssertionError("the owner never announced itself")


def _published(url: str) -> str:
    for _ in range(300):
        answer = requests.get(f"{url}/site/{REVIEW}/latest/", timeout=10)
        if answer.status_code == 200:
            return answer.text
        time.sleep(0.1)
    raise AssertionError("nothing was published")


def test_serve_waits_while_a_command_holds_the_database_and_says_who(
    settings: Settings, tmp_path: Path
) -> None:
    home = Path(__file__).resolve().parents[1]
    with (tmp_path / "out").open("w+") as out:
        with Store(settings.database, settings.memory, settings.threads):
            command = [sys.executable, "-c", OWNER, str(settings.home)]
            process = subprocess.Popen(command, cwd=home, stdout=out, stderr=out)
            try:
                _told(out, f"owned by process {os.getpid()}; waiting for it", process)
            except BaseException:
                process.kill()
                raise
        try:
            _announced(process, settings)
        finally:
            process.terminate()
            process.wait(30)


def _told(out: IO[str], words: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "it died instead of waiting"
        if words in Path(out.name).read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"it never said: {words}")


def test_a_taken_port_is_told_in_one_line(settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(Refused, match="choose another with --port"),
    ):
        serve(settings, port=taken.getsockname()[1])
    assert owner(settings.database) is None


def test_addresses_are_told_from_each_other() -> None:
    assert [_url(host, 80) for host in ("127.0.0.1", "0.0.0.0", "::", "box")] == [
        "http://127.0.0.1:80",
        "http://127.0.0.1:80",
        "http://[::1]:80",
        "http://box:80",
    ]
    assert [_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "box")] == [
        True
    ] * 3 + [False] * 2
