"""A finding as it is published: its figures with all that is said of them."""

from __future__ import annotations

from livereview.evidence import claims, effect_quality, per_thousand, wording, wording_checks
from livereview.evidence.finding import Estimate, Finding, Moderation, Subgroup
from livereview.summary import words
from livereview.summary.model.findings import GroupRow, ModeratorWords, PublishedFinding


def published(finding: Finding) -> PublishedFinding:
    """The finding with its words, for pages and for sites that print it."""
    spoken = wording.words(finding)
    quality = effect_quality.of_finding(finding)
    moderators = [_moderator(finding, moderation) for moderation in finding.moderators]
    return PublishedFinding(
        **dict(finding),
        claim=claims.claim_id(finding),
        state_display=words.state(finding),
        headline=spoken.headline,
        size_display=spoken.size,
        evidence_display=spoken.evidence,
        certainty_display=spoken.certainty,
        wording=spoken.text,
        estimate_display=_interval(finding.estimate),
        absolute_display=_absolute(finding.estimate),
        quality=quality.value,
        quality_reason=quality.why,
        weighing_display=wording.weighing(finding, _since(finding)),
        stands_display=wording.stands(finding) or None,
        otherwise_display=tuple(wording.otherwise(finding) or ()),
        small_studies_display=wording_checks.small_studies(finding) or None,
        missing_evidence_display=wording_checks.missing_evidence(finding) or None,
        moderators_display=tuple(moderators),
    )


def _interval(estimate: Estimate | None) -> str | None:
    return wording.interval(estimate) if estimate else None


def _absolute(estimate: Estimate | None) -> str | None:
    """What it means for 1,000 people; None where that can't be said."""
    if estimate is None:
        return None
    return per_thousand.both_in_words(estimate)


def _moderator(finding: Finding, moderation: Moderation) -> ModeratorWords:
    """One moderator of a finding in words, its groups as rows of a table."""
    return ModeratorWords(
        moderator=moderation.id,
        label=moderation.label,
        text=wording_checks.moderation(finding, moderation),
        groups=tuple(_group(group) for group in moderation.groups),
    )


def _group(group: Subgroup) -> GroupRow:
    estimate = group.estimate
    return GroupRow(
        group=group.value,
        studies=group.studies,
        people=group.people,
        people_display=wording_checks.people(group),
        estimate_display=_interval(estimate),
        absolute_display=wording_checks.absolute_of(estimate) if estimate else None,
    )


def _since(finding: Finding) -> str | None:
    """The day on which the evidence that is being weighed came, in words."""
    if finding.weighing is None or finding.weighing.since is None:
        return None
    return words.day(words.end_of(finding.weighing.since))
