"""Reviewers at work while the night runs: python -m tests.bench.load [--reviewers 20 --seconds 60 --queue 20000].

A real owner process (`livereview serve`) holds a queue of generated records. Each reviewer takes the next record, waits
up to four seconds, and decides, over HTTP with the forms of the pages; meanwhile a night brings as many records again,
and half way through the owner is killed with SIGKILL and started again. Whoever got no answer sends the same form once
more. Prints how long a decision and the next record took, and counts in the database whether each acknowledged decision
is there exactly once.
"""

from __future__ import annotations

import argparse
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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import requests

from livereview.client import Client, Local, Remote, token
from livereview.settings import Settings
from livereview.store.open import owner
from tests.bench.throughput import works
from tests.internet import source_answers

REVIEW, STAGE = "small-review", "title_abstract"
PAGE = 200  # records in one answer of the source, as OpenAlex gives them
HERD = 3.0  # seconds after a restart that are told apart
THINK = 4.0  # seconds a reviewer takes at most
NOW = datetime(2026, 11, 1, tzinfo=UTC)
RECORD = re.compile(r'name="record" value="([^"]+)"')


@dataclass
class Figures:
    """Seconds that each kind of request took, the forms that were acknowledged, and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=lambda: {"decision": [], "next record": [], "ingest": []})
    acknowledged: list[str] = field(default_factory=list)
    waits: int = 0
    errors: list[str] = field(default_factory=list)
    herd: tuple[float, float] = (float("inf"), float("inf"))  # the kill, and HERD after the owner answered again

    def add(self, kind: str, began: float) -> None:
        """A request that began then has just been answered."""
        after = self.herd[0] <= began < self.herd[1]
        self.took.setdefault(f"{kind}, after the kill" if after else kind, []).append(time.monotonic() - began)


def secret(number: int) -> str:
    return f"reviewer-{number}-has-a-long-secret-word"


def pages_of(start: int, count: int) -> list[bytes]:
    """The answers of OpenAlex with these records."""
    source_answers.PAGE = PAGE
    made = works((start + count) * 3 // 2)[start : start + count]  # one in some is another's duplicate and left out
    listed = [{**work, "served": next(iter(work["served"].values()))} for work in made]
    asked = {"cursor": "*", "per_page": str(PAGE)}
    return [source_answers.openalex(listed[at : at + PAGE], asked) for at in range(0, len(listed), PAGE)]


def fill(client: Client, search: str, bodies: list[bytes], figures: Figures | None = None) -> None:
    """One search of the night, page by page."""
    client.call("begin", review=REVIEW, name="openalex", search=search, now=NOW)
    for body in bodies:
        began = time.monotonic()
        answer = client.call("ingest", search=search, body=body, now=NOW)
        if answer["problem"]:
            raise SystemExit(f"the generated page could not be read: {answer['problem']}")
        if figures:
            figures.took["ingest"].append(time.monotonic() - began)
    client.call("finish", search=search, now=NOW)


def start(home: Path, port: int) -> subprocess.Popen[bytes]:
    settings = Settings(home=home, secrets={})
    command = [sys.executable, "-m", "livereview", "serve", "--new", "--port", str(port)]
    log = (home / "owner.log").open("ab")
    process = subprocess.Popen(command, env=_environment(home), stdout=log, stderr=log)
    while not ((found := owner(settings.database)) and found.get("url")):
        if process.poll() is not None:
            raise SystemExit(f"the owner ended: {(home / 'owner.log').read_text()[-2000:]}")
        time.sleep(0.05)
    return process


def _environment(home: Path) -> dict[str, str]:
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
            self._patiently(lambda: self.http.post(f"{self.base}/sign-in", data={"secret": self.secret}, timeout=30))
            here = f"{self.base}/r/{REVIEW}/screen/{STAGE}"
            page = self._timed("next record", lambda: self.http.get(here, timeout=30))
            while time.monotonic() < self.until:
                fields = dict(re.findall(r'name="(csrf|form|record|stage|shown)" value="([^"]+)"', page.text))
                if "record" not in fields:
                    return
                time.sleep(self.dice.random() * THINK)
                fields["verdict"] = self.dice.choice(["include", "exclude", "exclude", "maybe"])
                page = self._decide(fields)
        except Exception as error:
            self.figures.errors.append(f"{type(error).__name__}: {error}")

    def _decide(self, fields: dict[str, str]) -> requests.Response:
        there = f"{self.base}/r/{REVIEW}/decide"
        answer = self._timed("decision", lambda: self.http.post(there, data=fields, timeout=30, allow_redirects=False))
        if answer.status_code == 303:
            self.figures.acknowledged.append(fields["form"])
        elif answer.status_code != 409:
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


def run(reviewers: int, seconds: float, count: int, home: Path) -> None:
    settings, figures = Settings(home=home, secrets={}), Figures()
    figures.took["sign in"] = []
    client = Local(settings)
    text = (Path(__file__).parents[1] / "data" / "review.toml").read_text(encoding="utf-8")
    client.call("register", text=text, now=NOW)
    began = time.monotonic()
    fill(client, "before", pages_of(0, count))
    for number in range(reviewers):
        client.call("add_account", name=f"r{number}", role="reviewer", secret=secret(number), now=NOW)
    client.close()
    print(f"{count:,} records laid down in {time.monotonic() - began:.0f} s", flush=True)
    news = pages_of(count, count)
    process = start(home, 0)
    found = owner(settings.database)
    base = str(found and found["url"])
    port = int(base.rsplit(":", 1)[1])
    until = time.monotonic() + seconds
    people = [Reviewer(number, base, until, figures) for number in range(reviewers)]
    night = threading.Thread(target=fill, args=(Remote(base, token(settings)), "night", news, figures), daemon=True)
    for thread in (*people, night):
        thread.start()
    time.sleep(seconds / 2)
    figures.herd = time.monotonic(), float("inf")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process = start(home, port)
    figures.herd = figures.herd[0], time.monotonic() + HERD
    for thread in people:
        thread.join()
    still = night.is_alive()
    night.join()
    process.terminate()
    process.wait()
    report(figures, settings, still)


def report(figures: Figures, settings: Settings, still: bool) -> None:
    print(f"{'':26}{'count':>8}{'median':>9}{'p95':>9}{'p99':>9}{'longest':>9}  milliseconds")
    for kind, values in figures.took.items():
        ranked = sorted(values) or [0.0]
        at = [ranked[min(len(ranked) - 1, int(len(ranked) * part))] * 1000 for part in (0.5, 0.95, 0.99)]
        print(f"{kind:26}{len(values):>8,}{at[0]:>9.0f}{at[1]:>9.0f}{at[2]:>9.0f}{ranked[-1] * 1000:>9.0f}")
    con = duckdb.connect(str(settings.database), read_only=True)
    rows = con.execute("SELECT id FROM decision").fetchall()
    kept: dict[str, int] = {}
    for (key,) in rows:
        form = key.rsplit("-", 1)[1]
        kept[form] = kept.get(form, 0) + 1
    lost = [form for form in figures.acknowledged if kept.get(form) != 1]
    records = con.execute("SELECT count(*) FROM record").fetchall()[0][0]
    print(
        f"{len(figures.acknowledged):,} decisions acknowledged, {len(rows):,} kept, {len(lost)} not there exactly once; "  # noqa: E501
        f"{records:,} records; {figures.waits} requests met a dead owner; {len(figures.errors)} errors"
        f"{'; the night outlasted the reviewers' if still else ''}"
    )
    for error in sorted(set(figures.errors))[:5]:
        print("  ", error)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--queue", type=int, default=20_000)
    asked: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        run(asked.reviewers, asked.seconds, asked.queue, Path(place))
