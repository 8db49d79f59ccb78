"""Coding reports for the evidence and gap map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.evidence import map_codes
from livereview.evidence.map_codes import MapCodes
from livereview.exchange.repeats import told_before
from livereview.ops.pairs import Described, resolve_described
from livereview.ops.protocols import protocol
from livereview.ops.typed import typed
from livereview.review import Review
from livereview.store import coding, records, standings, versions
from livereview.store.open import Connection, Store


@typed
def code(
    store: Store,
    *,
    id: str,
    review: str,
    record: str,
    codes: Any,
    by: str,
    now: datetime,
    also: Sequence[str] = (),
    year: int | None = None,
) -> dict[str, Any]:
    """Say what the report of a record is about; said again otherwise, that holds.

    The same id again changes nothing, nor do codes that hold already.

    Args:
        record: An id, a DOI, "pmid:…" or the exact title; `also` and `year` are what else a file
            tells of it.
        codes: As `evidence.map_codes.from_json` describes them; empty ones take the report off the
            map.

    Raises:
        Refused: with every mistake; nothing is changed.
    """

    def job(con: Connection) -> dict[str, Any]:
        rules = protocol(con, review)
        found = resolve_described(con, review, Described((record, *also), year, None))
        given = map_codes.from_json(codes, rules, record)
        text = json.dumps(map_codes.to_json(given), ensure_ascii=False, sort_keys=True)
        report = records.report_of(con, [found]).get(found, found)
        history = coding.said(con, review, standings.members(con, [report]))
        answer = {"record": report, "codes": map_codes.to_json(given)}
        if told_before([("", said) for _, said in history], [("", text)], 0):
            return answer | {"known": True}
        new = coding.append(con, id, review, found, text, by, now)
        if new:
            versions.ask(con, review, "a report was coded for the map", now)
        return answer | {"known": not new}

    return store.write(job)


def take_back(
    store: Store, *, id: str, review: str, record: str, by: str, now: datetime
) -> dict[str, Any]:
    """Give a report the codes that it had before its last ones: none, where those were its first.

    Raises:
        Refused: it was never coded.
    """
    with store.read() as con:
        history = history_of(con, protocol(con, review), record)
    if not history:
        raise Refused(f"{record!r} has no codes to take back")
    before = history[-2][1] if len(history) > 1 else MapCodes()
    plain = map_codes.to_json(before)
    return code(store, id=id, review=review, record=record, codes=plain, by=by, now=now)


def history_of(con: Connection, rules: Review, record: str) -> list[tuple[str, MapCodes]]:
    """(author, codes) of all that was said of a report, oldest first."""
    report = records.report_of(con, [record]).get(record, record)
    return [
        (author, map_codes.in_force(json.loads(text), rules))
        for author, text in coding.said(con, rules.id, standings.members(con, [report]))
    ]
