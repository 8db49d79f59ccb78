"""How long nobody answers while one owner takes another's place: python -m tests.bench.takeover.

A real owner (`livereview serve`) holds a small queue and a reviewer has a record on screen. A second
one is started over the same home and port: it waits. The first is told to end (SIGTERM), as
`systemctl` or a new container does. Measured from there: when the first request is refused, when
the first owner is gone, when the second answers. Then the reviewer's form of the first owner's page
is sent to the second: it must be taken, and the record on screen must be the same before and after.
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import requests

from tests.bench.hand import lay_down
from tests.bench.load import REVIEW, STAGE, environment, secret, start

RECORDS = 300
LOOK = 0.02  # seconds between two looks
WAITS = "waiting for it"


def answers(base: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{base}/healthz", timeout=1).ok
    return False


def second(home: Path, port: int) -> subprocess.Popen[bytes]:
    """An owner that waits for the first to end."""
    path = home / "second.log"
    command = [sys.executable, "-m", "livereview", "serve", "--port", str(port)]
    with path.open("wb") as log:
        process = subprocess.Popen(command, env=environment(home), stdout=log, stderr=log)
    while WAITS not in path.read_text():
        if process.poll() is not None:
            raise SystemExit(f"the second owner ended: {path.read_text()[-2000:]}")
        time.sleep(LOOK)
    return process


def record_on(page: str) -> str:
    found = re.search(r'data-draft="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        lay_down(home, RECORDS)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        first = start(home, port)
        person = requests.Session()
        person.post(f"{base}/sign-in", data={"secret": secret(0)}, timeout=30)
        address = f"{base}/r/{REVIEW}/screen/{STAGE}"
        shown = person.get(address, timeout=30).text
        other = second(home, port)
        began = time.monotonic()
        first.terminate()
        refused = gone = None
        while True:
            is_up = answers(base)
            passed = time.monotonic() - began
            if not is_up and refused is None:
                refused = passed
            if first.poll() is not None and gone is None:
                gone = passed
            if is_up and gone is not None:
                break
            time.sleep(LOOK)
        again = person.get(address, timeout=30).text
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', shown))
        sent = person.post(
            f"{base}/r/{REVIEW}/decide", data={**fields, "verdict": "exclude"}, timeout=30
        )
        other.terminate()
        other.wait()
    print(
        f"refused from {refused or 0:.2f} s, the first gone at {gone:.2f} s, answered at {passed:.2f} s"
    )
    print(
        f"same record: {record_on(shown) == record_on(again)}; its form was answered {sent.status_code}"
    )


if __name__ == "__main__":
    main()
