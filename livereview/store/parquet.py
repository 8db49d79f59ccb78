"""Rows as a Parquet file: written by a database in memory that knows nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from livereview.store.open import Connection, connect

TYPES: Mapping[str, str] = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}


def parquet(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> bytes:
    """The bytes of a Parquet file with these rows, in their order; None is null.

    columns  by name, each a key of TYPES. The same rows give the same bytes, under one version of DuckDB: one thread
             writes them, and nothing in the file tells when. Raises ValueError for a fraction among integers, which
             DuckDB would round, and duckdb.Error for what else a column can't hold.
    """
    lists = [_sound(kind, [row[place] for row in rows]) for place, (_, kind) in enumerate(columns)]
    with TemporaryDirectory(prefix="livereview-") as folder, _memory(folder) as con:
        target = Path(folder) / "table.parquet"
        con.execute(f"CREATE TABLE made ({', '.join(f'{_quoted(name)} {TYPES[kind]}' for name, kind in columns)})")
        # one list a column: a statement a row takes a hundred times as long
        cells = ", ".join(f"unnest(?::{TYPES[kind]}[])" for _, kind in columns)
        con.execute(f"INSERT INTO made SELECT {cells}", lists)
        con.table("made").write_parquet(str(target), compression="zstd")
        return target.read_bytes()


def _memory(folder: str) -> Connection:
    return connect(":memory:", Path(folder), "500MB", 1)


def _sound(kind: str, cells: list[object]) -> list[object]:
    if kind == "integer" and (odd := [cell for cell in cells if isinstance(cell, float) and not cell.is_integer()]):
        raise ValueError(f"{odd[0]} is no whole number")
    return cells


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
