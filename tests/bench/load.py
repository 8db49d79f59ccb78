"""Reviewers at work while the night runs: python -m tests.bench.load [--reviewers 20 --seconds 60
--queue 20000], or with --goals what fifty of them must be able to count on.

A real owner process (`livereview serve`) holds a queue of generated records. Each reviewer takes
the next record, waits up to four seconds, and decides, over HTTP with the forms of the pages;
meanwhile a night brings as many records again, `--readers` ask for the published page, `--publish`
seconds apart a new protocol asks for a new version, and half way through the owner is killed with
SIGKILL and started again (`--no-kill`: it lives). Whoever got no answer sends the same form once
more. Prints how long each kind of request took, how many decisions were refused, what the owner's
process held before and after, and counts in the database whether each acknowledged decision is
there exactly once. At the end stands each goal beside what was measured (`tests.bench.goals`).

With --account the owner looks at its own threads, and what its CPU went to is printed by kind of work
(`tests.bench.account`).

With --cost nobody competes: one of fifty people decides, then only looks, then the public page is
fetched, and the CPU seconds of the owner are divided by how often: figures that a busy machine changes little.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import requests

from livereview.client import Client, Local, Remote, token
from livereview.commands import AddAccount, Begin, Finish, Ingest, OpenReview, Publish, Register
from livereview.settings import Settings
from livereview.store.open import owner
from tests.bench.account import table as table_of_account
from tests.bench.goals import Held, Outcome, goals, percentile, table
from tests.bench.throughput import works
from tests.internet import source_answers

REVIEW, STAGE = "small-review", "title_abstract"
PAGE = 200  # records in one answer of the source, as OpenAlex gives them
HERD = 3.0  # seconds after a restart that are told apart
THINK = 4.0  # seconds a reviewer takes at most
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ACCOUNT = "account.json"  # in the home of an owner that keeps one
RECORD = re.compile(r'name="record" value="([^"]+)"')


@dataclass
class Figures:
    """Seconds that each kind of request took, the forms that were acknowledged, and what went
    wrong.
    """

    took: dict[str, list[float]] = field(
        default_factory=lambda: {"decision": [], "next record": [], "ingest": []}
    )
    acknowledged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    at_once: tuple[int, int] = (0, 0)
    waits: int = 0
    errors: list[str] = field(default_factory=list)
    # the kill, and HERD after the owner answered again
    herd: tuple[float, float] = (float("inf"), float("inf"))

    def add(self, kind: str, began: float) -> None:
        """A request that began then has just been answered."""
        after = self.herd[0] <= began < self.herd[1]
        self.took.setdefault(f"{kind}, after the kill" if after else kind, []).append(
            time.monotonic() - began
        )


def secret(number: int) -> str:
    return f"reviewer-{number}-has-a-long-secret-word"


def pages_of(start: int, count: int) -> list[bytes]:
    """The answers of OpenAlex with these records."""
    source_answers.PAGE = PAGE
    # one in some is another's duplicate and left out
    made = works((start + count) * 3 // 2)[start : start + count]
    listed = [{**work, "served": next(iter(work["served"].values()))} for work in made]
    asked = {"cursor": "*", "per_page": str(PAGE)}
    return [
        source_answers.openalex(listed[at : at + PAGE], asked) for at in range(0, len(listed), PAGE)
    ]


def fill(client: Client, search: str, bodies: list[bytes], figures: Figures | None = None) -> None:
    """One search of the night, page by page."""
    client.run(Begin(review=REVIEW, name="openalex", search=search, now=NOW))
    for body in bodies:
        began = time.monotonic()
        answer = client.run(Ingest(search=search, body=body, now=NOW))
        if answer.problem:
            raise SystemExit(f"the generated page could not be read: {answer.problem}")
        if figures:
            figures.took["ingest"].append(time.monotonic() - began)
    client.run(Finish(search=search, now=NOW))


def start(home: Path, port: int, account: bool = False) -> subprocess.Popen[bytes]:
    """An owner that answers; with `account` it keeps one of its CPU in ACCOUNT."""
    settings = Settings(home=home, secrets={})
    program = ["-m", "livereview"]
    if account:
        program = ["-m", "tests.bench.account", str(home / ACCOUNT)]
    command = [sys.executable, *program, "serve", "--new", "--port", str(port)]
    log = (home / "owner.log").open("ab")
    process = subprocess.Popen(command, env=environment(home), stdout=log, stderr=log)
    while not ((found := owner(settings.database)) and found.get("url")):
        if process.poll() is not None:
            raise SystemExit(f"the owner ended: {(home / 'owner.log').read_text()[-2000:]}")
        time.sleep(0.05)
    return process


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "LIVEREVIEW_HOME": str(home)}


class Reviewer(threading.Thread):
    """One person with one browser: look, think, decide."""

    def __init__(self, number: int, base: str, until: float, figures: Figures):
        super().__init__(daemon=True)
        self.base, self.until, self.figures = base, until, figures
        self.dice, self.secret = random.Random(number), secret(number)
        self.http = requests.Session()
        self.http.trust_env = False

    def run(self) -> None:
        try:
            time.sleep(self.dice.random() * THINK)  # people do not come in all at once
            self._patiently(
                lambda: self.http.post(
                    f"{self.base}/sign-in", data={"secret": self.secret}, timeout=30
                )
            )
            here = f"{self.base}/r/{REVIEW}/screen/{STAGE}"
            page = self._timed("next record", lambda: self.http.get(here, timeout=30))
            while time.monotonic() < self.until:
                fields = self.fields(page)
                if "record" not in fields:
                    return
                time.sleep(self.dice.random() * THINK)
                page = self.decide(fields)
        except Exception as error:
            self.figures.errors.append(f"{type(error).__name__}: {error}")

    def fields(self, page: requests.Response) -> dict[str, str]:
        """The form of a page, with a verdict."""
        names = "csrf|form|record|stage|shown"
        fields = dict(re.findall(rf'name="({names})" value="([^"]+)"', page.text))
        return {**fields, "verdict": self.dice.choice(["include", "exclude", "exclude", "maybe"])}

    def decide(self, fields: dict[str, str]) -> requests.Response:
        """Send a form, and ask for the record after it."""
        there = f"{self.base}/r/{REVIEW}/decide"
        answer = self._timed(
            "decision",
            lambda: self.http.post(there, data=fields, timeout=30, allow_redirects=False),
        )
        if answer.status_code == 303:
            self.figures.acknowledged.append(fields["form"])
        elif answer.status_code == 409:
            words = re.sub(r"<[^>]+>|\s+", " ", answer.text.partition('role="status"')[2])
            self.figures.refused.append(words[:100])
        else:
            self.figures.errors.append(
                f"{answer.status_code} for a decision: {re.sub('<[^>]+>', ' ', answer.text)[:2000]}"
            )
        onward = answer.headers.get("Location", f"/r/{REVIEW}/screen/{STAGE}")
        return self._timed("next record", lambda: self.http.get(self.base + onward, timeout=30))

    def _timed(self, kind: str, call: Callable[[], requests.Response]) -> requests.Response:
        """The answer; what was asked while the owner was down is not part of the figures."""
        while True:
            began = time.monotonic()
            try:
                answer = call()
            except requests.RequestException:
                self.figures.waits += 1
                time.sleep(0.2)
                continue
            self.figures.add(kind, began)
            if answer.status_code >= 500:
                self.figures.errors.append(f"{answer.status_code} for a {kind}")
            return answer

    def _patiently(self, call: Callable[[], requests.Response]) -> None:
        self._timed("sign in", call)


class Reader(threading.Thread):
    """Somebody who reads the published page, every second time only if it has changed."""

    def __init__(self, number: int, base: str, until: float, figures: Figures):
        super().__init__(daemon=True)
        self.page, self.until, self.figures = (
            f"{base}/site/{REVIEW}/latest/index.html",
            until,
            figures,
        )
        self.dice = random.Random(f"reader {number}")
        self.http = requests.Session()
        self.http.trust_env = False

    def run(self) -> None:
        headers: dict[str, str] = {}
        while time.monotonic() < self.until:
            time.sleep(self.dice.random() * THINK)
            began = time.monotonic()
            try:
                answer = self.http.get(self.page, headers=headers, timeout=30)
            except requests.RequestException:
                self.figures.waits += 1
                continue
            self.figures.add("public page", began)
            if answer.status_code not in (200, 304):
                self.figures.errors.append(f"{answer.status_code} for the public page")
            headers = {} if headers else {"If-None-Match": answer.headers.get("etag", "")}


def publishing(client: Client, text: str, every: float, until: float, figures: Figures) -> None:
    """Put a protocol in force that changes nothing for reviewers but asks for a new version."""
    for number in range(1_000):
        if time.monotonic() + every > until:
            return
        time.sleep(every)
        began = time.monotonic()
        try:
            client.run(Register(text=text.replace("A. Lead", f"A. Lead {number}"), now=NOW))
        except Exception as error:
            figures.errors.append(f"{type(error).__name__} for a protocol: {error}")
            continue
        figures.add("protocol", began)


def holds(process: subprocess.Popen[bytes], when: str) -> Held:
    """What a process holds: memory, threads, descriptors and the CPU seconds that it took."""
    place = Path(f"/proc/{process.pid}")
    status = dict(re.findall(r"^(\w+):\s+(\d+)", (place / "status").read_text(), re.M))
    ticks = (place / "stat").read_text().rpartition(")")[2].split()[11:13]
    cpu = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    files = len(list((place / "fd").iterdir()))
    return Held(when, int(status["VmRSS"]) / 1024, int(status["Threads"]), files, cpu)


def sign_in_at_once(base: str, count: int) -> int:
    """How many of so many right secrets that come at the same moment from one address get in."""
    ready = threading.Barrier(count)
    statuses: list[int] = []

    def sign_in(number: int) -> None:
        with requests.Session() as http:
            http.trust_env = False
            ready.wait()
            told = {"secret": secret(number)}
            answer = http.post(f"{base}/sign-in", data=told, timeout=60, allow_redirects=False)
            statuses.append(answer.status_code)

    people = [threading.Thread(target=sign_in, args=(number,)) for number in range(count)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    return statuses.count(303)


@dataclass(frozen=True)
class Plan:
    """What is to happen: `publish` in seconds between two protocols, 0: none."""

    reviewers: int
    seconds: float
    queue: int
    readers: int = 0
    publish: float = 0
    kill: bool = True
    idle: float = 20
    at_once: int = 20
    account: bool = False


GOALS = Plan(reviewers=50, seconds=180, queue=20_000, readers=100, publish=10, kill=False, idle=60)


def laid_down(home: Path, count: int, reviewers: int) -> tuple[Client, str]:
    """An owner in this process of a review with a queue, open to the public, with people; and the
    review's protocol.
    """
    client = Local(Settings(home=home, secrets={}))
    text = (Path(__file__).parents[1] / "data" / "review.toml").read_text(encoding="utf-8")
    client.run(Register(text=text, now=NOW))
    fill(client, "before", pages_of(0, count))
    client.run(OpenReview(id="opening", review=REVIEW, by="lena", now=NOW))
    client.run(Publish(review=REVIEW, now=NOW))
    for number in range(reviewers):
        name = f"r{number}"
        client.run(AddAccount(name=name, role="reviewer", secret=secret(number), now=NOW))
    return client, text


def run(plan: Plan, home: Path) -> None:
    """Lay a review down, let everybody work, and report."""
    reviewers, seconds, count = plan.reviewers, plan.seconds, plan.queue
    settings, figures = Settings(home=home, secrets={}), Figures()
    figures.took["sign in"] = []
    began = time.monotonic()
    client, text = laid_down(home, count, reviewers)
    client.close()
    print(f"{count:,} records laid down in {time.monotonic() - began:.0f} s", flush=True)
    news = pages_of(count, count)
    process = start(home, 0, plan.account)
    found = owner(settings.database)
    base = str(found and found["url"])
    port = int(base.rsplit(":", 1)[1])
    figures.held.append(holds(process, "before"))
    together = min(plan.at_once, reviewers)
    figures.at_once = together, sign_in_at_once(base, together)
    until = time.monotonic() + seconds
    people = [Reviewer(number, base, until, figures) for number in range(reviewers)]
    night = threading.Thread(
        target=fill, args=(Remote(base, token(settings)), "night", news, figures), daemon=True
    )
    readers = [Reader(number, base, until, figures) for number in range(plan.readers)]
    changes = (Remote(base, token(settings)), text, plan.publish, until, figures)
    lead = threading.Thread(target=publishing, args=changes, daemon=True)
    for thread in (*people, *readers, night, *([lead] if plan.publish else [])):
        thread.start()
    time.sleep(seconds / 2)
    if plan.kill:
        figures.herd = time.monotonic(), float("inf")
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start(home, port)
        figures.herd = figures.herd[0], time.monotonic() + HERD
    for thread in (*people, *readers):
        thread.join()
    figures.held.append(holds(process, "at the end"))
    still = night.is_alive()
    night.join()
    for thread in (*people, *readers):
        thread.http.close()  # type: ignore[attr-defined]
    time.sleep(plan.idle)
    requests.get(
        f"{base}/readyz", timeout=60
    )  # threads of a pool that rest end when it is next used
    time.sleep(1)
    figures.held.append(holds(process, f"{plan.idle:.0f} s later"))
    process.terminate()
    process.wait()
    report(figures, settings, still)
    if plan.account:
        seconds = json.loads((home / ACCOUNT).read_text(encoding="utf-8"))
        print(table_of_account(seconds))


def report(figures: Figures, settings: Settings, still: bool) -> None:
    print(f"{'':26}{'count':>8}{'median':>9}{'p95':>9}{'p99':>9}{'longest':>9}  milliseconds")
    for kind, values in figures.took.items():
        at = "".join(f"{percentile(values, part):>9.0f}" for part in (0.5, 0.95, 0.99, 1))
        print(f"{kind:26}{len(values):>8,}{at}")
    con = duckdb.connect(str(settings.database), read_only=True)
    rows = con.execute("SELECT id FROM decision").fetchall()
    kept: dict[str, int] = {}
    for (key,) in rows:
        form = key.rsplit("-", 1)[1]
        kept[form] = kept.get(form, 0) + 1
    lost = [form for form in figures.acknowledged if kept.get(form) != 1]
    records = con.execute("SELECT count(*) FROM record").fetchall()[0][0]
    sessions = con.execute("SELECT count(*) FROM session").fetchall()[0][0]
    con.close()
    print(
        f"{len(figures.acknowledged):,} decisions acknowledged, {len(rows):,} kept, {len(lost)} not there exactly once; "  # noqa: E501
        f"{records:,} records; {figures.waits} requests met a dead owner; {len(figures.errors)} errors"
        f"{'; the night outlasted the reviewers' if still else ''}"
    )
    share = 100 * len(figures.refused) / max(1, len(figures.refused) + len(figures.acknowledged))
    print(
        f"{len(figures.refused):,} decisions refused ({share:.1f}%): {sorted(set(figures.refused))[:3]}"
    )
    for moment in figures.held:
        print(moment.words())
    wal = settings.database.with_suffix(".duckdb.wal")
    sizes = [path.stat().st_size / 1e6 if path.exists() else 0 for path in (settings.database, wal)]
    print(f"database {sizes[0]:.0f} MB, log {sizes[1]:.1f} MB")
    for error in sorted(set(figures.errors))[:5]:
        print("  ", error)
    before, end, later = figures.held
    signed_in = len(figures.took["sign in"]) + figures.at_once[1]
    outcome = Outcome(
        took=figures.took,
        lost=len(lost),
        refused=len(figures.refused),
        errors=len(figures.errors),
        at_once=figures.at_once,
        sessions=max(0, sessions - signed_in),
        held=(before, end, later),
    )
    print(table(goals(outcome)))


def cost(count: int, home: Path, times: int) -> None:
    """Print the owner's CPU milliseconds for a decision, a next record and a public page, each asked
    for alone.
    """
    client, _ = laid_down(home, count, GOALS.reviewers)
    client.close()
    process = start(home, 0)
    base = str((owner(Settings(home=home, secrets={}).database) or {})["url"])
    figures = Figures()
    person = Reviewer(0, base, float("inf"), figures)
    person.http.post(f"{base}/sign-in", data={"secret": secret(0)}, timeout=60)
    here = f"{base}/r/{REVIEW}/screen/{STAGE}"
    public = f"{base}/site/{REVIEW}/latest/index.html"

    def look() -> requests.Response:
        return person.http.get(here, timeout=60)

    def decide() -> None:
        person.decide(person.fields(look()))

    for work in (decide, look):  # what is made once is made before it is measured
        work()
    kinds = {
        "next record": look,
        "decision and two next records": decide,
        "public page": lambda: person.http.get(public, timeout=60),
    }
    print(f"CPU milliseconds of the owner each, of {times} one after another:")
    for kind, work in kinds.items():
        before = holds(process, kind).cpu
        for _ in range(times):
            work()
        taken = (holds(process, kind).cpu - before) * 1000 / times
        print(f"{kind:32}{taken:>9.1f}")
    process.terminate()
    process.wait()
    for error in figures.errors[:3]:
        print("  ", error)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--queue", type=int, default=20_000)
    parser.add_argument("--readers", type=int, default=0)
    parser.add_argument("--publish", type=float, default=0)
    parser.add_argument("--no-kill", action="store_true")
    parser.add_argument(
        "--goals", action="store_true", help="fifty people, all else as the goals say"
    )
    parser.add_argument("--account", action="store_true", help="CPU by kind of work")
    parser.add_argument("--cost", type=int, default=0, metavar="TIMES", help="CPU of each request")
    asked: Any = parser.parse_args()
    chosen = Plan(
        asked.reviewers, asked.seconds, asked.queue, asked.readers, asked.publish, not asked.no_kill
    )
    if asked.goals:
        chosen = GOALS
    chosen = replace(chosen, account=asked.account)
    with tempfile.TemporaryDirectory() as place:
        if asked.cost:
            cost(asked.queue, Path(place), asked.cost)
        else:
            run(chosen, Path(place))
