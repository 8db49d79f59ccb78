"""How fast outcomes are pooled: python -m tests.bench.pooling [OUTCOMES] [STUDIES]."""

from __future__ import annotations

import sys
import time

import numpy as np

from livereview.statistics.pooling import pool


def main(outcomes: int = 1000, studies: int = 20) -> None:
    """REML, truncated Knapp-Hartung and a prediction interval for each of many generated outcomes."""
    chance = np.random.default_rng(7)
    cases = []
    for _ in range(outcomes):
        v = chance.uniform(0.005, 0.2, studies)
        cases.append((chance.normal(0.2, np.sqrt(v + 0.04)).tolist(), v.tolist()))
    started = time.monotonic()
    found = [pool(y, v, method="REML", test="adhoc") for y, v in cases]
    seconds = time.monotonic() - started
    shown = sum(one.pi_lb is not None for one in found)
    print(
        f"{outcomes:,} outcomes of {studies} studies in {seconds:.2f} s; {shown:,} with a prediction interval"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
