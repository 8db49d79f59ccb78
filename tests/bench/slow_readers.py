"""Readers that take a byte a second of a public file and of a lead's export: do the others still
work?

python -m tests.bench.slow_readers --readers 200 --seconds 40 --queue 20000
"""

from __future__ import annotations

import argparse
import re
import socket
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import requests

from livereview.client import Local
from livereview.commands import AddAccount, OpenReview, Publish, Register
from livereview.settings import Settings
from livereview.store.open import owner
from tests.bench.load import NOW, REVIEW, STAGE, fill, holds, pages_of, secret, start

LEAD = "the-lead-has-a-long-secret-word"
PUBLIC = f"/site/{REVIEW}/latest/index.html"
EXPORT = f"/r/{REVIEW}/export/csv"


def lay_down(home: Path, count: int) -> None:
    """A published review of `count` records, with a lead and a reviewer."""
    client = Local(Settings(home=home, secrets={}))
    text = (Path(__file__).parents[1] / "data" / "review.toml").read_text(encoding="utf-8")
    client.run(Register(text=text, now=NOW))
    fill(client, "before", pages_of(0, count))
    client.run(OpenReview(id="opening", review=REVIEW, by="lena", now=NOW))
    client.run(Publish(review=REVIEW, now=NOW))
    client.run(AddAccount(name="lena", role="lead", secret=LEAD, now=NOW))
    client.run(AddAccount(name="r1", role="reviewer", secret=secret(1), now=NOW))
    client.close()


def signed_in(base: str, word: str) -> requests.Session:
    """The browser of whoever this secret belongs to."""
    browser = requests.Session()
    browser.trust_env = False
    browser.post(f"{base}/sign-in", data={"secret": word}, timeout=60)
    return browser


def sip(place: tuple[str, int], path: str, cookies: str, until: float) -> None:
    """Ask for a path and read a byte of the answer a second."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\n\r\n"
    with suppress(OSError), socket.create_connection(place) as connection:
        connection.settimeout(20)
        connection.sendall(request.encode())
        while time.monotonic() < until and connection.recv(1):
            time.sleep(1)


def decide_meanwhile(base: str, until: float) -> tuple[list[float], list[float], Counter[int]]:
    """Seconds that /healthz and a decision with the next record took, one of each a second, and the
    answers.
    """
    browser = signed_in(base, secret(1))
    here = f"{base}/r/{REVIEW}/screen/{STAGE}"
    health: list[float] = []
    decisions: list[float] = []
    codes: Counter[int] = Counter()
    page = browser.get(here, timeout=60)
    while time.monotonic() < until:
        began = time.monotonic()
        requests.get(f"{base}/healthz", timeout=60)
        health.append(time.monotonic() - began)
        fields = dict(
            re.findall(r'name="(csrf|form|record|stage|shown)" value="([^"]+)"', page.text)
        )
        began = time.monotonic()
        sent = {**fields, "verdict": "exclude"}
        answer = browser.post(
            f"{base}/r/{REVIEW}/decide", data=sent, timeout=60, allow_redirects=False
        )
        page = browser.get(here, timeout=60)
        decisions.append(time.monotonic() - began)
        codes[answer.status_code] += 1
        time.sleep(1)
    return health, decisions, codes


def run(home: Path, readers: int, seconds: float, queue: int) -> None:
    lay_down(home, queue)
    process = start(home, 0)
    found = owner(Settings(home=home, secrets={}).database)
    base = str(found and found["url"])
    host, _, port = base.removeprefix("http://").partition(":")
    lead = signed_in(base, LEAD)
    cookies = "; ".join(f"{name}={value}" for name, value in lead.cookies.items())
    print(holds(process, "before").words())

    until = time.monotonic() + seconds
    for number in range(readers):
        path = EXPORT if number % 2 else PUBLIC
        asked = ((host, int(port)), path, cookies, until)
        threading.Thread(target=sip, args=asked, daemon=True).start()
    health, decisions, codes = decide_meanwhile(base, until)
    print(
        f"/healthz at most {max(health):.2f} s; a decision and the next record at most {max(decisions):.2f} s"
    )
    print(f"{len(decisions)} decisions, answers {dict(codes)}")
    print(holds(process, "at the end").words())
    process.terminate()
    process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--queue", type=int, default=20_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), chosen.readers, chosen.seconds, chosen.queue)
