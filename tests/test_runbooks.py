"""The commands of the runbooks do what the page says, in a home that has a review and a backup."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from livereview import ops
from livereview.cli import app
from livereview.store import migrations
from livereview.store.open import Store, connect
from tests.conftest import NOW, REVIEW, article, found

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-to" / "runbooks.md"
UNITS = {path.stem for path in (ROOT / "deploy" / "systemd").iterdir()}
# What a machine with systemd has and this one need not: that the units are ours is checked.
OF_SYSTEMD = ("systemctl", "journalctl")
# The demo has tests of its own, and takes long.
ELSEWHERE = ("livereview demo",)
# `status` says by its exit code that the night of a world without a schedule is late.
MAY_SAY_ALARM = "livereview status"


def sections() -> Iterator[tuple[str, list[str]]]:
    """Each heading of the page, with the commands below it."""
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        yield heading, re.findall(r"^    (\S.*)$", text, re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that was updated once, in a folder of work with the protocol beside it."""
    work = tmp_path / "work"
    place = work / "livereview-data"
    text = protocol.replace(REVIEW, "my-review")
    with Store(place / "livereview.duckdb", reserve=0) as store:
        ops.surveil.register(store, text=text, now=NOW)
        found(store, article(1), review="my-review")
        ops.publish.open_review(store, id="o", review="my-review", by="lena", now=NOW)
        last = migrations.newest()
        (change,) = migrations.waiting(list(range(1, last)))[-1].changes
        store.write(lambda con: con.execute(f"DROP TABLE {change.split()[-1]}"))
        store.write(lambda con: con.execute("DELETE FROM migration WHERE number = ?", [last]))
    with Store(place / "livereview.duckdb", reserve=0):
        pass
    (work / "review.toml").write_text(text)
    (place / "owner.token").write_text("secret")
    for name in list(os.environ):
        if name.startswith("LIVEREVIEW_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(work)
    monkeypatch.setenv("LIVEREVIEW_HOME", str(place))
    monkeypatch.setenv("LIVEREVIEW_RESERVE", "1MB")
    return place


def carry_out(command: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a line of the page says, as far as this machine can."""
    if command.startswith(ELSEWHERE):
        return
    program, *words = shlex.split(command.partition(" #")[0])
    if program in OF_SYSTEMD:
        units = [word for word in words if word.startswith("livereview")]
        assert units and set(units) <= UNITS, command
    elif program == "cd":
        monkeypatch.chdir(words[0].replace("/var/lib/livereview", str(home)))
    elif program == "livereview":
        done = CliRunner().invoke(app, words)
        allowed = (0, 1) if command.startswith(MAY_SAY_ALARM) else (0,)
        assert done.exit_code in allowed, (command, done.output, done.exception)
    else:
        script = command.replace("/var/lib/livereview", str(home))
        ran = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True)
        assert ran.returncode == 0, (command, ran.stderr)


def test_every_command_of_the_runbooks_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered = dict(sections())
    assert len(ordered) > 12
    back = ordered.pop("Go back to an older livereview")  # after which all others refuse its home
    for heading, commands in ordered.items():
        for command in commands:
            carry_out(command, home, monkeypatch)
        assert commands or heading == "The service is slow", heading
    work = home.parent.parent
    for copy in ("new-home", "moved", "restored"):
        assert (work / copy / "livereview.duckdb").exists(), copy
    assert not (home / "owner.token").exists()

    for command in back:
        carry_out(command, home, monkeypatch)
    con = connect(home / "livereview.duckdb", None, "500MB", 1)
    assert migrations.newest() not in migrations.applied(con, home / "livereview.duckdb")
    assert con.execute("SELECT count(*) FROM hit").fetchall() == [(1,)]
    con.close()
