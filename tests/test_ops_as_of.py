"""What was published at any moment can be made again from the events, byte for byte."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from livereview import ops
from livereview.commands import Publish, PublishAsOf
from livereview.commands.wire import decode
from livereview.errors import Refused
from livereview.ops import as_of, evidence, publish, screen
from livereview.store import past
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import form, include

HOUR = timedelta(hours=1)


def read(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


EFFECTS = {
    "favours_intervention": {"effect": 0.5, "ci_low": 0.3, "ci_high": 0.7},
    "favours_comparison": {"effect": -0.5, "ci_low": -0.7, "ci_high": -0.3},
    "unclear": {"effect": 0.05, "ci_low": -0.4, "ci_high": 0.5},
}
"""A clear result on either side, and one that may be either."""


def extract(
    store: Store, number: int, now: datetime, direction: str = "favours_intervention"
) -> None:
    scale = {
        "outcome": "attendance",
        "construct": f"scale {number}",
        "measure": "SMD",
        "higher_is_better": True,
    }
    result = {**scale, **EFFECTS[direction], "n": 40 + number}
    data = form(
        study=f"s-{number}",
        label=f"S {number}",
        reports=[f"10.1000/trial{number}"],
        results=[result],
    )
    evidence.extract(
        store, id=f"e{number}-{now}", review=REVIEW, data=data, extractor="ada", now=now
    )


def live(store: Store, site: Path, versions: int) -> dict[datetime, dict[str, bytes]]:
    """Twenty versions with all kinds of events between them.

    What `latest` held after each, by its time.
    """
    records = found(store, *(article(number) for number in range(1, versions + 1)))
    for record in records:
        include(store, record)
    held: dict[datetime, dict[str, bytes]] = {}
    for number, record in enumerate(records, start=1):
        now = NOW + number * HOUR
        extract(
            store,
            number,
            now,
            ("favours_intervention", "favours_comparison", "unclear")[number % 3],
        )
        if number % 4 == 0:
            found(
                store,
                article(number, title=f"Trial {number} of mentoring, revised"),
                search=f"again-{number}",
            )
        if number % 5 == 0:
            answers = dict.fromkeys(
                ("imprecision", "inconsistency", "risk_of_bias"), "looked at, and small"
            )
            rating = {"outcome": "attendance", "start": "low", "reasons": [], "answers": answers}
            evidence.rate(store, id=f"r{number}", review=REVIEW, data=rating, by="lena", now=now)
        if number % 6 == 0:
            screen.judge(
                store,
                id=f"j{number}",
                left=records[0],
                right=record,
                verdict="different",
                person="ada",
                now=now,
            )
        if publish.publish(store, review=REVIEW, folder=site, now=now).get("held"):
            publish.sign(store, id=f"x{number}", review=REVIEW, by="lena", now=now)
            publish.publish(store, review=REVIEW, folder=site, now=now)
        held[now] = read(site / REVIEW / "latest")
    return held


def test_twenty_versions_are_made_again_byte_for_byte(reviewed: Store, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    held = live(reviewed, site, 20)
    assert len({pages["summary.json"] for pages in held.values()}) == 20
    before = read(site / REVIEW / "latest")
    for moment, pages in held.items():
        number = json.loads(pages["summary.json"])["version"]["number"]
        told = as_of.as_of(
            reviewed, review=REVIEW, moment=moment + HOUR / 2, folder=site, now=NOW + 99 * HOUR
        )
        assert told["version"] == number and read(Path(told["folder"])) == pages, (
            f"version {number}"
        )
    assert number > 20, "some findings waited for a name, marked, in a version of their own"
    assert read(site / REVIEW / "latest") == before
    assert not list((tmp_path / "backups").glob("*")), "copies are gone"


def test_a_refreshed_page_without_a_version_is_made_again_too(
    reviewed: Store, tmp_path: Path
) -> None:
    (one,) = found(reviewed, article(1))
    include(reviewed, one)
    extract(reviewed, 1, NOW)
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    found(reviewed, article(2), search="s2")
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW + HOUR)
    refreshed = read(tmp_path / REVIEW / "latest")
    found(reviewed, article(3), search="s3")
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW + 2 * HOUR)
    told = as_of.as_of(
        reviewed, review=REVIEW, moment=NOW + HOUR, folder=tmp_path, now=NOW + 3 * HOUR
    )
    assert told["version"] == 1 and read(Path(told["folder"])) == refreshed


def test_before_the_first_version_there_is_nothing(reviewed: Store, tmp_path: Path) -> None:
    with pytest.raises(
        Refused, match="nothing of small-review was published at 2026-03-02 09:00 UTC"
    ):
        as_of.as_of(reviewed, review=REVIEW, moment=NOW, folder=tmp_path, now=NOW)


def test_what_was_held_back_was_not_published(reviewed: Store, tmp_path: Path) -> None:
    for record in found(reviewed, article(1), article(2)):
        include(reviewed, record)
    extract(reviewed, 1, NOW)
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    first = read(tmp_path / REVIEW / "latest")
    extract(reviewed, 2, NOW + HOUR, "favours_comparison")
    assert publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW + HOUR)["held"]
    marked = read(tmp_path / REVIEW / "latest")
    publish.sign(reviewed, id="x", review=REVIEW, by="lena", now=NOW + 3 * HOUR)
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW + 3 * HOUR)
    told = as_of.as_of(
        reviewed, review=REVIEW, moment=NOW + 2 * HOUR, folder=tmp_path, now=NOW + 4 * HOUR
    )
    assert told["version"] == 2 and read(Path(told["folder"])) == marked
    (before,), (held,), (signed,) = (
        json.loads(pages["summary.json"])["findings"]
        for pages in (first, marked, read(tmp_path / REVIEW / "latest"))
    )
    assert held["headline"] == before["headline"] != signed["headline"]
    assert held["estimate"] == before["estimate"] and held["weighing"]["studies"] == 1


def test_the_door_takes_the_moment_as_text(reviewed: Store, tmp_path: Path) -> None:
    (one,) = found(reviewed, article(1))
    include(reviewed, one)
    extract(reviewed, 1, NOW)
    ops.run(reviewed, tmp_path, Publish(review=REVIEW, now=NOW))
    then = ops.run(
        reviewed, tmp_path, decode(PublishAsOf, {"review": REVIEW, "moment": "2026-03-02T09:30Z"})
    )
    assert then.version == 1 and then.folder.endswith("as-of/2026-03-02T09-30-00Z")
    with pytest.raises(Refused, match="has no time zone"):
        decode(PublishAsOf, {"review": REVIEW, "moment": "2026-03-02T09:30"})


def test_every_table_of_events_is_known_by_its_numbers(reviewed: Store) -> None:
    with reviewed.read() as con:
        tables = set(past.event_tables(con))
        numbers = past.seen(con)
    assert {
        "decision",
        "hit",
        "record",
        "extraction",
        "version",
        "rating",
        "stopping",
        "draw",
    } <= tables
    assert "screening_state" not in tables and numbers > 0
