"""Decisions from files of other tools, and records and decisions for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.evidence import sheets
from livereview.exchange import write
from livereview.ops import screen
from livereview.ops.pairs import Described, resolve_described
from livereview.ops.protocols import protocol
from livereview.records import Record
from livereview.review import Review
from livereview.screening import blindness
from livereview.store import decisions, evidence, records, standings
from livereview.store.finding import Row
from livereview.store.open import Connection, Store

COLUMNS = (
    "record", "report", "title", "authors", "year", "journal", "doi", "pmid", "stage", "reviewer", "role", "verdict",
    "reason", "note", "tags", "decided", "criteria_version", "state",
)  # fmt: skip
SETTLED_STAYS = (
    "the team has settled this report, and this row says otherwise; to change what is settled, send the file again "
    "and say so (“also change what is settled”, or --change-settled)"
)
FORMATS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ris": "application/x-research-info-systems",
}


RECORD_FORMATS = {
    "ris": "application/x-research-info-systems",
    "csv": "text/csv",
    "bib": "application/x-bibtex",
}
# What people extracted from studies, by the names of the downloads.
STUDY_FORMATS = {
    "studies.csv": "text/csv; charset=utf-8",
    "studies.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "studies.json": "application/json",
}
RECORD_COLUMNS = (
    "report", "title", "authors", "year", "journal", "volume", "issue", "pages", "doi", "pmid", "pmcid", "type",
    "language", "url", "abstract", "stage", "state", "decisions", "tags", "sources",
)  # fmt: skip


def export_records(rules: Review, entries: Sequence[tuple[Record, Row]], kind: str) -> bytes:
    """Reports of the table of records as a file (one of RECORD_FORMATS), with what their rows tell:
    whoever asks has no more in the file than on the page.
    """
    if kind == "ris":
        return write.as_ris((record, _row_notes(row)) for record, row in entries)
    if kind == "bib":
        return write.as_bibtex(record for record, _ in entries)
    return write.as_csv(RECORD_COLUMNS, (_record_row(rules, *entry) for entry in entries))


def _row_notes(row: Row) -> list[str]:
    words = f"livereview: {row.state} at {row.stage}"
    tags = "; ".join(tag.name for tag in row.tags)
    return [words, f"Tags: {tags}"] if tags else [words]


def _record_row(rules: Review, record: Record, row: Row) -> dict[str, write.Value]:
    labels = {reason.id: reason.label for reason in rules.reasons}
    decisions_told = [
        f"{vote['reviewer']} {vote['verdict']} at {vote['stage']}"
        + (f" ({labels.get(vote['reason'], vote['reason'])})" if vote["reason"] else "")
        for vote in row.votes
    ]
    same = ("title", "year", "volume", "issue", "pages", "doi", "pmid", "pmcid", "type", "language")
    return {
        **{name: getattr(record, name) for name in (*same, "url", "abstract")},
        "report": row.report_id,
        "authors": "; ".join(record.authors),
        "journal": record.container_title,
        "stage": row.stage,
        "state": row.state,
        "decisions": "; ".join(decisions_told),
        "tags": "; ".join(tag.name for tag in row.tags),
        "sources": "; ".join(row.sources),
    }


def take_decision(
    store: Store,
    *,
    id: str,
    review: str,
    row: dict[str, Any],
    now: datetime,
    words: Sequence[dict[str, Any]] | None = None,
    place: int = 0,
    change_settled: bool = False,
) -> dict[str, Any]:
    """Write one row of `exchange.decisions`.

    The same id again changes nothing, nor does what was said last.

    A reason is matched by its id or label; one that the review does not have goes into the note.
    Raises Refused where the file does not say who decided or at which stage, and for any rule of
    the screening room.

    Args:
        words, place: All rows of the file by this person on this record, in its order, and which of
            them this is (None: there is no other); `exchange.repeats` tells by them what of a file
            was said before.
        change_settled: Also where it would undo what a team has settled; else such a row is
            refused.
    """
    with store.read() as con:
        rules = protocol(con, review)
        told = Described(
            (row["record"], *(row.get("also") or ())), row.get("year"), row.get("author")
        )
        record = resolve_described(con, review, told)
    if missing := [name for name in ("stage", "reviewer") if not row.get(name)]:
        raise Refused(
            f"the file does not say {' and '.join(missing)}; give it with --{' and --'.join(missing)}"
        )
    reason, note = _reason(rules, row["verdict"], row.get("reason"), row.get("note"))
    said = tuple(_word(rules, other) for other in words or [row])
    try:
        return screen.decide(
            store,
            id=id,
            review=review,
            record=record,
            stage=row["stage"],
            reviewer=row["reviewer"],
            verdict=row["verdict"],
            role=row.get("role") or "vote",
            reason=reason,
            note=note,
            tags=row.get("tags") or (),
            now=now,
            file=screen.FileWords(said, place),
            settled_stays=not change_settled,
        )
    except screen.TeamsOutcome:
        raise Refused(SETTLED_STAYS) from None


def _word(rules: Review, row: dict[str, Any]) -> screen.Word:
    reason, note = _reason(rules, row["verdict"], row.get("reason"), row.get("note"))
    return screen.Word(row["verdict"], reason or None, note or None, tuple(row.get("tags") or ()))


def _reason(
    rules: Review, verdict: str, said: str | None, note: str | None
) -> tuple[str | None, str | None]:
    """(the review's own reason, the note): what is no reason of the review, or of no exclusion,
    goes into the note.
    """
    if not said:
        return None, note
    if verdict != "exclude":
        return None, "; ".join(filter(None, (note, f"reason there: {said}")))
    for reason in rules.reasons:
        if said.casefold() in (reason.id.casefold(), reason.label.casefold()):
            return reason.id, note
    if "-" in said and " " not in said:
        return said, note  # meant as an id of ours: let the rules name the choices
    return None, "; ".join(filter(None, (note, f"reason there: {said}")))


def export(
    con: Connection, review: str, kind: str, now: datetime, eyes: str | None = None
) -> bytes:
    """Every record with its decisions in force: a row for each decision (csv, xlsx), or an entry
    for each record (ris).

    A record without decisions has one row that holds none.

    Args:
        eyes: Who reads it and still votes: they see nobody's votes on what still takes votes (None:
            all are shown).
    """
    rules = protocol(con, review)
    if kind not in FORMATS:
        raise Refused(f"the format must be one of {', '.join(FORMATS)}; it was {kind!r}")
    if kind == "ris":
        return write.as_ris(
            (record, _notes(rules, votes, state))
            for record, votes, state in _each(con, review, eyes)
        )
    rows = (
        row
        for record, votes, state in _each(con, review, eyes)
        for row in _rows(record, votes, state)
    )
    if kind == "csv":
        return write.as_csv(COLUMNS, rows)
    return write.as_xlsx(COLUMNS, rows, now)


def export_studies(con: Connection, review: str, kind: str, now: datetime) -> bytes:
    """The extraction in force of each study: as sheets that `livereview extract` takes back (csv,
    xlsx: a row for each result, finding, judgement and cost), or as the forms themselves (json).

    Raises:
        Refused: the kind is none of STUDY_FORMATS.
    """
    if kind not in STUDY_FORMATS:
        raise Refused(f"the kind must be one of {', '.join(STUDY_FORMATS)}; it was {kind!r}")
    forms = [json.loads(text) for _, text in sorted(evidence.extractions(con, review).items())]
    if kind == "studies.json":
        return json.dumps(forms, ensure_ascii=False, indent=1, sort_keys=True).encode()
    columns, rows = sheets.to_rows(forms)
    if kind == "studies.csv":
        return write.as_csv(columns, rows)
    return write.as_xlsx(columns, rows, now, "studies")


def _each(
    con: Connection, review: str, eyes: str | None
) -> Iterator[tuple[Any, list[dict[str, Any]], standings.Standing]]:
    """(record, decisions in force, standing) of each report, as it was found."""
    stands = standings.all_of(con, review)
    votes = decisions.by_report(con, review)
    members = records.reports(con, review, [one.report_id for one in stands])
    for one in stands:
        shown = blindness.visible(votes.get(one.report_id, []), one.stage, one.state, eyes)
        state = replace(one, state=blindness.state_shown(one.state, eyes))
        yield records.merged(members[one.report_id])[0], [dict(vote) for vote in shown], state


def _rows(
    record: Any, votes: list[dict[str, Any]], state: standings.Standing
) -> Iterator[dict[str, write.Value]]:
    known: dict[str, write.Value] = {
        "record": record.record_id,
        "report": state.report_id,
        "title": record.title,
        "authors": "; ".join(record.authors),
        "year": record.year,
        "journal": record.container_title,
        "doi": record.doi,
        "pmid": record.pmid,
        "state": f"{state.state} at {state.stage}",
    }
    for vote in votes or [{}]:
        said = {
            key: vote.get(key)
            for key in (
                "stage",
                "reviewer",
                "role",
                "verdict",
                "reason",
                "note",
                "criteria_version",
            )
        }
        made = vote["made"].isoformat() if vote else None
        yield known | said | {"tags": "; ".join(vote.get("tags") or ()), "decided": made}


def _notes(rules: Review, votes: list[dict[str, Any]], state: standings.Standing) -> list[str]:
    """What other tools read in N1: Rayyan's votes and reasons, ASReview's label, and where the
    record stands.
    """
    labels = {reason.id: reason.label for reason in rules.reasons}
    cast = {vote["reviewer"]: vote["verdict"] for vote in votes if vote["role"] == "vote"}
    words = {"include": "Included", "exclude": "Excluded", "maybe": "Maybe"}
    said = ", ".join(
        f'"{who}"=>"{words[verdict]}"' for who, verdict in cast.items() if verdict in words
    )
    reasons = sorted(
        {labels.get(vote["reason"], vote["reason"]) for vote in votes if vote["reason"]}
    )
    seen = {"included": "ASReview_relevant", "excluded": "ASReview_irrelevant"}.get(
        state.state, "ASReview_not_seen"
    )
    if state.stage != rules.screening.stages[0]:
        seen = "ASReview_relevant"  # it went on to full text
    rayyan = [f"RAYYAN-INCLUSION: {{{said}}}"] * bool(said)
    rayyan += [f"RAYYAN-EXCLUSION-REASONS: {','.join(reasons)}"] * bool(reasons)
    return [
        *([" | ".join(rayyan)] if rayyan else []),
        seen,
        f"livereview: {state.state} at {state.stage}",
    ]
