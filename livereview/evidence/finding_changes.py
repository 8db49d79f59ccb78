"""What changed between two versions of a finding, in types that readers can't misread.

Compared on the Finding itself: its state, its side, its size class, its certainty, and how far the
estimate moved. A change of what the first sentence means waits for a signature; figures that are
updated within half a standard error, in the same class, may publish themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from livereview.evidence import measures, wording
from livereview.evidence.finding import Absolute, Estimate, Finding
from livereview.evidence.grade import place
from livereview.evidence.orientation import Z
from livereview.evidence.weigh import distance, lowered
from livereview.messages import mark, say

Kind = Literal[
    "now_shows",
    "no_longer_supported",
    "new_finding",
    "larger",
    "smaller",
    "less_certain",
    "more_certain",
    "left_out",
    "reworded",
    "figures_updated",
    "none",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Most serious first."""

RULE_VERSION = "6"
RULE_TEXT = mark(
    "Each finding is compared with the one before by what it shows, its side, its size beside the smallest difference "
    "that matters, its certainty, what is said against it, and its first sentence. Now shows something else, no longer "
    "supported, new finding, larger, smaller, less certain, more certain, no longer part of the review and told in "
    "other words wait for a signature; figures updated are moves within half a standard error, in the same class, from "
    "where they stood when what is said of them last changed."
)

MEANING_CHANGED: tuple[Kind, ...] = tuple(
    kind for kind in KINDS if kind not in ("figures_updated", "none")
)
"""Those that wait for a signature."""

CONCLUSION_CHANGED: tuple[Kind, ...] = tuple(kind for kind in MEANING_CHANGED if kind != "reworded")
"""Those that say something else of the evidence, and not the same in other words."""

SMALL_MOVE = 0.5
"""Standard errors by which an estimate may move as "figures updated"."""

FORMER_CLASS: Mapping[str, str] = {
    "now_shows": "reversed",
    "no_longer_supported": "weakened",
    "new_finding": "strengthened",
    "larger": "strengthened",
    "smaller": "weakened",
    "less_certain": "weakened",
    "more_certain": "strengthened",
    "left_out": "withdrawn",
    "reworded": "detail",
    "figures_updated": "detail",
    "none": "none",
}
"""What feeds called each kind before; kept as an alias for a year."""

_FROM_NOTHING = ("not_asked", "not_yet_assessed", "no_studies")


@dataclass(frozen=True, slots=True)
class FindingChange:
    """How one finding changed: `text` says it to readers, `before` and `after` are its first
    sentences.
    """

    finding: str
    label: str
    kind: Kind
    text: str
    before: str | None
    after: str | None

    @property
    def means_something_else(self) -> bool:
        """Whether the sentence says something else now, so that it waits for a signature."""
        return self.kind in MEANING_CHANGED


def changes(
    before: Iterable[Finding] | None, after: Iterable[Finding]
) -> tuple[FindingChange, ...]:
    """How each finding changed, without those that did not.

    Nothing where there was no version before.
    """
    if before is None:
        return ()
    old = {finding.id: finding for finding in before}
    new = {finding.id: finding for finding in after}
    found = [compare(old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new])]
    return tuple(change for change in found if change.kind != "none")


def most_serious(changes: Sequence[FindingChange]) -> Kind:
    """The kind that stands for a version."""
    return min((change.kind for change in changes), key=KINDS.index, default="none")


def compare(before: Finding | None, after: Finding | None) -> FindingChange:
    """What became of one finding; at least one of the two is given."""
    finding = after or before
    assert finding is not None
    old = wording.headline(before) if before else None
    new = wording.headline(after) if after else None
    kind, text = _kind(before, after)
    told_otherwise = before is not None and after is not None and _asked(before) != _asked(after)
    if kind not in MEANING_CHANGED and told_otherwise:
        kind, text = "reworded", say(mark("it is told in other words"))
    if kind not in MEANING_CHANGED and old != new and not _nothing_yet(before, after):
        kind, text = "now_shows", say(mark("it is told in other words"))
    label = finding.outcome_label
    return FindingChange(finding.id, label, kind, text, old, new)


def _kind(before: Finding | None, after: Finding | None) -> tuple[Kind, str]:
    if after is None:
        asked = before is not None and before.state != "not_asked"
        if asked:
            return ("left_out", say(mark("no longer part of the review")))
        return ("none", "")
    if before is not None and _meant(before) != _meant(after):
        return "now_shows", say(mark("what is good or bad for people is told in another way"))
    if _nothing_yet(before, after):
        return "none", ""
    if before is None:
        return "new_finding", say(mark("new in the review"))
    if _shows(before) != _shows(after):
        return _other_state(before, after)
    for rule in (_by_size, _by_certainty, _by_group, _by_reservations):
        told = rule(before, after)
        if told is not None:
            return told
    same = before.basis == after.basis and before.estimate == after.estimate
    if same:
        return "none", ""
    return "figures_updated", _what_moved(before, after)


def _by_reservations(before: Finding, after: Finding) -> tuple[Kind, str] | None:
    """Whether something else is said against an effect that stands."""
    if wording.reservations(before) == wording.reservations(after):
        return None
    text = mark("what is said against it, by single studies or for other places, has changed")
    return "now_shows", say(text)


def _nothing_yet(before: Finding | None, after: Finding | None) -> bool:
    """Whether there is no evidence, as there was none: that records still wait is work in progress."""
    if after is None:
        return False
    return after.state in _FROM_NOTHING and (before is None or before.state in _FROM_NOTHING)


def _asked(finding: Finding) -> tuple[str | None, ...]:
    """The protocol's words for what is compared and measured: under others the same figures say
    something else.
    """
    in_units = finding.estimate is not None and finding.estimate.measure == "MD"
    return (
        finding.comparison_label,
        finding.intervention,
        finding.comparator,
        finding.outcome_label,
        finding.more,
        finding.fewer,
        finding.unit if in_units else None,
    )


def _meant(finding: Finding) -> tuple[str, str]:
    """What the outcome means for people: a benefit that becomes a harm turns colours and arrows
    around.
    """
    return finding.kind, finding.better


def _shows(finding: Finding) -> tuple[str, str | None]:
    return finding.state, finding.side


def _other_state(before: Finding, after: Finding) -> tuple[Kind, str]:
    was_firm, is_firm = before.state in wording.FIRM, after.state in wording.FIRM
    if was_firm and not is_firm:
        return "no_longer_supported", say(mark("no longer supported: {why}"), why=after.why)
    if is_firm and not was_firm:
        return "new_finding", say(mark("the evidence now says something: {why}"), why=after.why)
    if before.state in _FROM_NOTHING:
        text = mark("there is evidence now, and it gives no answer: {why}")
        return "new_finding", say(text, why=after.why)
    return "now_shows", say(mark("what it shows is something else: {why}"), why=after.why)


def sized(finding: Finding) -> Estimate | None:
    """The size that is told of an effect: the estimate, or where nothing is pooled the first
    study's own.
    """
    if finding.estimate is not None or finding.lead is None:
        return finding.estimate
    lead = finding.lead
    if lead.measure is None or lead.value is None or lead.low is None or lead.high is None:
        return None
    unit = measures.MEASURES[lead.measure]
    return Estimate(
        measure=lead.measure,
        measure_label=lead.measure,
        null=unit.null,
        value=lead.value,
        low=lead.low,
        high=lead.high,
        studies=1,
        model="one study",
    )


def signed_size(finding: Finding) -> Estimate | None:
    """The size that figures may move from: as it was when what is said of the finding last changed.

    Against the version before many small moves would add up to a large one that nobody has signed.
    """
    return finding.moves_from or sized(finding)


def _by_size(before: Finding, after: Finding) -> tuple[Kind, str] | None:
    """Larger or smaller, for an effect that still stands."""
    old, new = signed_size(before), sized(after)
    if after.state != "effect" or old is None or new is None:
        return None
    if old.measure != new.measure:
        return "now_shows", say(mark("it is told in another measure"))
    if before.size != after.size or distance(old, new) > SMALL_MOVE:
        return _larger(_from_null(new) > _from_null(old))
    if _absolute_moved(old.absolute, new.absolute):
        assert old.absolute is not None and new.absolute is not None
        return _larger(abs(new.absolute.value) > abs(old.absolute.value))
    return None


def _larger(away: bool) -> tuple[Kind, str]:
    if away:
        return "larger", say(mark("the difference is larger than before"))
    return "smaller", say(mark("the difference is smaller than before"))


def _absolute_moved(old: Absolute | None, new: Absolute | None) -> bool:
    """Whether the difference in 1,000 people moved: another assumed risk does that while the ratio
    stays.
    """
    if old is None or new is None:
        return False
    error = (old.high - old.low) / (2 * Z)
    return abs(new.value - old.value) > SMALL_MOVE * error


def _from_null(estimate: Estimate) -> float:
    """How far an estimate lies from no difference, on the scale of analysis."""
    measure = measures.MEASURES[estimate.measure]
    return abs(float(measure.analysed(estimate.value) - measure.analysed(estimate.null)))


def _by_certainty(before: Finding, after: Finding) -> tuple[Kind, str] | None:
    old = before.certainty.level if before.certainty else None
    new = after.certainty.level if after.certainty else None
    if old == new:
        return None
    if old is None and new is not None:
        level = say(wording.LEVEL_WORDS[new])
        return "more_certain", say(
            mark("certainty is rated for the first time: {level}"), level=level
        )
    if new is None:
        reason = after.certainty_reason or ""
        return "less_certain", say(
            mark("its certainty does not hold any more: {reason}"), reason=reason
        )
    assert old is not None
    words = {
        "before": say(wording.LEVEL_WORDS[old]),
        "after": say(wording.LEVEL_WORDS[new]),
    }
    text = say(mark("certainty was {before} and is {after}"), **words)
    return ("more_certain" if place(new) > place(old) else "less_certain"), text


def _by_group(before: Finding, after: Finding) -> tuple[Kind, str] | None:
    """Whether other differences between groups of people are told."""
    old, new = _differences(before), _differences(after)
    if old == new:
        return None
    names = {
        asked.id: lowered(asked.label) for some in (before, after) for asked in some.moderators
    }
    changed = [names[id] for id in names if old.get(id) != new.get(id)]
    return "now_shows", say(
        mark("where the effect is better is told otherwise: {labels}"), labels=", ".join(changed)
    )


def _differences(finding: Finding) -> dict[str, tuple[str, str | None]]:
    """The differences that are told, likely or possible, and where it works better."""
    return {
        asked.id: (asked.credibility, asked.works_better)
        for asked in finding.moderators
        if asked.credibility in ("possible", "likely")
    }


def _what_moved(before: Finding, after: Finding) -> str:
    added = {study.study for study in after.studies} - {study.study for study in before.studies}
    gone = {study.study for study in before.studies} - {study.study for study in after.studies}
    if added and not gone:
        return say(mark("a study was added and the answer stands"))
    if gone and not added:
        return say(mark("a study was taken out and the answer stands"))
    return say(mark("figures were updated and the answer stands"))
