"""Which records are one publication: a verdict on a pair by the rules of `rules`, with the scores it
rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from livereview.dedup.blocks import block_keys
from livereview.dedup.compare import ODD, scores
from livereview.dedup.pair import Pair, identified, tied
from livereview.dedup.rules import RULES_VERSION, UNLIKE, Rule, decide
from livereview.dedup.team import NO_TEAM, TeamRules
from livereview.dedup.text import Features
from livereview.links import LinkKind

__all__ = ["RULES_VERSION", "Judgement", "block_keys", "judge", "judge_all", "unlike"]

# the scores that are kept beside a verdict
NAMES = (
    "title",
    "inside",
    "authors",
    "journal",
    "volume",
    "issue",
    "pages",
    "year",
    "abstract",
    "doi",
)
TITLE_WEIGHT = 3  # how often the title counts in the one number by which pairs are ordered
INSIDE_WEIGHT = 0.95  # a title within another says a little less than a whole one


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a pair: same, linked (two reports that belong together), doubtful (a
    person must look) or different.

    Attributes:
        rule: The rule that decided, in words for a person; `name` to cite it, `why` its reason.
        scores: What it rests on, 0 to 1, None where a side does not know the field.
        kind: What the two are to each other, where they are linked.
    """

    verdict: str
    rule: str
    name: str
    why: str
    scores: Mapping[str, float | None]
    kind: LinkKind | None = None


def judge(a: Features, b: Features, team: TeamRules = NO_TEAM) -> Judgement:
    """The verdict on a pair, the same whichever comes first; `team`: what teams add to the rules."""
    a, b = team.placed(a), team.placed(b)
    ratio = fuzz.ratio(a.title, b.title) / 100
    if ratio < ODD and not _worth_a_look(a, b):
        return _judgement(UNLIKE, {"title": round(ratio, 3), "score": 0.0})
    compared = scores(a, b, ratio)
    pair = Pair(a, b, compared)
    rule = team.judged(pair, decide(pair))
    kind = rule.link(pair) if rule.link else None
    known: dict[str, float | None] = {}
    for name in NAMES:
        value = getattr(compared, name)
        known[name] = None if value is None else round(value, 3)
    return _judgement(rule, known | {"score": _strength(known)}, kind)


def unlike() -> Judgement:
    """The verdict on two records that have nothing in common by which they would be compared."""
    return _judgement(UNLIKE, {"score": 0.0})


def judge_all(
    pairs: Sequence[tuple[Features, Features]], team: TeamRules = NO_TEAM
) -> list[Judgement]:
    """The verdicts on many pairs, equal to `judge` on each."""
    return [judge(a, b, team) for a, b in pairs]


def _judgement(
    rule: Rule, known: Mapping[str, float | None], kind: LinkKind | None = None
) -> Judgement:
    return Judgement(rule.verdict, rule.says, rule.name, rule.why, known, kind)


def _worth_a_look(a: Features, b: Features) -> bool:
    """Titles that differ matter only where an identifier, a place or the same authors in the same
    issue agree.
    """
    if identified(a, b) or tied(a, b):
        return True
    acquainted = not set(a.names).isdisjoint(b.names)
    if a.pages[0] and a.pages[0] == b.pages[0]:
        last_page_too = acquainted and a.pages[1] == b.pages[1]
        if a.volume == b.volume or last_page_too:
            return True
    same_issue = a.volume != "" and (a.volume, a.issue) == (b.volume, b.issue)
    return same_issue and (acquainted or (a.column and b.column))


def _strength(known: Mapping[str, float | None]) -> float:
    """One number for ordering edges and pairs: the mean of what is known, the title counted three
    times.
    """
    rest = []
    for name, value in known.items():
        if value is not None and name not in ("title", "inside"):
            rest.append(value)
    title = max(known["title"] or 0, INSIDE_WEIGHT * (known["inside"] or 0))
    return round((title * TITLE_WEIGHT + sum(rest)) / (TITLE_WEIGHT + len(rest)), 3)
