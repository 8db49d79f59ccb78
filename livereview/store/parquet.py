"""Rows as a Parquet file: written by a database in memory that knows nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from livereview.store.open import Connection, connect

TYPES: Mapping[str, str] = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}


def parquet(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> bytes:
    """The bytes of a Parquet file with these rows, in their order; None is null.

    Args:
        columns: By name, each a key of TYPES. The same rows give the same bytes, under one version
            of DuckDB: one thread writes them, and nothing in the file tells when.

    Raises:
        ValueError: a fraction among integers, which DuckDB would round.
        duckdb.Error: what else a column can't hold.
    """
    with TemporaryDirectory(prefix="livereview-") as folder, _memory(folder) as con:
        target = Path(folder) / "table.parquet"
        lists = {
            name: _sound(name, kind, [row[n] for row in rows])
            for n, (name, kind) in enumerate(columns)
        }
        # all at once: a statement a row takes a hundred times as long
        given = con.sql("SELECT ? AS given", params=[lists])
        given.select(*(_column(con, name, kind) for name, kind in columns)).write_parquet(
            str(target), compression="zstd"
        )
        return target.read_bytes()


def _sound(name: str, kind: str, cells: list[object]) -> list[object]:
    if kind == "integer" and (
        odd := [cell for cell in cells if isinstance(cell, float) and not cell.is_integer()]
    ):
        raise ValueError(f"{name}: {odd[0]} is no whole number")
    return cells


def _column(con: Connection, name: str, kind: str) -> duckdb.Expression:
    """What makes rows of the list by that name."""
    cells = duckdb.FunctionExpression(
        "struct_extract", duckdb.ColumnExpression("given"), duckdb.ConstantExpression(name)
    )
    return duckdb.FunctionExpression(
        "unnest", cells.cast(con.list_type(con.type(TYPES[kind])))
    ).alias(name)


def _memory(folder: str) -> Connection:
    return connect(":memory:", Path(folder), "500MB", 1)
