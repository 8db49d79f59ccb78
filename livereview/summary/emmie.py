"""The questions of EMMIE as they are published: how it works, for whom, what it takes and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from livereview.evidence import coded, effect_quality
from livereview.evidence.claims import Claim, Figure
from livereview.evidence.finding import Finding
from livereview.messages import mark, say
from livereview.summary import team_words, words
from livereview.summary.model.team import CodedFinding, Dimension, QuotedSays, Statement
from livereview.summary.snapshot import Snapshot


def dimension(
    snapshot: Snapshot,
    name: str,
    claim: Claim,
    team: Sequence[Statement],
    findings: Sequence[Finding],
) -> Dimension:
    """One question: what is found (EMMIE-E) apart from its quality (EMMIE-Q), and the team's words."""
    quality = next(figure for figure in claim.figures if figure.name == "quality")
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    groups = coded.coded(snapshot.review, forms, name)
    return Dimension(
        dimension=name,
        question=say(words.QUESTIONS[name]),
        claim=claim.id,
        text=claim.text,
        quality=quality.value,
        quality_of=quality.of,
        quality_reason=quality.reason,
        quality_display=_quality_in_words(name, quality, findings),
        statements=tuple(statement for statement in team if statement.under == name),
        codes=tuple(_coded(snapshot, group) for group in groups),
        findings=tuple(_says(snapshot, name)),
    )


def _says(snapshot: Snapshot, name: str) -> list[QuotedSays]:
    """All that studies say on one question, study by study."""
    rows: list[QuotedSays] = []
    for study in snapshot.studies:
        findings = study.extraction.findings if study.extraction else ()
        rows += [
            QuotedSays(study=study.study_id, label=study.label, **asdict(finding))
            for finding in findings
            if finding.dimension == name
        ]
    return rows


def _quality_in_words(name: str, quality: Figure, findings: Sequence[Finding]) -> str:
    """How good the evidence on a question is; of the effect by the rule that the page states."""
    if name == "effect":
        return effect_quality.in_words(effect_quality.of_findings(findings))
    if quality.value is None:
        return say(mark("Quality of this evidence: {why}."), why=quality.reason)
    return say(
        mark("Quality of this evidence: {quality} of {most} at best."),
        quality=int(quality.value),
        most=int(quality.of or effect_quality.MOST),
    )


def _coded(snapshot: Snapshot, group: coded.CodedFinding) -> CodedFinding:
    """A coded finding with its count, its places, the studies' words and how well it stands."""
    sites = coded.sites_in_words(group, snapshot.review.sites)
    count = coded.count_in_words(group)
    rating = coded.confidence(group, snapshot.ratings)
    quotes = [
        QuotedSays(study=said.study, label=said.label, **asdict(said.finding))
        for said in group.said
    ]
    return CodedFinding(
        id=group.id,
        code=group.code,
        label=group.label,
        polarity=group.polarity,
        studies=group.studies,
        of=group.of,
        sites=group.sites,
        display=f"{count} ({sites})" if sites else count,
        confidence=team_words.confidence(rating),
        findings=tuple(quotes),
    )
