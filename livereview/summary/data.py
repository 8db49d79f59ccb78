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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from livereview import messages
from livereview.evidence import (
    appraisal,
    certainty,
    checked,
    claims,
    coded,
    costs,
    effect_quality,
    finding_changes,
    grade,
    orientation,
    sign_off,
    wording,
    wording_checks,
)
from livereview.evidence import forms as forms_
from livereview.evidence import weigh as weigh_
from livereview.evidence.certainty import Rating
from livereview.evidence.claims import Claim, Figure
from livereview.evidence.coded import CodedFinding
from livereview.evidence.costs import Converted
from livereview.evidence.falls import Fall, Size, large_falls
from livereview.evidence.finding import Finding, Moderation
from livereview.evidence.finding_changes import FindingChange
from livereview.evidence.forms import Extraction, Result
from livereview.evidence.sign_off import Shown
from livereview.messages import mark, say
from livereview.review import EMMIE, SIGN_OFF_DAYS, Base, Costs, Methods, Review, Statement, Tool
from livereview.summary import debt, flow_diagram, retired, standards, statements, words
from livereview.summary.snapshot import Published, Report, SearchFact, Snapshot, Stop, Study
from livereview.summary.statements import Ground, Marked, MarkedConfiguration

SCHEMA_VERSION = "2.1.0"
CHECKS_VERSION = "1"
"""Of what stands beside an answer and does not make it: sensitivity, small studies."""

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
    before = Size(last["flow"]["included"], len(last["studies"]))
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
    if not snapshot.history:
        return None
    told = snapshot.history[-1].content.get("findings")
    if told is None:
        return None
    known = Finding.model_fields
    return tuple(
        Finding.model_validate({key: row[key] for key in known if key in row}) for row in told
    )


def translated(snapshot: Snapshot) -> bool:
    """Whether the version before was in another language."""
    if not snapshot.history:
        return False
    language = snapshot.history[-1].content.get("language", messages.ENGLISH)
    return bool(language != snapshot.review.language)


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
    ground = statements.ground(snapshot)
    content = {
        "schema": SCHEMA_VERSION,
        "review": _content_of(snapshot.review),
        "studies": [_study(snapshot.review, study) for study in snapshot.studies],
        "awaiting": sorted(report.report_id for report in snapshot.awaiting),
        "findings": [_content(finding) for finding in evidence.findings],
        "emmie": [claims.to_json(claim) for claim in evidence.claims if claim.rule == "emmie"],
        "outdated": [
            *(
                one.statement.id
                for one in statements.marked(ground, evidence.findings)
                if one.outdated is not None
            ),
            *(
                statements.key(one.configuration)
                for one in statements.marked_configurations(ground)
                if one.outdated is not None
            ),
        ],
    }
    return hashlib.sha256(dump(content)).hexdigest()


def _content(finding: Finding) -> dict[str, Any]:
    """A finding without what is work in progress: how many records wait, and so whether none is
    known yet.
    """
    plain = finding.model_dump(mode="json", exclude={"waiting", "moves_from"})
    if finding.state in ("no_studies", "not_yet_assessed"):
        plain |= {"state": "no_studies", "why": ""}
    return plain


def dump(data: object, indent: int | None = None) -> bytes:
    """JSON as UTF-8 with sorted keys; NaN is refused by the encoder."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=indent)
    return f"{text}\n".encode("utf-8", "replace")


def _protocol(review: Review) -> dict[str, Any]:
    """The protocol's public words: without the file's comments, highlights, canaries and the names
    of adjudicators.

    The language stands there only where it is not English, moderators where there are any: they
    came later, and must make no new version of old reviews.
    """
    private: tuple[str, ...] = ("text", "hash", "highlights", "canaries", "webhooks")
    private += ("language",) if review.language == messages.ENGLISH else ()
    private += () if review.moderators else ("moderators",)
    private += () if review.site_url else ("site_url",)
    public = {key: value for key, value in asdict(review).items() if key not in private}
    return (
        public
        | {"methods": _methods(review.methods)}
        | {"screening": {"votes": review.screening.votes, "stages": list(review.screening.stages)}}
    )


def _methods(methods: Methods) -> dict[str, Any]:
    """How the review pools.

    A choice that came later stands there only where it is not the usual one.
    """
    later = ("sensitivity",)
    usual = Methods()
    plain = asdict(methods)
    return {
        key: value
        for key, value in plain.items()
        if key not in later or value != getattr(usual, key)
    }


def _content_of(review: Review) -> dict[str, Any]:
    """The protocol's public words as far as they make a version: a promise that nobody has written
    makes none.
    """
    content = _protocol(review)
    if review.living.sign_off_days == SIGN_OFF_DAYS:
        content["living"] = {
            key: value for key, value in content["living"].items() if key != "sign_off_days"
        }
    content.pop("site_url", None)  # where it stands is nothing that the review says
    content["taxonomy"] = [
        {key: value for key, value in area.items() if key != "asked" or not value}
        for area in content["taxonomy"]
    ]
    return content


def summary(snapshot: Snapshot, evidence: Evidence, edition: Edition) -> dict[str, Any]:
    """All of summary.json.

    Numbers are unrounded and have a display text; what is unknown is null with a reason.
    """
    texts = {claim.id: claim for claim in evidence.claims}
    ground = statements.ground(snapshot)
    told = [
        _statement(snapshot, ground, one) for one in statements.marked(ground, evidence.findings)
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "language": snapshot.review.language,
        "review": _protocol(snapshot.review),
        "version": _version(snapshot, evidence, edition),
        "as_of": words.iso(snapshot.moment),
        "as_of_display": words.day(snapshot.moment),
        "status": status(snapshot),
        "answer": claims.to_json(texts["answer"]),
        "answers": [
            {"comparison": label, "text": text}
            for label, text in wording.answers(evidence.findings)
        ],
        "caveat": say(wording.CAVEAT) if wording.evidence_lacks(evidence.findings) else "",
        "evidence_lacks": wording.evidence_lacks(evidence.findings),
        "claims": [claims.to_json(claim) for claim in evidence.claims],
        "findings": [_finding(finding) for finding in evidence.findings],
        "emmie": [
            _dimension(
                snapshot, name, texts[f"emmie:{name}"], _under(told, name), evidence.findings
            )
            for name in EMMIE
            if snapshot.review.emmie
        ],
        "base": _base(snapshot.review.base),
        "statements": told,
        "configurations": [
            _configuration(ground, one) for one in statements.marked_configurations(ground)
        ],
        "changed": _changed(snapshot, edition.change),
        "versions": _versions(snapshot.history, edition),
        "flow": flow_diagram.to_json(snapshot.flow),
        "stop": _stop(snapshot.stop),
        "debt": debt.counts(snapshot, evidence.findings),
        "debt_since": debt.since(snapshot, evidence.findings, edition.date),
        "studies": [_study(snapshot.review, study) for study in snapshot.studies],
        "awaiting": [_report(report) for report in snapshot.awaiting],
        "excluded": [{**_report(report), "reason": report.reason} for report in snapshot.excluded],
        "costs": _costs(snapshot),
        "tools": _tools(snapshot),
        "rules": _rules(),
        "standards": standards.to_json(standards.used(snapshot, evidence.findings)),
    }


def _version(snapshot: Snapshot, evidence: Evidence, edition: Edition) -> dict[str, Any]:
    return {
        **_entry(
            edition.number, edition.date, edition.change.kind, edition.trigger, edition.signed_by
        ),
        "conclusion_changed": edition.change.kind in finding_changes.CONCLUSION_CHANGED,
        "rules": RULES_VERSION,
        "predecessor": snapshot.history[-1].number if snapshot.history else None,
        "content_hash": content_hash(snapshot, evidence),
    }


def _versions(history: Sequence[Published], edition: Edition) -> list[dict[str, Any]]:
    """Newest first, this one among them."""
    this = _entry(
        edition.number, edition.date, edition.change.kind, edition.trigger, edition.signed_by
    )
    return [
        this,
        *(
            _entry(old.number, old.date, old.change, old.trigger, old.signed_by)
            for old in reversed(history)
        ),
    ]


def _entry(
    number: int, date: datetime, change: str, trigger: str, signed_by: str | None
) -> dict[str, Any]:
    return {
        "number": number,
        "date": words.iso(date),
        "date_display": words.day(date),
        "change": change,
        "change_display": say(words.CHANGES.get(change, change)),
        "trigger": trigger,
        "signed_by": signed_by,
    }


def status(snapshot: Snapshot) -> dict[str, Any]:
    """The living stamp: state, how far the searches reach, and from when on the page should not be
    relied on.
    """
    living = snapshot.review.living
    reach, reason = _searched_to(snapshot)
    expires = reach + timedelta(days=living.stale_days) if reach else None
    return {
        "state": living.status,
        "retirement": retired.to_json(snapshot.retirement),
        "as_of": words.iso(snapshot.moment),
        "searched_to": words.iso(reach),
        "searched_to_display": words.day(reach) or say(mark("not complete yet")),
        "searched_to_reason": reason,
        "stale": living.status != "retired" and (expires is None or snapshot.moment > expires),
        "stale_after": words.iso(expires),
        "stale_after_display": words.day(expires),
        "stale_days": living.stale_days,
        "search_schedule": living.search_schedule,
        "search_schedule_display": words.schedule(living.search_schedule, living.timezone),
        "searches": [_search(fact) for fact in snapshot.searches],
    }


def _searched_to(snapshot: Snapshot) -> tuple[datetime | None, str | None]:
    """The day up to which every regular search has succeeded.

    Files that people bring are no regular searches.
    """
    regular = {search.name for search in snapshot.review.searches if search.source != "ris"}
    reached = {fact.name: fact.last_success for fact in snapshot.searches if fact.name in regular}
    never = sorted(regular - {name for name, moment in reached.items() if moment})
    if never or not reached:
        return None, say(
            "no successful search yet: {searches}",
            searches=", ".join(never) or say("none is planned"),
        )
    return min(moment for moment in reached.values() if moment), None


def _search(fact: SearchFact) -> dict[str, Any]:
    """A search as run; `alert` says in words what is wrong with its last attempt, or is null."""
    return {
        "name": fact.name,
        "source": fact.source,
        "platform": fact.platform,
        "query": fact.query,
        "filters": _filters(fact.filters),
        "grey": fact.grey,
        "records": fact.found,
        "last_attempt": words.iso(fact.last_at),
        "last_outcome": fact.last_outcome,
        "last_outcome_display": say(
            words.OUTCOMES_OF_A_SEARCH.get(fact.last_outcome) or str(fact.last_outcome)
        ),
        "last_success": words.iso(fact.last_success),
        "last_success_display": words.day(fact.last_success) or "never",
        "alert": _alert(fact),
    }


def _filters(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Filters by name: one may be given several times."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _alert(fact: SearchFact) -> str | None:
    if fact.last_outcome in ("failed", "partial"):
        said = say(words.OUTCOMES_OF_A_SEARCH[fact.last_outcome])
        return f"{said}: {words.without_people(fact.last_error or 'no reason')}"
    if fact.silent:
        return say("found nothing, which is unusual for this source; it is being looked into")
    return None


def _finding(finding: Finding) -> dict[str, Any]:
    """A finding with what is said of it, for pages and for sites that print it."""
    told = wording.words(finding)
    estimate = finding.estimate
    quality = effect_quality.of_finding(finding)
    return {
        **finding.model_dump(mode="json"),
        "quality": quality.value,
        "quality_reason": quality.why,
        "claim": claims.claim_id(finding),
        "state_display": words.state(finding),
        "headline": told.headline,
        "size_display": told.size,
        "evidence_display": told.evidence,
        "certainty_display": told.certainty,
        "wording": told.text,
        "estimate_display": wording.interval(estimate) if estimate else None,
        "absolute_display": wording.absolute_in_words(estimate.absolute)
        if estimate and estimate.absolute
        else None,
        "weighing_display": wording.weighing(finding, _since(finding)),
        **_checks(finding),
    }


def _checks(finding: Finding) -> dict[str, Any]:
    """What is said of the checks of an answer; without any it holds nothing."""
    told = {
        "stands_display": wording.stands(finding),
        "otherwise_display": wording.otherwise(finding),
        "small_studies_display": wording_checks.small_studies(finding),
        "missing_evidence_display": wording_checks.missing_evidence(finding),
        "moderators_display": [
            _moderation(finding, moderation) for moderation in finding.moderators
        ],
    }
    return {key: value for key, value in told.items() if value}


def _moderation(finding: Finding, moderation: Moderation) -> dict[str, Any]:
    """One moderator of a finding in words, its groups as rows of a table."""
    rows = [
        {
            "group": group.value,
            "studies": group.studies,
            "people": group.people,
            "people_display": wording_checks.people(group),
            "estimate_display": wording.interval(group.estimate) if group.estimate else None,
            "absolute_display": wording_checks.absolute_of(group.estimate)
            if group.estimate
            else None,
        }
        for group in moderation.groups
    ]
    return {
        "moderator": moderation.id,
        "label": moderation.label,
        "text": wording_checks.moderation(finding, moderation),
        "groups": rows,
    }


def _since(finding: Finding) -> str | None:
    """The day on which the evidence that is being weighed came, in words."""
    if finding.weighing is None or finding.weighing.since is None:
        return None
    return words.day(words.end_of(finding.weighing.since))


def _base(base: Base | None) -> dict[str, Any] | None:
    """The review that this one continues, with a sentence that says so."""
    return None if base is None else {**asdict(base), "display": wording.base(base)}


def _dimension(
    snapshot: Snapshot,
    name: str,
    claim: Claim,
    team: Sequence[Mapping[str, Any]],
    findings: Sequence[Finding],
) -> dict[str, Any]:
    """One EMMIE dimension: what is found (EMMIE-E) apart from its quality (EMMIE-Q), and the team's
    own words.
    """
    forms = [(study, study.extraction) for study in snapshot.studies if study.extraction]
    quality = next(figure for figure in claim.figures if figure.name == "quality")
    plain = [form for _, form in forms]
    told = [
        (study, finding)
        for study, form in forms
        for finding in form.findings
        if finding.dimension == name
    ]
    return {
        "dimension": name,
        "question": say(words.QUESTIONS[name]),
        "claim": claim.id,
        "text": claim.text,
        "quality": quality.value,
        "quality_of": quality.of,
        "quality_reason": quality.reason,
        "quality_display": _quality_in_words(name, quality, findings),
        "statements": list(team),
        "codes": [_coded(snapshot, group) for group in coded.coded(snapshot.review, plain, name)],
        "findings": [
            {"study": study.study_id, "label": study.label, **asdict(finding)}
            for study, finding in told
        ],
    }


def _under(told: Iterable[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """The team's statements in one place of the page."""
    return [one for one in told if one["under"] == name]


def _quality_in_words(dimension: str, quality: Figure, findings: Sequence[Finding]) -> str:
    """How good the evidence on a question is; of the effect by the rule that the page states."""
    if dimension == "effect":
        return effect_quality.in_words(effect_quality.of_findings(findings))
    if quality.value is None:
        return say(mark("Quality of this evidence: {why}."), why=quality.reason)
    value, most = int(quality.value), int(quality.of or effect_quality.MOST)
    return say(
        mark("Quality of this evidence: {quality} of {most} at best."), quality=value, most=most
    )


def _coded(snapshot: Snapshot, group: CodedFinding) -> dict[str, Any]:
    """A coded finding with its count, its places, the studies' words and how well it stands."""
    sites = coded.sites_in_words(group, snapshot.review.sites)
    count = coded.count_in_words(group)
    rating = coded.confidence(group, snapshot.ratings)
    return {
        "id": group.id,
        "code": group.code,
        "label": group.label,
        "polarity": group.polarity,
        "studies": list(group.studies),
        "of": group.of,
        "sites": list(group.sites),
        "display": f"{count} ({sites})" if sites else count,
        "confidence": _confidence(rating),
        "findings": [
            {"study": one.study, "label": one.label, **asdict(one.finding)} for one in group.said
        ],
    }


def _confidence(rating: Rating | None) -> dict[str, Any] | None:
    """What CERQual says of a finding; null where nobody rated it, or other studies have come."""
    if rating is None:
        return None
    said = f"{say(certainty.CERQUAL_WORDS[rating.level])}. {certainty.describe(rating)}"
    return {"level": rating.level, "display": said}


def _configuration(ground: Ground, marked: MarkedConfiguration) -> dict[str, Any]:
    """A context-mechanism-outcome configuration with its evidence, and whether that has moved on
    since.
    """
    configuration = marked.configuration
    return {
        **_listed(asdict(configuration)),
        "supports_display": statements.cited_in_words(ground, configuration.supports),
        "against_display": statements.cited_in_words(ground, configuration.against),
        "read": words.iso(marked.read),
        "read_display": words.day(marked.read),
        "outdated_display": marked.outdated,
    }


def _listed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data with lists where tuples stand."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}


def _standing(statement: Statement) -> str | None:
    """How an explanation stands, in words; None for what is no explanation."""
    if statement.under != "explanations":
        return None
    if statement.standing is None:
        return say(mark("not weighed yet"))
    told = say(statements.STANDING_WORDS[statement.standing])
    if statement.standing == "ruled_out" and not statement.against:
        return say(mark("{standing}, though no study is named against it"), standing=told)
    return told


def _statement(snapshot: Snapshot, ground: Ground, marked: Marked) -> dict[str, Any]:
    """A sentence of the team with what CERQual says of it, and whether the evidence has moved on
    since.
    """
    statement = marked.statement
    rated = [
        one for one in snapshot.ratings if one.kind == "cerqual" and one.subject == statement.id
    ]
    holds = rated[0] if rated and certainty.holds(rated[0], statement.studies) else None
    return {
        **_listed(asdict(statement)),
        "confidence": _confidence(holds),
        "standing_display": _standing(statement),
        "supports_display": statements.cited_in_words(ground, statement.supports),
        "against_display": statements.cited_in_words(ground, statement.against),
        "read": words.iso(marked.read),
        "read_display": words.day(marked.read),
        "outdated_display": marked.outdated,
    }


def _changed(snapshot: Snapshot, change: Change) -> dict[str, Any]:
    """What is new against the version before."""
    before: set[str] = set()
    if snapshot.history:
        before = {study["id"] for study in snapshot.history[-1].content["studies"]}
    now = {study.study_id for study in snapshot.studies}
    return {
        "class": change.kind,
        "display": say(words.CHANGES[change.kind]),
        "findings": [_finding_change(one) for one in change.changes],
        "studies_added": sorted(now - before) if snapshot.history else [],
        "studies_removed": sorted(before - now),
    }


def _finding_change(change: FindingChange) -> dict[str, Any]:
    return {**asdict(change), "display": say(words.KINDS[change.kind])}


def _stop(stop: Stop | None) -> dict[str, Any] | None:
    """The lead's end of the reading with what the test said that day.

    Null while everything is to be screened.
    """
    if stop is None:
        return None
    plain = {"date": words.iso(stop.date), "date_display": words.day(stop.date), "by": "the lead"}
    told = dict(stop.told)
    return {**plain, **told, "display": words.stop(told)}


def _study(review: Review, study: Study) -> dict[str, Any]:
    form = study.extraction
    return {
        "id": study.study_id,
        "label": study.label,
        "extracted": form is not None,
        **(_facts(review, form) if form else {}),
        "reports": [_report(report) for report in study.reports],
    }


def _facts(review: Review, form: Extraction) -> dict[str, Any]:
    """An extraction without the extractor's notes, which are for colleagues."""
    plain = {
        key: value
        for key, value in forms_.plain(form).items()
        if key not in ("study", "label", "reports")
    }
    plain["risk_of_bias_display"] = appraisal.in_words(form.risk_of_bias)
    results = [_result(review, result) for result in form.results]
    judged = _appraisal(form, review.tools)
    return plain | {"results": results, "findings": list(plain["findings"]), "appraisal": judged}


def _appraisal(form: Extraction, own: Sequence[Tool]) -> list[dict[str, Any]]:
    """Each domain as it was judged, with what it is about and the judgement in words."""
    judged = appraisal.appraised(form, own).domains
    return [
        {**asdict(row), "label": one.label, "judgement_display": appraisal.in_words(row.judgement)}
        for row, one in zip(form.appraisal, judged, strict=True)
    ]


def _costs(snapshot: Snapshot) -> dict[str, Any]:
    """Costs as studies report them, and in the review's currency and year by the protocol's table."""
    rules = snapshot.review.costs
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    rows = costs.converted(snapshot.review, forms)
    told = costs.per_unit(rules, rows)
    return {
        "protocol": asdict(rules) if rules else None,
        "unit": costs.unit(rules) if rules else None,
        "rows": [_cost(rules, row) for row in rows],
        "per_unit": _listed(asdict(told)) if told else None,
        "display": costs.sentence(rules, told) if rules and told else "",
        "unclear": list(costs.unclear(rules, rows)),
    }


def _cost(rules: Costs | None, row: Converted) -> dict[str, Any]:
    """One cost; `converted` is unrounded, and null with a reason."""
    display = costs.in_words(rules, row.amount) if rules and row.amount is not None else row.reason
    return {
        "study": row.study,
        "label": row.label,
        **asdict(row.cost),
        "converted": row.amount,
        "converted_display": display,
        "reason": row.reason,
    }


def _tools(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The tools of appraisal that the studies were judged with, and the protocol's own, as data."""
    own = snapshot.review.tools
    forms = [study.extraction for study in snapshot.studies if study.extraction]
    named = [appraisal.tool_of(form.risk_of_bias_tool, own) for form in forms]
    used = {tool.id: tool for tool in (*own, *named) if tool is not None}
    return [
        {**asdict(tool), "domains": [{"id": id, "label": label} for id, label in tool.domains]}
        for tool in sorted(used.values(), key=lambda tool: tool.id)
    ]


def _result(review: Review, result: Result) -> dict[str, Any]:
    plain: Mapping[str, Any] = forms_.plain(result)
    direction = orientation.direction_in(review, result)
    display = {
        "direction": direction,
        "direction_display": say(words.DIRECTIONS[direction]),
        "direction_as_words": result.effect is None,
        "display": words.effect(result),
    }
    return {key: value for key, value in plain.items() if key != "note"} | display


def _report(report: Report) -> dict[str, Any]:
    record = report.record
    return {
        "id": report.report_id,
        "title": record.title,
        "authors": list(record.authors),
        "year": record.year,
        "published_in": record.container_title,
        "doi": record.doi,
        "link": words.link(record),
        "retraction": record.retraction,
    }


def _rules() -> Iterable[dict[str, str]]:
    return [
        {"id": weigh_.RULE, "version": claims.VERSION, "text": say(claims.RULE_TEXT)},
        {
            "id": effect_quality.RULE,
            "version": effect_quality.RULE_VERSION,
            "text": say(effect_quality.RULE_TEXT),
        },
        {
            "id": "change-class",
            "version": finding_changes.RULE_VERSION,
            "text": say(finding_changes.RULE_TEXT),
        },
    ]
