"""What is said of a finding: one table, certainty by class of finding, and the figures that follow.

The first sentence carries the meaning and no figure; the second gives size and interval; the third
says how sure the team is. Wording follows GRADE's informative statements (Santesso and others, J
Clin Epidemiol 2020;119:126-35): plain statement, "it is likely that", "it may be that", "we are
very unsure if". A finding that nobody rated has words of its own, which claim less. Verbs stand
apart from the intervention's name, so that "programmes" and "a programme" read alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from livereview.evidence import no_size
from livereview.evidence.finding import (
    Certainty,
    Estimate,
    Finding,
    OtherAnswer,
    Sensitivity,
    StudyEffect,
)
from livereview.evidence.per_thousand import risks_shown
from livereview.evidence.weigh import lowered
from livereview.messages import figures, many, mark, say
from livereview.review import Base

WORDING_VERSION = "9"
CAVEAT = mark("Lack of evidence is not evidence that it does not work.")

FIRM = ("effect", "little_or_no_difference")
"""States in which the evidence says something about the outcome."""

NAMED = 5
"""Studies that a sentence names; data have all of them."""

DIGITS, MOST_DIGITS = 2, 4
"""Decimals of a figure, and of one that would else read as no difference."""

WHOLE_FROM = 100
"""Figures from here on have no decimals: pounds and pence of a mean cost are known no better."""

PREDICTED_FROM = 5
"""Studies from which a prediction interval is told in words. With three its quantile (t with one degree
of freedom) is 12.7, with four 4.3, with five 3.2: before, it says more of their number than of them."""

LEVELS = ("high", "moderate", "low", "very_low", "unrated")
BRIEFLY_NAMED = 3
"""Outcomes without enough evidence that the short answer names; more are counted there."""
TOLD_TOGETHER = 3
"""Effects that one sentence of the short answer tells: read aloud, a fourth makes one lose the thread."""

CLASSES = (
    "effect",
    "small_effect",
    "little_or_no_difference",
    "too_little",
    "disagree",
    "disagree_one_way",
    "disagree_within",
    "no_studies",
    "not_yet_assessed",
    "not_asked",
)

_TOO_LITTLE = mark(
    "There is too little evidence on {label}. We can't say if {intervention} did better or worse than {comparator}."
)
_VERY_UNCERTAIN = mark(
    "We are very unsure if there is any difference in {label}. This compares {intervention} with {comparator}."
)
_DISAGREE = mark(
    "The studies disagree. Some clearly found that with {intervention} {more}. Others clearly found that {fewer}."
)
_DISAGREE_ONE_WAY = mark(
    "The studies disagree. Some clearly found that with {intervention} {phrase}. A larger or less biased one did not."
)
_DISAGREE_WITHIN = mark(
    "The results of one study disagree. Some clearly show that with {intervention} {more}. "
    "Others clearly show that {fewer}."
)
_NO_STUDIES = mark(
    "No study in this review has measured {label} yet. This is a gap in the evidence."
)
_NOT_YET = mark("Not yet assessed: the review has records that wait to be read.")
_NOT_ASKED = mark("The review does not ask about {label} here.")

TABLE: Mapping[str, Mapping[str, str]] = {
    "effect": {
        "high": mark("With {intervention}, {phrase} than with {comparator}."),
        "moderate": mark("It is likely that with {intervention} {phrase} than with {comparator}."),
        "low": mark("It may be that with {intervention} {phrase} than with {comparator}."),
        "very_low": mark(
            "We are very unsure if, with {intervention}, {phrase} than with {comparator}."
        ),
        "unrated": mark("So far, with {intervention}, {phrase} than with {comparator}."),
    },
    "small_effect": {
        "high": mark(
            "With {intervention}, {phrase} than with {comparator}, but the difference is small."
        ),
        "moderate": mark(
            "It is likely that with {intervention} {phrase} than with {comparator}, but the difference is small."
        ),
        "low": mark(
            "It may be that with {intervention} {phrase} than with {comparator}, but the difference is small."
        ),
        "very_low": mark(
            "We are very unsure if, with {intervention}, {phrase} than with {comparator}."
        ),
        "unrated": mark(
            "So far, with {intervention}, {phrase} than with {comparator}, but the difference is small."
        ),
    },
    "little_or_no_difference": {
        "high": mark(
            "There is little or no difference in {label}. This compares {intervention} with {comparator}."
        ),
        "moderate": mark(
            "There is probably little or no difference in {label}. This compares {intervention} with {comparator}."
        ),
        "low": mark(
            "There may be little or no difference in {label}. This compares {intervention} with {comparator}."
        ),
        "very_low": _VERY_UNCERTAIN,
        "unrated": mark(
            "So far, there is little or no difference in {label}. This compares {intervention} with {comparator}."
        ),
    },
    "too_little": dict.fromkeys(LEVELS, _TOO_LITTLE) | {"very_low": _VERY_UNCERTAIN},
    "disagree": dict.fromkeys(LEVELS, _DISAGREE),
    "disagree_one_way": dict.fromkeys(LEVELS, _DISAGREE_ONE_WAY),
    "disagree_within": dict.fromkeys(LEVELS, _DISAGREE_WITHIN),
    "no_studies": dict.fromkeys(LEVELS, _NO_STUDIES),
    "not_yet_assessed": dict.fromkeys(LEVELS, _NOT_YET),
    "not_asked": dict.fromkeys(LEVELS, _NOT_ASKED),
}
"""The first sentence, by class of finding and certainty. Every cell is rendered by a test."""

TOO_LITTLE_OF: Mapping[str, str] = {
    "cost": mark(
        "There is too little evidence on {label}. We can't say if {intervention} cost more or less than {comparator}."
    ),
    "service_use": mark(
        "There is too little evidence on {label}. We can't say if there was more or less of it with {intervention} "
        "than with {comparator}."
    ),
}
"""The same of what is neither better nor worse for people by itself, by the outcome's kind."""

LEVEL_WORDS = {
    "high": mark("high"),
    "moderate": mark("moderate"),
    "low": mark("low"),
    "very_low": mark("very low"),
}

SMD_GLOSS = (
    (0.2, mark("very small")),
    (0.5, mark("small")),
    (0.8, mark("moderate")),
    (float("inf"), mark("large")),
)
"""What an SMD below each bound is called (Cohen's conventions, as Handbook 15.5.3.1 gives them).

It is told as a rule of thumb: what is small by it may matter by the review's own smallest important
difference, which the first sentence goes by.
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a finding, sentence by sentence; empty where there is nothing to say.

    Attributes:
        headline: What it means, without a figure.
        size: How large, with its interval.
        evidence: How many studies and people, and what is special about them.
        certainty: How sure the team is, and why.
        caution: Where the answer says something: the checks by which it would be another one, and
            how it would read.
    """

    headline: str
    size: str
    evidence: str
    certainty: str
    caution: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        parts = (self.headline, self.size, self.evidence, self.certainty, self.caution)
        return " ".join(part for part in parts if part)


def words(finding: Finding) -> Words:
    """What is said of this finding."""
    return Words(
        headline=headline(finding),
        size=size(finding),
        evidence=evidence(finding),
        certainty=certainty(finding),
        caution=" ".join(otherwise(finding)) if finding.state in FIRM else "",
    )


def class_of(finding: Finding) -> str:
    """Its row of TABLE."""
    if finding.state == "effect":
        if finding.size == "small":
            return "small_effect"
        return "effect"
    if finding.state != "disagree":
        return finding.state
    if len(_clear_sides(finding)) < 2:
        return "disagree_one_way"
    if len(finding.counted) > 1:
        return "disagree"
    return "disagree_within"


def _clear_sides(finding: Finding) -> set[str]:
    """The sides to which a counted study, or a part of one, clearly points."""
    if any(study.mixed for study in finding.counted):
        return {"more", "fewer"}
    return {study.leans for study in finding.counted if study.clear and study.leans is not None}


def level_of(finding: Finding) -> str:
    """Its column of TABLE."""
    if finding.certainty:
        return finding.certainty.level
    return "unrated"


def headline(finding: Finding) -> str:
    """The first sentence; it is what a signature is for, so it holds no figure."""
    return _sentence(finding, finding.phrase or _one_way(finding))


def _sentence(finding: Finding, phrase: str) -> str:
    """The finding's sentence of TABLE, with a phrase of its own or of several findings."""
    text = say(
        template(class_of(finding), level_of(finding), finding.kind),
        label=lowered(finding.outcome_label),
        intervention=finding.intervention,
        comparator=finding.comparator,
        phrase=phrase,
        more=finding.more,
        fewer=finding.fewer,
    )
    return text[:1].upper() + text[1:]


def template(finding_class: str, level: str, kind: str) -> str:
    """The first sentence, unfilled: the cell of TABLE, or what stands in its place for this kind.

    Args:
        finding_class: one of CLASSES.
        level: one of LEVELS.
        kind: one of review.OUTCOME_KINDS.
    """
    sentence = TABLE[finding_class][level]
    if sentence == _TOO_LITTLE:
        return TOO_LITTLE_OF.get(kind, sentence)
    return sentence


def _one_way(finding: Finding) -> str:
    """The clause of the one side to which studies clearly point.

    Empty where there is no such side.
    """
    sides = _clear_sides(finding)
    if len(sides) != 1:
        return ""
    return finding.more if "more" in sides else finding.fewer


def size(finding: Finding) -> str:
    """How large the difference is, or between which ends it may lie."""
    estimate = finding.estimate
    if estimate is None:
        return _range(finding)
    told = estimate_in_words(estimate, finding.unit)
    if finding.state == "disagree" and len(finding.counted) > 1:
        return _mean_of_opposites(estimate, told)
    if finding.state == "effect":
        return say(mark("The difference is {size}."), size=told)
    if finding.state == "little_or_no_difference":
        return say(mark("The estimate is {size}."), size=told)
    if finding.state in ("too_little", "disagree"):
        return say(mark("The best estimate is {size}, so it may be either way."), size=told)
    return ""


def estimate_in_words(estimate: Estimate, unit: str | None) -> str:
    """ "about 12 fewer in every 1,000 (95% interval 20 fewer to 3 fewer; RR 0.80, 0.72 to 0.89)"."""
    figure = interval(estimate)
    risks = risks_shown(estimate)
    if risks is not None and risks.difference == 0:
        return say(
            mark("no difference ({low} to {high} in every 1,000; {figure})"),
            low=risks.low_in_words,
            high=risks.high_in_words,
            figure=figure,
        )
    if risks is not None:
        return say(
            mark("about {value} in every 1,000 ({low} to {high}; {figure})"),
            value=risks.in_words,
            low=risks.low_in_words,
            high=risks.high_in_words,
            figure=figure,
        )
    if estimate.measure == "SMD":
        printed = abs(round(estimate.value, DIGITS))
        gloss = next(text for bound, text in SMD_GLOSS if printed < bound)
        return say(mark("{gloss} by a rule of thumb ({figure})"), gloss=say(gloss), figure=figure)
    if estimate.measure == "MD" and unit:
        return say(
            mark("{value} {unit} ({figure})"),
            value=number(estimate.value),
            unit=unit,
            figure=figure,
        )
    return figure


def interval(estimate: Estimate) -> str:
    """ "RR 0.80 (95% interval 0.72 to 0.89)"."""
    return say(
        mark("{measure} {value}, 95% interval {low} to {high}"),
        measure=estimate.measure,
        value=number(estimate.value),
        low=_end(estimate, estimate.low),
        high=_end(estimate, estimate.high),
    )


def _end(estimate: Estimate, end: float) -> str:
    """An end of the interval; one that is off no difference never reads as if it were not."""
    if estimate.clear is None:
        return number(end)
    for digits in range(DIGITS, MOST_DIGITS):
        if round(end, digits) != estimate.null:
            return number(end, digits)
    return number(end, MOST_DIGITS)


def number(value: float, digits: int = DIGITS) -> str:
    """A figure with its decimals and a true minus sign; one of a hundred or more is told whole."""
    if abs(value) >= WHOLE_FROM:
        digits = 0
    return figures(f"{value:,.{digits}f}".replace("-", "−"))


def _mean_of_opposites(estimate: Estimate, told: str) -> str:
    """What the studies come to together, where they clearly disagree."""
    if estimate.clear is None:
        return say(mark("The best estimate is {size}, so it may be either way."), size=told)
    return say(
        mark("The average is {size}. Do not rely on it: it hides that the studies disagree."),
        size=told,
    )


def _range(finding: Finding) -> str:
    """Where nothing is pooled: what the first study to be read found, and the range of all
    estimates.
    """
    lead = finding.lead
    if lead is None or finding.state in ("no_studies", "not_asked", "not_yet_assessed"):
        return ""
    if len(finding.counted) == 1:
        return _study_in_words(finding, lead)
    first = _lead_in_words(finding)
    least, most = finding.votes.least, finding.votes.most
    if least is None or most is None or least == most:
        return " ".join(first)
    spread = say(
        mark("The studies' estimates range from {low} to {high} ({measure})."),
        low=number(least),
        high=number(most),
        measure=_measure(lead),
    )
    return " ".join([*first, spread])


def _lead_in_words(finding: Finding) -> list[str]:
    """What the study that is read first found, and why it is that one; none where there is none."""
    lead = finding.lead
    if lead is None:
        return []
    return [say(_why_it_leads(finding, lead), study=_study_in_words(finding, lead))]


def _why_it_leads(finding: Finding, lead: StudyEffect) -> str:
    """Why this study is read first: never that it is larger or less biased than it is."""
    others = [study for study in _with_interval(finding) if study.study != lead.study]
    alike = [study for study in others if study.risk_of_bias == lead.risk_of_bias]
    less_biased = len(alike) < len(others)
    if not others:
        return mark("The only study with an interval: {study}")
    if less_biased and _largest(lead, others):
        return mark("The least biased and largest study: {study}")
    if less_biased and alike:
        return mark("One of the least biased studies: {study}")
    if less_biased:
        return mark("The least biased study: {study}")
    if _largest(lead, others):
        return mark("The largest study: {study}")
    if all(study.people is None for study in (lead, *others)):
        return mark("The most precise study: {study}")
    return mark("One of the largest studies: {study}")


def _with_interval(finding: Finding) -> list[StudyEffect]:
    """The counted studies from which the one that is read first is taken."""
    return [study for study in finding.counted if study.low is not None]


def _largest(study: StudyEffect, others: Sequence[StudyEffect]) -> bool:
    """Whether it has more people than each of the others, as far as all report how many."""
    if study.people is None:
        return False
    return all(other.people is not None and other.people < study.people for other in others)


def _study_in_words(finding: Finding, study: StudyEffect) -> str:
    if study.value is None or study.low is None or study.high is None:
        return say(mark("{label} reports a direction only."), label=study.label)
    figure = say(
        mark("{measure} {value}, 95% interval {low} to {high}"),
        measure=_measure(study),
        value=number(study.value),
        low=number(study.low),
        high=number(study.high),
    )
    if not study.clear:
        return say(
            mark("{label} could be anything within its interval ({figure})."),
            label=study.label,
            figure=figure,
        )
    phrase = finding.more if study.leans == "more" else finding.fewer
    return say(
        mark("{label} found that {phrase} ({figure})."),
        label=study.label,
        phrase=phrase,
        figure=figure,
    )


def evidence(finding: Finding) -> str:
    """How many studies and people it rests on, and what is counted apart."""
    parts = [
        _how_many(finding),
        _words_only(finding),
        *_as_reported(finding),
        _at_critical_risk(finding),
        *_without_size(finding),
        *_of_some(finding),
        _all_results_count(finding),
        _mixed_within(finding),
        _listed_opposites(finding),
        _caution(finding),
        *_without_interval(finding),
        *_on_their_own(finding),
        *_elsewhere(finding),
    ]
    return " ".join(part for part in parts if part)


def _how_many(finding: Finding) -> str:
    """The studies that count, with the people in them as far as they are reported."""
    k = len(finding.counted)
    if not k:
        return ""
    if not finding.people:
        return many(
            "One study, which does not report how many people took part.",
            "{n} studies, which do not report how many people took part.",
            k,
        )
    people = figures(f"{finding.people:,}")
    if finding.people_unknown:
        return many(
            "One study; at least {people} people took part.",
            "{n} studies; at least {people} people took part.",
            k,
            people=people,
        )
    return many(
        "One study with {people} people.", "{n} studies with {people} people.", k, people=people
    )


def _words_only(finding: Finding) -> str:
    """How many of the studies give no number."""
    words_only = finding.votes.words_only
    if not words_only:
        return ""
    if len(finding.counted) == 1:
        return say(mark("It reports a direction in words only."))
    if len(finding.counted) == words_only:
        return say(mark("They report a direction in words only."))
    return many(
        "One of them reports a direction in words only.",
        "{n} of them report a direction in words only.",
        words_only,
    )


def _at_critical_risk(finding: Finding) -> str:
    critical = finding.votes.critical
    if not critical:
        return ""
    return many(
        "One study at critical risk of bias is shown but does not count.",
        "{n} studies at critical risk of bias are shown but do not count.",
        critical,
    )


def _all_results_count(finding: Finding) -> str:
    """That every result of a study counts, where the protocol lets all do."""
    estimate = finding.estimate
    if estimate is None or not estimate.results:
        return ""
    return many("{n} result counts.", "All {n} of their results count.", estimate.results)


def _mixed_within(finding: Finding) -> str:
    """That arms or groups of one study clearly differ, unless the first sentence says so."""
    said_already = len(finding.counted) <= 1 and finding.state == "disagree"
    mixed = sum(study.mixed for study in finding.counted)
    if said_already or not mixed:
        return ""
    return _mixed(mixed)


def _listed_opposites(finding: Finding) -> str:
    opposite = sum(study.opposite > 0 for study in finding.counted)
    return _opposite(opposite) if opposite else ""


def _caution(finding: Finding) -> str:
    if finding.estimate is None:
        return ""
    return finding.estimate.caution or ""


def _without_size(finding: Finding) -> list[str]:
    """The studies whose figures give no size, each with the reason: not kept back, and not counted."""
    silent = [study for study in finding.studies if study.no_size and not study.counted]
    if not silent:
        return []
    told = [
        say(
            mark("{label} ({reason})"),
            label=study.label,
            reason=say(no_size.REASONS[study.no_size]),
        )
        for study in silent
        if study.no_size is not None
    ]
    return [
        many(
            "One study can't say which did better, and is not counted: {studies}.",
            "{n} studies can't say which did better, and are not counted: {studies}.",
            len(silent),
            studies=_named(told),
        )
    ]


def _of_some(finding: Finding) -> list[str]:
    """That the size is that of some of the studies only; nothing where it is of all."""
    estimate = finding.estimate
    if estimate is None or estimate.studies < 2:
        return []
    sized = [study for study in finding.counted if study.value is not None]
    others = [study for study in sized if study.measure != estimate.measure]
    alike = [study for study in sized if study.measure == estimate.measure]
    rough = [study for study in alike if study.half_event]
    told: list[str] = []
    if rough and estimate.studies < len(alike):
        text = many(
            "One of them has a group without events, or with nothing but events, and is not in the "
            "size: {studies}.",
            "{n} of them have a group without events, or with nothing but events, and are not in the "
            "size: {studies}.",
            len(rough),
            studies=_named([study.label for study in rough]),
        )
        told.append(text)
    if not others:
        return told
    text = many(
        "The size is that of {sized} of them: one is told in another measure.",
        "The size is that of {sized} of them: {n} are told in other measures.",
        len(others),
        sized=estimate.studies,
    )
    return [*told, text]


def _as_reported(finding: Finding) -> list[str]:
    """What the studies without a number say, each in its own name: it decides nothing, and is not
    kept back.
    """
    studies = [study for study in finding.counted if study.as_words]
    if not studies:
        return []
    told = [
        say(mark("{label}: {direction}"), label=study.label, direction=_direction(finding, study))
        for study in studies[:NAMED]
    ]
    return [say(mark("As reported by {studies}."), studies="; ".join(told))]


def _direction(finding: Finding, study: StudyEffect) -> str:
    if study.level:
        return say(mark("no difference"))
    if study.leans is None:
        return say(mark("a direction that can't be told"))
    return finding.more if study.leans == "more" else finding.fewer


def _measure(study: StudyEffect) -> str:
    """ "RR", "RD per 1,000"."""
    if study.per == 1:
        return study.measure or ""
    per = figures(f"{study.per:,}")
    return say(mark("{measure} per {per}"), measure=study.measure, per=per)


def _without_interval(finding: Finding) -> list[str]:
    """The sizes that studies give without saying how sure they are: told, and never relied on."""
    bare = [study for study in finding.counted if study.value is not None and study.low is None]
    if not bare:
        return []
    told = [
        say(
            mark("{label} ({measure} {value})"),
            label=study.label,
            measure=_measure(study),
            value=number(study.value),
        )
        for study in bare
        if study.value is not None
    ]
    text = many(
        "One study gives a size without an interval, so it can't be told from chance: {studies}.",
        "{n} studies give a size without an interval, so it can't be told from chance: {studies}.",
        len(bare),
        studies=_named(told),
    )
    return [text]


def _on_their_own(finding: Finding) -> list[str]:
    """What single studies clearly found that the answer of all does not say, by name.

    A mean may hide a clear opposite, and an interval that says nothing a study that does.
    """
    if len(finding.counted) < 2:
        return []
    first = _lead_in_words(finding) if finding.estimate is not None else []
    clear = [study for study in finding.counted if study.clear and study != finding.lead]
    parts = [*first, *_clear_results(finding, clear)]
    if finding.estimate is not None and finding.estimate.studies == 2:
        parts.append(_far_apart(finding))
    return [part for part in parts if part]


def _clear_results(finding: Finding, clear: Sequence[StudyEffect]) -> list[str]:
    """The studies of `clear` that say something else than the finding, and where nothing is pooled
    those on which it rests.

    Where it says nothing their figures stand without words of a side, which a reader would take
    for its answer.
    """
    if finding.state == "disagree":
        return [_clearly_found(finding, clear, side) for side in ("more", "fewer")]
    agreeing = []
    if finding.state == "effect" and finding.estimate is None and finding.side is not None:
        agreeing = [_clearly_found(finding, clear, finding.side)]
    studies = [study for study in clear if study.leans != finding.side]
    if not studies:
        return agreeing
    named = _named([_with_figure(study) for study in studies])
    if finding.state == "effect":
        text = many(
            "One study clearly found the opposite: {studies}.",
            "{n} studies clearly found the opposite: {studies}.",
            len(studies),
            studies=named,
        )
        return [text]
    text = many(
        "One study has a clear result of its own: {studies}.",
        "{n} studies have clear results of their own: {studies}.",
        len(studies),
        studies=named,
    )
    return [text]


def _clearly_found(finding: Finding, clear: Sequence[StudyEffect], side: str) -> str:
    """The studies of `clear` on this side; empty where there is none."""
    studies = [study for study in clear if study.leans == side]
    if not studies:
        return ""
    return many(
        "On its own, one study clearly found that {phrase}: {studies}.",
        "On their own, {n} studies clearly found that {phrase}: {studies}.",
        len(studies),
        phrase=finding.more if side == "more" else finding.fewer,
        studies=_named([_with_figure(study) for study in studies]),
    )


def _far_apart(finding: Finding) -> str:
    """Both studies, where the interval of one holds nothing of the other's: no mean is theirs."""
    sized = [study for study in finding.counted if study.low is not None and study.high is not None]
    if len(sized) != 2 or finding.state == "disagree":
        return ""
    low = max(study.low for study in sized if study.low is not None)
    high = min(study.high for study in sized if study.high is not None)
    if low <= high:
        return ""
    return say(
        mark("The two found very different sizes: {studies}."),
        studies=_listed([_with_figure(study) for study in sized]),
    )


def _with_figure(study: StudyEffect) -> str:
    """ "Ash 2020 (RR 0.90, 95% interval 0.88 to 0.92)"."""
    if study.value is None or study.low is None or study.high is None:
        return study.label
    return say(
        mark("{label} ({measure} {value}, 95% interval {low} to {high})"),
        label=study.label,
        measure=_measure(study),
        value=number(study.value),
        low=number(study.low),
        high=number(study.high),
    )


def reservations(finding: Finding) -> tuple[bool, bool]:
    """What is said against an answer beside it: that a study clearly found something else, and that
    it may be otherwise elsewhere.
    """
    otherwise_clear = any(
        study.clear and study.leans != finding.side
        for study in finding.counted
        if finding.state in FIRM
    )
    return otherwise_clear, bool(_elsewhere(finding))


def _elsewhere(finding: Finding) -> list[str]:
    """That a clear mean may not hold in another place, by its prediction interval.

    Of fewer studies than PREDICTED_FROM that interval is next to always as wide as that.
    """
    estimate = finding.estimate
    if finding.state != "effect" or estimate is None or estimate.studies < PREDICTED_FROM:
        return []
    low, high = estimate.prediction_low, estimate.prediction_high
    if low is None or high is None or not low < estimate.null < high:
        return []
    text = mark(
        "Results differ between studies. Elsewhere there may be no difference, or the opposite one "
        "(prediction interval {low} to {high})."
    )
    return [say(text, low=number(low), high=number(high))]


def studies_and_people(finding: Finding) -> str:
    """ "2 studies, 453 people": for a card or a cell; "no studies" where none counts."""
    k = len(finding.counted)
    if not k and finding.studies:
        return say(mark("no study that counts"))
    if not k:
        return say(mark("no studies"))
    if not finding.people:
        return many("{n} study, people not reported", "{n} studies, people not reported", k)
    people = figures(f"{finding.people:,}")
    if finding.people_unknown:
        return many(
            "{n} study, at least {people} people",
            "{n} studies, at least {people} people",
            k,
            people=people,
        )
    return many("{n} study, {people} people", "{n} studies, {people} people", k, people=people)


def _mixed(studies: int) -> str:
    """That a mean of one study's arms or subgroups hides that these clearly differ."""
    return many(
        "Within one study, arms or groups of people clearly point both ways.",
        "Within {n} studies, arms or groups of people clearly point both ways.",
        studies,
    )


def _opposite(studies: int) -> str:
    """That a study was read by one of its results while another, listed as not used, says the
    opposite.
    """
    return many(
        "One study also has a clear result the other way, which is listed and not used here.",
        "{n} studies also have a clear result the other way, which is listed and not used here.",
        studies,
    )


def certainty(finding: Finding) -> str:
    """How sure the team is, with its reasons; or that nobody has said so of these numbers."""
    if finding.certainty is None:
        if not finding.studies:
            return ""
        return say(mark("Certainty: not rated ({reason})."), reason=finding.certainty_reason)
    level = say(LEVEL_WORDS[finding.certainty.level])
    if not finding.certainty.reasons:
        return say(mark("Certainty: {level}."), level=level)
    reasons = "; ".join(finding.certainty.reasons)
    return say(mark("Certainty: {level} ({reasons})."), level=level, reasons=reasons)


def stands(finding: Finding) -> str:
    """The checks that leave the answer as it is, in one quiet line; empty where there are none."""
    labels = [check.label for check in finding.sensitivity if not _readings(finding, check)]
    if not labels:
        return ""
    return say(mark("The answer is the same {checks}."), checks=_listed(labels))


def otherwise(finding: Finding) -> list[str]:
    """A sentence for each other answer that checks come to: how it would read, and what was done.

    Where the evidence says too little a check never says more: one analysis among several is no
    answer.
    """
    ways: dict[str, list[str]] = {}
    for check in finding.sensitivity:
        for reading, answers_ in _readings(finding, check).items():
            ways.setdefault(reading, []).append(_how(check, answers_))
    if finding.state in FIRM:
        return [_would_read(reading, hows) for reading, hows in ways.items()]

    hows = list(dict.fromkeys(how for some in ways.values() for how in some))
    if not hows:
        return []
    text = mark(
        "The studies would seem to say something else {hows}. One check is too little to rely on."
    )
    return [say(text, hows=_listed(hows))]


def _would_read(reading: str, hows: Sequence[str]) -> str:
    if len(hows) == 1:
        how = hows[0][:1].upper() + hows[0][1:]
        return say(mark("{how} the answer would read: “{reading}”"), how=how, reading=reading)
    either = say(mark("{some} or {last}"), some=", ".join(hows[:-1]), last=hows[-1])
    return say(mark("The answer would read “{reading}” {either}."), reading=reading, either=either)


def _how(check: Sensitivity, answers_: Sequence[OtherAnswer]) -> str:
    """ "without A 2019", "without any one of A 2019 and B 2020", "with one common effect"."""
    if check.check == "leave_one_out" and len(answers_) == 1:
        return say(mark("without {study}"), study=answers_[0].without[0])
    if check.check == "leave_one_out":
        studies = _named([label for answer_ in answers_ for label in answer_.without])
        return say(mark("without any one of {studies}"), studies=studies)
    if check.check == "risk_of_bias":
        return say(
            mark("{label} ({studies})"), label=check.label, studies=_named(answers_[0].without)
        )
    return check.label


def _named(labels: Sequence[str]) -> str:
    """Names of studies in a sentence: the first of many, and how many others."""
    if len(labels) <= NAMED + 1:
        return _listed(labels)
    return say(mark("{some} and {n} others"), some=", ".join(labels[:NAMED]), n=len(labels) - NAMED)


def _readings(finding: Finding, check: Sensitivity) -> dict[str, list[OtherAnswer]]:
    """The other answers of a check by how they would read; those that would read alike are none."""
    now = headline(finding.model_copy(update={"certainty": _no_surer(finding)}))
    readings: dict[str, list[OtherAnswer]] = {}
    for answer_ in check.other_answers:
        reading = headline(
            finding.model_copy(
                update={
                    "state": answer_.state,
                    "side": answer_.side,
                    "size": answer_.size,
                    "certainty": _no_surer(finding),
                }
            )
        )
        if reading != now:
            readings.setdefault(reading, []).append(answer_)
    return readings


def _no_surer(finding: Finding) -> Certainty | None:
    """The certainty at which another answer is read: nobody rated it, and it is never surer than
    the answer.
    """
    unsure = finding.certainty is not None and finding.certainty.level in ("low", "very_low")
    return finding.certainty if unsure else None


def answer(findings: Sequence[Finding]) -> str:
    """The review's answer in a few sentences: harm first, then benefit, then what is level or
    unknown.

    Where the protocol names several comparisons each has its own answer.
    """
    parts = answers(findings)
    if len(parts) == 1:
        return parts[0][1]
    told = [
        say(mark("{comparison}: {answer}"), comparison=label, answer=text) for label, text in parts
    ]
    return " ".join(told)


def answers(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """(label of the comparison, its answer) of each comparison, in the protocol's order."""
    return [(label, _answer(some)) for label, some in _by_comparison(findings)]


def _by_comparison(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """(label of the comparison, its findings), in the protocol's order."""
    labels = list(dict.fromkeys(finding.comparison_label for finding in findings))
    return [
        (label, [finding for finding in findings if finding.comparison_label == label])
        for label in labels
    ]


def _answer(findings: Sequence[Finding]) -> str:
    """The answer of one comparison."""
    return " ".join([*_shown(findings), *_lacking(findings)])


def _shown(findings: Sequence[Finding]) -> list[str]:
    """Sentences on the outcomes of which the evidence says something, or on which it disagrees."""
    effects = [headline(finding) for finding in in_order(findings) if finding.state == "effect"]
    return [*effects, *_without_effect(findings)]


def _shown_briefly(findings: Sequence[Finding]) -> list[str]:
    """As `_shown`, with effects of one kind and certainty in a sentence together: said one by one,
    all but a few words of each are those of the last.
    """
    alike: dict[tuple[bool, str, str], list[Finding]] = {}
    for finding in in_order(findings):
        if finding.state == "effect":
            key = (finding.good is False, class_of(finding), level_of(finding))
            alike.setdefault(key, []).append(finding)
    sentences = []
    for some in alike.values():
        for start in range(0, len(some), TOLD_TOGETHER):
            told = some[start : start + TOLD_TOGETHER]
            phrases = [finding.phrase or _one_way(finding) for finding in told]
            sentences.append(_sentence(told[0], _listed(phrases)))
    return [*sentences, *_without_effect(findings)]


def _without_effect(findings: Sequence[Finding]) -> list[str]:
    """Sentences on outcomes without a difference, and on those about which results disagree."""
    return [
        *_together(
            findings,
            "little_or_no_difference",
            mark("Little or no difference was found in {labels}."),
        ),
        *_together(findings, "disagree", mark("Results disagree about {labels}.")),
    ]


def _lacking(findings: Sequence[Finding]) -> list[str]:
    """Sentences that name every outcome for which evidence lacks."""
    return [
        *_together(findings, "too_little", mark("There is too little evidence on {labels}.")),
        *_together(findings, "no_studies", mark("No study has measured {labels}.")),
        *_together(findings, "not_yet_assessed", mark("Not yet assessed: {labels}.")),
    ]


def brief(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """(label of the comparison, its answer for a reader with a minute), in the protocol's order.

    What the evidence shows is said as in `answers`, harm first; outcomes for which it lacks are
    counted where there are many. Whoever prints it names those outcomes close by.
    """
    return [(label, _brief(some)) for label, some in _by_comparison(findings)]


def _brief(findings: Sequence[Finding]) -> str:
    lacking = [finding for finding in findings if finding.lacks_evidence]
    shown = _shown_briefly(findings)
    if len(lacking) <= BRIEFLY_NAMED:
        return " ".join([*shown, *_lacking(findings)])
    if shown:
        counted = say(
            mark(
                "On the other {n} outcomes there is too little evidence to say, or none was "
                "assessed yet."
            ),
            n=len(lacking),
        )
        return " ".join([*shown, counted])
    return say(
        mark(
            "We can't yet say if {intervention} did better or worse than {comparator} on any of "
            "the {n} outcomes."
        ),
        intervention=findings[0].intervention,
        comparator=findings[0].comparator,
        n=len(lacking),
    )


def base(review: Base) -> str:
    """That an earlier review stands behind this one, and what it said."""
    return many(
        "A review of {year} read {n:,} publication. {answer}",
        "A review of {year} read {n:,} publications. {answer}",
        review.publications,
        year=str(review.year),
        answer=review.answer,
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Bad news before good; within each the protocol's own order."""
    known = list(findings)
    bad = [finding for finding in known if finding.good is False]
    return bad + [finding for finding in known if finding.good is not False]


def evidence_lacks(findings: Sequence[Finding]) -> bool:
    """Whether the caveat belongs to the answer: nowhere does the evidence show an effect or its
    absence.

    What is known of costs says nothing of whether it works.
    """
    asked = [
        finding for finding in findings if finding.state != "not_asked" and finding.kind != "cost"
    ]
    return bool(asked) and all(finding.lacks_evidence for finding in asked)


def _together(findings: Sequence[Finding], state: str, template: str) -> list[str]:
    labels = [lowered(finding.outcome_label) for finding in findings if finding.state == state]
    if not labels:
        return []
    return [say(template, labels=_listed(list(dict.fromkeys(labels))))]


def _listed(labels: Sequence[str]) -> str:
    """ "a, b and c"."""
    if len(labels) == 1:
        return labels[0]
    return say(mark("{some} and {last}"), some=", ".join(labels[:-1]), last=labels[-1])


def weighing(finding: Finding, since: str | None) -> str | None:
    """That new evidence is being weighed while the signed answer stands; None where nothing is.

    Args:
        finding: as the version shows it.
        since: the day on which it came, in words; None where no study came.
    """
    if finding.weighing is None:
        return None
    if since is None:
        return say(mark("This answer is being weighed anew and may change."))
    return many(
        "New evidence since {since} ({n} study) is being weighed; this answer may change.",
        "New evidence since {since} ({n} studies) is being weighed; this answer may change.",
        finding.weighing.studies,
        since=since,
    )
