"""The summary as data: `summary.json`, which the page is also drawn from, its hash, and the stamp
of the searches.

What a version is: `content_hash` covers the protocol's public words, the included reports, the
studies with their extractions, and the claims. It leaves out the version's own number and date,
search dates, and counts of work in progress (found, screened, excluded): these are status, and a
build with the same hash refreshes them without a version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from livereview.evidence import (
    checked,
    claims,
    effect_quality,
    finding_changes,
    grade,
    sign_off,
    wording,
)
from livereview.evidence import weigh as weigh_
from livereview.evidence.claims import Claim
from livereview.evidence.falls import Fall, Size, large_falls
from livereview.evidence.finding import Finding
from livereview.evidence.finding_changes import FindingChange
from livereview.evidence.sign_off import Shown
from livereview.messages import say
from livereview.review import EMMIE, SIGN_OFF_DAYS, Base, Review
from livereview.summary import (
    debt,
    emmie,
    evidence_map,
    finding_words,
    flow_diagram,
    model,
    money,
    stamp,
    standards,
    statements,
    study_facts,
    team_words,
    words,
)
from livereview.summary.model import SCHEMA_VERSION, Summary
from livereview.summary.model import findings as published_findings
from livereview.summary.model import protocol as published_protocol
from livereview.summary.model.versions import Changed, Entry, Version
from livereview.summary.model.versions import FindingChange as PublishedChange
from livereview.summary.snapshot import Published, Snapshot, Study

CHECKS_VERSION = "3"
"""Of what stands beside an answer and does not make it: sensitivity, small studies, risks per 1,000,
counts of events.
"""

RULES_VERSION = (
    f"findings-{claims.VERSION}-changes-{finding_changes.RULE_VERSION}+checks-{CHECKS_VERSION}"
)
"""By which rules a version was made: only the same ones can make its bytes again."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a Snapshot's studies say.

    Attributes:
        now: The findings as the evidence has them.
        shown: The findings as the version shows them, and what waits for a name.
        claims: The sentences that are made from those shown.
    """

    now: tuple[Finding, ...]
    shown: Shown
    claims: tuple[Claim, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """As the version shows them."""
        return self.shown.findings


@dataclass(frozen=True, slots=True)
class Change:
    """What kind of change a version is: "first", or one of finding_changes.KINDS.

    And each finding's own.
    """

    kind: str
    changes: tuple[FindingChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Edition:
    """What tells one version from another that holds the same."""

    number: int
    date: datetime
    trigger: str
    signed_by: str | None
    change: Change


def weigh(snapshot: Snapshot) -> Evidence:
    """The findings and the claims of a Snapshot, in the language of the review."""
    with words.as_told_in(snapshot.review):
        return _weigh(snapshot)


def _weigh(snapshot: Snapshot) -> Evidence:
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    found = checked.findings(snapshot.review, forms, _waiting(snapshot), _unread(snapshot))
    now = grade.all_rated(found, snapshot.ratings)
    shown = sign_off.shown(
        previous(snapshot),
        now,
        signed=signed(snapshot),
        sign_off=snapshot.review.living.sign_off,
        arrived={study: words.local(made) for study, (_, _, made) in snapshot.extracted.items()},
        falls=_falls(snapshot),
        translated=translated(snapshot),
    )
    return Evidence(now, shown, claims.claims(snapshot.review, shown.findings, forms))


def _falls(snapshot: Snapshot) -> tuple[Fall, ...]:
    """What has become much less since the version before."""
    if not snapshot.history:
        return ()
    last = snapshot.history[-1].content
    before = Size(last.flow.included, len(last.studies))
    return large_falls(before, Size(snapshot.flow.included, len(snapshot.studies)))


def signed(snapshot: Snapshot) -> dict[str, str]:
    """Who signed what since the version before: an older name says nothing of changes that came
    back.
    """
    since = snapshot.history[-1].upto if snapshot.history else 0
    names: dict[str, str] = {}
    for signature in snapshot.signatures:
        if signature.seq > since:
            names.setdefault(signature.content_hash, signature.author)
    return names


def _waiting(snapshot: Snapshot) -> int:
    """Records and reports that nobody has finished assessing."""
    flow = snapshot.flow
    return (
        flow.awaiting_screening
        + flow.in_screening
        + flow.awaiting_full_text
        + flow.awaiting_extraction
    )


def _unread(snapshot: Snapshot) -> dict[str, int]:
    """By finding the studies in which nobody has looked for an answer yet, or whose form can't be
    used.

    They have no form in force (a second extraction waits, or the protocol has left the form
    behind), or one that is
    older than the question: an outcome that is added would else be a gap in the evidence by being
    added.
    """
    unread: dict[str, int] = {}
    for comparison in weigh_.comparisons_of(snapshot.review):
        for outcome in snapshot.review.outcomes:
            asked = [
                snapshot.asked[id] for id in (comparison.id, outcome.id) if id in snapshot.asked
            ]
            since = max(asked, default=None)
            unread[f"{comparison.id}/{outcome.id}"] = sum(
                not _was_asked(snapshot, study, since) for study in snapshot.studies
            )
    return unread


def _was_asked(snapshot: Snapshot, study: Study, since: datetime | None) -> bool:
    """Whether a study has a form that was filled in when the question stood in the protocol."""
    if study.extraction is None:
        return False
    made = snapshot.extracted.get(study.study_id)
    return since is None or made is None or made[2] >= since


def previous(snapshot: Snapshot) -> tuple[Finding, ...] | None:
    """The findings of the version before.

    None where there is none, or it was made by other rules.
    """
    if snapshot.history:
        return snapshot.history[-1].findings
    return None


def translated(snapshot: Snapshot) -> bool:
    """Whether the version before was in another language."""
    if not snapshot.history:
        return False
    return snapshot.history[-1].content.language != snapshot.review.language


def by_other_rules(snapshot: Snapshot) -> bool:
    """Whether the version before was made by rules that this service no longer has."""
    return bool(snapshot.history) and previous(snapshot) is None


def compare(snapshot: Snapshot, evidence: Evidence) -> Change:
    """The change against the version before.

    At least "figures_updated" where its content differs at all.
    """
    if not snapshot.history:
        return Change("first")
    kind = finding_changes.most_serious(evidence.shown.changes)
    if by_other_rules(snapshot):
        kind = "now_shows"
    same = snapshot.history[-1].content_hash == content_hash(snapshot, evidence)
    if kind == "none" and not same:
        kind = "figures_updated"
    return Change(kind, evidence.shown.changes)


def content_hash(snapshot: Snapshot, evidence: Evidence) -> str:
    """sha256 of what the review says and rests on; the module's docstring says what that is."""
    content = {
        "schema": SCHEMA_VERSION,
        "review": _content_of(snapshot.review),
        "studies": [model.plain(study) for study in _studies(snapshot)],
        "awaiting": sorted(report.report_id for report in snapshot.awaiting),
        "findings": [_content(finding) for finding in evidence.findings],
        "emmie": [claims.to_json(claim) for claim in evidence.claims if claim.rule == "emmie"],
        "outdated": _outdated(snapshot, evidence),
    }
    if (
        snapshot.coded
    ):  # forms are among the studies: what they say of the map makes no version twice
        coded = evidence_map.entries(snapshot, ())
        content["map"] = [entry.model_dump(mode="json", exclude={"state"}) for entry in coded]
    return hashlib.sha256(dump(content)).hexdigest()


def _outdated(snapshot: Snapshot, evidence: Evidence) -> list[str]:
    """The team's words from which the evidence has moved on: statements by id, then configurations."""
    ground = statements.ground(snapshot)
    written = statements.marked(ground, evidence.findings)
    configurations = statements.marked_configurations(ground)
    return [
        *(marked.statement.id for marked in written if marked.outdated is not None),
        *(marked.key for marked in configurations if marked.outdated is not None),
    ]


NO_CONTENT: dict[str, Any] = {
    "waiting": True,
    "moves_from": True,
    "moderators": {"__all__": {"regression": {"intercept"}}},
    "studies": {"__all__": {"counts"}},
    "lead": {"counts"},
}
"""Parts of a finding that make no version: work in progress, and what came later and follows from the rest."""


def _content(finding: Finding) -> dict[str, Any]:
    """A finding without what is work in progress: how many records wait, and so whether none is
    known yet.
    """
    plain = finding.model_dump(mode="json", exclude=NO_CONTENT)
    if finding.state in ("no_studies", "not_yet_assessed"):
        plain |= {"state": "no_studies", "why": ""}
    return plain


def dump(data: object, indent: int | None = None) -> bytes:
    """JSON as UTF-8 with sorted keys; NaN is refused by the encoder."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=indent)
    return f"{text}\n".encode("utf-8", "replace")


def _content_of(review: Review) -> dict[str, Any]:
    """The protocol's public words as far as they make a version: a promise that nobody has written
    makes none.
    """
    content = model.plain(published_protocol.public(review))
    if review.living.sign_off_days == SIGN_OFF_DAYS:
        del content["living"]["sign_off_days"]
    content.pop("site_url", None)  # where it stands is nothing that the review says
    for area in content["taxonomy"]:
        if area["asked"]:
            del area["asked"]
    return content


def summary(snapshot: Snapshot, evidence: Evidence, edition: Edition) -> Summary:
    """All of summary.json.

    Numbers are unrounded and have a display text; what is unknown is None with a reason.
    """
    findings = evidence.findings
    said = {claim.id: _claim(claim) for claim in evidence.claims}
    ground = statements.ground(snapshot)
    team = _team(ground, snapshot, findings)
    lacks = wording.evidence_lacks(findings)
    published = [finding_words.published(finding) for finding in findings]
    awaiting = [study_facts.report(report) for report in snapshot.awaiting]
    excluded = [study_facts.excluded(report) for report in snapshot.excluded]
    return Summary(
        schema_version=SCHEMA_VERSION,
        language=snapshot.review.language,
        review=published_protocol.public(snapshot.review),
        version=_version(snapshot, evidence, edition),
        as_of=words.iso(snapshot.moment),
        as_of_display=words.day(snapshot.moment),
        status=stamp.status(snapshot),
        answer=said["answer"],
        answers=_answers(findings),
        caveat=say(wording.CAVEAT) if lacks else "",
        evidence_lacks=lacks,
        claims=tuple(said.values()),
        findings=tuple(published),
        emmie=_emmie(snapshot, evidence, team),
        base=_base(snapshot.review.base),
        statements=team,
        configurations=_configurations(ground),
        changed=_changed(snapshot, edition.change),
        versions=_versions(snapshot.history, edition),
        flow=flow_diagram.published(snapshot.flow),
        stop=stamp.stop(snapshot.stop),
        debt=debt.counts(snapshot, findings),
        debt_since=debt.since(snapshot, findings, edition.date),
        studies=_studies(snapshot),
        awaiting=tuple(awaiting),
        excluded=tuple(excluded),
        costs=money.published(snapshot, findings),
        tools=study_facts.tools(snapshot),
        rules=_rules(),
        standards=standards.published(standards.used(snapshot, findings)),
        map=evidence_map.entries(snapshot, findings),
    )


def _team(
    ground: statements.Ground, snapshot: Snapshot, findings: Sequence[Finding]
) -> tuple[model.Statement, ...]:
    """The team's own statements, each marked where what it rests on has changed."""
    marked = statements.marked(ground, findings)
    return tuple(team_words.statement(ground, snapshot.ratings, one) for one in marked)


def _configurations(ground: statements.Ground) -> tuple[model.Configuration, ...]:
    """What works for whom by which mechanism, as the team has put it."""
    marked = statements.marked_configurations(ground)
    return tuple(team_words.configuration(ground, one) for one in marked)


def _claim(claim: Claim) -> published_findings.Claim:
    return published_findings.Claim.model_validate(claims.to_json(claim))


def _answers(findings: Sequence[Finding]) -> tuple[published_findings.Answer, ...]:
    """The answer of each comparison."""
    return tuple(
        published_findings.Answer(comparison=label, text=text)
        for label, text in wording.answers(findings)
    )


def _emmie(
    snapshot: Snapshot, evidence: Evidence, team: Sequence[model.Statement]
) -> tuple[model.Dimension, ...]:
    """Its five questions; none where the review asks about effects only."""
    if not snapshot.review.emmie:
        return ()
    said = {claim.id: claim for claim in evidence.claims}
    return tuple(
        emmie.dimension(snapshot, name, said[f"emmie:{name}"], team, evidence.findings)
        for name in EMMIE
    )


def _base(base: Base | None) -> model.Base | None:
    """The review that this one continues, with a sentence that says so."""
    if base is None:
        return None
    return model.Base(**asdict(base), display=wording.base(base))


def _studies(snapshot: Snapshot) -> tuple[model.Study, ...]:
    return tuple(study_facts.study(snapshot.review, study) for study in snapshot.studies)


def _version(snapshot: Snapshot, evidence: Evidence, edition: Edition) -> Version:
    kind = edition.change.kind
    return Version(
        **_entry_of(edition),
        conclusion_changed=kind in finding_changes.CONCLUSION_CHANGED,
        rules=RULES_VERSION,
        predecessor=snapshot.history[-1].number if snapshot.history else None,
        content_hash=content_hash(snapshot, evidence),
    )


def _versions(history: Sequence[Published], edition: Edition) -> tuple[Entry, ...]:
    """Newest first, this one among them."""
    earlier = tuple(Entry(**_entry_of_old(old)) for old in reversed(history))
    return (Entry(**_entry_of(edition)), *earlier)


def _entry_of(edition: Edition) -> dict[str, Any]:
    return _entry(
        edition.number, edition.date, edition.change.kind, edition.trigger, edition.signed_by
    )


def _entry_of_old(old: Published) -> dict[str, Any]:
    return _entry(old.number, old.date, old.change, old.trigger, old.signed_by)


def _entry(
    number: int, date: datetime, change: str, trigger: str, signed_by: str | None
) -> dict[str, Any]:
    """What every version on a list has."""
    return {
        "number": number,
        "date": words.iso(date),
        "date_display": words.day(date),
        "change": change,
        "change_display": say(words.CHANGES.get(change, change)),
        "trigger": trigger,
        "signed_by": signed_by,
    }


def _changed(snapshot: Snapshot, change: Change) -> Changed:
    """What is new against the version before."""
    now = {study.study_id for study in snapshot.studies}
    before = now
    if snapshot.history:
        before = {study.id for study in snapshot.history[-1].content.studies}
    return Changed(
        kind=change.kind,
        display=say(words.CHANGES[change.kind]),
        findings=tuple(_finding_change(row) for row in change.changes),
        studies_added=tuple(sorted(now - before)),
        studies_removed=tuple(sorted(before - now)),
    )


def _finding_change(change: FindingChange) -> PublishedChange:
    return PublishedChange(**asdict(change), display=say(words.KINDS[change.kind]))


def _rules() -> tuple[model.Rule, ...]:
    """By which rules the sentences were made."""
    rules = (
        (weigh_.RULE, claims.VERSION, claims.RULE_TEXT),
        (effect_quality.RULE, effect_quality.RULE_VERSION, effect_quality.RULE_TEXT),
        ("change-class", finding_changes.RULE_VERSION, finding_changes.RULE_TEXT),
    )
    return tuple(model.Rule(id=id, version=version, text=say(text)) for id, version, text in rules)
