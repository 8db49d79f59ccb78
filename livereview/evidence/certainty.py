"""How sure a finding is: GRADE for the effect on an outcome, GRADE-CERQual for a finding of
qualitative research, and ROB-ME for the risk that results are missing from it.

People judge; this only keeps a judgement whole: a GRADE level is its start and its steps added up,
each step with a reason in words, and a rating holds for the studies that it was made from. GRADE:
Guyatt and others, J Clin Epidemiol 2011;64:383-94; CERQual: Lewin and others, Implement Sci
2018;13(Suppl 1):2; wording by level: GRADE guidelines 26, J Clin Epidemiol 2020;119:126-35.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from livereview.errors import Refused
from livereview.messages import mark, say
from livereview.review import Review

LEVELS = ("very_low", "low", "moderate", "high")
DOWN = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
UP = ("large_effect", "dose_response", "opposing_confounding")
CERQUAL = ("methodological_limitations", "coherence", "adequacy", "relevance")
CONCERNS = ("none", "minor", "moderate", "serious")
MISSING_LEVELS = ("low", "some_concerns", "high")
"""Of the risk of bias due to missing evidence: ROB-ME, Page and others, BMJ 2023;383:e076754."""

KINDS = ("grade", "cerqual", "missing_evidence")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rating is what it is: in GRADE a `step` of -2 to 2 in a domain, in CERQual a `concern`;
    `why` in words.
    """

    domain: str
    why: str
    step: int = 0
    concern: str | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a GRADE rating was made from, kept with it: it lapses when these move (`grade.lapsed`).

    Attributes:
        value, low, high: Of the estimate as told; None where there was none.
        studies: That counted, sorted.
        basis: As in Finding.
    """

    state: str
    side: str | None
    size: str | None
    measure: str | None
    value: float | None
    low: float | None
    high: float | None
    studies: tuple[str, ...]
    basis: str


@dataclass(frozen=True, slots=True)
class Rating:
    """How sure people are of a finding.

    Attributes:
        kind: One of KINDS.
        subject: A finding's id (grade); a statement's, or a coded finding's such as
            "implementation/staffing/barrier" (cerqual).
        start: Grade: where it began, "high" (randomised, or judged by ROBINS-I) or "low" (not
            randomised).
        level: One of LEVELS; in CERQual the team's own judgement, in GRADE what start and steps
            come to; of missing evidence one of MISSING_LEVELS.
        studies: The studies that it was made from, sorted; with others it no longer holds.
        numbers: Grade: the figures that it was made from; None in ratings from before they were
            kept.
        answers: Grade: (domain, words) to each warning that the numbers raised.
    """

    kind: str
    subject: str
    level: str
    reasons: tuple[Reason, ...]
    studies: tuple[str, ...] = ()
    start: str | None = None
    numbers: Numbers | None = None
    answers: tuple[tuple[str, str], ...] = ()


def from_json(
    data: Any,
    review: Review,
    findings: Collection[str],
    coded: Mapping[str, tuple[str, ...]] | None = None,
) -> Rating:
    """A rating from plain data: kind, finding or statement or code, start or level, reasons (or
    `why`), answers.

    What it rests on is added by whoever knows it (`grade.made`). Raises Refused naming what is
    wrong.

    Args:
        data: as a form or a file gives it.
        review: its protocol.
        findings: ids of the review's findings, "comparison/outcome"; an outcome's id alone will do
            where the review has one comparison.
        coded: ids of the coded findings with the studies that say each.
    """
    if not isinstance(data, Mapping) or data.get("kind", "grade") not in KINDS:
        raise Refused(f"a rating is an object whose kind is one of {', '.join(KINDS)}")
    kind = str(data.get("kind", "grade"))
    groups = coded or {}
    subject = _subject(data, kind, review, findings, groups)
    if kind == "missing_evidence":
        level = _one_of(data.get("level"), MISSING_LEVELS, f"{subject}: level")
        return Rating(kind, subject, level, (Reason(kind, _why(data)),))
    reasons = tuple(_reason(row, kind) for row in data.get("reasons") or ())
    if len({reason.domain for reason in reasons}) < len(reasons):
        raise Refused(f"{subject}: a domain is named twice; put its reasons into one")
    if kind == "cerqual":
        level = _one_of(data.get("level"), LEVELS, f"{subject}: level")
        named = {statement.id: statement.studies for statement in review.statements}
        studies = groups[subject] if subject in groups else named[subject]
        if not studies:
            raise Refused(
                f"{subject} names no studies, so there is nothing to rate; add them in review.toml"
            )
        return Rating(kind, subject, level, reasons, tuple(sorted(studies)))
    start = data.get("start")
    level = _level(start, reasons, subject)
    return Rating(kind, subject, level, reasons, (), start, answers=_answers(data.get("answers")))


def _subject(
    data: Mapping[str, Any],
    kind: str,
    review: Review,
    findings: Collection[str],
    coded: Collection[str],
) -> str:
    if kind == "cerqual" and data.get("code") is not None:
        return _one_of(data["code"], coded, "code")
    if kind == "cerqual":
        statements = [statement.id for statement in review.statements]
        return _one_of(data.get("statement"), statements, "statement")
    given = data.get("finding") or data.get("outcome")
    whole = [finding for finding in findings if finding.partition("/")[2] == given]
    if len(whole) == 1:
        return whole[0]
    return _one_of(given, findings, "finding")


def _answers(given: Any) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise Refused('answers must be {domain: words}, e.g. {"imprecision": "..."}')
    answers = {str(key): " ".join(str(value or "").split()) for key, value in given.items()}
    return tuple(sorted((key, value) for key, value in answers.items() if value))


def _one_of(value: Any, choices: Iterable[str], what: str) -> str:
    known = tuple(choices)
    if value not in known:
        raise Refused(
            f"{what} must be one of {', '.join(known) or 'none (the protocol has none)'}; it was {value!r}"
        )
    return str(value)


def _reason(row: Any, kind: str) -> Reason:
    if not isinstance(row, Mapping):
        raise Refused("each reason needs a domain and, in words, why")
    why = _why(row)
    if kind == "cerqual":
        concern = _one_of(row.get("concern"), CONCERNS, "concern")
        return Reason(_one_of(row.get("domain"), CERQUAL, "domain"), why, 0, concern)
    domain = _one_of(row.get("domain"), (*DOWN, *UP), "domain")
    allowed = (-1, -2, 0) if domain in DOWN else (1, 2, 0)
    if row.get("step") not in allowed or isinstance(row.get("step"), bool):
        raise Refused(
            f"{domain}: step must be one of {', '.join(map(str, allowed))}; it was {row.get('step')!r}"
        )
    return Reason(domain, why, int(row["step"]))


def _why(row: Mapping[str, Any]) -> str:
    words = " ".join(str(row.get("why") or "").split())
    if not words:
        raise Refused("each reason needs a domain and, in words, why")
    return words


def _level(start: Any, reasons: Iterable[Reason], subject: str) -> str:
    """Start and steps added up, kept within the scale."""
    if start not in ("high", "low"):
        raise Refused(
            f"{subject}: start must be high (randomised) or low (not randomised); it was {start!r}"
        )
    place = LEVELS.index(start) + sum(one.step for one in reasons)
    return LEVELS[min(max(place, 0), len(LEVELS) - 1)]


def to_json(rating: Rating) -> dict[str, Any]:
    """The rating as plain JSON data."""
    numbers = asdict(rating.numbers) if rating.numbers else None
    if numbers is not None:
        numbers["studies"] = list(numbers["studies"])
    return {
        **asdict(rating),
        "reasons": [asdict(reason) for reason in rating.reasons],
        "studies": list(rating.studies),
        "numbers": numbers,
        "answers": dict(rating.answers),
    }


def known(data: Mapping[str, Any]) -> Rating:
    """A rating that `to_json` wrote."""
    numbers = data.get("numbers")
    fields = {
        **data,
        "reasons": tuple(Reason(**row) for row in data["reasons"]),
        "studies": tuple(data["studies"]),
        "numbers": Numbers(**{**numbers, "studies": tuple(numbers["studies"])})
        if numbers
        else None,
        "answers": tuple(sorted((data.get("answers") or {}).items())),
    }
    return Rating(**fields)


def holds(rating: Rating | None, studies: Iterable[str]) -> bool:
    """Whether a CERQual rating was made from exactly these studies."""
    return rating is not None and rating.studies == tuple(sorted(studies))


def describe(rating: Rating) -> str:
    """The level with the reasons for each step, in a sentence."""
    told = "; ".join(
        f"{one.domain.replace('_', ' ')}: {one.why.rstrip('.')}"
        for one in rating.reasons
        if _weighs(one)
    )
    level = say(LEVEL_WORDS[rating.level])
    if not told:
        return say("Certainty: {level}.", level=level)
    return say("Certainty: {level} ({reasons}).", level=level, reasons=told)


def _weighs(reason: Reason) -> bool:
    return bool(reason.step) or reason.concern in ("moderate", "serious")


LEVEL_WORDS = {
    "high": mark("high"),
    "moderate": mark("moderate"),
    "low": mark("low"),
    "very_low": mark("very low"),
}


CERQUAL_WORDS = {
    "high": mark("highly likely to be a fair picture"),
    "moderate": mark("likely to be a fair picture"),
    "low": mark("possibly a fair picture"),
    "very_low": mark("not clearly a fair picture"),
}
