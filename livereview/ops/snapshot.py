"""One Snapshot of everything a review's public summary is made from, read from the store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from livereview.evidence import forms
from livereview.ops.surveil import protocol
from livereview.records import Record
from livereview.review import Review
from livereview.store import decisions, evidence, matches, records, searches, versions
from livereview.store.open import Connection
from livereview.summary.snapshot import Flow, Published, Report, SearchFact, Snapshot, Study

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def snapshot(con: Connection, review_id: str, history: Sequence[versions.Version]) -> Snapshot:
    """What is known of a review now; `history` are the versions before the one to be built."""
    review = protocol(con, review_id)
    grouped = evidence.reports_of(con, review_id)
    awaiting = evidence.to_extract(con, review_id)
    excluded = decisions.excluded_at_full_text(con, review_id)
    labels = {reason.id: reason.label for reason in review.reasons}
    wanted = [*awaiting, *(report for report, _ in excluded), *(r for reports in grouped.values() for r in reports)]
    found = records.reports(con, review_id, wanted)
    reasons = {report: labels.get(reason or "", reason) for report, reason in excluded}
    _, moment = versions.latest_sequence(con, review_id)
    return Snapshot(
        review=review,
        moment=moment or EPOCH,
        searches=tuple(_searches(con, review)),
        flow=_flow(con, review_id, reasons.values(), grouped),
        studies=tuple(_studies(con, review, grouped, found)),
        awaiting=tuple(_report(key, found) for key in awaiting),
        excluded=tuple(_report(key, found, reasons[key]) for key, _ in excluded),
        history=tuple(_published(version) for version in history),
    )


def _searches(con: Connection, review: Review) -> Iterable[SearchFact]:
    """Every search of the protocol, run or not, then the files that people brought."""
    known = {row["name"]: row for row in searches.health(con, review.id)}
    totals = searches.records_by_search(con, review.id)
    planned = {search.name: search for search in review.searches}
    for name in [*planned, *(name for name in known if name not in planned)]:
        row, plan = known.get(name), planned.get(name)
        yield SearchFact(
            name=name,
            source=plan.source if plan else str(row and row["source"]),
            platform=plan.platform if plan else "file import",
            query=(plan.query or plan.url or "") if plan else name,
            last_at=row["last_at"] if row else None,
            last_outcome=row["last_outcome"] if row else None,
            last_error=row["last_error"] if row else None,
            last_success=row["last_success"] if row else None,
            found=totals.get(name, 0),
            grey=plan.grey if plan else False,
        )


def _flow(con: Connection, review: str, reasons: Iterable[str | None], grouped: dict[str, list[str]]) -> Flow:
    n = decisions.counts(con, review)
    tally = sorted(
        Counter(reason or "no reason given" for reason in reasons).items(), key=lambda row: (-row[1], row[0])
    )
    in_studies = {report for reports in grouped.values() for report in reports}
    return Flow(
        identified_databases=n["databases"],
        identified_other=n["other"],
        duplicates=n["duplicates"],
        screened=n["excluded"] + n["sought"],
        awaiting_screening=n["awaiting_screening"] + n["in_screening"],  # apart, they would tell a reviewer of votes
        in_screening=0,
        excluded=n["excluded"],
        sought=n["sought"],
        not_retrieved=n["not_retrieved"],
        awaiting_full_text=n["awaiting_full_text"],
        assessed=n["excluded_full_text"] + n["included"],
        excluded_full_text=tuple(tally),
        included=n["included"],
        awaiting_extraction=n["included"] - len(in_studies),
        studies=len(grouped),
        doubtful_pairs=matches.doubtful_count(con, review),
    )


def _studies(
    con: Connection, review: Review, grouped: dict[str, list[str]], found: dict[str, list[Record]]
) -> Iterable[Study]:
    texts = evidence.extractions(con, review.id)
    for study, reports in sorted(grouped.items()):
        form = forms.from_json(json.loads(texts[study]), review, study) if study in texts else None
        yield Study(study, form.label if form else study, tuple(_report(key, found) for key in reports), form)


def _report(report_id: str, found: dict[str, list[Record]], reason: str | None = None) -> Report:
    members = found[report_id]
    return Report(report_id, records.fullest(members), tuple(sorted({record.source for record in members})), reason)


def _published(version: versions.Version) -> Published:
    return Published(
        number=version.number,
        date=version.moment,
        content_hash=version.content_hash,
        change=version.change,
        trigger=version.cause,
        signed_by=version.signed_by,
        summary=version.summary,
    )
