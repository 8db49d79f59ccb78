"""What people extract from included reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from livereview.errors import Refused
from livereview.evidence import (
    certainty,
    checked,
    checks,
    coded,
    consensus,
    forms,
    grade,
    grouping,
    sheets,
    upgrade,
)
from livereview.evidence.certainty import Rating
from livereview.evidence.coded import CodedFinding
from livereview.evidence.consensus import Difference
from livereview.evidence.finding import Finding
from livereview.evidence.grade import Mismatch
from livereview.evidence.grouping import Suggestion
from livereview.exchange.repeats import told_before
from livereview.ops.protocols import protocol
from livereview.ops.screen import resolve
from livereview.ops.snapshot import read_form
from livereview.ops.typed import typed
from livereview.review import EMMIE, Review
from livereview.store import evidence, records, standings, versions
from livereview.store.open import Connection, Store

ROLES = ("single", "consensus")


@typed
def extract(
    store: Store,
    *,
    id: str,
    review: str,
    data: Any,
    extractor: str,
    now: datetime,
    name: str = "extraction",
    role: str = "single",
) -> dict[str, Any]:
    """Write one extraction of one study and tie its reports to the study.

    The same id again changes nothing, nor does the form that this person gave last, if it is what
    still holds.

    Args:
        data: The form as `evidence.forms` describes it.
        role: Single, or where the protocol has `extractors = 2` the consensus of two people; two
            singles that are the same are their own consensus.

    Raises:
        Refused: changing nothing, when the form has errors, when a report is not in the review or
            has not been included yet, and for a consensus before two people have extracted.
    """
    if role not in ROLES:
        raise Refused(f"role must be one of {', '.join(ROLES)}; it was {role!r}")

    def job(con: Connection) -> dict[str, Any]:
        rules = protocol(con, review)
        # kept as typed, by its own version: see upgrade.py
        form = checks.from_json(data, rules, name)
        ready = upgrade.upgraded(form, rules)
        if role == "consensus" and len(_others(con, review, form.study, "")) < rules.extractors:
            raise Refused(
                f"{form.study} needs the extractions of {rules.extractors} people before a consensus"
            )
        found = [_included(con, review, reference) for reference in form.reports]
        text = json.dumps(forms.to_json(form), ensure_ascii=False, sort_keys=True)
        answer: dict[str, Any] = {
            "study": form.study,
            "reports": len(found),
            "results": len(form.results),
            "questions": [
                f"result {place + 1}: {question}"
                for place, question in upgrade.questions(ready, rules)
            ],
        }
        if _told_before(con, rules, form.study, found, extractor, role, text):
            return answer | {"known": True}
        evidence.link(
            con,
            review,
            form.study,
            [(f"{id}/{record}", record) for record in found],
            extractor,
            now,
        )
        new = evidence.append(
            con, id, review, form.study, form.form_version, extractor, text, now, role
        )
        waits = new and rules.extractors > 1 and role == "single"
        if waits and text in _others(con, review, form.study, extractor).values():
            evidence.append(
                con,
                f"{id}/same",
                review,
                form.study,
                form.form_version,
                extractor,
                text,
                now,
                "consensus",
            )
            waits = False
        if new and not waits:
            versions.ask(con, review, f"extraction of {form.label}", now)
        answer["known"] = not new
        return answer | ({"waits": "a second extraction or a consensus"} if waits else {})

    return store.write(job)


def _told_before(
    con: Connection,
    rules: Review,
    study: str,
    records_: Sequence[str],
    extractor: str,
    role: str,
    text: str,
) -> bool:
    """Whether this form was this person's last word on a study, and nothing was said since that
    took its place.

    Where one person extracts, anybody's later form takes it; where two do, only their own. So does
    whoever put one of its reports elsewhere.
    """
    in_role: str | None = None
    whose: str | None = None
    if rules.extractors > 1:
        in_role = role
        whose = extractor if role == "single" else None
    history = evidence.said(con, rules.id, study, in_role, whose)
    here = set(evidence.reports_of(con, rules.id).get(study, ()))
    reports = set(records.report_of_each(con, records_).values())
    return told_before(history, [(extractor, text)], 0) and reports <= here


def _others(con: Connection, review: str, study: str, person: str) -> dict[str, str]:
    """The last extraction of this study by each other person."""
    known = evidence.singles(con, review).get(study, {})
    return {name: text for name, text in known.items() if name != person}


@dataclass(frozen=True, slots=True)
class TwoExtractions:
    """A study as two people extracted it, each form as `forms.to_json` gives it."""

    left_person: str
    right_person: str
    left: Mapping[str, Any]
    right: Mapping[str, Any]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Where they differ."""
        return consensus.differences(self.left, self.right)


def two_extractions(
    con: Connection, review: str, study: str, person: str, leads: bool = False
) -> TwoExtractions | None:
    """What the first two people who extracted a study said, one's own first; None before there are
    two.

    Also None for a person who has not extracted it and does not lead: nobody sees another's before
    their own is in.
    """
    known = evidence.singles(con, review).get(study, {})
    if protocol(con, review).extractors < 2 or len(known) < 2 or not (leads or person in known):
        return None
    left, right = sorted(known, key=lambda name: (name != person, name))[:2]
    return TwoExtractions(left, right, json.loads(known[left]), json.loads(known[right]))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people's extractions agree in a review: in how many studies, and in which fields."""

    studies: int
    fields: tuple[consensus.FieldAgreement, ...]

    @property
    def same(self) -> int:
        """In how many fields of all rows they agree."""
        return sum(field.same for field in self.fields)

    @property
    def compared(self) -> int:
        """How many fields of all rows were compared."""
        return sum(field.rows for field in self.fields)


def agreement(con: Connection, review: str) -> Agreement | None:
    """How far the first two extractions of each study agree; None where one person extracts."""
    if protocol(con, review).extractors < 2:
        return None
    pairs = []
    for forms_by_person in evidence.singles(con, review).values():
        if len(forms_by_person) > 1:
            left, right = sorted(forms_by_person)[:2]
            pairs.append((json.loads(forms_by_person[left]), json.loads(forms_by_person[right])))
    return Agreement(len(pairs), consensus.agreement(pairs))


@typed
def group(
    store: Store, *, id: str, review: str, record: str, study: str | None, by: str, now: datetime
) -> dict[str, Any]:
    """Say that the report of this record belongs to a study, or (None) to none.

    Said again otherwise, that holds.
    """
    return store.write(lambda con: group_in(con, id, review, record, study, by, now))


def group_in(
    con: Connection, id: str, review: str, record: str, study: str | None, by: str, now: datetime
) -> dict[str, Any]:
    """As `group`, within a transaction.

    All records of the report that belong to a study go with it.
    """
    report = _included(con, review, record)
    if study is not None and study not in evidence.reports_of(con, review):
        known = ", ".join(evidence.reports_of(con, review)) or "none yet"
        raise Refused(
            f"no study {study!r} in {review}; the studies: {known}. A new one begins with its form"
        )
    before = linked_records(con, review, report)
    elsewhere = [
        member
        for member, (where, _) in before.items()
        if where and where != study and member != report
    ]
    events = [(id, report), *((f"{id}/{member}", member) for member in elsewhere)]
    evidence.link(con, review, study or "", events, by, now)
    if study:
        cause = f"a report was put with {study}"
    else:
        cause = "a report was taken out of a study"
    versions.ask(con, review, cause, now)
    return {"record": report, "study": study, "events": dict(events)}


def check_takes_from_none(con: Connection, review: str, form: Mapping[str, Any]) -> None:
    """Raise Refused where a form would take a report out of another study, which nobody would be
    told of.
    """
    reports = form.get("reports") or ()
    for reference in reports if isinstance(reports, list | tuple) else ():
        record = resolve(con, review, str(reference))
        held = {study for study, _ in linked_records(con, review, record).values() if study}
        others = sorted(held - {str(form.get("study"))})
        if others:
            raise Refused(
                f"{reference!r} belongs to {others[0]}; take it out of that study first, on the Evidence page"
            )


def linked_records(con: Connection, review: str, record: str) -> dict[str, tuple[str, str]]:
    """(study, id of the event) that holds for each record of this record's report that was ever put
    into a study.
    """
    report = records.report_of(con, [record]).get(record, record)
    return evidence.links(con, review, standings.members(con, [report]))


def suggestions(con: Connection, review: str) -> dict[str, tuple[Suggestion, ...]]:
    """For each included report without a study, the studies that it may belong to."""
    waiting, grouped = evidence.to_extract(con, review), evidence.reports_of(con, review)
    found = records.reports(
        con, review, [*waiting, *(one for some in grouped.values() for one in some)]
    )
    merged = {report: records.merged(members)[0] for report, members in found.items()}
    studies = {study: [merged[one] for one in some] for study, some in grouped.items()}
    return {report: grouping.suggest(merged[report], studies) for report in waiting}


def _included(con: Connection, review: str, reference: str) -> str:
    record = resolve(con, review, reference)
    report = records.report_of(con, [record]).get(record, record)
    standing = standings.of(con, review, report)
    last = protocol(con, review).screening.stages[-1]
    if standing is None or (standing.stage, standing.state) != (last, "included"):
        where = f"{standing.state} at {standing.stage}" if standing else "unknown"
        raise Refused(
            f"{reference!r} can't be extracted: it is {where}, not included; screen it first"
        )
    return record


def read_sheet(store: Store, *, review: str, text: str, now: datetime) -> dict[str, Any]:
    """The forms in a CSV sheet, checked against the protocol; nothing is written."""
    with store.read() as con:
        return {
            "forms": [
                forms.to_json(form)
                for form in sheets.from_csv(text, protocol(con, review), "sheet")
            ]
        }


@typed
def rate(
    store: Store, *, id: str, review: str, data: Any, by: str, now: datetime
) -> dict[str, Any]:
    """Write how sure a finding is, for the numbers that it rests on now.

    The same id again changes nothing, nor does the rating that holds if it is this person's.

    Args:
        data: As `evidence.certainty.from_json` describes it.

    Raises:
        Refused: it has errors, or does not fit the numbers and the mismatch is not answered in
            words. Nothing is changed.
    """

    def job(con: Connection) -> dict[str, Any]:
        rules = protocol(con, review)
        known = {form.study: form for form in forms_in_force(con, rules)}
        findings = {finding.id: finding for finding in rated_findings(con, rules)}
        rating = certainty.from_json(data, rules, list(findings), _coded(rules, known.values()))
        if rating.kind == "missing_evidence":
            rating = grade.made_of_missing(rating, findings[rating.subject])
        if rating.kind == "grade":
            tools = {study: form.risk_of_bias_tool for study, form in known.items()}
            rating = grade.made(rating, findings[rating.subject], tools)
        text = evidence.rating_text(rating)
        if told_before(evidence.rated(con, review, rating), [(by, text)], 0):
            return {**certainty.to_json(rating), "known": True}
        new = evidence.rate(con, id, review, rating, by, now)
        if new:
            versions.ask(con, review, f"rating of {rating.subject}", now)
        return {**certainty.to_json(rating), "known": not new}

    return store.write(job)


def rated_findings(con: Connection, rules: Review) -> list[Finding]:
    """Every finding as the evidence has it now, with the certainty that still holds."""
    return list(
        grade.all_rated(
            checked.findings(rules, forms_in_force(con, rules)), evidence.ratings(con, rules.id)
        )
    )


def mismatches(con: Connection, rules: Review, data: Any) -> tuple[Mismatch, ...]:
    """Where a rating, as typed, does not fit the numbers; raises Refused for one with errors."""
    known = forms_in_force(con, rules)
    findings = {finding.id: finding for finding in rated_findings(con, rules)}
    rating = certainty.from_json(data, rules, list(findings), _coded(rules, known))
    if rating.kind != "grade":
        return ()
    tools = {form.study: form.risk_of_bias_tool for form in known}
    return grade.warnings(findings[rating.subject], rating.start or "", rating.reasons, tools)


@dataclass(frozen=True, slots=True)
class Rateable:
    """What CERQual may rate: what several studies say on one code, or a statement of the team.

    Attributes:
        kind: "code" or "statement", as `certainty.from_json` names it.
        rating: The last; None where there is none.
        holds: Whether it was made from the studies that say so now.
    """

    kind: Literal["code", "statement"]
    id: str
    label: str
    studies: tuple[str, ...]
    rating: Rating | None
    holds: bool


def rateable(con: Connection, rules: Review) -> tuple[Rateable, ...]:
    """All that CERQual may rate now: statements that cite studies, then codes by question."""
    known = forms_in_force(con, rules)
    ratings = {one.subject: one for one in evidence.ratings(con, rules.id) if one.kind == "cerqual"}

    def one(
        kind: Literal["code", "statement"], id: str, label: str, studies: tuple[str, ...]
    ) -> Rateable:
        rating = ratings.get(id)
        return Rateable(kind, id, label, studies, rating, certainty.holds(rating, studies))

    statements = [
        one("statement", statement.id, statement.text.rstrip("."), statement.studies)
        for statement in rules.statements
        if statement.studies
    ]
    groups = [group for dimension in EMMIE for group in coded.coded(rules, known, dimension)]
    codes = [one("code", group.id, _of_code(group), group.studies) for group in groups]
    return (*statements, *codes)


def _of_code(group: CodedFinding) -> str:
    side = f", {group.polarity}" if group.polarity else ""
    return f"{group.label} ({group.dimension}{side})"


def _coded(rules: Review, known: Iterable[forms.Extraction]) -> dict[str, tuple[str, ...]]:
    """Ids of the coded findings, with the studies that say each."""
    every = list(known)
    groups = [group for dimension in EMMIE for group in coded.coded(rules, every, dimension)]
    return {group.id: group.studies for group in groups}


def forms_in_force(con: Connection, rules: Review) -> list[forms.Extraction]:
    """The extractions in force, by today's form."""
    texts = evidence.extractions(con, rules.id)
    read = [read_form(rules, study, texts[study])[0] for study in sorted(texts)]
    return [form for form in read if form is not None]


def questions(con: Connection, rules: Review) -> list[dict[str, Any]]:
    """What people must say before a result can be used, and the forms that today's protocol can't
    read.

    Each: study, label, place in the form (None: the whole form), what was measured, and the
    question.
    """
    return questions_in(evidence.extractions(con, rules.id), rules)


def questions_in(texts: Mapping[str, str], rules: Review) -> list[dict[str, Any]]:
    """`questions` about these extractions in force, as JSON text by study."""
    asked: list[dict[str, Any]] = []
    for study in sorted(texts):
        form, problem = read_form(rules, study, texts[study])
        if form is None:
            asked.append(
                {
                    "study": study,
                    "label": study,
                    "place": None,
                    "construct": None,
                    "question": problem,
                }
            )
            continue
        asked += [
            {
                "study": study,
                "label": form.label,
                "place": place,
                "construct": form.results[place].construct,
                "question": question,
            }
            for place, question in upgrade.questions(form, rules)
        ]
    return asked
