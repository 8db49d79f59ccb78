"""The database file: one owner, one writer, hardened, migrated, and safe under kill -9."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from livereview.errors import Refused
from livereview.store.open import (
    SQL,
    Connection,
    OwnerLock,
    Store,
    memory_database,
    migrate,
    owner,
)

ADD = "INSERT INTO outbox (review, cause, made) VALUES ('r', ?, now())"


def causes(store: Store) -> list[str]:
    with store.read() as con:
        return [row[0] for row in con.execute("SELECT cause FROM outbox ORDER BY seq").fetchall()]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store(tmp_path / "a.duckdb") as opened:
        yield opened


def test_a_second_owner_gets_one_clear_line_naming_the_first(store: Store) -> None:
    with pytest.raises(Refused, match=f"owned by process {os.getpid()}; stop it first") as caught:
        Store(store.database)
    assert "\n" not in str(caught.value)


def test_whoever_only_looks_for_the_owner_keeps_nobody_from_becoming_it(tmp_path: Path) -> None:
    database = tmp_path / "a.duckdb"
    with Store(database):
        pass
    with database.with_suffix(".owner").open("r+") as file:  # as `owner` does for a moment
        fcntl.flock(file, fcntl.LOCK_EX)
        looked = threading.Timer(0.2, fcntl.flock, (file, fcntl.LOCK_UN))
        looked.start()
        with Store(database) as opened:
            assert owner(database) is not None and opened.lock
        looked.join()


def test_a_home_that_this_user_may_not_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    database = tmp_path / "a.duckdb"
    database.with_suffix(".owner").mkdir()  # no user may write into this as into a file
    for look in (owner, OwnerLock):
        with pytest.raises(Refused, match="run livereview as the user that the service runs as"):
            look(database)


def test_the_lock_tells_where_the_owner_answers_and_goes_with_it(tmp_path: Path) -> None:
    with Store(tmp_path / "a.duckdb") as opened:
        opened.lock.announce("http://127.0.0.1:1")
        assert owner(opened.database) == {"pid": os.getpid(), "url": "http://127.0.0.1:1"}
    assert owner(tmp_path / "a.duckdb") is None


def test_what_a_job_writes_is_there_after_it_was_acknowledged(store: Store) -> None:
    store.write(lambda con: con.execute(ADD, ["one"]))
    assert causes(store) == ["one"]


def test_a_failing_job_changes_nothing_and_spares_those_it_shared_a_commit_with(
    store: Store,
) -> None:
    gate = threading.Event()
    errors: list[BaseException] = []

    def good(name: str) -> None:
        store.write(lambda con: con.execute(ADD, [name]))

    def bad() -> None:
        def job(con: Connection) -> None:
            con.execute(ADD, ["never"])
            raise ValueError("a mistake of ours")

        try:
            store.write(job)
        except ValueError as error:
            errors.append(error)

    first = threading.Thread(target=lambda: store.write(lambda con: gate.wait(5)))
    first.start()  # holds the writer, so that the rest waits together
    rest = [threading.Thread(target=good, args=[f"g{n}"]) for n in range(8)] + [
        threading.Thread(target=bad)
    ]
    for thread in rest:
        thread.start()
    gate.set()
    for thread in [first, *rest]:
        thread.join()
    assert sorted(causes(store)) == [f"g{n}" for n in range(8)]
    assert len(errors) == 1


def test_the_connection_reads_and_writes_no_file_but_its_own(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    for statement in (
        f"SELECT * FROM read_csv('{tmp_path}/x.csv')",
        "SELECT * FROM read_text('/etc/hostname')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
    ):
        with store.read() as con, pytest.raises(duckdb.Error):
            con.execute(statement).fetchall()


def test_migrations_run_once_and_views_are_made_again(store: Store) -> None:
    with store.read() as con:
        migrate(con)
        done = con.execute("SELECT number FROM migration").fetchall()
        assert done == [(int(path.name[:4]),) for path in sorted(SQL.glob("0*.sql"))]


def test_views_that_another_livereview_put_back_are_made_again(store: Store) -> None:
    """Going back to an older livereview and forth again must not leave the older rules in force."""
    view = "SELECT sql FROM duckdb_views() WHERE view_name = 'queue'"
    with store.read() as con:
        todays = con.execute(view).fetchall()
    store.write(
        lambda con: con.execute("CREATE OR REPLACE VIEW queue AS SELECT * FROM screening_state")
    )
    with store.read() as con:
        assert con.execute(view).fetchall() != todays
        migrate(con)
        assert con.execute(view).fetchall() == todays


def test_a_database_from_a_newer_livereview_is_refused(store: Store) -> None:
    store.write(lambda con: con.execute("INSERT INTO migration VALUES (9999, 'future')"))
    with store.read() as con, pytest.raises(Refused, match="update livereview"):
        migrate(con)


def test_every_view_answers_on_an_empty_database() -> None:
    con = memory_database()
    names = [
        row[0]
        for row in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    ]
    assert {"current_decision", "queue", "to_extract", "flow_counts"} <= set(names)
    for name in names:
        assert con.execute(f"SELECT * FROM {name}").fetchall() == []


WRITER = """
import sys
from pathlib import Path
from livereview.store.open import Store
with Store(Path(sys.argv[1])) as store:
    for n in range(1_000_000):
        sql = "INSERT INTO outbox (review, cause, made) VALUES ('r', ?, now())"
        store.write(lambda con: con.execute(sql, [str(n)]))
        print(n, flush=True)
"""


def test_kill_9_of_the_owner_loses_nothing_acknowledged_and_keeps_nothing_half(
    tmp_path: Path,
) -> None:
    database = tmp_path / "a.duckdb"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(database)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    acknowledged = [process.stdout.readline() for _ in range(50)]
    time.sleep(0.013)
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    with Store(database) as store:
        found = causes(store)
    sure = [line.strip() for line in acknowledged if line.endswith("\n")]
    assert found[: len(sure)] == sure
    assert len(found) <= len(sure) + 1
    assert len(set(found)) == len(found)
