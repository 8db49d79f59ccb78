"""Stored records read again by today's rules for identifiers and values.

A DOI that was stored with its escapes would never meet the retraction of its work. So whoever opens
a database whose records were read by older rules adds a version to each record that today's rules
read otherwise, and settles it anew. Nothing is written over: the old version stays what the source
was understood to say, and decisions keep the version that they were made on.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from livereview.identifiers import clean_doi, clean_pmcid, clean_pmid
from livereview.ops.settle import settle
from livereview.records import Record
from livereview.sources import values
from livereview.store import cleaning, records, versions
from livereview.store.open import Connection, Store

log = logging.getLogger(__name__)
CAUSE = "stored records were read again by today's rules for identifiers"


def catch_up(store: Store, now: datetime) -> int:
    """Bring the stored records to today's rules, once; how many of them have a new version."""
    with store.read() as con:
        if cleaning.rules(con) == values.RULES_VERSION:
            return 0

    def job(con: Connection) -> int:
        if cleaning.rules(con) == values.RULES_VERSION:
            return 0
        changed = [
            clean for record in records.every(con).values() if (clean := cleaned(record)) != record
        ]
        _add_versions(con, changed, now)
        settle(con, changed, now)
        cleaning.note(con, values.RULES_VERSION, len(changed), now)
        for review in records.reviews_of(con, [record.record_id for record in changed]):
            versions.ask(con, review, CAUSE, now)
        return len(changed)

    count = store.write(job, bulk=True)
    if count:
        log.warning("%d stored records have a new version: %s", count, CAUSE)
    return count


def cleaned(record: Record) -> Record:
    """The record as today's readers would hand it out; a title is never taken away."""
    identified = replace(
        record,
        doi=clean_doi(record.doi),
        pmid=clean_pmid(record.pmid),
        pmcid=clean_pmcid(record.pmcid),
    )
    tidy = values.tidied(identified)
    return tidy if tidy.title else replace(tidy, title=record.title)


def _add_versions(con: Connection, changed: list[Record], now: datetime) -> None:
    """A version more of each, beside the hash of the bytes that its source sent."""
    ids = [record.record_id for record in changed]
    hashes = cleaning.hashes(con, ids)
    by_hash: dict[str, list[Record]] = {}
    for record in changed:
        by_hash.setdefault(hashes[record.record_id], []).append(record)
    for sha256, group in by_hash.items():
        records.append(con, group, sha256, now)
