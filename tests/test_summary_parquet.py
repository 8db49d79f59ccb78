"""The published tables as Parquet: the rows of the CSV with types, the same bytes everywhere,
listed like all files.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from livereview import cells
from livereview.ops import publish, renditions
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.store.parquet import parquet as written
from livereview.summary import site, tables
from livereview.summary.snapshot import Snapshot
from livereview.summary.tables import Cell, Table
from tests.conftest import NOW, REVIEW, article, found
from tests.snapshots import report, result, snapshot, study
from tests.test_ops import include
from tests.test_ops_as_of import extract
from tests.test_summary_raster import rich

TYPES = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}
NAMES = ("studies", "effects", "exclusions")
ODD = "=cmd|' /C calc'!A0"


def full() -> Snapshot:
    """Rows with everything and with nothing, and texts that a spreadsheet would run."""
    one = study(
        "a",
        result("care", n=1200, effect=0.1 + 0.2, ci_low=-1e-9, ci_high=3, measure="RR", timing=ODD),
        result(construct="-2+3", effect=1, timing="two\nlines"),
        result(construct="+12", timing="  "),
        participants=55, population="Kinder, “jung”, 研究 دراسة", caution=ODD, country="",
    )  # fmt: skip
    bad = report(
        "x",
        title="@SUM(A1)\x00\u202e",
        authors=("Ode, A.", "Ng, B."),
        reason=ODD,
        year=1999,
        url="javascript:1",
    )
    snap = snapshot(one, study("b"), excluded=(bad, report("y", title=None)))
    return replace(
        snap,
        studies=(*snap.studies, replace(snap.studies[0], study_id="c", label="C", extraction=None)),
    )


def read(content: bytes, folder: Path) -> tuple[list[tuple[str, str]], list[tuple[Cell, ...]]]:
    """(columns with types, rows) of a Parquet file, by a database of its own."""
    path = folder / "read.parquet"
    path.write_bytes(content)
    with duckdb.connect() as con:
        told = con.execute("SELECT * FROM read_parquet(?)", [str(path)])
        return [(name, str(kind)) for name, kind, *_ in told.description], told.fetchall()


def test_each_cell_is_that_of_the_csv(tmp_path: Path) -> None:
    for table in tables.published(full()):
        columns, rows = read(renditions.encode(table), tmp_path)
        head, *lines = csv.reader(io.StringIO(table.csv.decode()))
        assert [name for name, _ in columns] == head
        assert [kind for _, kind in columns] == [TYPES[kind] for _, kind in table.columns]
        assert len(rows) == len(lines) > 1
        for row, line in zip(rows, lines, strict=True):
            for (name, kind), value, text in zip(columns, row, line, strict=True):
                assert (value is None) == (text == ""), name
                if isinstance(value, str):
                    assert cells.guarded(tables.cell(value)) == text
                elif value is not None:
                    assert (int if kind == "BIGINT" else float)(text) == value


def test_numbers_have_types_and_texts_are_as_they_were_told(tmp_path: Path) -> None:
    studies, effects, exclusions = (
        read(renditions.encode(table), tmp_path) for table in tables.published(full())
    )
    named = {name: kind for columns, _ in (studies, effects, exclusions) for name, kind in columns}
    assert {name for name, kind in named.items() if kind == "BIGINT"} == {
        "year",
        "participants",
        "n",
        "price_year",
    }
    assert {name for name, kind in named.items() if kind == "DOUBLE"} == {
        "effect",
        "ci_low",
        "ci_high",
        "time",
    }
    first = dict(zip([name for name, _ in effects[0]], effects[1][0], strict=True))
    assert (first["effect"], first["ci_low"], first["ci_high"], first["n"]) == (
        0.1 + 0.2,
        -1e-9,
        3.0,
        1200,
    )
    timing = [name for name, _ in effects[0]].index("timing")
    assert [row[timing] for row in effects[1]] == [ODD, "two\nlines", None]
    assert [row[3] for row in effects[1]] == ["a scale", "-2+3", "+12"]
    assert exclusions[1][0][0] == "@SUM(A1)" and exclusions[1][0][-1] == ODD
    assert exclusions[1][1][0] is None
    assert f",'{ODD}\n" in tables.published(full())[2].csv.decode()


@limits(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.text(), st.none() | st.integers(0, 10**9), st.none() | st.floats(allow_nan=False)
        )
    )
)
def test_any_row_reads_back(rows: list[tuple[Cell, ...]]) -> None:
    columns = (("text", "text"), ("whole", "integer"), ("size", "number"))
    tidied = [tuple(map(tables._known, row)) for row in rows]
    with TemporaryDirectory() as folder:
        assert read(written(columns, tidied), Path(folder))[1] == tidied


def test_the_same_rows_are_the_same_bytes_in_another_process() -> None:
    code = """
        import hashlib
        from livereview.ops import renditions
        from livereview.summary import tables
        from tests.test_summary_parquet import many
        print(*(hashlib.sha256(renditions.encode(table)).hexdigest() for table in tables.published(many())))
    """
    here = [
        hashlib.sha256(renditions.encode(table)).hexdigest() for table in tables.published(many())
    ]
    assert [
        hashlib.sha256(renditions.encode(table)).hexdigest() for table in tables.published(many())
    ] == here
    plain = "\n".join(line.strip() for line in code.splitlines())
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", plain],
            env={"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.split() == here


def many() -> Snapshot:
    """More rows than DuckDB handles at a time (2,048)."""
    forms = [
        study(f"s{n}", *(result(construct=f"scale {k}", n=n + k, effect=n / 7) for k in range(6)))
        for n in range(500)
    ]
    return snapshot(
        *forms, excluded=tuple(report(f"x{n}", reason="Wrong design") for n in range(40))
    )


def test_tables_without_rows_have_their_columns(tmp_path: Path) -> None:
    for table in tables.published(snapshot()):
        columns, rows = read(renditions.encode(table), tmp_path)
        assert [name for name, _ in columns] == [name for name, _ in table.columns] and rows == []


def test_a_fraction_among_integers_is_not_rounded() -> None:
    with pytest.raises(ValueError, match=r"n: 12\.5 is no whole number"):
        renditions.encode(Table("odd", (("n", "integer"),), ((12.5,),)))


def test_the_files_are_listed_linked_and_typed_where_there_is_an_encoder() -> None:
    files = site.build(rich(), 2, "x", encode=renditions.encode).files
    crate = {one["@id"]: one for one in json.loads(files["ro-crate-metadata.json"])["@graph"]}
    page = files["index.html"].decode()
    for name in NAMES:
        assert f'<a href="{name}.parquet">' in page
        assert crate[f"{name}.parquet"]["encodingFormat"] == "application/vnd.apache.parquet"
        assert (
            f"{hashlib.sha256(files[f'{name}.parquet']).hexdigest()}  {name}.parquet\n"
            in files["SHA256SUMS"].decode()
        )
    assert crate["prisma.png"]["encodingFormat"] == "image/png"
    assert {"@id": "prisma.png"} in crate["./"]["hasPart"]
    without = site.build(rich(), 2, "x").files
    assert not [name for name in without if name.endswith(".parquet")]
    assert b".parquet" not in without["index.html"]


def test_the_page_stays_small_with_all_its_links() -> None:
    page = site.build(rich(), 2, "x", encode=renditions.encode).files["index.html"]
    assert len(gzip.compress(page)) <= 30_000


def test_publishing_writes_them_and_a_second_time_changes_no_byte(
    reviewed: Store, tmp_path: Path
) -> None:
    (one,) = found(reviewed, article(1))
    include(reviewed, one)
    extract(reviewed, 1, NOW)
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    latest, kept = tmp_path / REVIEW / "latest", tmp_path / REVIEW / "v" / "1"
    columns, rows = read((latest / "effects.parquet").read_bytes(), tmp_path)
    assert [row[[name for name, _ in columns].index("n")] for row in rows] == [41]
    assert (latest / "prisma.png").read_bytes().startswith(b"\x89PNG")
    for path in (*latest.glob("*.parquet"), *latest.glob("*.png")):
        assert path.read_bytes() == (kept / path.name).read_bytes()
    build = latest.resolve()
    assert publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)["new"] is False
    assert latest.resolve() == build


def test_they_are_served_by_their_own_media_type(app: FastAPI, settings: Settings) -> None:
    folder = settings.site / "small-review"
    folder.mkdir(parents=True)
    for name in ("studies.parquet", "prisma.png", "prisma.svg"):
        (folder / name).write_bytes(b"x")
    http = TestClient(app)
    kinds = [
        http.get(f"/site/small-review/{path.name}").headers["content-type"]
        for path in sorted(folder.iterdir())
    ]
    assert kinds == ["image/png", "image/svg+xml", "application/vnd.apache.parquet"]


def test_a_table_that_has_not_changed_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def writing(columns: Any, rows: Any) -> bytes:
        asked.append(rows)
        return written(columns, rows)

    monkeypatch.setattr(renditions, "parquet", writing)
    first, *others = (
        tables.Table("kept", (("share", "number"),), ((value,),)) for value in (0.125, -0.0, 0.0)
    )
    again = renditions.encode(first)
    for table in (first, *others, first):
        renditions.encode(table)
    assert renditions.encode(first) == again
    assert asked == [((0.125,),), ((-0.0,),), ((0.0,),)]
    assert [str(rows) for rows in asked[1:]] == ["((-0.0,),)", "((0.0,),)"]
