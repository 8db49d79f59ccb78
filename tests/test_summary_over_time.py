"""A pooled outcome shows what each version published of it."""

from __future__ import annotations

from dataclasses import replace

from livereview.summary.site import build
from tests.snapshots import WELL, published, result, review, snapshot, study

RULES = review(
    outcomes=(replace(WELL, pool=True),), living=replace(review().living, sign_off=False)
)


def forms(n: int) -> list:  # type: ignore[type-arg]
    return [
        study(
            name,
            result(measure="SMD", effect=0.2 + k / 10, ci_low=k / 10, ci_high=0.4 + k / 10, n=90),
        )
        for k, name in enumerate("abc"[:n])
    ]


def test_the_second_version_on_shows_what_each_version_said() -> None:
    first = build(snapshot(*forms(1), review=RULES), 1, "an extraction")
    assert "over-time-well.svg" not in first.files
    second = build(
        snapshot(*forms(2), review=RULES, history=(published(first),)), 2, "an extraction"
    )
    rows = second.files["over-time-well.csv"].decode().splitlines()
    assert len(rows) == 3
    assert "Too little evidence" in rows[1], "its own state, not today's"
    assert rows[2].startswith("2,")
    assert b"As each version published it" in second.files["index.html"]
    third = build(
        snapshot(*forms(3), review=RULES, history=(published(first), published(second, 2))), 3, "x"
    )
    assert len(third.files["over-time-well.csv"].decode().splitlines()) == 4
    assert b"over-time-well-t" in third.files["over-time-well.svg"]
