"""The pictures in README: python -m tests.bench.screenshots [--folder examples/screenshots --home
FOLDER].

Builds the demo (three nights of the example review, or takes one that `livereview demo --home
FOLDER` left), adds the people of the pictures and two votes that differ, starts a real owner over
it and takes the pictures in Chromium. Names are fixed; a picture over 120 kB is taken again at a
lower height.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from livereview import demo, settings
from livereview.client import Local
from livereview.commands import AddAccount, Decide
from livereview.settings import Settings
from livereview.store.open import owner
from tests.bench.hand import FLAGS
from tests.bench.load import start

REVIEW = demo.REVIEW
FOLDER = Path(__file__).resolve().parents[2] / "examples" / "screenshots"
PEOPLE = {"amina": "reviewer", "ben": "reviewer", "chidi": "adjudicator", "lena": "lead"}
LIMIT = 120_000  # bytes
DESK, PHONE = {"width": 1120, "height": 760}, {"width": 390, "height": 800}
TA = f"/r/{REVIEW}/screen/title_abstract"


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: whose browser, which page, how it is looked at, and the key pressed or element
    scrolled to first.
    """

    name: str
    who: str | None
    path: str
    size: dict[str, int]
    scheme: str = "light"
    key: str = ""
    at: str = ""


SHOTS = (
    Shot("screening", "dora", TA, DESK, key="m"),
    Shot("screening-dark", "dora", TA, DESK, "dark"),
    Shot("screening-phone", "dora", TA, PHONE),
    Shot("keys", "dora", TA, DESK, key="?"),
    Shot("conflict", "chidi", f"/r/{REVIEW}/conflicts", DESK),
    # alarms: the demo is long ago
    Shot("lead", "lena", f"/r/{REVIEW}", DESK, at="h2:has-text('What waits where')"),
    Shot("ledger", "lena", f"/r/{REVIEW}/ledger", DESK),
    Shot("evidence", "amina", f"/r/{REVIEW}/evidence", DESK),
    Shot("published", None, f"/site/{REVIEW}/latest/", DESK),
    Shot("published-findings", None, f"/site/{REVIEW}/latest/", DESK, at="#findings"),
    Shot("published-phone", None, f"/site/{REVIEW}/latest/", PHONE, "dark"),
    Shot("library", None, "/site/", DESK),
)


def secret(name: str) -> str:
    return f"{name}-has-a-long-secret-word"


def people(chosen: Settings) -> None:
    """The accounts of the pictures, and two people's votes on what waits: they differ on one
    report.
    """
    client = Local(chosen)
    for name, role in {**PEOPLE, "dora": "reviewer"}.items():
        client.run(AddAccount(name=name, role=role, secret=secret(name), now=demo.NIGHTS[-1]))
    with client.store.read() as con:
        rows = con.execute(
            """SELECT report_id FROM screening_state WHERE review = ? AND stage = 'title_abstract' AND state = 'open'
            ORDER BY report_id LIMIT 1""",
            [REVIEW],
        ).fetchall()
    for (report,) in rows:
        for name, verdict in (("amina", "include"), ("ben", "exclude")):
            vote = {
                "record": report,
                "stage": "title_abstract",
                "reviewer": name,
                "verdict": verdict,
            }
            client.run(Decide(id=f"shot-{name}", review=REVIEW, now=demo.NIGHTS[-1], **vote))
    client.close()


@contextmanager
def served(chosen: Settings) -> Iterator[str]:
    process = start(chosen.home, 0)
    try:
        known = owner(chosen.database)
        yield str(known and known["url"])
    finally:
        process.terminate()
        process.wait()


def take(browser: Any, base: str, shot: Shot, folder: Path) -> int:
    """One picture; its size in bytes."""
    context = browser.new_context(
        viewport=shot.size, color_scheme=shot.scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    if shot.who:
        page.goto(f"{base}/sign-in")
        page.fill("[name=secret]", secret(shot.who))
        page.press("[name=secret]", "Enter")
        page.wait_for_url(f"{base}/")
    page.goto(base + shot.path)
    if shot.key:
        page.keyboard.press(shot.key)
        page.wait_for_timeout(500)
    if shot.at:
        page.locator(shot.at).first.evaluate("one => one.scrollIntoView()")
    there, height = folder / f"{shot.name}.png", shot.size["height"]
    while (
        len(taken := page.screenshot(path=there, animations="disabled", scale="css")) > LIMIT
        and height > 300
    ):
        height -= 60
        page.set_viewport_size({**shot.size, "height": height})
    context.close()
    return len(taken)


def main(folder: Path, home: Path) -> None:
    from playwright.sync_api import sync_playwright

    program = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if program is None:
        raise SystemExit("no Chromium here; Debian's package `chromium` brings one")
    if not (home / demo.MARK).exists():
        demo.run(home, Console())
    chosen = settings.read({}, home)
    people(chosen)
    folder.mkdir(parents=True, exist_ok=True)
    with served(chosen) as base, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        for shot in SHOTS:
            print(f"{shot.name:22}{take(browser, base, shot, folder) / 1000:>8.1f} kB")
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        main(asked.folder, asked.home or Path(place) / "demo")
