"""Kept answers: a change is seen at the very next question, and nothing else is asked again."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import livereview
from livereview.store.kept import LARGEST, LONGEST, Kept, only_reads, written
from livereview.store.open import Connection, Store
from livereview.store.rows import kept_rows

OPEN = """INSERT INTO account (name, role, secret_hash, active, author, made)
    VALUES (?, 'lead', '-', ?, 'x', now())"""
NAMES = "SELECT name FROM account ORDER BY seq"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "livereview.duckdb") as opened:
        yield opened


def names(con: Connection) -> list[str]:
    return [row[0] for row in kept_rows(con, NAMES)]


def opening(name: str) -> Any:
    return lambda con: con.execute(OPEN, [name, True]).fetchall()


class Counting:
    """A connection that counts what it is asked."""

    def __init__(self, con: Connection):
        self.con, self.asked = con, 0

    def execute(self, question: str, values: object = None) -> Connection:
        self.asked += 1
        return self.con.execute(question, values)


@pytest.fixture
def database() -> Iterator[Connection]:
    con = duckdb.connect()
    con.execute("CREATE TABLE a (n INTEGER); CREATE TABLE b (n INTEGER)")
    con.execute("CREATE VIEW both_of_them AS SELECT a.n FROM a JOIN b USING (n)")
    con.execute("CREATE VIEW of_view AS SELECT n FROM both_of_them")
    yield con
    con.close()


def test_what_is_written_by_either_writer_is_in_the_next_answer(store: Store) -> None:
    with store.read() as con:
        assert names(con) == []
        for number in range(6):
            store.write(opening(f"p{number}"), quick=number % 2 == 0)
            assert names(con) == [f"p{before}" for before in range(number + 1)]
            with store.read() as another:
                assert names(another) == names(con)


def test_a_transaction_sees_what_it_wrote_and_others_only_what_was_committed(store: Store) -> None:
    with store.read() as con:
        assert names(con) == []

        def job(writing: Connection) -> None:
            assert names(writing) == []
            writing.execute(OPEN, ["ada", True])
            assert names(writing) == ["ada"]
            assert names(con) == []
            raise RuntimeError("and so nothing of it stays")

        with pytest.raises(RuntimeError):
            store.write(job)
        assert names(con) == []


def test_an_answer_of_a_transaction_is_as_old_as_its_beginning(store: Store) -> None:
    """The main writer looks, the quick one changes, the main one looks on: what it then reads is of
    before the change, and must not be kept as if it were of after.
    """
    has_begun, may_go_on = threading.Event(), threading.Event()

    def slow(con: Connection) -> list[str]:
        con.execute("SELECT count(*) FROM protocol").fetchall()  # DuckDB's moment begins here
        has_begun.set()
        assert may_go_on.wait(60)
        return names(con)

    seen: list[list[str]] = []
    waits = threading.Thread(target=lambda: seen.append(store.write(slow)))
    waits.start()
    assert has_begun.wait(60)
    store.write(opening("ada"), quick=True)
    may_go_on.set()
    waits.join()
    assert seen in ([[]], [["ada"]])
    with store.read() as con:
        assert names(con) == ["ada"]


def test_a_read_connection_that_writes_is_noted(store: Store) -> None:
    with store.read() as con:
        assert names(con) == []
        con.execute(OPEN, ["ada", True])
        assert names(con) == ["ada"]


def test_only_what_is_read_from_a_changed_table_is_asked_again(database: Connection) -> None:
    kept, con = Kept(database), Counting(database)
    of_b = "SELECT n FROM b"
    of_view = "SELECT n FROM of_view"
    for question in (of_b, of_view, of_b, of_view):
        assert kept.rows(con.execute, question, None) == []
    assert con.asked == 2

    database.execute("INSERT INTO a VALUES (1)")
    kept.changed(["a"])
    kept.rows(con.execute, of_b, None)
    assert con.asked == 2, "it reads nothing of a"
    kept.rows(con.execute, of_view, None)
    assert con.asked == 3, "a view of a view of it does"


def test_values_of_another_kind_or_order_are_another_question(database: Connection) -> None:
    kept, con = Kept(database), Counting(database)
    for values in (["x"], ["y"], {"v": ["x", "y"]}, {"v": ["y", "x"]}, {"v": "x"}):
        statement = "SELECT ?" if isinstance(values, list) else "SELECT $v"
        first = kept.rows(con.execute, statement, values)
        assert kept.rows(con.execute, statement, values) == first
    assert con.asked == 5


def test_what_is_kept_has_a_limit(database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livereview.store.kept.MOST", 3)
    kept, con = Kept(database), Counting(database)
    for number in (1, 2, 3, 1, 4):  # which takes the place of 2
        kept.rows(con.execute, "SELECT ?", [number])
    assert con.asked == 4
    kept.rows(con.execute, "SELECT ?", [1])
    assert con.asked == 4
    kept.rows(con.execute, "SELECT ?", [2])
    assert con.asked == 5


def test_a_long_answer_and_a_long_question_are_not_kept(database: Connection) -> None:
    kept, con = Kept(database), Counting(database)
    many = f"SELECT unnest(range({LARGEST + 1}))"
    ids = list(range(LONGEST + 1))
    for _ in range(2):
        kept.rows(con.execute, many, None)
        kept.rows(con.execute, f"SELECT 1 WHERE 1 IN ({', '.join('?' * len(ids))})", ids)
    assert con.asked == 4


def test_a_table_that_is_made_later_is_read_afresh(store: Store) -> None:
    store.write(lambda con: con.execute("CREATE TABLE late (n INTEGER)").fetchall())
    with store.read() as con:
        assert kept_rows(con, "SELECT n FROM late") == []
        store.write(lambda con: con.execute("INSERT INTO late VALUES (1)").fetchall())
        assert kept_rows(con, "SELECT n FROM late") == [(1,)]


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT 1", set()),
        ("WITH x AS (SELECT 1) SELECT * FROM x", set()),
        ("INSERT INTO Decision (id) VALUES (1) ON CONFLICT (id) DO NOTHING", {"decision"}),
        ("INSERT OR REPLACE INTO rank VALUES (1)", {"rank"}),
        ("INSERT INTO r VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b", {"r"}),
        ("UPDATE screening_state SET votes = 1", {"screening_state"}),
        ("DELETE FROM a; DELETE FROM b", {"a", "b"}),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", {"t"}),
        ("CREATE TABLE x (n INTEGER)", None),
        ("MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE", None),
        ("TRUNCATE a", None),
        ("COPY a FROM 'x'", None),
        ("CALL something()", None),
        ('INSERT INTO "quoted name" VALUES (1)', None),
    ],
)
def test_what_a_statement_writes_is_read_from_it_or_is_everything(
    statement: str, tables: set[str] | None
) -> None:
    assert written(statement) == (None if tables is None else frozenset(tables))


def test_the_tables_of_every_statement_of_the_service_are_read_from_it() -> None:
    """Else each of its writes would throw away all that is kept."""
    home = Path(livereview.__file__).parent
    unread = []
    for path in [*home.glob("store/*.py"), *home.glob("ops/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            statement = node.value.strip() if is_text else ""
            begins = statement.startswith(("INSERT INTO ", "UPDATE ", "DELETE FROM "))
            if begins and not only_reads(statement) and written(statement) is None:
                unread.append((path.name, statement[:60]))
    assert not [place for place in unread if place[0] not in ("past.py", "kept.py")]
