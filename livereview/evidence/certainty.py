"""How sure a finding is: GRADE for the effect on an outcome, GRADE-CERQual for a finding of qualitative research.

People judge; this only keeps a judgement whole: a GRADE level is its start and its steps added up, each step with a
reason in words, and a rating holds for the studies that it was made from. GRADE: Guyatt and others, J Clin Epidemiol
2011;64:383-94; CERQual: Lewin and others, Implement Sci 2018;13(Suppl 1):2; wording by level: GRADE guidelines 26,
J Clin Epidemiol 2020;119:126-35.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
KINDS = ("grade", "cerqual")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rating is what it is: in GRADE a `step` of -2 to 2 in a domain, in CERQual a `concern`; `why` in words."""

    domain: str
    why: str
    step: int = 0
    concern: str | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """How sure people are of a finding.

    kind     one of KINDS;  subject: an outcome's id (grade), or a statement's (cerqual)
    start    grade: where it began, "high" (randomised) or "low" (not randomised)
    level    one of LEVELS; in CERQual the team's own judgement, in GRADE what start and steps come to
    studies  the studies that it was made from, sorted; with others it no longer holds
    """

    kind: str
    subject: str
    level: str
    reasons: tuple[Reason, ...]
    studies: tuple[str, ...] = ()
    start: str | None = None


def from_json(data: Any, review: Review, studies: Mapping[str, Sequence[str]]) -> Rating:
    """A rating from plain data: kind, outcome or statement, start or level, reasons.

    studies  of each subject, as they are now. Raises Refused naming what is wrong.
    """
    if not isinstance(data, Mapping) or data.get("kind", "grade") not in KINDS:
        raise Refused(f"a rating is an object whose kind is one of {', '.join(KINDS)}")
    kind = str(data.get("kind", "grade"))
    subject = _subject(data, kind, review)
    reasons = tuple(_reason(row, kind) for row in data.get("reasons") or ())
    if len({one.domain for one in reasons}) < len(reasons):
        raise Refused(f"{subject}: a domain is named twice; put its reasons into one")
    start = data.get("start") if kind == "grade" else None
    level = _level(start, reasons, subject) if kind == "grade" else _one(data.get("level"), LEVELS, f"{subject}: level")
    return Rating(kind, subject, level, reasons, tuple(sorted(studies.get(subject, ()))), start)


def _subject(data: Mapping[str, Any], kind: str, review: Review) -> str:
    if kind == "grade":
        return _one(data.get("outcome"), [one.id for one in review.outcomes], "outcome")
    return _one(data.get("statement"), [one.id for one in review.statements], "statement")


def _one(value: Any, choices: Iterable[str], what: str) -> str:
    known = tuple(choices)
    if value not in known:
        raise Refused(f"{what} must be one of {', '.join(known) or 'none (the protocol has none)'}; it was {value!r}")
    return str(value)


def _reason(row: Any, kind: str) -> Reason:
    if not isinstance(row, Mapping) or not str(row.get("why") or "").strip():
        raise Refused("each reason needs a domain and, in words, why")
    why = " ".join(str(row["why"]).split())
    if kind == "cerqual":
        concern = _one(row.get("concern"), CONCERNS, "concern")
        return Reason(_one(row.get("domain"), CERQUAL, "domain"), why, 0, concern)
    domain = _one(row.get("domain"), (*DOWN, *UP), "domain")
    allowed = (-1, -2, 0) if domain in DOWN else (1, 2, 0)
    if row.get("step") not in allowed or isinstance(row.get("step"), bool):
        raise Refused(f"{domain}: step must be one of {', '.join(map(str, allowed))}; it was {row.get('step')!r}")
    return Reason(domain, why, int(row["step"]))


def _level(start: Any, reasons: Iterable[Reason], subject: str) -> str:
    """Start and steps added up, kept within the scale."""
    if start not in ("high", "low"):
        raise Refused(f"{subject}: start must be high (randomised) or low (not randomised); it was {start!r}")
    place = LEVELS.index(start) + sum(one.step for one in reasons)
    return LEVELS[min(max(place, 0), len(LEVELS) - 1)]


def to_json(rating: Rating) -> dict[str, Any]:
    """The rating as plain JSON data."""
    return {**asdict(rating), "reasons": [asdict(one) for one in rating.reasons], "studies": list(rating.studies)}


def known(data: Mapping[str, Any]) -> Rating:
    """A rating that `to_json` wrote."""
    reasons = tuple(Reason(**row) for row in data["reasons"])
    return Rating(**{**data, "reasons": reasons, "studies": tuple(data["studies"])})


def holds(rating: Rating | None, studies: Iterable[str]) -> bool:
    """Whether the rating was made from exactly these studies."""
    return rating is not None and rating.studies == tuple(sorted(studies))


def describe(rating: Rating) -> str:
    """The level with the reasons for each step, in a sentence."""
    told = "; ".join(f"{one.domain.replace('_', ' ')}: {one.why.rstrip('.')}" for one in rating.reasons if _weighs(one))
    level = say(LEVEL_WORDS[rating.level])
    if not told:
        return say("Certainty: {level}.", level=level)
    return say("Certainty: {level} ({reasons}).", level=level, reasons=told)


def _weighs(reason: Reason) -> bool:
    return bool(reason.step) or reason.concern in ("moderate", "serious")


def effect(rating: Rating, what: str) -> str:
    """A firm finding as sure as it is rated; `what` is what the intervention leads to."""
    told = {
        "high": mark("The intervention leads to {result}."),
        "moderate": mark("The intervention probably leads to {result}."),
        "low": mark("The intervention may lead to {result}."),
        "very_low": mark("It is very uncertain whether the intervention leads to {result}."),
    }
    return say(told[rating.level], result=what)


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
