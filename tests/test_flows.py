"""The flows in a real Prefect: the schedule follows the protocol in force, and a night that can not
begin is told.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from livereview.client import Remote
from livereview.commands import (
    AddAccount,
    AddToken,
    CheckReadiness,
    ReadLedger,
    ReadStatus,
    Register,
)
from livereview.commands.wire import encode_answer

ROOT = Path(__file__).resolve().parents[1]
PROTOCOL = (ROOT / "tests" / "data" / "review.toml").read_text(encoding="utf-8")
REVIEW = "small-review"
PATIENCE = 300
SEARCH = """
[[searches]]
name = "{name}"
source = "feed"
platform = "A journal"
url = "https://feeds.invalid/{name}.rss"
schedule = "{cron}"
usual_zero = true
"""
NEVER = "0 2 29 2 *"


def protocol(**crons: str) -> str:
    """The small review with these searches, which ask a host that does not exist, at these cron
    lines.
    """
    head, _, rest = PROTOCOL.partition("[[searches]]")
    tail = rest[rest.index("\n[screening]") :]
    searches = "".join(
        SEARCH.format(name=name.replace("_", "-"), cron=cron) for name, cron in crons.items()
    )
    return head + searches + tail


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


@contextmanager
def process(
    environment: dict[str, str], log: Path, *words: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the service, ended at the end as systemd ends it; what it said is in `log`."""
    with log.open("ab") as file:
        command = [sys.executable, "-m", *words]
        running = subprocess.Popen(
            command, env=environment, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait(10)


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
        "LIVEREVIEW_TRY_AGAIN": "1,2",
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",  # seconds; a test does not wait for more
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }
    words = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    with process(environment, home / "server.log", *words):
        wait_for(
            lambda: requests.get(f"{environment['PREFECT_API_URL']}/health", timeout=5).ok,
            "the Prefect server",
        )
        yield environment


class HostLog:
    """A host that writes down when each exchange with it began and ended, and takes a while."""

    def __init__(self) -> None:
        self.exchanges: list[tuple[float, float]] = []
        exchanges = self.exchanges

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                began = time.monotonic()
                time.sleep(0.05)
                self.send_response(200)
                self.send_header("content-length", "5")
                self.end_headers()
                exchanges.append((began, time.monotonic()))
                self.wfile.write(b"hello")

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> HostLog:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Service:
    """One home with its owner, which may be ended and started again, and the schedule's log."""

    home: Path
    environment: dict[str, str]
    port: int

    @property
    def client(self) -> Remote:
        token = (self.home / "owner.token").read_text()
        return Remote(f"http://127.0.0.1:{self.port}", token, patience=120)

    @contextmanager
    def owner(self) -> Iterator[subprocess.Popen[bytes]]:
        words = ("livereview", "serve", "--new", "--port", str(self.port))
        with process(self.environment, self.home / "owner.log", *words) as running:
            wait_for(
                lambda: requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).ok,
                "the owner",
            )
            yield running

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker on what might be another machine: it knows the owner by its address only."""
        elsewhere = self.home / "elsewhere"
        elsewhere.mkdir()
        environment = self.environment | self.address() | {"LIVEREVIEW_HOME": str(elsewhere)}
        words = ("prefect", "worker", "start", "--pool", "livereview", "--name", "one")
        with process(environment, self.home / "worker.log", *words) as running:
            yield running
        assert not list(elsewhere.rglob("*.duckdb")), "the owner alone has a database"

    def address(self) -> dict[str, str]:
        """The owner by its address, with a token for nights."""
        secret = self.home / "nights.token"
        if not secret.exists():
            self.client.run(AddAccount(name="lena", role="lead", secret="x" * 32))
            token = "lr_" + "a" * 40
            self.client.run(
                AddToken(account="lena", by="lena", label="nights", secret=token, scopes=["flows"])
            )
            secret.write_text(token)
        return {
            "LIVEREVIEW_OWNER": f"http://127.0.0.1:{self.port}",
            "LIVEREVIEW_OWNER_TOKEN_FILE": str(secret),
        }

    def deploy(self) -> list[str]:
        """What `livereview deploy` says."""
        command = [sys.executable, "-m", "livereview", "deploy", "--yes"]
        environment = self.environment | self.address()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    @contextmanager
    def schedule(self) -> Iterator[subprocess.Popen[bytes]]:
        words = ("livereview", "schedule", "--every", "1")
        with process(self.environment, self.home / "schedule.log", *words) as running:
            yield running

    def ask(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.posted(f"{path}/filter", {})
        return found

    def posted(self, path: str, body: dict[str, Any]) -> Any:
        """What Prefect answers; asked again where it is busy (503: its database is locked)."""
        url = f"{self.environment['PREFECT_API_URL']}/{path}"

        def answer() -> tuple[Any] | None:
            reply = requests.post(url, json=body, timeout=30)
            return (reply.json(),) if reply.ok else None

        return wait_for(answer, f"an answer of Prefect to {path}")[0]

    def deployments(self) -> dict[str, dict[str, Any]]:
        """Those of the nights, by name."""
        return {
            each["name"]: each
            for each in self.ask("deployments")
            if each["name"].startswith(f"{REVIEW} at")
        }

    def start(self, name: str, **parameters: str) -> str:
        """A run of this deployment, as its cron line would start one, or with other parameters.

        Its id.
        """
        deployment = wait_for(lambda: self.deployments().get(name), f"the deployment {name}")["id"]
        run = self.posted(f"deployments/{deployment}/create_flow_run", {"parameters": parameters})
        return str(run["id"])

    def submit(self, name: str) -> str:
        """A run of this deployment; its id."""
        (found,) = [each for each in self.ask("deployments") if each["name"] == name]
        return str(self.posted(f"deployments/{found['id']}/create_flow_run", {})["id"])

    def cancel(self, id: str) -> None:
        state = {"state": {"type": "CANCELLING"}, "force": True}
        self.posted(f"flow_runs/{id}/set_state", state)

    def run(self, id: str) -> dict[str, Any]:
        reply = requests.get(f"{self.environment['PREFECT_API_URL']}/flow_runs/{id}", timeout=30)
        run: dict[str, Any] = reply.json()
        return run

    def ended(self, id: str) -> dict[str, Any]:
        """The run, once it has ended."""
        done = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
        return dict(
            wait_for(
                lambda: run if (run := self.run(id))["state_type"] in done else None,
                "the run's end",
            )
        )

    def ledger(self) -> list[dict[str, Any]]:
        attempts = self.client.run(ReadLedger(review=REVIEW)).attempts
        return [encode_answer(attempt) for attempt in attempts]

    def lines(self, id: str) -> list[dict[str, Any]]:
        filters = {"logs": {"flow_run_id": {"any_": [id]}}}
        reply = requests.post(
            f"{self.environment['PREFECT_API_URL']}/logs/filter", json=filters, timeout=30
        )
        found: list[dict[str, Any]] = reply.json()
        return found

    def logs(self, id: str) -> str:
        return "\n".join(each["message"] for each in self.lines(id))

    def loggers(self, id: str) -> set[str]:
        return {each["name"] for each in self.lines(id)}


@pytest.fixture
def service(prefect: dict[str, str], tmp_path: Path) -> Iterator[Service]:
    environment = {**prefect, "LIVEREVIEW_HOME": str(tmp_path), "LIVEREVIEW_MEMORY": "500MB"}
    yield Service(tmp_path, environment, free_port())
    for each in Service(tmp_path, environment, 0).ask("deployments"):
        requests.delete(f"{prefect['PREFECT_API_URL']}/deployments/{each['id']}", timeout=30)


@pytest.mark.slow
def test_the_schedule_follows_the_protocol_in_force_without_a_restart(service: Service) -> None:
    with service.owner(), service.schedule() as schedule:
        service.client.run(Register(text=protocol(old=NEVER, weekly="0 3 * * mon")))
        first = wait_for(
            lambda: len(found := service.deployments()) == 2 and found, "two deployments"
        )
        nightly = first[f"{REVIEW} at {NEVER}"]
        assert nightly["parameters"] == {"review": REVIEW, "cron": NEVER}, (
            "a cron line, never names"
        )
        assert set(nightly["parameter_openapi_schema"]["properties"]) == {"review", "cron"}
        assert nightly["schedules"][0]["schedule"]["timezone"] == "Europe/London"
        assert nightly["global_concurrency_limit"]["limit"] == 1
        assert set(nightly["tags"]) == {"livereview", REVIEW}
        wait_for(
            lambda: [r for r in service.ask("flow_runs") if r["state_type"] == "SCHEDULED"],
            "scheduled runs",
        )

        changed = protocol(fresh=NEVER, daily="0 4 * * *").replace("Europe/London", "Europe/Oslo")
        service.client.run(Register(text=changed))
        wait_for(
            lambda: (
                set(service.deployments()) == {f"{REVIEW} at {NEVER}", f"{REVIEW} at 0 4 * * *"}
            ),
            "the change",
        )
        zone = service.deployments()[f"{REVIEW} at {NEVER}"]["schedules"][0]["schedule"]["timezone"]
        assert zone == "Europe/Oslo"

        ended = service.ended(service.start(f"{REVIEW} at {NEVER}"))
        assert ended["state_type"] == "FAILED", "the host does not exist"
        assert [(each["name"], each["outcome"]) for each in service.ledger()] == [
            ("fresh", "failed")
        ] * 3

        retired = changed.replace("[living]\n", '[living]\nstatus = "retired"\n', 1)
        service.client.run(Register(text=retired))
        wait_for(lambda: not service.deployments(), "the retirement")
        service.client.run(Register(text=changed))
        wait_for(lambda: len(service.deployments()) == 2, "the revival")
        assert [each["name"] for each in service.ask("automations")] == [
            "livereview: end runs whose process is gone"
        ]
        readiness = service.client.run(CheckReadiness()).checks
        assert {"schedule": True}.items() <= {check.name: check.ok for check in readiness}.items()
        schedule.send_signal(signal.SIGTERM)
        schedule.wait(60)
        left = service.ask("deployments")
        assert left and not any(each["paused"] for each in left), "a stop pauses nothing"


@pytest.mark.slow
def test_two_processes_keep_the_interval_of_a_host_between_them(prefect: dict[str, str]) -> None:
    """By the log of the host itself."""
    interval, times = 0.3, 4
    with HostLog() as host:
        command = [sys.executable, "-m", "tests.polite_process", host.url, str(times)]
        asking = [
            subprocess.Popen([*command, str(interval)], env=prefect, cwd=ROOT) for _ in range(2)
        ]
        assert [process.wait() for process in asking] == [0, 0]
    log = sorted(host.exchanges)
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(log)]
    assert len(log) == 2 * times and min(gaps) >= interval


@pytest.mark.slow
def test_a_worker_that_knows_the_owner_by_address_runs_a_night_by_its_dispatcher(
    service: Service,
) -> None:
    service.environment["LIVEREVIEW_TRY_AGAIN"] = ""
    with service.owner():
        service.client.run(Register(text=protocol(first=NEVER, second=NEVER)))
        made = service.deploy()
        assert any(line.startswith("make the work pool livereview") for line in made)
        assert "make the queue source feed, of which 8 runs go on at once" in made
        assert "Nothing is to change." in service.deploy()
        service.client.run(Register(text=protocol(first=NEVER, third=NEVER)))
        with service.worker():
            night = service.submit(f"night at {NEVER} Europe of London")
            ended = service.ended(night)
        assert ended["state_type"] == "FAILED", "the host does not exist"
        assert "2 of 2 runs did not run through" in ended["state"]["message"]
        ran = sorted((each["name"], each["outcome"]) for each in service.ledger())
        assert ran == [("first", "failed"), ("third", "failed")], "by the protocol in force"
        runs = [run for run in service.ask("flow_runs") if f"night:{night}" in run["tags"]]
        assert sorted(run["name"] for run in runs) == [
            "search-small-review-first",
            "search-small-review-third",
        ]
        assert {"review:small-review", "source:feed"} <= set(runs[0]["tags"])
        shown = {each["key"] for each in service.ask("artifacts")}
        assert {"night", "night-table"} <= shown


@pytest.mark.slow
def test_a_name_that_is_gone_never_fails_the_night_and_is_noted(service: Service) -> None:
    with service.owner(), service.schedule():
        service.client.run(Register(text=protocol(old=NEVER)))
        wait_for(service.deployments, "the deployment")
        planned_before = "1 1 1 1 *"  # by the protocol as it was until now
        run = service.start(f"{REVIEW} at {NEVER}", review=REVIEW, cron=planned_before)
        assert service.ended(run)["state_type"] == "COMPLETED"
        assert [each["outcome"] for each in service.ledger()] == ["noted"]


@pytest.mark.slow
def test_a_cancelled_night_is_told_at_once_and_not_at_the_next_night(service: Service) -> None:
    service.environment["LIVEREVIEW_TRY_AGAIN"] = "3600"
    with service.owner(), service.schedule():
        service.client.run(Register(text=protocol(old=NEVER)))
        wait_for(service.deployments, "the deployment")
        run = service.start(f"{REVIEW} at {NEVER}")
        wait_for(
            lambda: [each["outcome"] for each in service.ledger()] == ["failed"], "the first round"
        )
        wait_for(lambda: "tried again in 3600 s" in service.logs(run), "the pause before the next")
        assert "livereview.fetch" in service.loggers(run), "what fetch says is in the run's log"
        service.cancel(run)
        assert service.ended(run)["state_type"] == "CANCELLED"
        wait_for(
            lambda: [each for each in service.ledger() if each["kind"] == "night"], "the word of it"
        )
        told = [each["error"] for each in service.ledger() if each["kind"] == "night"]
        assert len(told) == 1 and "cancelled" in told[0]
        alarms = service.client.run(ReadStatus(review=REVIEW)).reviews[0].alarms
        assert any("cancelled" in alarm for alarm in alarms)


@pytest.mark.slow
def test_a_night_waits_for_its_owner_and_never_becomes_it(service: Service) -> None:
    with service.schedule():
        with service.owner() as owner:
            service.client.run(Register(text=protocol(old=NEVER)))
            wait_for(service.deployments, "the deployment")
            os.kill(owner.pid, signal.SIGKILL)
            owner.wait()
            run = service.start(f"{REVIEW} at {NEVER}")
            wait_for(lambda: "waiting" in service.logs(run), "the night to say what it waits for")
            assert service.run(run)["state_type"] == "RUNNING"
        with service.owner():  # at once: nobody else has the lock
            assert service.ended(run)["state_type"] == "FAILED"
            assert [each["name"] for each in service.ledger()] == ["old"] * 3


def test_schedule_without_a_server_says_how_to_start_one() -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT")}
    command = [sys.executable, "-m", "livereview", "schedule", "--review", "youth-homelessness"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "prefect server start" in done.stderr


@pytest.mark.slow
def test_a_deployment_paused_or_deleted_in_prefect_is_told_or_made_again(service: Service) -> None:
    def schedule_check() -> dict[str, Any]:
        checks = service.client.run(CheckReadiness()).checks
        return encode_answer(next(check for check in checks if check.name == "schedule"))

    with service.owner(), service.schedule():
        service.client.run(Register(text=protocol(old=NEVER)))
        wait_for(service.deployments, "the deployment")
        name = f"{REVIEW} at {NEVER}"
        first = service.deployments()[name]["id"]
        wait_for(lambda: schedule_check()["ok"], "a schedule in order")
        here = f"{service.environment['PREFECT_API_URL']}/deployments"
        requests.post(f"{here}/{first}/pause_deployment", timeout=30).raise_for_status()
        wait_for(
            lambda: f"{name} is paused in Prefect" in schedule_check()["words"],
            "the word of the pause",
        )
        assert not schedule_check()["ok"]
        requests.post(f"{here}/{first}/resume_deployment", timeout=30).raise_for_status()
        wait_for(lambda: schedule_check()["ok"], "the end of the pause")
        requests.delete(f"{here}/{first}", timeout=30).raise_for_status()
        wait_for(
            lambda: service.deployments().get(name, {}).get("id") not in (None, first),
            "another deployment",
        )


@pytest.mark.slow
def test_a_night_whose_process_was_killed_is_told_and_the_next_one_runs(service: Service) -> None:
    service.environment["LIVEREVIEW_TRY_AGAIN"] = "3600"
    with service.owner(), service.schedule() as schedule:
        service.client.run(Register(text=protocol(old=NEVER)))
        wait_for(service.deployments, "the deployment")
        run = service.start(f"{REVIEW} at {NEVER}")
        wait_for(
            lambda: "tried again in 3600 s" in service.logs(run), "the pause before the next round"
        )
        children = Path(f"/proc/{schedule.pid}/task").glob("*/children")
        mine = [int(pid) for each in children for pid in each.read_text().split()]
        assert mine, "the run is a process of the schedule"
        for pid in mine:
            os.kill(pid, signal.SIGKILL)
        assert service.ended(run)["state_type"] == "CRASHED"
        wait_for(
            lambda: [each for each in service.ledger() if each["kind"] == "night"], "the word of it"
        )
        told = [each["error"] for each in service.ledger() if each["kind"] == "night"]
        assert len(told) == 1 and "crashed" in told[0], told
        again = service.start(f"{REVIEW} at {NEVER}")
        wait_for(lambda: "tried again in 3600 s" in service.logs(again), "the night after it")


FAIL_TWICE = """
import sys, time
from flows import deploy, events
from livereview.endings import Ending
deploy._keep_address(sys.argv[1])
for alarm in deploy.alarms(deploy._id(deploy._address()), deploy.POOL):
    deploy._automate(alarm)
ending = Ending(name="openalex", source="openalex", outcome="failed", error="away")
for review in ("twice", "once", "twice"):
    events.search_ended(review, ending)
    time.sleep(1)
"""


@pytest.mark.slow
def test_prefect_tells_an_address_when_a_search_failed_twice_and_not_before(
    prefect: dict[str, str],
) -> None:
    heard: list[dict[str, Any]] = []

    class Address(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Address)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    try:
        command = [sys.executable, "-c", FAIL_TWICE, address]
        subprocess.run(command, cwd=ROOT, env=prefect, check=True, timeout=300)
        wait_for(lambda: heard, "the address is told")
        (told,) = heard
        assert told["text"].endswith("a search failed twice in a night: twice: openalex")
        assert told["event"] == "livereview.search.failed"
    finally:
        server.shutdown()
        server.server_close()
