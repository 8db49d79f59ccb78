"""The room of extraction: studies and what waits, one form a study, what a form or a removal would
change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.evidence import certainty, wording
from livereview.evidence.grade import Mismatch
from livereview.store import evidence, extraction_checks, records
from livereview.store.extraction_checks import Standing
from livereview.store.full_texts import FullText
from livereview.store.open import Connection
from livereview.web import acts, drafts, extraction_form, form_mistakes, form_sections, guard, pages
from livereview.web.drafts import NEW, Sent, Shown
from livereview.web.guard import ReviewContext
from livereview.web.reader import Reader, marks, terms


def page(context: guard.InReview) -> Response:
    """The studies, and the included reports that belong to none yet with where they may belong."""
    return _page(context)


def shown_again(context: ReviewContext, unjudged: Unjudged) -> Response:
    """The page with a CERQual rating that was not taken, and why."""
    return _page(context, 422, unjudged=unjudged)


def _page(
    context: ReviewContext,
    status: int = 200,
    unrated: Unrated | None = None,
    unjudged: Unjudged | None = None,
) -> Response:
    """The page; `unrated` or `unjudged` is a rating that was not taken, shown again with what was
    typed.
    """
    review = context.review.id
    with context.shared.store.read() as con:
        waiting, singles = ops.evidence.suggestions(con, review), evidence.singles(con, review)
        grouped, told = evidence.reports_of(con, review), evidence.extractions(con, review)
        wanted = [*waiting, *(one for some in grouped.values() for one in some)]
        titles = {
            report: records.merged(some)[0].title
            for report, some in records.reports(con, review, wanted).items()
        }
        values: dict[str, Any] = {
            "waiting": waiting,
            "checks": _checks(con, review),
            "drafts": drafts.own(con, context),
            "titles": titles,
            "studies": [_row(study, grouped, told, singles) for study in grouped],
            "agreement": ops.evidence.agreement(con, review)
            if context.user.role == "lead"
            else None,
            "label_of": extraction_form.label_of,
            "part_names": extraction_form.NAMES,
            "misquoted": ops.quotes.not_in_files(con, review),
            "findings": [
                finding
                for finding in ops.evidence.rated_findings(con, context.review)
                if finding.studies
            ],
            "ratings": {
                one.subject: one for one in evidence.ratings(con, review) if one.kind == "grade"
            },
            "headline": wording.headline,
            "size_of": wording.size,
            "unrated": unrated,
            "unjudged": unjudged,
            "rateable": ops.evidence.rateable(con, context.review),
            "levels": tuple(reversed(certainty.LEVELS)),
            "qualities": certainty.CERQUAL,
            "concerns": certainty.CONCERNS,
            "down": certainty.DOWN,
            "up": certainty.UP,
            "missing_levels": certainty.MISSING_LEVELS,
        }
    return pages.show("evidence.html", context, status, **values)


def _checks(con: Connection, review: str) -> dict[str, Standing]:
    """Where each study's extraction stands, by study; none where two people extract each."""
    if not ops.extraction_checks.asked_for(con, review):
        return {}
    return extraction_checks.standings(con, review)


def _row(
    study: str, grouped: dict[str, list[str]], told: dict[str, str], singles: dict[str, Any]
) -> dict[str, Any]:
    form = json.loads(told[study]) if study in told else {}
    return {
        "id": study,
        "label": form.get("label", study),
        "reports": grouped[study],
        "results": len(form.get("results", ())),
        "findings": len(form.get("findings", ())),
        "bias": form.get("risk_of_bias"),
        "holds": study in told,
        "people": sorted(singles.get(study, ())),
    }


def form(context: guard.InReview, study: str, report: str = "", draft: str = "") -> Response:
    """The form of a study, filled with one's draft of it, else with what holds, or with one's own.

    A new one begins with a report. `draft` names another of one's drafts, or is "none".
    """
    subject = drafts.subject_of(context, study, report)
    with context.shared.store.read() as con:
        shown = drafts.shown(con, subject, draft)
        if shown.draft is None:
            return _show(context, study, _filled(con, context, study, report), shown)
    typed = extraction_form.without_gaps(shown.draft.fields)
    filled = extraction_form.read(typed.items())
    return _show(context, study, filled, shown, typed=typed)


def _filled(con: Connection, context: ReviewContext, study: str, report: str) -> dict[str, Any]:
    """What stands in the form at first.

    Nobody sees another's extraction before there is a consensus to make.
    """
    review = context.review.id
    if study == NEW:
        found = records.reports(con, review, [report]).get(report, [])
        record = records.merged(found)[0] if found else None
        return {"reports": [report] if found else [], "year": record.year if record else None}
    mine = evidence.singles(con, review).get(study, {})
    text = mine.get(context.me) or evidence.extractions(con, review).get(study)
    if text is None and study not in evidence.reports_of(con, review):
        raise HTTPException(404, "There is no such study in this review.")
    if text:
        return dict(json.loads(text))
    return {"study": study, "reports": evidence.reports_of(con, review)[study]}


def _show(
    context: ReviewContext,
    study: str,
    filled: dict[str, Any],
    draft: Shown,
    status: int = 200,
    *,
    typed: Mapping[str, str] | None = None,
    problem: str = "",
    impact: Any = None,
    again: bool = False,
) -> Response:
    review = context.review.id
    with context.shared.store.read() as con:
        history = evidence.history(con, review, study)
        apart = extractions_of_two(con, context, study)
        holds = study in evidence.extractions(con, review)
        check = _checks(con, review).get(study)
        shown = [filled, *((apart.left, apart.right) if apart else ())]
        quoted = ops.quotes.standings_of(con, review, study, shown)
        sources = form_sections.sources(con, context, study, draft.subject.report)
    reader = Reader(
        base=f"/r/{review}",
        files=files_of(sources),
        marks=marks(shown, quoted),
        terms=terms(context.review.highlights),
    )
    parts = extraction_form.parts(context.review, filled, quoted, typed)
    sections = form_sections.sections(context.review, parts, filled)
    mistakes = form_mistakes.mistakes(problem) if problem else ()
    values = {
        "sections": sections,
        "open_parts": form_sections.opened(sections, mistakes, again=again),
        "again": again,
        "sources": sources,
        "reader": reader,
        "cautions": ops.page_texts.cautions(
            context.shared.settings.full_texts,
            [file.sha256 for file in reader.files],
        ),
        "draft": draft,
        "quoted": quoted,
        "mistakes": mistakes,
        "impact": impact,
        "holds": holds,
        "check": check,
    }
    return pages.show(
        "extraction.html", context, status, study=study, history=history, apart=apart, **values
    )


def files_of(sources: Sequence[form_sections.Source]) -> tuple[FullText, ...]:
    """The files of these reports, each once."""
    every = [file for source in sources for file in source.files]
    return tuple({file.sha256: file for file in every}.values())


def extractions_of_two(
    con: Connection, context: ReviewContext, study: str
) -> ops.evidence.TwoExtractions | None:
    """The two extractions between which whoever asks may make a consensus; None: there are none."""
    leads = context.user.role == "lead"
    return ops.evidence.two_extractions(con, context.review.id, study, context.me, leads)


def save(
    context: guard.InReview,
    study: str,
    form: Annotated[str, Depends(guard.form_id)],
    act: Annotated[str, Form()],
    sent: Annotated[Sent, Depends(drafts.sent)],
) -> Response:
    """Show what the form would change in public, add rows, or save it.

    A mistake comes back with everything typed, which is kept as a draft until the form is saved.
    """
    review, now = context.review.id, context.shared.clock()
    if act not in ("rows", "preview", "single", "consensus"):
        raise HTTPException(422, "act must be one of rows, preview, single, consensus")
    filled = extraction_form.read(sent.typed.fields.items())
    if act == "rows":
        return show_again(context, study, filled, sent)
    try:
        if act == "preview":
            impact = ops.impact.preview(
                context.shared.store, review=review, form=filled, now=now, name="The form"
            )
            return show_again(context, study, filled, sent, impact=impact)
        with context.shared.store.read() as con:
            ops.evidence.check_takes_from_none(con, review, filled)
        asked: dict[str, Any] = {
            "id": form,
            "review": review,
            "data": filled,
            "extractor": context.me,
            "now": now,
        }
        done = ops.evidence.extract(context.shared.store, role=act, name="The form", **asked)
    except Refused as refusal:
        return show_again(context, study, filled, sent, 422, problem=refusal.message)
    ops.drafts.end(context.shared.store, subject=sent.subject, typed=sent.typed)
    look_up_quotes(context)
    return RedirectResponse(f"/r/{review}/evidence#{quote(done['study'])}", 303)


def show_again(
    context: ReviewContext,
    study: str,
    filled: dict[str, Any],
    sent: Sent,
    status: int = 200,
    *,
    problem: str = "",
    impact: Any = None,
) -> Response:
    """The form as it was sent, which is kept as a draft before it is shown."""
    typed = extraction_form.without_gaps(sent.typed.fields)
    draft = drafts.keep(context, sent, typed)
    told: dict[str, Any] = {"problem": problem, "impact": impact, "again": True}
    return _show(context, study, filled, draft, status, typed=typed, **told)


def look_up_quotes(context: ReviewContext) -> None:
    """Look up what is new in the full texts of the studies."""
    ops.quotes.look_up(
        context.shared.store,
        context.shared.settings.full_texts,
        review=context.review.id,
        now=context.shared.clock(),
    )


def group(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    record: Annotated[str, Form()],
    study: Annotated[str, Form()] = "",
    shown: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Put a report into a study.

    What takes it out of one is told first, and done when `shown` says that it was.
    """
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
        before = ops.evidence.linked_records(con, context.review.id, record)
    given = {"record": record, "study": study}
    after = f"/r/{context.review.id}/evidence"
    leaves_a_study = any(where and where != study for where, _ in before.values())
    if not leaves_a_study:
        asked: dict[str, Any] = {
            "id": form,
            "review": context.review.id,
            "record": record,
            "by": context.me,
        }
        ops.evidence.group(
            context.shared.store, study=study or None, now=context.shared.clock(), **asked
        )
        look_up_quotes(context)
        return RedirectResponse(after, 303)
    if not shown:
        return acts.confirm(context, "regroup", given)
    if acts.must_ask(context, "regroup", given):
        return acts.confirm(context, "regroup", given)
    return acts.carry_out(context, form, "regroup", given, shown=shown, reason=reason, after=after)


def without(context: guard.InReview, study: str) -> Response:
    """What the public page would say without this study."""
    if not re.fullmatch(r"[a-z0-9-]{1,80}", study):
        raise HTTPException(404, "There is no such study in this review.")
    told = ops.impact.without(
        context.shared.store, review=context.review.id, study=study, now=context.shared.clock()
    )
    return pages.show("without.html", context, study=study, impact=told)


def rate(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    finding: Annotated[str, Form()],
    start: Annotated[str, Form()],
    domain: Annotated[list[str], Form()],
    step: Annotated[list[int], Form()],
    why: Annotated[list[str], Form()],
    asked: Annotated[list[str] | None, Form()] = None,
    answer: Annotated[list[str] | None, Form()] = None,
    missing: Annotated[str, Form()] = "",
    missing_why: Annotated[str, Form()] = "",
) -> Response:
    """Rate how sure a finding is, by GRADE; a domain without a step is left out.

    The risk that results are missing is
    judged first, where it is: the rating must fit it.

    What does not fit the numbers comes back as questions, with everything that was typed.
    """
    reasons = [
        {"domain": name, "step": by, "why": words}
        for name, by, words in zip(domain, step, why, strict=False)
        if by or words.strip()
    ]
    answers = dict(zip(asked or [], answer or [], strict=False))
    data = {
        "kind": "grade",
        "finding": finding,
        "start": start,
        "reasons": reasons,
        "answers": answers,
    }
    done: dict[str, Any] = {
        "id": form,
        "review": context.review.id,
        "by": context.me,
        "now": context.shared.clock(),
    }
    judged = {"kind": "missing_evidence", "finding": finding, "level": missing, "why": missing_why}
    try:
        if missing:
            ops.evidence.rate(
                context.shared.store, data=judged, **(done | {"id": f"{form}-missing"})
            )
        ops.evidence.rate(context.shared.store, data=data, **done)
    except Refused as refusal:
        with context.shared.store.read() as con:
            try:
                questions = ops.evidence.mismatches(con, context.review, data)
            except Refused:
                questions = ()
        typed = {name: (by, words) for name, by, words in zip(domain, step, why, strict=False)}
        unrated = Unrated(
            finding, refusal.message, start, typed, answers, questions, (missing, missing_why)
        )
        return _page(context, 422, unrated)
    return RedirectResponse(f"/r/{context.review.id}/evidence#certainty", 303)


@dataclass(frozen=True, slots=True)
class Unrated:
    """A rating that was not taken: why, what was typed, and the questions that are open."""

    finding: str
    problem: str
    start: str
    steps: Mapping[str, tuple[int, str]]
    answers: Mapping[str, str]
    questions: Sequence[Mismatch]
    missing: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A CERQual rating that was not taken: why, and what was typed as (concern, why) by domain."""

    subject: str
    problem: str
    level: str
    concerns: Mapping[str, tuple[str, str]]
