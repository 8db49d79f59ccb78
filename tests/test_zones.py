"""Days that people read are those of the review's own zone, whatever the machine's zone and
language.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livereview.summary import front, site, tombstone_files, words
from livereview.summary.snapshot import Published, Snapshot, Withdrawal
from tests.snapshots import result, review, snapshot, study

LATE = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
"""Still 2 March in London and Los Angeles, already 3 March in Berlin and Auckland."""

DAYS = {
    "Europe/London": "2 March 2026",
    "Europe/Berlin": "3 March 2026",
    "Pacific/Auckland": "3 March 2026",
    "America/Los_Angeles": "2 March 2026",
}


def of(zone: str) -> Snapshot:
    """A small review of this zone at LATE, with a form that came then."""
    rules = review()
    local = replace(rules, living=replace(rules.living, timezone=zone))
    return replace(
        snapshot(study("a", result()), review=local), moment=LATE, extracted={"a": ("3", 1, LATE)}
    )


@pytest.mark.parametrize(("zone", "day"), DAYS.items())
def test_a_page_is_dated_by_the_clocks_of_its_review(zone: str, day: str) -> None:
    snap = of(zone)
    build = site.build(snap, 1, "x")
    summary = json.loads(build.summary)
    assert (summary["as_of_display"], summary["version"]["date_display"]) == (day, day)
    assert summary["as_of"] == "2026-03-02T23:30:00Z", "a moment is the same everywhere"
    assert day in build.files["index.html"].decode()
    iso = {"2": "2026-03-02", "3": "2026-03-03"}[day[0]]
    assert f"Extracted {iso}" in build.files["trace.html"].decode()
    (ris,) = [content.decode() for name, content in build.files.items() if name.endswith(".ris")]
    assert f"DA  - {iso.replace('-', '/')}" in ris

    published = Published(1, LATE, build.content_hash, "first", "x", None, build.summary)
    act = Withdrawal(1, True, "An error.", LATE)
    gone = tombstone_files.notice([published.summary], (act,), "../")
    assert json.loads(gone["tombstone.json"])["date_display"] == day
    assert f"Withdrawn on {day}" in gone["changes.atom"].decode()
    listed = front.files([front.Entry("r", build.summary, (act,))])
    assert f"was withdrawn on {day}" in listed["index.json"].decode()


def test_a_zone_ends_with_its_block() -> None:
    with words.zone("Pacific/Auckland"):
        assert words.day(LATE) == "3 March 2026"
        assert words.end_of("2026-03-03").astimezone(UTC) == datetime(
            2026, 3, 3, 10, 59, 59, 999999, tzinfo=UTC
        )
    assert words.day(LATE) == "2 March 2026"


ASK = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from livereview.store.open import Store
asked = "SELECT TIMESTAMPTZ '2026-03-02 23:30:00+00', strftime(TIMESTAMPTZ '2026-03-02 23:30:00+00', '%Y-%m-%d')"
with Store(Path(sys.argv[1]), "300MB", 1) as store:
    answers = [store.write(lambda con: con.execute(asked).fetchall(), quick=quick) for quick in (True, False)]
    for opened in (store.read, store.still):
        with opened() as con:
            answers.append(con.execute(asked).fetchall())
for ((moment, day),) in answers:
    assert moment.utcoffset().total_seconds() == 0, moment
    assert (moment.replace(tzinfo=UTC), day) == (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "2026-03-02"), answers
"""


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_times_come_out_of_the_store_in_utc_wherever_the_machine_stands(
    zone: str, tmp_path: Path
) -> None:
    """A cursor does not inherit the TimeZone of the session that opened the file."""
    there = {**os.environ, "TZ": zone, "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path / "x.duckdb")],
        env=there,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
