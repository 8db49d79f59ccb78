"""Studies and reports as they are published: what was extracted, and the tools they were judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from livereview.evidence import appraisal, orientation
from livereview.evidence import forms as forms_
from livereview.evidence.forms import Extraction
from livereview.evidence.forms import Result as ExtractedResult
from livereview.messages import say
from livereview.review import Review
from livereview.review import Tool as AppraisalTool
from livereview.summary import model, words
from livereview.summary.model.studies import (
    Cost,
    DomainOfStudy,
    ExcludedReport,
    ExtractedStudy,
    Report,
    Result,
    StudySays,
    WaitingStudy,
)
from livereview.summary.snapshot import Report as FoundReport
from livereview.summary.snapshot import Snapshot
from livereview.summary.snapshot import Study as IncludedStudy

NOT_OF_A_STUDY = ("study", "label", "reports", "results", "findings", "appraisal", "costs")
"""Fields of a form that a published study has under another name, or made anew."""


def study(review: Review, included: IncludedStudy) -> WaitingStudy | ExtractedStudy:
    """A study with its extraction, where there is one."""
    form = included.extraction
    shared: dict[str, Any] = {
        "id": included.study_id,
        "label": included.label,
        "reports": tuple(report(published) for published in included.reports),
    }
    if form is None:
        return WaitingStudy(extracted=False, **shared)
    return ExtractedStudy(extracted=True, **shared, **_facts(review, form))


def _facts(review: Review, form: Extraction) -> dict[str, Any]:
    """An extraction by its fields, without the extractor's notes, which are for colleagues."""
    plain = {key: value for key, value in forms_.plain(form).items() if key not in NOT_OF_A_STUDY}
    return {
        **plain,
        "risk_of_bias_display": appraisal.in_words(form.risk_of_bias),
        "results": tuple(_result(review, result) for result in form.results),
        "findings": tuple(StudySays(**asdict(finding)) for finding in form.findings),
        "appraisal": _domains(form, review.tools),
        "costs": tuple(Cost(**asdict(cost)) for cost in form.costs),
    }


def _domains(form: Extraction, own: Sequence[AppraisalTool]) -> tuple[DomainOfStudy, ...]:
    """Each domain as it was judged, with what it is about and the judgement in words."""
    judged = appraisal.appraised(form, own).domains
    return tuple(
        DomainOfStudy(
            domain=row.domain,
            label=domain.label,
            judgement=row.judgement,
            judgement_display=appraisal.in_words(row.judgement),
            support=row.support,
        )
        for row, domain in zip(form.appraisal, judged, strict=True)
    )


def _result(review: Review, result: ExtractedResult) -> Result:
    direction = orientation.direction_in(review, result)
    plain = {key: value for key, value in forms_.plain(result).items() if key != "note"}
    display = {
        "direction": direction,
        "direction_display": say(words.DIRECTIONS[direction]),
        "direction_as_words": result.effect is None and orientation.lacks_size(result) is None,
        "display": words.effect(result),
    }
    return Result.model_validate({**plain, **display})


def report(found: FoundReport) -> Report:
    """A publication by the fullest of its records."""
    return Report(**_of_record(found))


def excluded(found: FoundReport) -> ExcludedReport:
    """A report that was read in full and excluded, with the reason."""
    return ExcludedReport(**_of_record(found), reason=found.reason)


def _of_record(found: FoundReport) -> dict[str, Any]:
    record = found.record
    return {
        "id": found.report_id,
        "title": record.title,
        "authors": record.authors,
        "year": record.year,
        "published_in": record.container_title,
        "doi": record.doi,
        "link": words.link(record),
        "retraction": record.retraction,
    }


def tools(snapshot: Snapshot) -> tuple[model.Tool, ...]:
    """The tools of appraisal that the studies were judged with, and the protocol's own."""
    own = snapshot.review.tools
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    named = [appraisal.tool_of(form.risk_of_bias_tool, own) for form in forms]
    used = {tool.id: tool for tool in (*own, *named) if tool is not None}
    return tuple(_tool(used[name]) for name in sorted(used))


def _tool(tool: AppraisalTool) -> model.Tool:
    domains = tuple(model.ToolDomain(id=id, label=label) for id, label in tool.domains)
    return model.Tool.model_validate({**asdict(tool), "domains": domains})
