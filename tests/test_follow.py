"""Each minute's events are shipped in order, go on after anything, and come back.

Gaps and damage are told.
"""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.main import get_command

from livereview import ops
from livereview.backups.target import at
from livereview.cli import app
from livereview.client import Local, Remote, token
from livereview.commands import AddAccount, Decide, Follow, OpenReview, Publish, Register
from livereview.errors import Refused, Retry
from livereview.ops import backup, readiness, restore, service
from livereview.ops.follow import Follower
from livereview.settings import Settings
from livereview.store import condition, past
from livereview.store.open import Store, owner
from livereview.store.vitals import Shipping
from tests.conftest import NOW, REVIEW, article, found, secret_of
from tests.test_backups import MINUTE, act, everything, rows_of, shown
from tests.test_backups import place as place
from tests.test_ops import include

BREAKS = Path(__file__).parents[1] / "docs" / "how-to" / "when-something-breaks.md"


def increments(nas: Path) -> list[Path]:
    return sorted(nas.glob("copies/*/increments/*.zip"))


@pytest.fixture
def shipped(reviewed: Store, settings: Settings, tmp_path: Path) -> tuple[Store, Path]:
    """A store whose work was shipped: a whole copy and three increments."""
    nas = tmp_path / "nas"
    follower = Follower(reviewed, str(nas))
    follower.step(NOW)
    for number in range(1, 4):
        act(reviewed, settings, number)
        follower.step(NOW + number * MINUTE)
    assert len(increments(nas)) == 3
    return reviewed, nas


def test_all_rows_and_files_come_back_from_a_copy_and_increments(
    reviewed: Store,
    settings: Settings,
    place: str,
    tmp_path: Path,
) -> None:
    follower = Follower(reviewed, place)
    assert follower.step(NOW)["whole"]
    for number in range(1, 4):
        act(reviewed, settings, number)
        assert follower.step(NOW + number * MINUTE)["rows"] > 0
    assert follower.step(NOW + 5 * MINUTE) == {
        "seq": _seen(reviewed), "rows": 0, "whole": False, "place": follower.place.words,
    }  # fmt: skip
    told = restore.restore(place, tmp_path / "home")
    assert told.problems == [] and told.increments == 3
    with reviewed.read() as con:
        assert rows_of(tmp_path / "home") == everything(con)
    assert shown(tmp_path / "home") == shown(settings.home)


def _seen(store: Store) -> int:
    with store.read() as con:
        return past.seen(con)


def test_it_goes_on_after_a_restart_and_after_the_place_was_away(
    shipped: tuple[Store, Path], settings: Settings, tmp_path: Path
) -> None:
    store, nas = shipped
    away = nas.rename(tmp_path / "away")
    nas.write_text("a file where the folder was")
    act(store, settings, 4)
    follower = Follower(store, str(nas))
    with pytest.raises(Retry, match="can't be used"):
        follower.step(NOW + 9 * MINUTE)
    nas.unlink()
    away.rename(nas)
    assert not follower.step(NOW + 10 * MINUTE)["whole"], "an increment does"
    assert restore.check(str(nas)).upto == _seen(store)


def test_what_is_damaged_missing_or_torn_is_told_and_what_is_before_it_comes_back(
    shipped: tuple[Store, Path],
) -> None:
    _, nas = shipped
    first, second, third = increments(nas)
    whole = third.read_bytes()
    third.write_bytes(whole[: len(whole) // 2])
    told = restore.check(str(nas))
    assert told.increments == 2 and any("is damaged" in problem for problem in told.problems)
    third.unlink()
    told = restore.check(str(nas))
    assert told.increments == 2 and any("did not come back" in problem for problem in told.problems)
    third.write_bytes(whole)
    second.unlink()
    told = restore.check(str(nas))
    assert told.increments == 1 and any(
        "increment 2 is missing" in problem for problem in told.problems
    )
    first.unlink()
    assert restore.check(str(nas)).increments == 0


def test_two_databases_never_write_into_one_place(
    shipped: tuple[Store, Path], tmp_path: Path, protocol: str
) -> None:
    _, nas = shipped
    with Store(tmp_path / "other" / "livereview.duckdb", reserve=0) as other:
        ops.surveil.register(other, text=protocol, now=NOW)
        with pytest.raises(Refused, match="another database ships"):
            Follower(other, str(nas)).step(NOW + 4 * MINUTE)
        assert Follower(other, str(nas)).step(NOW + 20 * MINUTE)["whole"], (
            "the other is gone: a row of its own"
        )


def test_an_increment_that_was_never_noted_is_shipped_again(
    shipped: tuple[Store, Path], settings: Settings
) -> None:
    store, nas = shipped
    (
        nas
        / "copies"
        / at(str(nas)).names("copies")[0].split("/")[1]
        / "increments"
        / "00000004.1-2.x.zip"
    ).write_text("x")
    act(store, settings, 4)
    Follower(store, str(nas)).step(NOW + 4 * MINUTE)
    told = restore.check(str(nas))
    assert told.problems == [] and told.increments == 4


def test_a_whole_copy_is_made_each_day_and_old_ones_go(
    shipped: tuple[Store, Path], settings: Settings
) -> None:
    store, nas = shipped
    follower = Follower(store, str(nas), keep=2)
    for day in range(1, 4):
        act(store, settings, 10 + day)
        assert follower.step(NOW + timedelta(days=day, hours=1))["whole"]
    assert len(backup.whole_copies(at(str(nas)))) == 2
    assert restore.check(str(nas)).problems == []


def test_being_behind_is_an_alarm_and_not_ready(reviewed: Store, settings: Settings) -> None:
    moment = [0.0]
    reviewed.shipping = Shipping(lambda: moment[0])
    reviewed.shipping.begin("/mnt/nas")
    moment[0] = service.BEHIND_SECONDS + 1
    reviewed.shipping.failed("the place is away")
    assert (
        "5 minutes are not backed up in /mnt/nas: the place is away"
        in ops.status.status(reviewed, now=NOW)["service"][0]
    )
    here = readiness.Surroundings(reviewed, settings.site, NOW)
    assert not next(check for check in readiness.checks(here) if check.name == "backup").ok
    reviewed.shipping.done()
    assert service.alarms(reviewed, NOW) == []


# Databases that can't be opened


def cli(*words: object, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "livereview", *map(str, words), "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


DAMAGES = {
    "empty": lambda whole: b"",
    "text": lambda whole: b"this is no database\n" * 900,
    "cut at its head": lambda whole: whole[:5_000],
    "half": lambda whole: whole[: len(whole) // 2],
    "another version": lambda whole: whole[:12] + b"\xff\x00\x00\x00\x00\x00\x00\x00" + whole[20:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_database_that_can_not_be_opened_is_one_sentence_with_the_backup_that_would_do(
    damage: str, settings: Settings, protocol: str
) -> None:
    with Store(settings.database, reserve=0) as store:
        ops.surveil.register(store, text=protocol, now=NOW)
        backup.backup(store, name="good", now=NOW)
    settings.database.write_bytes(DAMAGES[damage](settings.database.read_bytes()))
    for command in ("status", "serve"):
        done = cli(command, home=settings.home)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert "The newest backup is good of 2026-03-02" in last and "livereview restore" in last
    assert (
        restore.restore(str(settings.home / "backups"), settings.home, replace=True).problems == []
    )
    assert cli("status", home=settings.home).returncode in (0, 1)


ADD = "INSERT INTO outbox (review, cause, made) VALUES ('r', 'x', now())"
ACKNOWLEDGED = 20


def killed_with_a_log(database: Path) -> Path:
    """The log of a database whose owner was killed after so many acknowledged writes."""
    script = (
        "import os, sys, signal; from pathlib import Path; from livereview.store.open import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        f'[store.write(lambda con: con.execute("{ADD}")) for n in range({ACKNOWLEDGED})]\n'
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(database)], check=False)
    return condition.log_of(database)


# what a power cut, a disk or a careless hand makes of a log; DuckDB opens each without a word
LOGS = {
    "cut": lambda whole: whole[:-100],
    "filled with zeros from its middle": lambda whole: (
        whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2)
    ),
    "zeros": lambda whole: bytes(len(whole)),
    "another file": lambda whole: b"no log " * (len(whole) // 7 + 1),
    "without its head": lambda whole: bytes(8) + whole[8:],
}


def test_a_log_that_is_not_what_was_written_is_an_alarm_until_it_is_settled(tmp_path: Path) -> None:
    database = tmp_path / "livereview.duckdb"
    log = killed_with_a_log(database)
    kept, whole = database.read_bytes(), log.read_bytes()
    for name, damage in LOGS.items():
        database.write_bytes(kept)
        log.write_bytes(damage(whole))
        assert log.read_bytes() != whole
        damaged = condition.Mark(database).damage()
        assert damaged, name
    with Store(database, reserve=0) as store:
        problem = service.database_problem(store)
        assert problem and "are not those that were written" in problem
        assert "livereview.torn" in problem
    with Store(database, reserve=0) as store:
        assert service.database_problem(store), "it stands"
        store.torn.path.unlink()
        assert service.database_problem(store) is None


def test_a_kill_alone_and_a_commit_that_was_never_acknowledged_are_no_alarm(tmp_path: Path) -> None:
    database = tmp_path / "livereview.duckdb"
    log = killed_with_a_log(database)
    log.write_bytes(log.read_bytes() + b"half of a commit")
    with Store(database, reserve=0) as store:
        assert service.database_problem(store) is None
        with store.read() as con:
            count = con.execute("SELECT count(*) FROM outbox").fetchall()
        assert count == [(ACKNOWLEDGED,)]
        # whatever fails in between, the mark goes on to say what the log holds
        for _ in range(3):
            store.write(lambda con: con.execute(ADD))
            with pytest.raises(duckdb.Error):
                store.write(lambda con: con.execute(f"{ADD}; SELECT error('no')"))
        store.write(lambda con: con.execute(ADD))
        assert condition.Mark(database).damage() is None


def test_before_a_migration_the_file_is_copied(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(settings.database, reserve=0) as store:
        store.write(lambda con: con.execute("DELETE FROM migration WHERE number = 28"))
        store.write(lambda con: con.execute("DROP TABLE birth"))
    with Store(settings.database, reserve=0):
        pass
    (kept,) = (settings.home / "backups").glob("before-migration-*.duckdb")
    assert kept.stat().st_size > 0 and kept.stat().st_mode & 0o077 == 0


# The whole way


@pytest.fixture
def serving(
    settings: Settings, protocol: str, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Remote]]:
    """A real owner that ships to `nas`; a client that speaks to it."""
    home = settings.home / "home"
    chosen = replace(settings, home=home)
    local = Local(chosen)
    local.run(Register(text=protocol, now=NOW))
    local.run(OpenReview(id="opening", review=REVIEW, by="lena", now=NOW))
    found(local.store, *(article(number) for number in range(1, 31)))
    local.close()
    command = [sys.executable, "-m", "livereview", "serve", "--port", "0", "--home", str(home)]
    environment = {"LIVEREVIEW_BACKUP": "", "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    assert process.stderr
    for line in process.stderr:
        if b"answers at" in line:
            break
    address = (owner(home / "livereview.duckdb") or {})["url"]
    client = Remote(address, token(chosen))
    yield process, client
    client.close()
    process.kill()
    process.wait()
    process.stderr.close()


def test_after_a_storm_a_kill_and_a_lost_disk_every_shipped_act_is_there_and_work_goes_on(
    serving: tuple[subprocess.Popen[bytes], Remote], settings: Settings, tmp_path: Path
) -> None:
    process, client = serving
    home, nas = settings.home / "home", tmp_path / "nas"
    client.run(Follow(target=str(nas)))
    decided: list[str] = []
    stages = ("title_abstract", "full_text")
    for number in range(1, 31):
        for stage in stages:
            for person in ("ada", "ben"):
                id = f"{number}-{stage}-{person}"
                asked = {
                    "record": article(number).record_id,
                    "stage": stage,
                    "reviewer": person,
                    "verdict": "include",
                }
                client.run(Decide(id=id, review=REVIEW, now=NOW, **asked))
                decided.append(id)
        if number % 10 == 0:
            client.run(
                AddAccount(name=f"p{number}", role="reviewer", secret=secret_of(f"p{number}"))
            )
            client.run(Publish(review=REVIEW, now=NOW))
            client.run(Follow(target=str(nas)))
    last = client.run(Follow(target=str(nas)))
    before = shown(home)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (home / "livereview.duckdb").unlink()
    elsewhere = tmp_path / "elsewhere"
    told = restore.restore(str(nas), elsewhere)
    assert told.problems == [] and told.upto == last.seq
    chosen = replace(settings, home=elsewhere)
    local = Local(chosen)
    try:
        with local.store.read() as con:
            ids = {row[0] for row in con.execute("SELECT id FROM decision").fetchall()}
        assert ids == set(decided)
        after = shown(elsewhere)
        assert {name for name in before if before[name] != after.get(name)} == set()
        from livereview.web.app import create
        from tests.conftest import Browser

        visitor = Browser(
            create(local.store, chosen, token="t", clock=lambda: NOW), secret_of("p30")
        )
        assert visitor.page.status_code == 200 and "p30" in visitor.page.text
        visitor.http.close()
        assert local.run(Publish(review=REVIEW, now=NOW + MINUTE)).version
        (record,) = found(local.store, article(99), search="next-night", now=NOW + MINUTE)
        include(local.store, record)
    finally:
        local.close()


def test_the_commands_of_when_something_breaks_run(
    settings: Settings, protocol: str, tmp_path: Path
) -> None:
    part = BREAKS.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", part, re.MULTILINE)
    assert len(headings) == 4, headings
    commands = re.findall(r"^    (livereview .*)$", part, re.MULTILINE)
    assert len(commands) == 7
    work = tmp_path / "work"
    work.mkdir()
    with Store(work / "livereview-data" / "livereview.duckdb", reserve=0) as store:
        ops.surveil.register(store, text=protocol.replace(REVIEW, "my-review"), now=NOW)
        found(store, article(1), review="my-review")
    for command in commands:
        words = [sys.executable, "-m", "livereview", *shlex.split(command.partition("#")[0])[1:]]
        done = subprocess.run(words, cwd=work, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 or "status" in command, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
    assert (tmp_path / "new-home" / "livereview.duckdb").exists()


def test_every_command_that_the_page_names_in_passing_is_taken_by_the_command_line() -> None:
    spans = re.findall(r"`(livereview [^`]+)`", BREAKS.read_text(encoding="utf-8"))
    assert len(spans) >= 9
    commands: Any = get_command(app)
    for span in spans:
        name, *words = shlex.split(span)[1:]
        given = ["1" if word in ("N", "…") else word for word in words]
        command = commands.commands[name]
        with command.make_context(name, given, resilient_parsing=True) as context:
            assert context.args == [], span
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, span
