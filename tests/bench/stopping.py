"""Where rules for stopping end the reading, and what the calibrated one rests on:
python -m tests.bench.stopping [--seeds N] [--out FILE] [--read FILE].

Each labelled set (a folder beside the project) is read in ranked order, seeds 1 to N, as
`livereview rank simulate --scores` does but learning on a coarser schedule. For each set: the
smallest ratio of expected to found while less than .95 was found, over its seeds
(`calibrated.DEVELOPMENT`), what the limit learned from the other sets does to it, and what the
shipped limit does. --out keeps the runs as JSON lines, --read takes them from there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path

import numpy as np

from livereview.ranking import calibrated, simulate
from livereview.ranking.calibrated import TARGET, Limit, Look, calibrated_stop
from livereview.ranking.metrics import sequence
from livereview.ranking.stopping import first_stop, lowest
from tests.bench import ranking as bench

ROW = "{:36}{:>9}{:>10}{:>12}{:>10}{:>12}{:>10}{:>9}{:>9}"


@dataclass(frozen=True, slots=True)
class Run:
    """One set read once; `scores` as `simulate.Expectations.scores`."""

    name: str
    seed: int
    labels: tuple[int, ...]
    scores: tuple[float | None, ...]

    def looks(self) -> tuple[Look, ...]:
        return tuple(
            Look(read, sum(self.labels[:read]), expected)
            for read, expected in enumerate(self.scores)
            if expected is not None
        )

    def line(self) -> str:
        return simulate.line(self.name, f"livereview-seed{self.seed}", self.labels, self.scores)


def replayed(name: str, seed: int) -> Run:
    truth, features = bench.truth_of(name), bench.features_of(name)
    known = simulate.priors(truth, seed)
    expectations = simulate.Expectations(features, seed)
    order = simulate.replay(features, truth, known, seed, growth=bench.COARSE, watch=expectations)
    labels = sequence(order, truth, known)
    return Run(name, seed, labels, expectations.scores(len(labels)))


def every(seeds: int) -> Iterator[Run]:
    for name in bench.ASKED:
        for seed in range(1, seeds + 1):
            yield replayed(name, seed)
        bench.features_of.cache_clear()


def kept(path: Path) -> Iterator[Run]:
    for text in path.read_text().splitlines():
        row = json.loads(text)
        labels = tuple(int(label) for label in row["labels"])
        yield Run(row["topic"], int(row["run"].rpartition("seed")[2]), labels, tuple(row["scores"]))


def too_large(runs: list[Run]) -> dict[str, float]:
    """The smallest ratio that was too large, by set."""
    found: dict[str, float] = {}
    for run in runs:
        ratio = calibrated.smallest_too_large(run.looks(), sum(run.labels))
        found[run.name] = min(ratio, found.get(run.name, inf))
    return found


def stopped(runs: list[Run], limit: Limit) -> tuple[float, float]:
    """Mean share read and lowest recall."""
    reads, recalls = [], []
    for run in runs:
        read = calibrated_stop(run.labels, run.scores, limit)
        reads.append(read / len(run.labels))
        recalls.append(sum(run.labels[:read]) / sum(run.labels))
    return float(np.mean(reads)), min(recalls)


def table(runs: list[Run]) -> None:
    ratios = too_large(runs)
    print(ROW.format("set", "relevant", "too large", "others: read", "recall", "ours: read", "recall",
                     "test", "oracle"))  # fmt: skip
    others, ours = [], []
    for name, ratio in ratios.items():
        here = [run for run in runs if run.name == name]
        rest = [value for other, value in ratios.items() if other != name and value != inf]
        left_out = stopped(here, calibrated.limit_of(rest))
        shipped = stopped(here, calibrated.SHIPPED)
        test = np.mean([first_stop(run.labels) / len(run.labels) for run in here])
        others.append(left_out)
        ours.append(shipped)
        print(ROW.format(name, sum(here[0].labels), f"{ratio:.3f}", f"{left_out[0]:.3f}",
                         f"{left_out[1]:.3f}", f"{shipped[0]:.3f}", f"{shipped[1]:.3f}",
                         f"{test:.3f}", f"{np.mean([oracle(run) for run in here]):.3f}"))  # fmt: skip
    for what, told in (("limit of the other sets", others), ("shipped limit", ours)):
        good = sum(recall >= TARGET for _, recall in told)
        read = np.mean([read for read, _ in told])
        print(f"{what}: mean read {read:.3f}, all seeds at .95 or more on {good} of {len(told)}"
              f" sets (at least {lowest(good, len(told)):.2f}, 95% one-sided)")  # fmt: skip


def oracle(run: Run) -> float:
    need, found = ceil(TARGET * sum(run.labels) - 1e-9), np.cumsum(run.labels)
    return (int((found >= need).argmax()) + 1) / len(run.labels)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--read", type=Path)
    chosen = parser.parse_args()
    done = []
    for run in kept(chosen.read) if chosen.read else every(chosen.seeds):
        done.append(run)
        if chosen.out:
            chosen.out.write_text("".join(run.line() for run in done))
    table(done)
