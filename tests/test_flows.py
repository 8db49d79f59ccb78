"""The flows in a real Prefect: a cron line really gets runs, and a stop of the schedule pauses nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.test_hostile_answers import slow_and_fine, with_two_searches
from tests.world import World

ROOT = Path(__file__).resolve().parents[1]
PROTOCOL = ROOT / "examples" / "youth-homelessness" / "review.toml"
PATIENCE = 150


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(ask: Callable[[], Any], what: str) -> Any:
    for _ in range(PATIENCE * 2):
        try:
            if answer := ask():
                return answer
        except requests.RequestException:
            pass
        time.sleep(0.5)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a real Prefect server on a port of its own."""
    home, port = tmp_path_factory.mktemp("prefect"), free_port()
    environment = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "LIVEREVIEW_HOME": str(home / "data"),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: requests.get(f"{environment['PREFECT_API_URL']}/health", timeout=5).ok, "the Prefect server")
        yield environment
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def ask(prefect: dict[str, str], path: str) -> list[dict[str, Any]]:
    reply = requests.post(f"{prefect['PREFECT_API_URL']}/{path}/filter", json={}, timeout=10)
    found: list[dict[str, Any]] = reply.json()
    return found


@pytest.mark.slow
def test_a_cron_line_of_the_protocol_gets_runs_and_a_stop_pauses_nothing(prefect: dict[str, str]) -> None:
    command = [
        sys.executable,
        "-m",
        "livereview",
        "schedule",
        "--review",
        "youth-homelessness",
        "--protocol",
        str(PROTOCOL),
    ]
    schedule = subprocess.Popen(command, env=prefect, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        runs = wait_for(
            lambda: [r for r in ask(prefect, "flow_runs") if r["state_type"] == "SCHEDULED"], "scheduled runs"
        )
        deployments = ask(prefect, "deployments")
    finally:
        schedule.send_signal(signal.SIGINT)
        said = schedule.communicate(timeout=60)[0]
    assert runs, said
    nightly = next(d for d in deployments if d["name"].startswith("youth-homelessness"))
    assert nightly["schedules"][0]["schedule"]["timezone"] == "Europe/London"
    assert nightly["parameters"]["review"] == "youth-homelessness"
    assert nightly["global_concurrency_limit"]["limit"] == 1
    assert len(found := ask(prefect, "deployments")) >= len(deployments)  # more may have come since
    assert not any(d["paused"] for d in found)


def test_schedule_without_a_server_says_how_to_start_one() -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT")}
    command = [sys.executable, "-m", "livereview", "schedule", "--review", "youth-homelessness"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "prefect server start" in done.stderr


SLOW_NIGHT = """
import json, sys
import flows.surveil
flows.surveil.LONGEST_SEARCH = 3.0
protocol, server = sys.argv[1:]
state = flows.surveil.surveil("small-review", protocol, now="2026-03-02T02:00:00+00:00", via=server, return_state=True)
night = state.result(raise_on_failure=False)
print(json.dumps([[ending["name"], ending["outcome"], ending["error"] or ""] for ending in night["searches"]]))
"""


@pytest.mark.slow
def test_a_site_that_drips_headers_for_ever_costs_its_own_search_only(
    prefect: dict[str, str], tmp_path: Path, protocol: str
) -> None:
    text = tmp_path / "review.toml"
    text.write_text(with_two_searches(protocol), encoding="utf-8")
    with World() as world:
        slow_and_fine(world)
        command = [sys.executable, "-c", SLOW_NIGHT, str(text), world.base]
        environment = prefect | {"LIVEREVIEW_HOME": str(tmp_path / "home")}
        night = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE * 2)
    assert night.returncode == 0, night.stderr
    slow, fine = json.loads(night.stdout.splitlines()[-1])
    assert slow[:2] == ["slow", "failed"] and "the longest it may take" in slow[2]
    assert fine == ["fine", "ok", ""]
