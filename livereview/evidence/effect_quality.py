"""The quality of the evidence on "does it work", from 0 to 4, taken from what people judged and
never typed.

EMMIE keeps what evidence says apart from how good it is. For the effect that is what GRADE and the
risk of bias of the studies say, so it is read from them by a rule that the page states.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from livereview.evidence.certainty import LEVELS
from livereview.evidence.finding import Finding
from livereview.evidence.grade import BIASED_SHARE, share_at_high_risk
from livereview.messages import many, mark, say

RULE, RULE_VERSION = "effect-quality", "1"
MOST = 4
UNRATED_AT_MOST = 2
"""Until somebody rates a finding it stands no higher than one of low certainty."""

RULE_TEXT = mark(
    "The quality of the evidence on whether it works is that of its least sure finding. Where people rated how sure "
    "they are of a finding it is 1 for very low, 2 for low, 3 for moderate and 4 for high certainty. Where nobody did "
    "it is 1 if half of the weight or more lies in studies at high risk of bias, else 2; 0 if all studies are too "
    "biased to count; and not given while a study waits to be judged. Findings on costs are left out."
)


@dataclass(frozen=True, slots=True)
class Quality:
    """From 0 to MOST, with where it comes from.

    Attributes:
        value: Of several findings that of the least sure one; None: there is none, and `why` says
        why.
        why: Where the value comes from.
        best: That of the surest of several findings.
        without: How many of several findings have none yet.
    """

    value: int | None
    why: str
    best: int | None = None
    without: int = 0


def of_finding(finding: Finding) -> Quality:
    """The quality of one finding's evidence."""
    if not finding.studies:
        return Quality(None, say(mark("no study gives a result")))
    if finding.certainty is not None:
        return Quality(1 + LEVELS.index(finding.certainty.level), say(mark("from the rating")))
    if not finding.counted:
        return Quality(0, finding.why)
    unjudged = [one for one in finding.counted if one.risk_of_bias in (None, "no_information")]
    if unjudged:
        why = many(
            "nobody has rated it, and the risk of bias of {n} study is not judged",
            "nobody has rated it, and the risk of bias of {n} studies is not judged",
            len(unjudged),
        )
        return Quality(None, why)
    mostly_biased = share_at_high_risk(finding.counted) >= BIASED_SHARE
    value = 1 if mostly_biased else UNRATED_AT_MOST
    return Quality(value, say(mark("from the risk of bias, as nobody has rated it yet")))


def of_findings(findings: Iterable[Finding]) -> Quality:
    """The quality of all evidence on the effect: of its least sure finding, with the best one
    beside it.
    """
    asked = [finding for finding in findings if finding.kind != "cost" and finding.studies]
    qualities = [of_finding(finding) for finding in asked]
    known = {quality.value: quality.why for quality in qualities if quality.value is not None}
    if not asked:
        return Quality(None, say(mark("no study gives a result")))
    if not known:
        return Quality(None, qualities[0].why)
    lowest = min(known)
    without = sum(quality.value is None for quality in qualities)
    return Quality(lowest, known[lowest], max(known), without)


def in_words(quality: Quality) -> str:
    """ "Quality of this evidence: 1 of 4 (from the rating).

    That is the least sure finding; the surest has 3."
    """
    if quality.value is None:
        return say(mark("Quality of this evidence: {why}."), why=quality.why)
    text = mark("Quality of this evidence: {quality} of {most} ({why}).")
    parts = [say(text, quality=quality.value, most=MOST, why=quality.why)]
    if quality.best is not None and quality.best != quality.value:
        parts.append(
            say(mark("That is the least sure finding; the surest has {best}."), best=quality.best)
        )
    if quality.without:
        parts.append(
            many("{n} finding has none yet.", "{n} findings have none yet.", quality.without)
        )
    return " ".join(parts)
