"""The sentences that the public reads, each with a permanent id and what it rests on.

Ids: "answer", "finding:<comparison>/<outcome>", "emmie:<dimension>". What is said of a finding is
made from the Finding alone (`wording.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from livereview.evidence import coded, costs, effect_quality, wording
from livereview.evidence.coded import CodedFinding
from livereview.evidence.finding import Finding
from livereview.evidence.forms import EmmieFinding, Extraction
from livereview.evidence.weigh import RULE, RULE_VERSION, lowered
from livereview.messages import many, mark, say
from livereview.review import EMMIE, Review

VERSION = f"{RULE_VERSION}.{wording.WORDING_VERSION}"

RULE_TEXT = mark(
    "Each study counts once for an outcome of a comparison, by the result that the protocol prefers; arms and "
    "subgroups are made one, and what is not used is listed. Every effect is turned to the outcome. Where sizes may be "
    "averaged they are pooled by the protocol's model; one study gives its own. There is an effect when the whole "
    "interval lies on one side of no difference, little or no difference when it lies within the smallest difference "
    "that matters, and else too little evidence, or disagreement where studies clearly point both ways. Directions are "
    "read from estimates, never from significance. Studies at critical risk of bias, and those that report only words, "
    "are shown and never decide."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a claim with its unit; `of` is what it is out of. `value` None has a `reason`."""

    name: str
    value: float | None
    unit: str
    of: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence or more of the summary, and what they rest on."""

    id: str
    text: str
    rule: str
    version: str
    studies: tuple[str, ...]
    figures: tuple[Figure, ...] = ()


def to_json(claim: Claim) -> dict[str, Any]:
    """The claim as plain JSON data."""
    figures = [asdict(figure) for figure in claim.figures]
    return {**asdict(claim), "studies": list(claim.studies), "figures": figures}


def claim_id(finding: Finding) -> str:
    """The permanent id of what is said of a finding."""
    return f"finding:{finding.id}"


def claims(
    review: Review, findings: Sequence[Finding], forms: Iterable[Extraction]
) -> tuple[Claim, ...]:
    """All claims of a review: the answer, one for each finding, one for each EMMIE dimension it
    uses.
    """
    ordered = sorted(forms, key=lambda form: form.study)
    now = wording.answer(findings)
    answer = Claim(
        id="answer",
        text=f"{wording.base(review.base)} {now}" if review.base else now,
        rule=RULE,
        version=VERSION,
        studies=tuple(form.study for form in ordered),
        figures=(Figure("studies", len(ordered), "included studies with extracted data"),),
    )
    told = [_of_finding(finding) for finding in findings]
    if not review.emmie:
        return (answer, *told)
    effect = _effect(answer, findings, ordered)
    others = [_dimension(review, name, ordered, findings) for name in EMMIE if name != "effect"]
    return (answer, *told, effect, *others)


def _of_finding(finding: Finding) -> Claim:
    return Claim(
        id=claim_id(finding),
        text=wording.words(finding).text,
        rule=RULE,
        version=VERSION,
        studies=tuple(study.study for study in finding.studies),
    )


_ABOUT = {
    "mechanism": mark("how it may work"),
    "moderators": mark("who it works for, and where"),
    "implementation": mark("what it takes to put it into practice"),
    "economics": mark("what it costs"),
}


def _effect(answer: Claim, findings: Sequence[Finding], forms: Sequence[Extraction]) -> Claim:
    """Whether it works: the review's answer, with the quality that its ratings give."""
    told = _told(forms, "effect")
    quality = effect_quality.of_findings(findings)
    unit = "EMMIE-Q, of the least sure finding"
    reason = quality.why if quality.value is None else None
    figure = Figure("quality", quality.value, unit, effect_quality.MOST, reason)
    return Claim(
        id="emmie:effect",
        text=answer.text,
        rule="emmie",
        version=VERSION,
        studies=answer.studies,
        figures=(*_counts(told), figure),
    )


def _dimension(
    review: Review, dimension: str, forms: Sequence[Extraction], findings: Sequence[Finding]
) -> Claim:
    """What the studies hold on one of the other questions.

    Its quality is a figure of its own (EMMIE-E and EMMIE-Q).
    """
    told = _told(forms, dimension)
    cited = _cited(review, dimension)
    studies = tuple(
        form.study
        for form in forms
        if form.study in cited or coded.reports_on(review, form, dimension)
    )
    text = _reported(len(studies), len(forms), say(_ABOUT[dimension]))
    if not studies and any(statement.under == dimension for statement in review.statements):
        elsewhere = say(mark("What the team says of it rests on other sources."))
        text = f"{text} {elsewhere}"
    if dimension == "moderators":
        compared = _compared(findings)
        text = f"{text} {compared}".strip() if studies else compared or text
    if dimension == "economics":
        text = f"{text} {_cost(review, forms)}".strip()
    groups = coded.coded(review, forms, dimension)
    return Claim(
        id=f"emmie:{dimension}",
        text=f"{text} {_most_often(groups)}".strip(),
        rule="emmie",
        version=VERSION,
        studies=studies,
        figures=(*_counts(told), _best_quality(told)),
    )


def _compared(findings: Sequence[Finding]) -> str:
    """That effects are compared by what the protocol names, so that no tile denies a table.

    Else empty.
    """
    labels = [asked.label for finding in findings for asked in finding.moderators]
    if not labels:
        return ""
    names = ", ".join(dict.fromkeys(lowered(label) for label in labels))
    return say(mark("The review compares effects by: {names}."), names=names)


def _cited(review: Review, dimension: str) -> set[str]:
    """Studies that the team's words on a question cite: what is said beside them must not deny
    these.
    """
    named = [statement for statement in review.statements if statement.under == dimension]
    cited = {study for statement in named for study in statement.studies}
    if dimension == "mechanism":
        cited |= {study for row in review.configurations for study in (*row.supports, *row.against)}
    return cited


def _cost(review: Review, forms: Sequence[Extraction]) -> str:
    """What it costs per unit, where the protocol says how that is told and a study gives it."""
    rows = costs.converted(review, forms)
    told = costs.per_unit(review.costs, rows)
    if review.costs and told:
        return costs.sentence(review.costs, told)
    return ""


def _most_often(groups: Sequence[CodedFinding]) -> str:
    """The code that most studies report, where more than one does."""
    if not groups or len(groups[0].studies) < 2:
        return ""
    first = groups[0]
    count = coded.count_in_words(first)
    return say(mark("Most often: {label} ({count})."), label=lowered(first.label), count=count)


def _told(forms: Iterable[Extraction], dimension: str) -> list[EmmieFinding]:
    return [
        finding for form in forms for finding in form.findings if finding.dimension == dimension
    ]


def _counts(told: Sequence[EmmieFinding]) -> tuple[Figure, ...]:
    sides = [
        Figure(side, sum(finding.polarity == side for finding in told), "findings", len(told))
        for side in coded.POLARITY
    ]
    return (Figure("findings", len(told), "findings"), *sides)


def _best_quality(told: Iterable[EmmieFinding]) -> Figure:
    rated = [finding.quality for finding in told if finding.quality is not None]
    best = max(rated, default=None)
    return Figure(
        "quality",
        best,
        "EMMIE-Q, best of its findings",
        4,
        None if rated else say(mark("not rated")),
    )


def _reported(k: int, n: int, about: str) -> str:
    if n == 0:
        return say(
            mark("No study has been included yet that could report on {about}."), about=about
        )
    if n == 1:
        text = mark("The one study here reports on {about}.")
        if not k:
            text = mark("The one study here does not report on {about}.")
        return say(text, about=about)
    if k == 0:
        return say(mark("None of the {all} studies reports on {about}."), all=n, about=about)
    return many(
        "{n} of {all} studies reports on {about}.",
        "{n} of {all} studies report on {about}.",
        k,
        all=n,
        about=about,
    )
