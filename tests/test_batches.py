"""Deduplicating in parts: the same bytes as in one process, whoever does the parts and however they
are cut.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from livereview import dedup_files
from livereview.batches import steps
from livereview.batches.engines import ThisProcess, dask, named
from livereview.batches.layout import Layout
from livereview.batches.run import run
from livereview.cli import app
from livereview.cli.terminal import told
from livereview.errors import Refused
from tests.bench.dedup import COLUMNS, SHARED, generated

NUMBER = 120
HARD = (  # a doubtful pair, a merge that other facts forbid, a linked notice, a CJK title, an empty one
    (
        "h3",
        "Mentoring for young people leaving care",
        "Doe, Jane",
        2020,
        "",
        "",
        "",
        "",
        "10.1000/a",
        "",
    ),
    (
        "h9",
        "Mentoring for young people leaving care",
        "Doe, Jane",
        2020,
        "",
        "",
        "",
        "",
        "10.1000/b",
        "",
    ),
    ("h10", "MENTORING FOR YOUNG PEOPLE LEAVING CARE", "Doe J", 2020, "", "", "", "", "", ""),
    (
        "é",
        "Erratum: Mentoring for young people leaving care",
        "Doe, Jane",
        2021,
        "",
        "",
        "",
        "",
        "",
        "",
    ),
    (
        "中",
        "児童養護施設における支援の効果について",
        "山田, 太郎",
        2019,
        "福祉",
        "3",
        "1",
        "1-9",
        "",
        "",
    ),
    ("empty", "", "", "", "", "", "", "", "", ""),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated records with repeats among them, in no order, and a few hard ones."""
    rows = [*generated(NUMBER, random.Random(7)), *HARD]
    random.Random(8).shuffle(rows)
    path = tmp_path_factory.mktemp("batch") / "records.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


@pytest.fixture(scope="module")
def in_one_process(source: Path) -> tuple[dedup_files.Counts, bytes, bytes]:
    out, doubtful = source.with_name("out.csv"), source.with_name("doubtful.csv")
    counts = dedup_files.run([source], out, doubtful)
    assert counts.duplicates > NUMBER // 20
    assert counts.doubtful > 0
    return counts, out.read_bytes(), doubtful.read_bytes()


@settings(max_examples=8)
@given(size=st.integers(2, NUMBER * 2))
def test_the_answer_is_the_same_however_the_records_are_cut(
    source: Path, in_one_process: tuple[dedup_files.Counts, bytes, bytes], size: int
) -> None:
    out, doubtful = source.with_name("parts.csv"), source.with_name("parts-doubtful.csv")
    counts = run([source], out, ThisProcess(), doubtful=doubtful, size=size)
    assert (counts, out.read_bytes(), doubtful.read_bytes()) == in_one_process


def test_the_answer_is_the_same_from_dasks_workers(
    source: Path, in_one_process: tuple[dedup_files.Counts, bytes, bytes], tmp_path: Path
) -> None:
    out, doubtful = tmp_path / "out.csv", tmp_path / "doubtful.csv"
    told: list[str] = []
    with dask(None, workers=2, memory="1GB") as engine:
        counts = run([source], out, engine, doubtful=doubtful, size=30, progress=told.append)
    assert (counts, out.read_bytes(), doubtful.read_bytes()) == in_one_process
    assert "compare: 5 of 5 parts" in told


def test_a_part_may_be_done_twice_and_the_parts_in_any_order(
    source: Path, in_one_process: tuple[dedup_files.Counts, bytes, bytes], tmp_path: Path
) -> None:
    class Backwards:
        def every_part(self, step: object, layout: Layout, progress: object) -> None:
            for part in [*reversed(layout.parts), *layout.parts]:
                step(layout, part)  # type: ignore[operator]

    out = tmp_path / "out.csv"
    assert run([source], out, Backwards(), size=25).records == in_one_process[0].records
    assert out.read_bytes() == in_one_process[1]


@pytest.mark.parametrize("name", ["cytology_screening", "special_cases"])
def test_labelled_sets_come_out_as_in_one_process(name: str, tmp_path: Path) -> None:
    if not (SHARED / "data" / "dedup").is_dir():
        pytest.skip("the labelled sets are kept beside the project and are not here")
    path = SHARED / "data" / "dedup" / name / "records.csv.gz"
    whole, whole_doubtful = tmp_path / "whole.csv", tmp_path / "whole-doubtful.csv"
    out, doubtful = tmp_path / "out.csv", tmp_path / "doubtful.csv"
    counts = dedup_files.run([path], whole, whole_doubtful)
    assert run([path], out, ThisProcess(), doubtful=doubtful, size=500) == counts
    assert out.read_bytes() == whole.read_bytes()
    assert doubtful.read_bytes() == whole_doubtful.read_bytes()


def test_a_key_that_too_many_share_lets_nobody_meet(
    monkeypatch: pytest.MonkeyPatch, source: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr("livereview.dedup.blocks.CAP", 2)
    monkeypatch.setattr(steps, "CAP", 2)
    whole, out = tmp_path / "whole.csv", tmp_path / "out.csv"
    dedup_files.run([source], whole)
    run([source], out, ThisProcess(), size=20)
    assert out.read_bytes() == whole.read_bytes()


def test_an_id_that_comes_twice_is_refused_though_it_is_in_two_parts(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    rows = "".join(f"{number},A title of its own {number}\n" for number in (1, 2, 3, 4, 2))
    path.write_text(f"record_id,title\n{rows}", encoding="utf-8")
    with pytest.raises(Refused, match="record_id '2' comes twice"):
        run([path], tmp_path / "out.csv", ThisProcess(), size=2)


def test_no_records_are_no_clusters_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path, out, folder = tmp_path / "none.csv", tmp_path / "out.csv", tmp_path / "work"
    folder.mkdir()
    path.write_text("record_id,title\n", encoding="utf-8")
    assert run([path], out, ThisProcess(), folder=folder).records == 0
    assert out.read_text(encoding="utf-8") == "record_id,cluster_id\n"
    assert list(folder.iterdir()) == []


def test_without_dask_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(Refused, match=r"pip install 'livereview\[dask\]'"),
        named("dask", None, 1, "1GB"),
    ):
        pass


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--scheduler", "tcp://127.0.0.1:9"), "--scheduler is for --engine dask"),
        (("--folder", "."), "--folder is for --engine files or dask"),
        (("--engine", "files", "--folder", "/not-there"), "/not-there/"),
        (("--engine", "dask", "--memory", "2XB"), "--memory must be a size such as 2GB"),
        (("--engine", "dask", "--scheduler", "nonsense"), "no Dask scheduler answers at nonsense"),
        (("--engine", "files", "--doubtful", "/not-there/x.csv"), "there is no folder /not-there"),
        (("--out", "/proc/x.csv"), "/proc/x.csv can't be used"),
    ],
)
def test_what_can_not_be_done_is_one_line(
    source: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    out = tmp_path / "out.csv"
    done = CliRunner().invoke(app, ["dedup", str(source), "--out", str(out), *words])
    assert done.exit_code == 2, done.output
    (told,) = (line for line in done.output.splitlines() if line.startswith("livereview:"))
    assert says in told
    assert not out.exists()


def test_an_error_of_the_run_is_not_told_as_one_of_the_scheduler(source: Path) -> None:
    with pytest.raises(ValueError, match="of the run"), dask(None, 1, "500MB"):
        raise ValueError("of the run")


def test_a_file_that_nobody_named_is_a_bug_and_travels_up(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), told():
        (tmp_path / "nobody-named-it").read_text(encoding="utf-8")
