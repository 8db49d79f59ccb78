"""Records that older rules read are read again, and nothing of them is lost."""

from __future__ import annotations

from typing import Any

from livereview.ops import cleaning, surveil
from livereview.ops.settle import settle
from livereview.records import Record
from livereview.sources import values
from livereview.store import records
from livereview.store.open import Connection, Store
from tests.conftest import NOW, REVIEW

TITLE = "Home visits for families with young children in three counties"
ESCAPED = Record(
    "ris",
    "10.1016/s0140-6736%2820%2930183-5",
    title=TITLE,
    authors=("Lee, Ann", "lee@example.org", "NA"),
    year=2020,
    doi="10.1016/s0140-6736%2820%2930183-5",
    volume="12.0",
)
CENTRAL = Record(
    "ris",
    "CN-00700001",
    title="A trial of parenting groups in seven towns of the north",
    doi="10.1002/central/cn-00700001",
)
CLEAN = Record("ris", "10.1000/abc.1", title="Another study altogether", doi="10.1000/abc.1")
NOTICE = b"""TY  - JOUR
TI  - RETRACTED: Home visits for families with young children in three counties
AU  - Lee, Ann
PY  - 2020
DO  - 10.1016/S0140-6736(20)30183-5
ER  -
"""


def rows(store: Store, sql: str, *given: object) -> list[Any]:
    with store.read() as con:
        return con.execute(sql, list(given)).fetchall()


def test_stored_records_get_a_version_by_todays_rules_and_their_retraction_finds_them(
    reviewed: Store,
) -> None:
    stored = (ESCAPED, CENTRAL, CLEAN)

    def old(con: Connection) -> None:
        con.execute("DELETE FROM cleaning")
        records.append(con, stored, "0" * 64, NOW)
        settle(con, stored, NOW)

    reviewed.write(old)
    assert cleaning.catch_up(reviewed, NOW) == 2
    assert cleaning.catch_up(reviewed, NOW) == 0

    versions = "SELECT version, doi, sha256 FROM record WHERE record_id = ? ORDER BY version"
    assert rows(reviewed, versions, ESCAPED.record_id) == [
        (1, ESCAPED.doi, "0" * 64),
        (2, "10.1016/s0140-6736(20)30183-5", "0" * 64),
    ]
    assert [row[:2] for row in rows(reviewed, versions, CENTRAL.record_id)][-1] == (2, None)
    assert len(rows(reviewed, versions, CLEAN.record_id)) == 1
    with reviewed.read() as con:
        latest = records.current(con, [ESCAPED.record_id])[ESCAPED.record_id]
    assert (latest.authors, latest.volume) == (("Lee, Ann",), "12")

    surveil.import_file(
        reviewed, review=REVIEW, source="ris", name="notice.ris", body=NOTICE, now=NOW
    )
    ((report,),) = rows(
        reviewed, "SELECT report_id FROM report WHERE record_id = ?", ESCAPED.record_id
    )
    members = rows(reviewed, "SELECT count(*) FROM report WHERE report_id = ?", report)
    assert members == [(2,)]


def test_reading_again_is_idempotent_and_takes_no_title() -> None:
    for record in (ESCAPED, CENTRAL, CLEAN, Record("x", "hash:1", title="NA")):
        once = cleaning.cleaned(record)
        assert cleaning.cleaned(once) == once == values.tidied(once) or record.title == "NA"
        assert once.title == record.title and once.source_key == record.source_key
