"""Each public sentence followed back: rule, studies, extraction, decisions by role, records, query,
the bytes' hash.
"""

from __future__ import annotations

from typing import Any

from livereview.summary import words
from livereview.summary.model import Summary
from livereview.summary.snapshot import Decided, Origin, Quoted, Snapshot, Traced

ROLES = {"vote": "a reviewer", "adjudication": "an adjudicator"}


def to_json(snapshot: Snapshot, summary: Summary) -> dict[str, Any]:
    """trace.json: the claims with the rule and studies of each, and what each study rests on.

    People by role only.
    """
    claims = {
        claim.id: {
            "text": claim.text,
            "rule": claim.rule,
            "version": claim.version,
            "studies": list(claim.studies),
        }
        for claim in summary.claims
    }
    studies = {study.study_id: _study(snapshot, study.study_id) for study in snapshot.studies}
    version = {
        "number": summary.version.number,
        "date": summary.version.date,
        "content_hash": summary.version.content_hash,
    }
    return {"review": snapshot.review.id, "version": version, "claims": claims, "studies": studies}


def _study(snapshot: Snapshot, study_id: str) -> dict[str, Any]:
    study = next(one for one in snapshot.studies if one.study_id == study_id)
    made = snapshot.extracted.get(study_id)
    extraction = (
        {"form": made[0], "people": made[1], "date": words.iso(made[2]), "by": "an extractor"}
        if made
        else None
    )
    reports = {
        report.report_id: _report(snapshot.traced.get(report.report_id, Traced()))
        for report in study.reports
    }
    quotes = [_quote(quoted) for quoted in snapshot.quoted.get(study_id, ())]
    return {
        "label": study.label,
        "extraction": extraction,
        "quotes": quotes,
        "reports": reports,
    }


def _quote(quoted: Quoted) -> dict[str, Any]:
    """A quote with its page; the file itself is never published, only what tells it."""
    return {
        "quote": quoted.quote,
        "state": quoted.state,
        "page": quoted.page,
        "file_sha256": quoted.sha256,
    }


def _report(traced: Traced) -> dict[str, Any]:
    return {
        "decisions": [_decision(one) for one in traced.decisions],
        "records": [_origin(one) for one in traced.origins],
    }


def _decision(one: Decided) -> dict[str, Any]:
    return {
        "stage": one.stage,
        "by": ROLES.get(one.role, one.role),
        "verdict": one.verdict,
        "criteria": one.criteria,
        "date": words.iso(one.date),
    }


def _origin(one: Origin) -> dict[str, Any]:
    return {
        "source": one.source,
        "key": one.key,
        "search": one.search,
        "query": one.query,
        "sha256": one.sha256,
        "found": words.iso(one.date),
    }
