"""From every schema that ever was, a database comes to today's with all that it held, and back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from livereview.cli import app
from livereview.client import Local
from livereview.errors import Refused
from livereview.settings import Settings
from livereview.store import listing, migrations, standings, upgrading
from livereview.store.open import Connection, Store, connect
from tests.conftest import NOW

MIGRATIONS = sorted(int(path.name[:4]) for path in migrations.SQL.glob("[0-9]*.sql"))
# Each that changes what is already there, and the newest: the others only add tables.
STARTS = (1, 8, 20, 26, 29, MIGRATIONS[-2])
# What a database of the first schema held. Later schemas only added columns to these.
EVENTS = """
INSERT INTO protocol (review, hash, text, criteria_version, votes, stages, made)
    VALUES ('r', 'p1', $text, '1', 1, ['title_abstract', 'full_text'], $now);
INSERT INTO search (search, review, name, source, query, grey, window_end, made)
    VALUES ('s1', 'r', 'openalex', 'openalex', 'q', false, $now, $now);
INSERT INTO search_end (search, outcome, found, fresh, changed, rejected, made) VALUES ('s1', 'ok', 1, 1, 0, 0, $now);
INSERT INTO record (record_id, version, fingerprint, source, source_key, title, data, sha256, made)
    VALUES ('r00000000001', 1, 'f1', 'openalex', 'W1', 'Trial 1', $data, 'b1', $now);
INSERT INTO hit (review, record_id, search, times, made) VALUES ('r', 'r00000000001', 's1', 1, $now);
INSERT INTO account (name, role, secret_hash, active, made) VALUES ('ada', 'reviewer', 'h1', true, $now);
INSERT INTO session (secret_hash, name, ends, made) VALUES ('h2', 'ada', $now, $now);
INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict, criteria_version, made)
    VALUES ('d1', 'r', 'r00000000001', 1, 'title_abstract', 'ada', 'vote', 'include', '1', $now);
"""
DATA = {"source": "openalex", "source_key": "W1", "title": "Trial 1"}
HELD = (
    "protocol",
    "search",
    "search_end",
    "record",
    "hit",
    "account",
    "session",
    "decision",
    "screening_state",
    "listing",
)


def begun(con: Connection, last: int, text: str) -> None:
    """Fill an empty database as a livereview left it whose last migration was this one."""
    con.execute("CREATE TABLE migration (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)")
    files = migrations._files()
    for number in MIGRATIONS:
        if number <= last:
            migrations._apply(con, files[number].read_text(), number, files[number].name)
        if number == 1:
            fill(con, text)


def fill(con: Connection, text: str) -> None:
    given = {"text": text, "now": NOW, "data": json.dumps(DATA)}
    for statement in EVENTS.split(";\n"):
        used = {name: value for name, value in given.items() if f"${name}" in statement}
        if used:
            con.execute(statement, used)


def contents(con: Connection) -> dict[str, Any]:
    """The columns and views of a database, and what it holds of the first schema."""
    columns = con.execute(
        "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns()"
        " WHERE NOT internal AND schema_name = 'main' ORDER BY ALL"
    ).fetchall()
    views = con.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    held = {name: con.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in HELD}
    return {"columns": columns, "views": views, "held": held}


def test_from_every_schema_a_database_comes_to_the_same_with_all_that_it_held(
    protocol: str,
) -> None:
    reached: list[dict[str, Any]] = []
    for last in STARTS:
        con = connect(":memory:", None, "500MB", 1)
        begun(con, last, protocol)
        migrations.migrate(con)
        standings.fill(con)
        listing.fill(con)
        reached.append(contents(con))
        con.close()
    rows = {name: len(held) for name, held in reached[0]["held"].items()}
    assert rows == dict.fromkeys(HELD, 1)
    assert all(each == reached[0] for each in reached)


@pytest.fixture
def old(settings: Settings, protocol: str) -> Settings:
    """A home whose database lacks the last two migrations."""
    con = connect(settings.database, None, "500MB", 1)
    begun(con, MIGRATIONS[-3], protocol)
    con.close()
    return replace(settings, reserve=0)


def run(settings: Settings, *words: str) -> Any:
    asked = ["upgrade", *words, "--home", str(settings.home)]
    return CliRunner().invoke(app, asked, env={"LIVEREVIEW_OWNER": "", "LIVEREVIEW_RESERVE": "1MB"})


def test_only_the_owner_changes_a_database_and_a_check_changes_nothing(old: Settings) -> None:
    before = old.database.read_bytes()
    with pytest.raises(Refused, match=r"older livereview \(migration \d+, this one has \d+\)"):
        Local(old)
    checked = run(old, "--check", "--try")
    assert checked.exit_code == 0, checked.output
    assert f"from migration {MIGRATIONS[-3]} to {MIGRATIONS[-1]}:" in checked.output
    for number in MIGRATIONS[-2:]:
        assert f"  {number:04d} [" in checked.output
    assert "On a copy it took" in checked.output and "CREATE TABLE" in checked.output
    assert old.database.read_bytes() == before
    assert not list(old.home.glob(".upgrade-*")) and not (old.home / "backups").exists()


@pytest.mark.parametrize("last", [MIGRATIONS[0], 15, MIGRATIONS[-2]])
def test_a_database_whose_maker_died_half_way_is_made_to_its_end_by_whoever_comes(
    tmp_path: Path, last: int
) -> None:
    database = tmp_path / "livereview.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("CREATE TABLE migration (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL)")
        files = migrations._files()
        for number in MIGRATIONS:
            if number <= last:
                migrations._apply(con, files[number].read_text(), number, files[number].name)
    with Store(database, reserve=0, may_migrate=False) as store, store.read() as con:
        assert migrations.applied(con, database) == MIGRATIONS


def test_after_an_upgrade_there_is_nothing_to_do_and_every_command_works(old: Settings) -> None:
    done = run(old)
    assert done.exit_code == 0, done.output
    assert "Nothing is to be done" in run(old, "--check").output
    Local(old).close()


def test_who_goes_back_has_the_database_of_before(old: Settings, protocol: str) -> None:
    """The drill of the runbook: the file from before in its place, its log and marks away."""
    con = connect(old.database, None, "500MB", 1)
    before = con.execute("SELECT * FROM search_end").fetchall()
    con.close()
    assert run(old).exit_code == 0
    with Store(old.database, "500MB", 1, 0) as store:
        later = NOW + timedelta(days=1)
        store.write(
            lambda con: con.execute(
                "INSERT INTO outbox (review, cause, made) VALUES ('r', 'x', ?)", [later]
            )
        )
    (kept,) = (old.home / "backups").glob("before-migration-*.duckdb")
    for path in old.home.glob("livereview.duckdb*"):
        path.unlink()
    old.database.with_suffix(".mark").unlink(missing_ok=True)
    shutil.copy(kept, old.database)
    con = connect(old.database, None, "500MB", 1)
    assert migrations.applied(con, old.database) == MIGRATIONS[:-2]
    assert con.execute("SELECT * FROM search_end").fetchall() == before
    con.close()


def test_a_check_refuses_what_it_can_not_judge(old: Settings, tmp_path: Path) -> None:
    with Store(old.database, "500MB", 1, 0) as store:
        assert "is owned by process" in run(old, "--check").output
        store.write(lambda con: con.execute("INSERT INTO migration VALUES (9999, 'future')"))
    later = run(old, "--check")
    assert later.exit_code == 2 and "update livereview" in later.output
    nowhere = CliRunner().invoke(app, ["upgrade", "--check", "--home", str(tmp_path / "no")])
    assert nowhere.exit_code == 2 and "no database at" in nowhere.output


def test_a_disk_without_room_for_the_copy_is_told_before_anything_is_changed(
    old: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = replace(upgrading.room(old.home), free=1_000)
    monkeypatch.setattr(upgrading, "room", lambda folder: little)
    before = old.database.read_bytes()
    refused = run(old)
    assert refused.exit_code == 1 and "not enough room" in refused.output
    assert old.database.read_bytes() == before


def test_every_migration_can_say_what_it_changes() -> None:
    for migration in migrations.waiting([0]):
        assert migration.changes, migration.name
