"""Whether a living review could retire: five signs, read from what was published, and the rule of
the vote.

No sign retires a review, nor do all five together: people vote, and the signs are the evidence that
lay before them. The signs are those of Murad and others (BMJ Evid Based Med 2023,
bmjebm-2022-112100), which names no numbers: the evidence is conclusive, no new studies are
expected, the question is no longer asked, nobody can keep the review. The numbers are RULES. A
review called conclusive too early is the known mistake (Babic and others 2022), so each sign tells
its numbers, says None where it can't be judged, and names what would undo it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from math import log
from typing import Any

from livereview.evidence.finding import Finding
from livereview.evidence.finding_changes import FORMER_CLASS, MEANING_CHANGED

KINDS = ("retire", "revive")
VERDICTS = ("yes", "no", "abstain")
NEEDED = 2  # votes for it, where so many people may vote
MONTH = timedelta(days=30.4375)
UNDONE = {
    "stable": "a study that could change a conclusion",
    "certain": "a finding that makes the evidence less certain",
    "quiet": "a new study of the question",
    "not_asked": "somebody who asks the question again",
    "no_resources": "somebody who takes the review over",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """From when on a sign is met.

    Attributes:
        months: How long conclusions must have stood, and no study may have come: 24, within which
            23% of 100 reviews had a signal that they need updating (Shojania and others, Ann Intern
            Med 2007;147:224-33).
        versions: Published within that time, all without a changed conclusion: 3, our own choice.
        studies: Added within that time: 2, our own choice, as one study that agrees may be chance.
        moved: The share of the pooled interval's half-width that one more study may move the
            estimate by: a quarter, which is half a standard error, the limit of the review's own
            rule of changed conclusions.
    """

    months: int = 24
    versions: int = 3
    studies: int = 2
    moved: float = 0.25


RULES = Rules()


@dataclass(frozen=True, slots=True)
class Trigger:
    """One sign.

    `met` None: it can't be judged. `told` is a sentence with its numbers, which `evidence` has as
    data.
    """

    id: str
    met: bool | None
    told: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edition:
    """A published version: its class of change, and the studies that it had extracted."""

    number: int
    date: datetime
    change: str
    studies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Watch:
    """How one search of the protocol fared: its first and last success, runs and good runs within
    the months asked.
    """

    name: str
    first: datetime | None
    last: datetime | None
    runs: int
    good: int


def stable(
    editions: Sequence[Edition], now: datetime, waits: bool, rules: Rules = RULES
) -> Trigger:
    """The last versions changed no conclusion though studies were added.

    `waits`: a changed one is not yet signed.

    The version that last changed a conclusion, or the first, is where the count begins. `editions`:
    oldest first.
    """
    if not editions:
        return Trigger("stable", None, "Nothing has been published yet.")
    changed = [n for n, one in enumerate(editions) if _changed(one.change)]
    start, after = (
        editions[changed[-1] if changed else 0],
        editions[changed[-1] + 1 if changed else 1 :],
    )
    added, months = len(editions[-1].studies - start.studies), _months(start.date, now)
    told = (
        f"Since version {start.number}, {_n(months, 'month')} ago: {_n(len(after), 'version')} without a changed"
        f" conclusion, {_n(added, 'study', 'studies')} added"
        f" (needed: {rules.versions}, over {rules.months} months, with {rules.studies} studies)."
    )
    if waits:
        told = "A changed conclusion waits for a name. " + told
    enough = (
        now - start.date >= rules.months * MONTH
        and len(after) >= rules.versions
        and added >= rules.studies
    )
    figures = {
        "since": start.number,
        "months": months,
        "versions": len(after),
        "added": added,
        "waits": waits,
    }
    return Trigger("stable", enough and not waits, told, figures)


def _changed(kind: str) -> bool:
    """Whether a version of this kind changed a conclusion, by today's words or by those before."""
    return kind in MEANING_CHANGED or (
        kind in FORMER_CLASS.values() and kind not in ("detail", "none")
    )


def certain(findings: Sequence[Finding], rules: Rules = RULES) -> Trigger:
    """Certainty is high for every outcome, and one more study would hardly move any estimate."""
    if not findings:
        return Trigger("certain", None, "The review has no outcome.")
    judged = [_sure(finding, rules) for finding in findings]
    met = _all([one for one, _, _ in judged])
    told = "; ".join(
        f"{_name(finding)}: {why}" for finding, (_, why, _) in zip(findings, judged, strict=True)
    )
    figures = {finding.id: shown for finding, (_, _, shown) in zip(findings, judged, strict=True)}
    return Trigger("certain", met, f"{told}.", figures)


def _name(finding: Finding) -> str:
    return finding.outcome_label


def _sure(finding: Finding, rules: Rules) -> tuple[bool | None, str, dict[str, Any]]:
    """(met, why, figures) for one finding."""
    if not finding.studies:
        return False, "no studies", {"level": None}
    if finding.certainty is None:
        return None, "certainty is not rated", {"level": None}
    level = finding.certainty.level
    if level != "high":
        return False, f"certainty is {level.replace('_', ' ')}", {"level": level}
    if not any(study.weight for study in finding.studies):
        return None, "certainty is high, but nothing is pooled", {"level": level}
    share, moved = further(finding)
    why = (
        f"certainty is high; one more study as large as the largest would carry {share:.0%} of the weight and move the"
        f" estimate by up to {moved:.0%} of its interval's half-width (allowed: {rules.moved:.0%})"
    )
    return (
        moved <= rules.moved,
        why,
        {"level": level, "share": round(share, 4), "moved": round(moved, 4)},
    )


def further(finding: Finding) -> tuple[float, float]:
    """(share of the weight, move as a share of the interval's half-width) of one more study like
    the largest.

    Its result is taken to lie at the far end of the prediction interval, or of the estimate's own
    below three studies. Weights add up, so it moves a mean of weight W by w / (W + w) of its
    distance. Ratios are compared as logs.
    """
    estimate = finding.estimate
    assert estimate is not None
    scale = log if estimate.null == 1 else float
    largest = max(study.weight or 0 for study in finding.studies)
    share = largest / (100 + largest)
    value, low, high = scale(estimate.value), scale(estimate.low), scale(estimate.high)
    far = [low, high]
    if estimate.prediction_low is not None and estimate.prediction_high is not None:
        far = [scale(estimate.prediction_low), scale(estimate.prediction_high)]
    distance = max(abs(value - end) for end in far)
    return share, share * distance / ((high - low) / 2)


def quiet(
    included: datetime | None,
    watched: Sequence[Watch],
    unread: datetime | None,
    now: datetime,
    stale_days: int,
    rules: Rules = RULES,
) -> Trigger:
    """No study was included for months though all searches ran and what they found was read.

    Args:
        included: When the newest study was first included.
        unread: Since when the oldest unread
            report has waited.
        stale_days: How old the last success of a search, and an unread report, may be.
    """
    since, late = now - rules.months * MONTH, now - timedelta(days=stale_days)
    good, runs = sum(one.good for one in watched), sum(one.runs for one in watched)
    figures = {
        "months": rules.months,
        "runs": runs,
        "good": good,
        "included": included and included.isoformat(),
    }
    ran = f"{good:,} of {runs:,} runs of its searches went through in {rules.months} months"
    if included and included > since:
        return Trigger(
            "quiet", False, f"The newest study was included on {included:%Y-%m-%d}; {ran}.", figures
        )
    if gaps := [
        one.name
        for one in watched
        if not one.first or one.first > since or not one.last or one.last < late
    ]:
        why = f"It can't be said: {', '.join(gaps)} did not search all of the last {rules.months} months"
        return Trigger("quiet", None, f"{why}; {ran}.", {**figures, "gaps": gaps})
    if not watched:
        return Trigger(
            "quiet",
            None,
            "It can't be said: the review has no searches that run by themselves.",
            figures,
        )
    if unread and unread < late:
        return Trigger(
            "quiet",
            None,
            f"It can't be said: reports found on {unread:%Y-%m-%d} are unread; {ran}.",
            figures,
        )
    return Trigger(
        "quiet", True, f"No study was included in the last {rules.months} months; {ran}.", figures
    )


def not_asked(why: str | None) -> Trigger:
    """The question is no longer asked: only people can say so, and they give their reason."""
    return _said("not_asked", "The question is no longer asked", why)


def no_resources(why: str | None) -> Trigger:
    """Nobody keeps the review any more: likewise."""
    return _said("no_resources", "Nobody can keep the review", why)


def _said(id: str, what: str, why: str | None) -> Trigger:
    if not why:
        return Trigger(id, None, f"{what}: nobody has said so.")
    return Trigger(id, True, f"{what}, the team says: {why.rstrip('.')}.", {"why": why})


def to_json(trigger: Trigger) -> dict[str, Any]:
    return {**asdict(trigger), "evidence": dict(trigger.evidence)}


def revives(triggers: Iterable[Trigger]) -> str:
    """What would bring a review back that retired on these signs, in a sentence."""
    what = [UNDONE[one.id] for one in triggers if one.met and one.id in UNDONE] or [
        UNDONE["stable"],
        UNDONE["quiet"],
    ]
    listed = f"{', '.join(what[:-1])} or {what[-1]}" if len(what) > 1 else what[0]
    return f"It comes back, by a vote of its team, if there is {listed}."


@dataclass(frozen=True, slots=True)
class Count:
    """Votes in force, and how many people may vote."""

    yes: int
    no: int
    abstain: int
    voters: int

    @property
    def cast(self) -> int:
        return self.yes + self.no + self.abstain


def count(ballots: Iterable[tuple[str, str]], voters: AbstractSet[str]) -> Count:
    """The (person, verdict) pairs, oldest first, counted: each one's last, of those who may vote
    now.
    """
    last = {person: verdict for person, verdict in ballots if person in voters}
    cast = list(last.values())
    return Count(cast.count("yes"), cast.count("no"), cast.count("abstain"), len(voters))


def carried(votes: Count) -> bool:
    """Two people for it (one, where only one may vote), and more for it than against.

    Abstentions don't count.
    """
    return votes.yes >= max(1, min(NEEDED, votes.voters)) and votes.yes > votes.no


def _all(found: Sequence[bool | None]) -> bool | None:
    """True if all are; False if any is; else unknown."""
    if False in found:
        return False
    if None in found:
        return None
    return True


def _months(start: datetime, end: datetime) -> int:
    return int((end - start) / MONTH)


def _n(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
