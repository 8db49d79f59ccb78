"""The sentences that the public reads, made from templates; and what kind of change a new set of them is.

Each has a permanent id ("answer", "outcome:<id>", "emmie:<dimension>") and names the rule and studies it rests on.
Wording is plain and careful: few or no studies are called a gap, never a sign that something makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from livereview.evidence import certainty
from livereview.evidence.certainty import Rating
from livereview.evidence.forms import Extraction
from livereview.evidence.synthesis import RULE, RULE_VERSION, SIDES, StudyDirection, Synthesis
from livereview.messages import many, mark, say
from livereview.review import EMMIE, Outcome, Review

WORDING_VERSION = "3"
CAVEAT = mark("Lack of evidence is not evidence that it does not work.")
CHANGE_RULE_VERSION = "2"
CHANGE_RULE_TEXT = mark(
    "For each outcome: reversed, when a firm finding (towards the intervention, towards the comparison, no important "
    "effect) becomes another one, or the side with more studies turns round (unless mixed); withdrawn, when its last "
    "study or the outcome itself goes; weakened, when it moves down the ladder no studies, insufficient evidence, "
    "mixed, firm, when its rated certainty falls, or it loses a study; strengthened, when it or its rated certainty "
    "moves up; detail, when anything else in it changes. "
    "The version takes the most serious of these, in this order."
)
CHANGES = ("reversed", "withdrawn", "weakened", "strengthened", "detail", "none")  # most serious first
CONCLUSION_CHANGED = CHANGES[:4]
_LADDER = {"no_studies": 0, "insufficient_evidence": 1, "mixed": 2}
_FIRM = 3


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
    """One sentence or two of the summary, and what they rest on. `state`, `direction`, `certainty` are for outcomes."""

    id: str
    text: str
    rule: str
    version: str
    studies: tuple[str, ...]
    figures: tuple[Figure, ...] = ()
    state: str | None = None
    direction: str | None = None
    certainty: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The class of a change with the reasons: (claim id, class, why) of each claim that changed."""

    kind: str
    reasons: tuple[tuple[str, str, str], ...]


def to_json(claim: Claim) -> dict[str, Any]:
    """The claim as plain JSON data."""
    return {**asdict(claim), "studies": list(claim.studies), "figures": [asdict(figure) for figure in claim.figures]}


def claims(
    review: Review, found: Sequence[Synthesis], forms: Iterable[Extraction], ratings: Mapping[str, Rating] | None = None
) -> tuple[Claim, ...]:
    """All claims of a review: the answer, one for each outcome, one for each EMMIE dimension where it uses EMMIE.

    ratings  by outcome id, those that hold
    """
    ordered = sorted(forms, key=lambda form: form.study)
    cautions = {form.study: form.caution for form in ordered}
    answer = _answer(found, ordered)
    rated = ratings or {}
    outcomes = [_outcome(synthesis, cautions, rated.get(synthesis.outcome.id)) for synthesis in found]
    emmie = [_dimension(dimension, ordered, answer) for dimension in EMMIE] if review.emmie else []
    return (answer, *outcomes, *emmie)


def _answer(found: Sequence[Synthesis], forms: Sequence[Extraction]) -> Claim:
    n = len(found)
    studies = Figure("studies", len(forms), "included studies with extracted data")
    parts = [(words, [s for s in found if s.state == state]) for state, words in _STANDING.items()]
    standing = mark("For {n}, {finding} ({outcomes}).")
    told = [say(standing, n=len(some), finding=say(words), outcomes=_listed(some)) for words, some in parts if some]
    counted = many("The review has {n:,} outcome.", "The review has {n:,} outcomes.", n)
    return Claim(
        id="answer",
        text=" ".join([say(_opening(found)), counted, *told]),
        rule=RULE,
        version=f"{RULE_VERSION}.{WORDING_VERSION}",
        studies=tuple(form.study for form in forms),
        figures=(studies, *(Figure(state, sum(s.state == state for s in found), "outcomes", n) for state in _STANDING)),
    )


def _opening(found: Sequence[Synthesis]) -> str:
    """The plain answer before the numbers; where some outcome has a firm finding, only that its words follow."""
    best = max((_LADDER.get(synthesis.state, _FIRM) for synthesis in found), default=0)
    return (
        mark("No study here has measured whether it works."),
        mark("There is too little evidence to say whether it works."),
        mark("The evidence does not yet show whether it works."),
        mark("Here is what the studies have found so far."),
    )[best]


_STANDING = {  # state: how the answer says it of a number of outcomes
    "favours_intervention": mark("most evidence points towards the intervention"),
    "favours_comparison": mark("most evidence points towards the comparison"),
    "no_important_effect": mark("studies suggest no important difference"),
    "mixed": mark("evidence points both ways"),
    "insufficient_evidence": mark("there is too little evidence"),
    "no_studies": mark("there are no studies"),
}


def _listed(found: Sequence[Synthesis]) -> str:
    return ", ".join(_lower(synthesis.outcome.label) for synthesis in found)


def _outcome(found: Synthesis, cautions: Mapping[str, str | None], rating: Rating | None) -> Claim:
    alone = len(found.studies) == 1
    text = _alone(found, cautions) if alone else _TEXTS[found.state](found, rating)
    return Claim(
        id=f"outcome:{found.outcome.id}",
        text=f"{text} {certainty.describe(rating)}" if rating else text,
        rule=RULE,
        version=f"{RULE_VERSION}.{WORDING_VERSION}",
        studies=tuple(study.study for study in found.studies),
        figures=_figures(found),
        state=found.state,
        direction=found.leading,
        certainty=rating.level if rating else None,
    )


def _figures(found: Synthesis) -> tuple[Figure, ...]:
    k, test = len(found.studies), found.sign_test
    people, reason = found.people
    return (
        Figure("studies", k, "studies"),
        Figure("participants", people, "people", None, reason),
        Figure("results", found.results, "results"),
        *(
            Figure(side, len(found.toward(side)), "studies", k)
            for side in (*SIDES, "mixed", "no_difference", "unclear")
        ),
        Figure("sign_test_p", test.p, "probability", 1, test.reason),
    )


def _alone(found: Synthesis, cautions: Mapping[str, str | None]) -> str:
    """What the one study of an outcome found, and that it is not enough."""
    study = found.studies[0]
    n = study.participants
    people = many("{n:,} person", "{n:,} people", n) if n else say("number of people not reported")
    where = f"{study.year or study.label}, {people}"
    told = say(_found(study), study=where, label=_lower(found.outcome.label), result=_result(found.outcome, study))
    caution = cautions.get(study.study)
    alone = say("One study alone is too little evidence to go on.")
    return " ".join(filter(None, (told, alone, caution)))


def _found(study: StudyDirection) -> str:
    """The message of what one study found."""
    if study.direction in SIDES:
        return mark("One study ({study}) found {result} than the comparison.")
    return {
        "no_difference": mark("One study ({study}) reported no difference in {label}."),
        "mixed": mark("One study ({study}) found results for {label} that point both ways."),
    }.get(study.direction, mark("One study ({study}) found results for {label} that have no clear direction."))


def _result(outcome: Outcome, study: StudyDirection) -> str:
    return _better(outcome, study.direction) if study.direction in SIDES else ""


def _better(outcome: Outcome, direction: str) -> str:
    """ "a lower rate of ..." where the outcome is a rate, else "better results for ..."; or their opposites."""
    good = direction == SIDES[0]
    words = (outcome.measure or "").casefold()
    if any(word in words for word in ("risk", "rate", "odds", "per 1")):
        lower = good == (outcome.better == "lower")
        told = mark("a lower rate of {label}") if lower else mark("a higher rate of {label}")
    else:
        told = mark("better results for {label}") if good else mark("worse results for {label}")
    return say(told, label=_lower(outcome.label))


def _none(found: Synthesis, rating: Rating | None) -> str:
    label = _lower(found.outcome.label)
    return say("No study in this review has measured {label} yet. This is a gap in the evidence.", label=label)


def _insufficient(found: Synthesis, rating: Rating | None) -> str:
    return many(
        "{n:,} study looked at {label}. They hold too little to say which way the effect goes: {reason}.",
        "{n:,} studies looked at {label}. They hold too little to say which way the effect goes: {reason}.",
        len(found.studies),
        label=_lower(found.outcome.label),
        reason=found.reason,
    )


def _mixed(found: Synthesis, rating: Rating | None) -> str:
    counts = [(len(found.toward(side)), words) for side, words in _TOWARD.items()]
    told = ", ".join(f"{n} {say(words)}" for n, words in counts if n)
    return say(
        "Studies of {label} do not point one way. Of {number} studies: {counts}.",
        label=_lower(found.outcome.label),
        number=len(found.studies),
        counts=told,
    )


_TOWARD = {
    "favours_intervention": mark("favoured the intervention"),
    "favours_comparison": mark("favoured the comparison"),
    "mixed": mark("had mixed results"),
    "no_difference": mark("found no difference"),
    "unclear": mark("had no clear direction"),
}


def _points(found: Synthesis, rating: Rating | None) -> str:
    some, k = found.toward(found.state), len(found.studies)
    there, better = sum(study.participants or 0 for study in some), _better(found.outcome, found.state)
    counted = say("{some:,} of {all:,} people took part in them.", some=there, all=found.participants)
    if rating:
        told = say("{some} of {all} studies found this; {people}", some=len(some), all=k, people=counted)
        return f"{certainty.effect(rating, say('{result} than the comparison', result=better))} {told}"
    told = mark("{some} of {all} studies found {result} than the comparison; {people}")
    counts = say("This counts directions: it does not say how large the difference is, nor how sure we can be.")
    return f"{say(told, some=len(some), all=k, result=better, people=counted)} {counts}"


def _small(found: Synthesis, rating: Rating | None) -> str:
    label, none = _lower(found.outcome.label), mark("no important difference in {label}")
    sure = f"{certainty.effect(rating, say(none, label=label))} " if rating else ""
    people = mark("All {n} studies of {label} ({people:,} people) suggest no important difference.")
    unknown = mark("All {n} studies of {label} suggest no important difference.")
    told = unknown if found.unreported else people
    within = mark("Their intervals lie within the smallest one that matters ({important:g} {measure}).")
    small = say(within, important=found.outcome.important or 0, measure=found.outcome.measure)
    return f"{sure}{say(told, n=len(found.studies), label=label, people=found.participants or 0)} {small}"


_TEXTS = {
    "no_studies": _none,
    "insufficient_evidence": _insufficient,
    "mixed": _mixed,
    "favours_intervention": _points,
    "favours_comparison": _points,
    "no_important_effect": _small,
}
_ABOUT = {
    "effect": mark("whether it works"),
    "mechanism": mark("how it may work"),
    "moderators": mark("who it works for, and where"),
    "implementation": mark("what it takes to put it into practice"),
    "economics": mark("what it costs"),
}


def _dimension(dimension: str, forms: Sequence[Extraction], answer: Claim) -> Claim:
    """What the studies hold on one EMMIE dimension; its quality is a figure of its own (EMMIE-E and EMMIE-Q)."""
    told = [(form.study, finding) for form in forms for finding in form.findings if finding.dimension == dimension]
    studies = tuple(dict.fromkeys(study for study, _ in told))
    rated = [finding.quality for _, finding in told if finding.quality is not None]
    sides = (Figure(side, sum(f.polarity == side for _, f in told), "findings", len(told)) for side in _POLARITY)
    quality = Figure(
        "quality", max(rated, default=None), "EMMIE-Q, best of its findings", 4, None if rated else "not rated"
    )
    effect = dimension == "effect"
    return Claim(
        id=f"emmie:{dimension}",
        text=answer.text if effect else _told(len(studies), len(forms), say(_ABOUT[dimension])),
        rule="emmie",
        version=WORDING_VERSION,
        studies=answer.studies if effect else studies,
        figures=(Figure("findings", len(told), "findings"), *sides, quality),
    )


_POLARITY = ("barrier", "enabler")


def _told(k: int, n: int, about: str) -> str:
    if n == 0:
        return say("No study has been included yet that could report on {about}.", about=about)
    if n == 1:
        one = (
            mark("The one study here reports on {about}.")
            if k
            else mark("The one study here does not report on {about}.")
        )
        return say(one, about=about)
    if k == 0:
        return say("None of the {all} studies reports on {about}.", all=n, about=about)
    return many(
        "{n} of {all} studies reports on {about}.", "{n} of {all} studies report on {about}.", k, all=n, about=about
    )


def _lower(label: str) -> str:
    """A label inside a sentence: its capital goes, unless it begins an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def change_class(previous: Iterable[Mapping[str, Any]] | None, now: Iterable[Claim]) -> Change:
    """What kind of change `now` is against the claims of the version before, as JSON; None: there is none ("first").

    CHANGE_RULE_TEXT is the rule. A changed conclusion is one of CONCLUSION_CHANGED.
    """
    if previous is None:
        return Change("first", ())
    before = {str(claim["id"]): claim for claim in previous}
    after = {claim.id: to_json(claim) for claim in now}
    reasons = [(key, *_compare(before.get(key), after.get(key))) for key in dict.fromkeys([*before, *after])]
    kinds = [kind for _, kind, _ in reasons]
    return Change(min(kinds, key=CHANGES.index, default="none"), tuple(row for row in reasons if row[1] != "none"))


def sentences(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], reasons: Iterable[tuple[str, str, str]]
) -> list[dict[str, Any]]:
    """Each claim that changed, with its class, why, and its words before and after (None where it was not there)."""
    old, new = ({claim["id"]: claim["text"] for claim in some} for some in (before, after))
    return [
        {"claim": claim, "class": kind, "why": why, "before": old.get(claim), "after": new.get(claim)}
        for claim, kind, why in reasons
    ]


def _compare(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[str, str]:
    """(class, why) of one claim."""
    if after is None:
        return "withdrawn" if before and before.get("state") else "detail", say("no longer part of the review")
    if before is None:
        return "detail", say("new in the review")
    if after["state"] and before.get("state"):
        kind, why = _compare_outcome(before, after)
        if kind != "none":
            return kind, why
    same = {key: before.get(key) for key in after} == after
    return ("none", "") if same else ("detail", say("words or figures changed"))


def _compare_outcome(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    old, new = (_LADDER.get(str(claim["state"]), _FIRM) for claim in (before, after))
    gone = sorted(set(before["studies"]) - set(after["studies"]))
    states = say("{before} before, {after} now", before=_words(before["state"]), after=_words(after["state"]))
    mixed = "mixed" in (before["state"], after["state"])
    turned = {before["direction"], after["direction"]} == set(SIDES) and not mixed
    if (old == new == _FIRM and before["state"] != after["state"]) or turned:
        return "reversed", states if before["state"] != after["state"] else say(
            "the direction of the evidence turned round"
        )
    if gone and not after["studies"]:
        return "withdrawn", say("no study is left ({studies})", studies=", ".join(gone))
    if new < old:
        return "weakened", states
    if gone:
        return "weakened", say("no longer rests on {studies}", studies=", ".join(gone))
    if new > old:
        return "strengthened", states
    return _surer(before.get("certainty"), after.get("certainty"))


def _surer(before: str | None, after: str | None) -> tuple[str, str]:
    """What a change of the rated certainty comes to; a rating for the first time only adds to what is said."""
    if before is None or after is None or before == after:
        return "none", ""
    up = certainty.LEVELS.index(after) > certainty.LEVELS.index(before)
    return "strengthened" if up else "weakened", say(
        "certainty {before} before, {after} now", before=_words(before), after=_words(after)
    )


def _words(state: str) -> str:
    return state.replace("_", " ")
