"""What people extract from included reports."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from livereview.errors import Refused
from livereview.evidence import certainty, checks, forms, sheets
from livereview.ops.screen import resolve
from livereview.ops.surveil import protocol
from livereview.review import Review
from livereview.store import evidence, records, standings, versions
from livereview.store.open import Connection, Store


def extract(
    store: Store, *, id: str, review: str, data: dict[str, Any], extractor: str, now: datetime, name: str = "extraction"
) -> dict[str, Any]:
    """Write one extraction of one study and tie its reports to the study; the same id again changes nothing.

    data  the form as `evidence.forms` describes it. Raises Refused, changing nothing, when the form has errors, when a
    report is not in the review, or when it has not been included yet.
    """

    def job(con: Connection) -> dict[str, Any]:
        form = checks.from_json(data, protocol(con, review), name)
        found = [_included(con, review, reference) for reference in form.reports]
        evidence.link(con, review, form.study, [(f"{id}/{record}", record) for record in found], extractor, now)
        text = json.dumps(forms.to_json(form), ensure_ascii=False, sort_keys=True)
        new = evidence.append(con, id, review, form.study, form.form_version, extractor, text, now)
        if new:
            versions.ask(con, review, f"extraction of {form.label}", now)
        return {"study": form.study, "reports": len(found), "results": len(form.results), "known": not new}

    return store.write(job)


def _included(con: Connection, review: str, reference: str) -> str:
    record = resolve(con, review, reference)
    report = records.report_of(con, [record]).get(record, record)
    standing = standings.of(con, review, report)
    last = protocol(con, review).screening.stages[-1]
    if standing is None or (standing.stage, standing.state) != (last, "included"):
        where = f"{standing.state} at {standing.stage}" if standing else "unknown"
        raise Refused(f"{reference!r} can't be extracted: it is {where}, not included; screen it first")
    return record


def read_sheet(store: Store, *, review: str, text: str, now: datetime) -> dict[str, Any]:
    """The forms in a CSV sheet, checked against the protocol; nothing is written."""
    with store.read() as con:
        return {"forms": [forms.to_json(form) for form in sheets.from_csv(text, protocol(con, review), "sheet")]}


def rate(store: Store, *, id: str, review: str, data: Any, by: str, now: datetime) -> dict[str, Any]:
    """Write how sure a finding is, for the studies that it rests on now; the same id again changes nothing.

    data  as `evidence.certainty.from_json` describes it; raises Refused, changing nothing, when it has errors.
    """

    def job(con: Connection) -> dict[str, Any]:
        rules = protocol(con, review)
        rating = certainty.from_json(data, rules, _subjects(con, rules))
        new = evidence.rate(con, id, review, rating, by, now)
        if new:
            versions.ask(con, review, f"rating of {rating.subject}", now)
        return {**certainty.to_json(rating), "known": not new}

    return store.write(job)


def _subjects(con: Connection, rules: Review) -> dict[str, list[str]]:
    """The studies behind each outcome and each statement."""
    texts = evidence.extractions(con, rules.id)
    forms_ = [checks.from_json(json.loads(texts[study]), rules, study) for study in sorted(texts)]
    found = {
        one.id: [form.study for form in forms_ if any(r.outcome == one.id for r in form.results)]
        for one in rules.outcomes
    }
    return found | {one.id: list(one.studies) for one in rules.statements}
