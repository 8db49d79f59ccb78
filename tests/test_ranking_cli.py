"""`livereview rank simulate`: what a lead sees of a finished review, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from livereview.cli import app
from livereview.cli import rank as _rank  # noqa: F401 - registers the command
from livereview.ranking.calibrated import calibrated_stop
from livereview.ranking.metrics import metrics, sequence
from tests.test_ranking import SCORER, scorer, written

COLUMNS = ("record_id", "title", "abstract", "label_included")


def sheet(path: Path, rows: Sequence[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    texts, truth = written(90)
    return sheet(
        tmp_path / "mine.csv.gz",
        [(t.record_id, t.title, t.abstract, f"{truth[t.record_id]}") for t in texts],
    )


def simulated(data: Path, *options: str) -> tuple[int, str]:
    told = CliRunner().invoke(
        app, ["rank", "simulate", str(data), "--out", str(data.parent / "order.txt"), *options]
    )
    return told.exit_code, " ".join(told.output.split())


def test_it_writes_an_order_and_prints_its_measures(data: Path) -> None:
    (data.parent / "known.txt").write_text("r003\nr004\n")
    code, said = simulated(data, "--seed", "2", "--priors", str(data.parent / "known.txt"))
    order = (data.parent / "order.txt").read_text().split()
    truth = written(90)[1]
    m = metrics(sequence(order, truth, ("r003", "r004")))
    assert code == 0
    assert sorted(order) == sorted(truth)
    assert order[:2] == ["r003", "r004"]
    assert "records 88 relevant 29 known before r003, r004" in said
    assert (
        f"recall@10% {m.recall_10:.4f} WSS@95 {m.wss_95:.4f} ATD {m.atd:.4f} loss {m.loss:.4f}"
        in said
    )
    assert "50 irrelevant in a row" in said
    if SCORER.exists():
        assert scorer().score(scorer().curve(order, truth, ("r003", "r004")))[
            "loss"
        ] == pytest.approx(m.loss)


def test_the_same_seed_gives_the_same_order_and_curve(data: Path) -> None:
    found = []
    for seed in ("1", "1", "2"):
        assert simulated(data, "--seed", seed, "--plot", str(data.parent / "curve.svg"))[0] == 0
        found.append([(data.parent / name).read_text() for name in ("order.txt", "curve.svg")])
    assert found[0] == found[1] != found[2]
    assert "Recall curve of mine.csv.gz" in found[0][1]


def test_an_endless_abstract_and_same_texts_with_other_labels_are_taken(tmp_path: Path) -> None:
    texts, truth = written(40)
    rows = [(t.record_id, t.title, t.abstract, str(truth[t.record_id])) for t in texts]
    rows += [
        ("long", "endless", "word " * 88_000, "0"),
        ("a", "same", "words", "1"),
        ("b", "same", "words", "0.0"),
    ]
    assert simulated(sheet(tmp_path / "odd.csv.gz", rows))[0] == 0


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        (
            [("1", "t", "a")],
            COLUMNS[:3],
            "has no column label_included; its columns are record_id, title, abstract",
        ),
        (
            [("1", "t", "a", "1"), ("2", "t", "a", "")],
            COLUMNS,
            "record 2: label_included is ''; write 1 (relevant) or 0",
        ),
        ([("1", "t", "a", "maybe")], COLUMNS, "label_included is 'maybe'"),
        (
            [("1", "t", "a", "1"), ("2", "t", "a", "1")],
            COLUMNS,
            "a relevant and an irrelevant record; label at least",
        ),
        ([], COLUMNS, "label at least one of each"),
        ([("1", "t", "a", "1"), ("1", "t", "a", "0")], COLUMNS, "'1' comes twice"),
        ([("", "t", "a", "1"), ("2", "t", "a", "0")], COLUMNS, "record 1 has no record_id"),
    ],
)
def test_sheets_that_can_t_be_replayed_are_refused(
    tmp_path: Path, rows: list[tuple[str, ...]], columns: tuple[str, ...], words: str
) -> None:
    code, said = simulated(sheet(tmp_path / "bad.csv.gz", rows, columns))
    assert (code, words in said) == (2, True), said
    assert not (tmp_path / "order.txt").exists()


def test_other_wrong_files_are_refused(data: Path) -> None:
    (data.parent / "known.txt").write_text("elsewhere\n")
    (data.parent / "all.txt").write_text("\n".join(written(90)[1]))
    (data.parent / "bad.csv").write_bytes(b"\xff\xfe\x00")
    for sheet_, options, words in (
        (
            data,
            ("--priors", str(data.parent / "known.txt")),
            "names 'elsewhere', which the sheet does not have",
        ),
        (
            data,
            ("--priors", str(data.parent / "all.txt")),
            "leave a relevant and an irrelevant record to be found",
        ),
        (data, ("--plot", "curve.gif"), "drawn as SVG or PNG; name the file .svg"),
        (data.parent / "bad.csv", (), "is not a CSV sheet in UTF-8"),
        (data.parent / "none.csv", (), "can't be read"),
    ):
        code, said = simulated(sheet_, *options)
        assert (code, words in said) == (2, True), said


def test_what_the_model_expects_is_written_with_the_labels_it_belongs_to(data: Path) -> None:
    out = data.parent / "run.jsonl"
    code, said = simulated(data, "--scores", str(out))
    row = json.loads(out.read_text())
    assert code == 0 and "calibrated on finished reviews (no guarantee)" in said
    assert (row["topic"], row["n"], row["relevant"]) == ("mine", 88, 29)
    assert len(row["labels"]) == len(row["scores"]) == 88 and row["labels"].count("1") == 29
    looks = [read for read, expected in enumerate(row["scores"]) if expected is not None]
    assert looks and looks[0] >= 10 and row["scores"][0] is None
    labels = [int(label) for label in row["labels"]]
    assert f"{calibrated_stop(labels, row['scores'])} " in said
