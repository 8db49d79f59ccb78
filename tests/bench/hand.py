"""From the key to the next record, in a real browser: python -m tests.bench.hand [--records 20000
--presses 200].

A real owner process (`livereview serve`) holds a ranked queue of so many records. One reviewer in
headless Chromium on the loopback presses a key that decides, again and again. The page itself
measures, from the time of the key event until
the second frame after the next record is in the document: by then it is painted. Beside it stand
what the same browser takes for a trivial request to the same server (/healthz) and for two frames
with nothing to do, and the same decision's
two requests without a browser: a loaded machine slows all of them.
With --home the laid down database is kept, and used again: each run decides `presses` more.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import requests

from livereview import ops
from livereview.client import Local
from livereview.commands import AddAccount, Register
from livereview.settings import Settings
from livereview.store.open import Store, owner
from tests.bench.load import RECORD, REVIEW, STAGE, fill, pages_of, secret, start

SETTLED = 100  # reports with two votes, one in five relevant: what the ranking is learned from
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# Counts a press as done when another record stands in the document and two frames have been drawn
# since.
WATCH = """() => {
  window.took = []; window.settled = 0;
  const record = () => document.querySelector("form[data-draft]")?.dataset.draft;
  let pressed = null, shown = record();
  document.addEventListener("keydown", (event) => { pressed = event.timeStamp; shown = record(); }, true);
  new MutationObserver(() => {
    if (pressed === null || !record() || record() === shown) return;
    const since = pressed;
    pressed = null;
    requestAnimationFrame(() => requestAnimationFrame(() => window.took.push(performance.now() - since)));
  }).observe(document.body, { childList: true, subtree: true });
  document.addEventListener("htmx:afterSettle", () => { window.settled += 1; });
}"""
TRIVIAL = """async () => {
  const began = performance.now();
  await (await fetch("/healthz", { cache: "no-store" })).text();
  return performance.now() - began;
}"""
FRAMES = """() => new Promise((done) => {
  const began = performance.now();
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
})"""


def lay_down(home: Path, count: int) -> None:
    """The records, the votes that the ranking learns from, the ranking, and one reviewer who has
    not begun.
    """
    settings = Settings(home=home, secrets={})
    client = Local(settings)
    text = (Path(__file__).parents[1] / "data" / "review.toml").read_text(encoding="utf-8")
    client.run(Register(text=text, now=NOW))
    fill(client, "before", pages_of(0, count))
    client.run(AddAccount(name="r0", role="reviewer", secret=secret(0), now=NOW))
    client.close()
    with Store(settings.database) as store:
        with store.read() as con:
            rows = con.execute(
                "SELECT report_id FROM screening_state ORDER BY report_id LIMIT ?", [SETTLED]
            ).fetchall()
        for number, (report,) in enumerate(rows):
            for person in ("ada", "ben"):
                vote = {"record": report, "stage": STAGE, "reviewer": person}
                verdict = "exclude" if number % 5 else "include"
                ops.screen.decide(
                    store, id=f"{person}-{number}", review=REVIEW, verdict=verdict, now=NOW, **vote
                )
        ops.ranking.rerank_due(store, NOW)


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The owner over this home; its address."""
    process = start(home, 0)
    try:
        known = owner(Settings(home=home, secrets={}).database)
        yield str(known and known["url"])
    finally:
        process.terminate()
        process.wait()


def press(base: str, presses: int) -> dict[str, list[float]]:
    """Milliseconds of each press, of trivial requests, and of two idle frames."""
    from playwright.sync_api import sync_playwright

    program = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if program is None:
        raise SystemExit("no Chromium here; Debian's package `chromium` brings one")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{base}/sign-in")
        page.fill("[name=secret]", secret(0))
        page.press("[name=secret]", "Enter")
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/r/{REVIEW}/screen/{STAGE}")
        page.evaluate(WATCH)
        for number in range(presses):
            page.keyboard.press("iem"[number % 3])
            page.wait_for_function(
                "n => window.took.length === n && window.settled >= n", arg=number + 1
            )
        took = {"key to next record": page.evaluate("window.took")}
        took["trivial request"] = [page.evaluate(TRIVIAL) for _ in range(presses)]
        took["two idle frames"] = [page.evaluate(FRAMES) for _ in range(presses)]
        browser.close()
    return took


def bare(base: str, presses: int) -> list[float]:
    """The requests of a decision, followed to the next record's page, by a client that draws
    nothing.
    """
    with requests.Session() as http:
        http.trust_env = False
        http.post(f"{base}/sign-in", data={"secret": secret(0)}, timeout=30)
        page = http.get(f"{base}/r/{REVIEW}/screen/{STAGE}", timeout=30)
        return [
            _timed(lambda: _decide(http, base, page), lambda new: _keep(page, new))
            for _ in range(presses)
        ]


def _decide(http: requests.Session, base: str, page: requests.Response) -> requests.Response:
    fields = dict(re.findall(r'name="(csrf|form|record|stage)" value="([^"]+)"', page.text))
    answer = http.post(
        f"{base}/r/{REVIEW}/decide", data={**fields, "verdict": "exclude"}, timeout=30
    )
    if answer.status_code != 200 or not RECORD.search(answer.text):
        raise SystemExit(f"a decision was answered with {answer.status_code}")
    return answer


def _keep(page: requests.Response, new: requests.Response) -> None:
    page._content = new.content


def _timed(call: Callable[[], Any], then: Callable[[Any], None]) -> float:
    began = time.perf_counter()
    answer = call()
    took = (time.perf_counter() - began) * 1000
    then(answer)
    return took


def report(took: dict[str, list[float]]) -> None:
    print(f"{'':22}{'count':>7}{'median':>9}{'p95':>9}{'p99':>9}{'longest':>9}  milliseconds")
    for kind, values in took.items():
        ranked = sorted(values)
        at = [ranked[min(len(ranked) - 1, int(len(ranked) * part))] for part in (0.5, 0.95, 0.99)]
        print(
            f"{kind:22}{len(values):>7,}{at[0]:>9.1f}{at[1]:>9.1f}{at[2]:>9.1f}{ranked[-1]:>9.1f}"
        )
    key, trivial = (median(took[kind]) for kind in ("key to next record", "trivial request"))
    print(f"the key takes {key / trivial:.1f} times a trivial request (medians)")


def main(home: Path, count: int, presses: int) -> None:
    settings = Settings(home=home, secrets={})
    if not settings.database.exists():
        began = time.monotonic()
        lay_down(home, count)
        print(
            f"{count:,} records laid down and ranked in {time.monotonic() - began:.0f} s",
            flush=True,
        )
    with served(home) as base:
        took = press(base, presses)
        took["without a browser"] = bare(base, presses)
    report(took)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        main(asked.home or Path(place), asked.records, asked.presses)
