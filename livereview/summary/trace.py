"""Each public sentence followed back: rule, studies, extraction, decisions by role, records, query,
the bytes' hash.
"""

from __future__ import annotations

from livereview.summary import words
from livereview.summary.model import Summary
from livereview.summary.model.trace import (
    ExtractionDone,
    PlacedQuote,
    Trace,
    TracedClaim,
    TracedDecision,
    TracedRecord,
    TracedReport,
    TracedStudy,
    TracedVersion,
)
from livereview.summary.snapshot import Decided, Origin, Quoted, Snapshot, Study, Traced

ROLES = {"vote": "a reviewer", "adjudication": "an adjudicator"}


def of_summary(snapshot: Snapshot, summary: Summary) -> Trace:
    """The claims with the rule and studies of each, and what each study rests on."""
    claims = {
        claim.id: TracedClaim(
            text=claim.text, rule=claim.rule, version=claim.version, studies=claim.studies
        )
        for claim in summary.claims
    }
    version = TracedVersion(
        number=summary.version.number,
        date=summary.version.date,
        content_hash=summary.version.content_hash,
    )
    studies = {study.study_id: _study(snapshot, study) for study in snapshot.studies}
    return Trace(review=snapshot.review.id, version=version, claims=claims, studies=studies)


def _study(snapshot: Snapshot, study: Study) -> TracedStudy:
    quotes = [_quote(quoted) for quoted in snapshot.quoted.get(study.study_id, ())]
    reports = {
        report.report_id: _report(snapshot.traced.get(report.report_id, Traced()))
        for report in study.reports
    }
    return TracedStudy(
        label=study.label,
        extraction=_extraction(snapshot, study),
        quotes=tuple(quotes),
        reports=reports,
    )


def _extraction(snapshot: Snapshot, study: Study) -> ExtractionDone | None:
    made = snapshot.extracted.get(study.study_id)
    if made is None:
        return None
    form, people, date = made
    return ExtractionDone(form=form, people=people, date=words.iso(date), by="an extractor")


def _quote(quoted: Quoted) -> PlacedQuote:
    return PlacedQuote(
        quote=quoted.quote, state=quoted.state, page=quoted.page, file_sha256=quoted.sha256
    )


def _report(traced: Traced) -> TracedReport:
    return TracedReport(
        decisions=tuple(_decision(decided) for decided in traced.decisions),
        records=tuple(_record(origin) for origin in traced.origins),
    )


def _decision(decided: Decided) -> TracedDecision:
    return TracedDecision(
        stage=decided.stage,
        by=ROLES.get(decided.role, decided.role),
        verdict=decided.verdict,
        criteria=decided.criteria,
        date=words.iso(decided.date),
    )


def _record(origin: Origin) -> TracedRecord:
    return TracedRecord(
        source=origin.source,
        key=origin.key,
        search=origin.search,
        query=origin.query,
        sha256=origin.sha256,
        found=words.iso(origin.date),
    )
