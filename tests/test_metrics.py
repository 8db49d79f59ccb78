"""`/metrics` says how the service fares, to who may know; and each alert rule fires when what it is
about is real.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from livereview.disk import MB, Reserve
from livereview.ops import metrics as measured
from livereview.ops.readiness import PUBLISHER
from livereview.ops.team import add_account, add_token
from livereview.settings import Settings
from livereview.store import condition, searches, versions, vitals
from livereview.store.open import Connection, Store
from livereview.store.versions import Held
from livereview.web import metrics
from livereview.web.app import create
from tests.conftest import NOW, REVIEW, TestClient, article, found, secret_of
from tests.promql import Scraped, series

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
RULES = DEPLOY / "prometheus" / "livereview.rules.yml"
DAY = timedelta(days=1)


def rules() -> dict[str, dict[str, Any]]:
    """The alert rules by name."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


class Watched:
    """An owner that Prometheus reads: its store, a clock, and what it was last told."""

    def __init__(self, store: Store, settings: Settings):
        self.store, self.now = store, NOW + timedelta(hours=1)
        self.app = create(store, settings, token="owner-token", clock=lambda: self.now)
        self.stuck = ExitStack()
        self.before = self.after = self.scrape()

    def scrape(self) -> str:
        """The figures of this moment, as if the owner had been asked through HTTP."""
        registry: metrics.Registry = self.app.state.metrics
        registry.forget()
        return registry.text().decode()

    def firing(self) -> set[str]:
        """The alerts that hold between the last look and now, but for the time that they wait."""
        self.before, self.after = self.after, self.scrape()
        scraped = Scraped(self.before, self.after + 'up{job="livereview"} 1\n')
        return {name for name, rule in rules().items() if scraped.holds(rule["expr"])}

    def requests(self) -> metrics.Requests:
        return self.app.state.metrics.requests


# What makes each alert real. They pile up: what was made wrong stays so.


def fail_twice(owner: Watched) -> None:
    for name in ("f1", "f2"):
        search(owner, name, "failed")


def search(owner: Watched, name: str, outcome: str | None) -> None:
    """Let the first search of the review begin now, and end so; None: it goes on."""

    def job(con: Connection) -> None:
        plan = measured.protocols(con)[0].searches[0]
        run = searches.Run("search", None, owner.now)
        searches.begin(con, name, REVIEW, plan, run, owner.now)
        if outcome:
            searches.end(con, name, outcome, None, searches.Counts(), None, owner.now)

    owner.store.write(job)


def hang(owner: Watched) -> None:
    search(owner, "hangs", None)
    owner.now += timedelta(hours=13)


def miss(owner: Watched) -> None:
    owner.now += 2 * DAY


def grow_stale(owner: Watched) -> None:
    owner.now += 60 * DAY


def silence_schedule(owner: Watched) -> None:
    sign = vitals.SignOfLife(vitals.SCHEDULE, "all is well", True, owner.now - timedelta(hours=1))
    owner.store.write(lambda con: vitals.save_sign(con, sign))


def trouble_schedule(owner: Watched) -> None:
    sign = vitals.SignOfLife(vitals.SCHEDULE, "one is paused", False, owner.now)
    owner.store.write(lambda con: vitals.save_sign(con, sign))


def wait_for_build(owner: Watched) -> None:
    since = owner.now - timedelta(hours=1)
    owner.store.write(lambda con: versions.ask(con, REVIEW, "a decision", since))


def build(owner: Watched, problem: str | None, held: Held | None = None) -> None:
    with owner.store.read() as con:
        waiting = versions.asked(con)
    upto = waiting[REVIEW].last if waiting else 0
    owner.store.write(lambda con: versions.answered(con, REVIEW, upto, problem, owner.now, held))


def hold_finding(owner: Watched) -> None:
    since = owner.now.isoformat()
    build(owner, None, Held("0", "new_finding", [], "a study", since, waits={"c1": since}))


def fill_disk(share: float) -> Callable[[Watched], None]:
    def fill(owner: Watched) -> None:
        folder = owner.store.database.parent
        owner.store.reserve = Reserve(folder, int(shutil.disk_usage(folder).free * share))

    return fill


def lose_log(owner: Watched) -> None:
    owner.store.torn.write(100)


def let_backups_lag(owner: Watched) -> None:
    time = [0.0]
    owner.store.shipping = vitals.Shipping(clock=lambda: time[0])
    owner.store.shipping.begin("/backups")
    time[0] = 3_600.0


def silence_publisher(owner: Watched) -> None:
    time = [0.0]
    owner.store.heartbeats = vitals.Heartbeats(clock=lambda: time[0])
    owner.store.heartbeats.beat(PUBLISHER)
    time[0] = 3_600.0


def answer_slowly(owner: Watched) -> None:
    for _ in range(20):
        owner.requests().note("GET", "/r/{review}", 200, 30.0)


def break_pages(owner: Watched) -> None:
    for _ in range(20):
        owner.requests().note("GET", "/r/{review}", 500, 0.01)


def slow_writer(owner: Watched) -> None:
    for _ in range(50):
        owner.store._main._waits.note(30.0)


def stick_writer(owner: Watched) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def job(con: Connection) -> None:
        begun.set()
        may_end.wait()

    stuck = threading.Thread(target=lambda: owner.store.write(job))
    stuck.start()
    begun.wait()
    owner.stuck.callback(stuck.join)
    owner.stuck.callback(may_end.set)
    assert owner.store._main._busy_since is not None
    owner.store._main._busy_since -= 300


TROUBLES: tuple[tuple[str, Callable[[Watched], None]], ...] = (
    ("LivereviewErrors", break_pages),
    ("LivereviewSlowPages", answer_slowly),
    ("LivereviewSearchFailing", fail_twice),
    ("LivereviewScheduleUneasy", trouble_schedule),
    ("LivereviewFindingsHeld", hold_finding),
    ("LivereviewBuildFailed", lambda owner: build(owner, "a template is missing")),
    ("LivereviewDiskFills", fill_disk(0.5)),
    ("LivereviewDiskNearlyFull", fill_disk(1.5)),
    ("LivereviewDatabaseDamaged", lose_log),
    ("LivereviewBackupBehind", let_backups_lag),
    ("LivereviewPublisherSilent", silence_publisher),
    ("LivereviewWriterSlow", slow_writer),
    ("LivereviewScheduleSilent", silence_schedule),
    ("LivereviewSearchHangs", hang),
    ("LivereviewSearchMissed", miss),
    ("LivereviewSearchStale", grow_stale),
    ("LivereviewNotPublished", wait_for_build),
    ("LivereviewWriterStuck", stick_writer),
)


@pytest.fixture
def owner(reviewed: Store, settings: Settings) -> Iterator[Watched]:
    """An owner that is well: both searches ran, the schedule lives, all is published."""
    reviewed.reserve = Reserve(reviewed.database.parent, 1 * MB)
    found(reviewed, article(1), article(2))
    watched = Watched(reviewed, settings)
    watched.store.heartbeats.beat(PUBLISHER)
    silence = timedelta(seconds=20)
    sign = vitals.SignOfLife(vitals.SCHEDULE, "2 reviews", True, watched.now - silence)
    reviewed.write(lambda con: vitals.save_sign(con, sign))
    build(watched, None)
    yield watched
    watched.stuck.close()


def test_each_alert_fires_when_what_it_is_about_is_real_and_not_before(
    owner: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    firing = owner.firing()
    assert firing == set()
    tried = {"LivereviewDown", "LivereviewNotMeasured", "LivereviewWalLarge"}
    for alert, trouble in TROUBLES:
        assert alert not in firing, alert
        trouble(owner)
        firing = owner.firing()
        assert alert in firing, alert
        tried.add(alert)
    monkeypatch.setattr(condition, "size_of_log", lambda database: 300 * MB)
    assert "LivereviewWalLarge" in owner.firing()
    monkeypatch.setattr(measured, "LONGEST_LOOK", -1.0)
    monkeypatch.setattr(measured, "_of_database", lambda con, now: slow_question(con))
    assert "LivereviewNotMeasured" in owner.firing()
    assert rules().keys() == tried


def slow_question(con: Connection) -> Iterator[measured.Metric]:
    con.execute("SELECT count(*) FROM range(100_000_000_000)").fetchall()
    return iter(())


def test_an_owner_that_is_away_is_an_alert() -> None:
    away = Scraped("", 'up{job="livereview"} 0\n')
    assert away.holds(rules()["LivereviewDown"]["expr"])


def test_every_alert_has_a_next_step_and_no_figure_that_nobody_measures(owner: Watched) -> None:
    owner.requests().note("GET", "/", 200, 0.1)
    figures = series(owner.scrape()).keys() | {"up", "livereview_search_running_seconds"}
    runbooks = (DEPLOY.parent / "docs/how-to/runbooks.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in runbooks.splitlines()
        if line.startswith("#")
    }
    for name, rule in rules().items():
        used = set(re.findall(r"\b(?:livereview_\w+|up)\b", rule["expr"]))
        assert used <= figures | {"livereview_publisher_silent_seconds"}, name
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert rule["labels"]["runbook"] in headings, name


def test_every_panel_of_the_dashboard_shows_a_figure_that_is_measured(owner: Watched) -> None:
    owner.requests().note("GET", "/", 200, 0.1)
    board = json.loads((DEPLOY / "grafana" / "livereview.json").read_text(encoding="utf-8"))
    figures = series(owner.scrape()).keys()
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 15
    for question in asked:
        names = set(re.findall(r"\b(?:livereview|process)_\w+", question))
        names -= {"livereview_search_running_seconds"}
        assert names <= figures, question


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_itself_takes_the_rules_and_fires_them(owner: Watched, tmp_path: Path) -> None:
    """One scrape of an owner with many troubles, as series that stay so for a quarter of an hour."""
    assert owner.firing() == set()
    lasting = {name for name, rule in rules().items() if "rate(" not in rule["expr"]}
    for alert, trouble in TROUBLES:
        if alert in lasting:
            trouble(owner)
    firing = owner.firing()
    ours = Scraped(owner.before, owner.after + 'up{job="livereview"} 1\n')
    wanted = {name: ours.holds(rules()[name]["expr"]) for name in lasting}
    assert sum(map(len, wanted.values())) > 10 and firing
    scraped = series(owner.after)
    input_series = [
        {"series": name + _braces(labels), "values": f"{value}x60"}
        for name, vector in scraped.items()
        for labels, value in vector.items()
    ]
    questions = [
        {"expr": f"count({rules()[name]['expr']}) or vector(0)", "eval_time": "59m", "exp_samples": [
            {"labels": "{}", "value": len(wanted[name])}
        ]}
        for name in sorted(lasting)
    ]  # fmt: skip
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": input_series, "promql_expr_test": questions}],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps(test))
    ran = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _braces(labels: frozenset[tuple[str, str]]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels)) + "}"


def test_figures_go_to_who_may_know_and_to_nobody_else(app: FastAPI, reviewed: Store) -> None:
    for name, role in (("lena", "lead"), ("rea", "reader")):
        add_account(reviewed, name=name, role=role, secret=secret_of(name), now=NOW)
    add_token(
        reviewed,
        account="lena",
        scopes=("monitor",),
        secret="lr_" + "m" * 40,
        by="x",
        label="p",
        now=NOW,
    )
    with TestClient(app) as visitor:
        nobody = visitor.get("/metrics")
        monitor = visitor.get("/metrics", headers={"Authorization": "Bearer lr_" + "m" * 40})
        queue = visitor.get(f"/r/{REVIEW}", headers={"Authorization": "Bearer lr_" + "m" * 40})
        visitor.post("/sign-in", data={"secret": secret_of("lena")})
        lead = visitor.get("/metrics")
    assert nobody.status_code == lead.status_code == 401
    assert monitor.status_code == 200
    assert "livereview_measured 1.0" in monitor.text
    assert queue.status_code == 403


def test_no_figure_names_a_person_and_no_visitor_makes_new_ones(
    app: FastAPI, reviewed: Store
) -> None:
    found(reviewed, article(1))
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    with TestClient(app, headers={"Authorization": "Bearer owner-token"}) as visitor:
        for number in range(5):
            visitor.get(f"/no-such-page-{number}")
            visitor.request(f"WORD{number}", "/healthz")
            visitor.get(f"/r/review-{number}", follow_redirects=False)
        text = visitor.get("/metrics").text
    assert "ada" not in re.findall(r'"(\w+)"', text)
    routes = {dict(labels)["route"] for labels in series(text)["livereview_http_requests_total"]}
    assert routes == {"other", "/healthz", "/r/{review}"}
    methods = {dict(labels)["method"] for labels in series(text)["livereview_http_requests_total"]}
    assert methods == {"GET", "other"}


def test_the_queue_counts_half_screened_reports_like_any_that_wait(reviewed: Store) -> None:
    """Else the figure would tell when a first vote was cast, and what the second one said."""
    from livereview.ops import screen

    one, _ = found(reviewed, article(1), article(2))
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)

    def waiting() -> float:
        figures = {metric.name: metric for metric in measured.measured(reviewed, now=NOW)}
        return figures["livereview_queue_reports"].values[(REVIEW, "title_abstract")]

    before = waiting()
    screen.decide(
        reviewed, id="v1", review=REVIEW, record=one, record_version=1, stage="title_abstract",
        reviewer="ada", verdict="include", now=NOW,
    )  # fmt: skip
    assert before == waiting() == 2


def test_a_scrape_waits_for_no_writer(owner: Watched) -> None:
    stick_writer(owner)
    assert (
        series(owner.scrape())["livereview_writer_busy_seconds"][frozenset({("writer", "writer")})]
        > 299
    )


def test_a_success_from_the_future_is_none(reviewed: Store) -> None:
    found(reviewed, article(1), now=NOW + 400 * DAY)
    assert _age(reviewed, NOW) == 0  # since it came into the protocol
    assert _age(reviewed, NOW + 2 * DAY) == 2 * 86_400


def _age(store: Store, now: datetime) -> float:
    figures = {metric.name: metric for metric in measured.measured(store, now=now)}
    return figures["livereview_search_success_age_seconds"].values[(REVIEW, "openalex")]
