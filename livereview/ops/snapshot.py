"""One Snapshot of everything a review's public summary is made from, read from the store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from livereview.errors import Refused
from livereview.evidence import checks, map_codes, upgrade
from livereview.evidence.forms import Extraction
from livereview.ops import quotes
from livereview.ops.consulted import consulted
from livereview.ops.protocols import parsed, protocol
from livereview.ops.written import written
from livereview.records import Record
from livereview.review import Review, Search
from livereview.store import (
    coding,
    decisions,
    evidence,
    ledger,
    matches,
    records,
    retirement,
    searches,
    standings,
    stopping,
    trace,
    versions,
    withdrawals,
)
from livereview.store.open import Connection
from livereview.summary.snapshot import (
    CodedReport,
    Decided,
    Flow,
    Origin,
    Published,
    Quoted,
    Report,
    Retired,
    SearchFact,
    Signature,
    Snapshot,
    Stop,
    Study,
    Traced,
    Withdrawal,
)
from livereview.surveillance.health import Attempt, health
from livereview.surveillance.recall import recall

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def snapshot(con: Connection, review_id: str, history: Sequence[versions.Version]) -> Snapshot:
    """What is known of a review now; `history` are the versions before the one to be built."""
    review = retirement.effective(con, protocol(con, review_id))
    grouped = evidence.reports_of(con, review_id)
    awaiting = evidence.to_extract(con, review_id)
    excluded = decisions.excluded_at_full_text(con, review_id)
    labels = {reason.id: reason.label for reason in review.reasons}
    wanted = [
        *awaiting,
        *(report for report, _ in excluded),
        *(r for reports in grouped.values() for r in reports),
    ]
    found = records.reports(con, review_id, wanted)
    reasons = {report: labels.get(reason or "", reason) for report, reason in excluded}
    moment = versions.latest(con, review_id)
    return Snapshot(
        review=review,
        moment=moment or EPOCH,
        searches=tuple(_searches(con, review, moment or EPOCH)),
        flow=_flow(con, review_id, reasons.values(), grouped),
        studies=tuple(_studies(con, review, grouped, found)),
        awaiting=tuple(_report(key, found) for key in awaiting),
        excluded=tuple(_report(key, found, reasons[key]) for key, _ in excluded),
        history=tuple(_published(version) for version in history),
        recall=recall(ledger.found_by(con, review_id)),
        stop=_stop(con, review_id),
        retirement=_retired(con, review_id),
        waiting_since=tuple(decisions.waiting_since(con, review_id).items()),
        traced=_traced(con, review_id, grouped),
        extracted=trace.extracted(con, review_id),
        quoted=_quoted(con, review_id),
        ratings=tuple(evidence.ratings(con, review_id)),
        consultations=consulted(con, review_id, moment or EPOCH),
        withdrawals=withdrawn(con, review_id),
        written=written(con, review),
        asked=_asked(con, review),
        signatures=tuple(Signature(*row) for row in versions.signatures(con, review_id)),
        coded=_coded(con, review, grouped),
    )


def _coded(
    con: Connection, review: Review, grouped: dict[str, list[str]]
) -> tuple[CodedReport, ...]:
    """Each report that somebody coded for the map, and how far it is; those taken off it are not
    there.
    """
    said = {
        report: map_codes.in_force(json.loads(text), review)
        for report, text in coding.in_force(con, review.id).items()
    }
    codes = {report: words for report, words in said.items() if not words.says_nothing}
    if not codes:
        return ()
    found = records.reports(con, review.id, list(codes))
    where = standings.of_each(con, review.id, codes)
    study_of = {report: study for study, reports in grouped.items() for report in reports}
    return tuple(
        CodedReport(
            report=_report(report, found),
            codes=words,
            state=_how_far(review, where[report]),
            study=study_of.get(report),
        )
        for report, words in sorted(codes.items())
        if report in where
    )


def _how_far(review: Review, standing: standings.Standing) -> str:
    """How far the screening of a report is, as `CodedReport.state` says it."""
    if standing.state in ("excluded", "not_retrieved"):
        return "excluded"
    if standing.stage != review.screening.stages[-1]:
        return "screening"
    if standing.state == "included":
        return "included"
    return "being_assessed"


def _asked(con: Connection, review: Review) -> dict[str, datetime]:
    """Since when the protocol in force asks about each of its outcomes and comparisons, without a
    break.
    """
    since: dict[str, datetime] = {}
    for text, made in searches.protocols(con, [review.id])[review.id]:
        rules = parsed(text)
        now = [outcome.id for outcome in rules.outcomes]
        now += [comparison.id for comparison in rules.comparisons]
        since = {id: since.get(id, made) for id in now}
    return since


def withdrawn(con: Connection, review: str) -> tuple[Withdrawal, ...]:
    """What was withdrawn, or taken back, oldest first; without the names of people."""
    return tuple(
        Withdrawal(one.version, one.withdraws, one.reason, one.made)
        for one in withdrawals.acts(con, review)
    )


def _traced(con: Connection, review: str, grouped: dict[str, list[str]]) -> dict[str, Traced]:
    """Origins and decisions of each report that is in a study."""
    reports = [report for some in grouped.values() for report in some]
    if not reports:
        return {}
    origins: dict[str, list[Origin]] = {}
    for report, source, key, search, query, sha256, made in trace.found(con, review, reports):
        origins.setdefault(report, []).append(Origin(source, key, search, query, sha256, made))
    votes: dict[str, list[Decided]] = {}
    for report, stage, role, verdict, made, criteria in trace.decided(con, review, reports):
        votes.setdefault(report, []).append(Decided(stage, role, verdict, criteria, made))
    return {
        report: Traced(tuple(origins.get(report, ())), tuple(votes.get(report, ())))
        for report in reports
    }


def _quoted(con: Connection, review: str) -> dict[str, tuple[Quoted, ...]]:
    """How it stands with each quote of the forms in force, by study."""
    quoted: dict[str, tuple[Quoted, ...]] = {}
    for study, looked_up in quotes.in_force(con, review).items():
        rows: list[Quoted] = []
        for standing in looked_up:
            looked = standing.looked
            page = looked.page if looked else None
            sha256 = looked.sha256 if looked else None
            rows.append(Quoted(standing.quote, standing.state, page, sha256))
        quoted[study] = tuple(rows)
    return quoted


def _stop(con: Connection, review: str) -> Stop | None:
    act = stopping.in_force(con, review)
    if act:
        return Stop(act.made, tuple(sorted(act.told.items())))
    return None


def _retired(con: Connection, review: str) -> Retired | None:
    decided = retirement.in_force(con, review)
    if decided is None or decided[0].kind != "retire":
        return None
    return Retired(decided[1].made, decided[0].reason, decided[1].votes, decided[0].triggers)


def _searches(con: Connection, review: Review, now: datetime) -> Iterable[SearchFact]:
    """Every search of the protocol, run or not, then the files that people brought.

    Look-ups are no searches.
    """
    attempts = ledger.attempts(con, review.id)
    totals = searches.records_by_search(con, review.id)
    planned = {search.name: search for search in review.searches}
    brought = [name for name in attempts if name not in planned]
    for name in [*planned, *brought]:
        runs = attempts.get(name, [])
        if runs and runs[-1].kind == "lookup":
            continue
        plan = planned.get(name)
        fact = _planned(plan) if plan else _brought(runs[-1])
        fact = replace(fact, found=totals.get(name, 0))
        usual_zero = plan is None or plan.usual_zero
        yield _with_runs(fact, runs, review.living.stale_days, usual_zero, now) if runs else fact


def _planned(plan: Search) -> SearchFact:
    """A search of the protocol, as if it had never run."""
    return SearchFact(
        name=plan.name,
        source=plan.source,
        platform=plan.platform,
        query=plan.query or plan.url or "",
        filters=plan.filters,
        last_at=None,
        last_outcome=None,
        last_error=None,
        last_success=None,
        found=0,
        grey=plan.grey,
    )


def _brought(run: Attempt) -> SearchFact:
    """A file that somebody brought."""
    return SearchFact(
        name=run.name,
        source=run.source,
        platform="file import",
        query=run.query,
        last_at=None,
        last_outcome=None,
        last_error=None,
        last_success=None,
        found=0,
        grey=False,
    )


def _with_runs(
    fact: SearchFact,
    runs: Sequence[Attempt],
    stale_days: int,
    usual_zero: bool,
    now: datetime,
) -> SearchFact:
    """The search with what its runs came to."""
    last = runs[-1]
    state = health(runs, now, stale_days, usual_zero)
    return replace(
        fact,
        query=last.query,
        filters=last.filters,
        first_at=runs[0].started,
        runs=state.successes,
        last_at=last.started,
        last_outcome=last.outcome,
        last_error=last.error,
        last_success=state.last_success,
        silent=state.silent,
    )


def _flow(
    con: Connection, review: str, reasons: Iterable[str | None], grouped: dict[str, list[str]]
) -> Flow:
    n = decisions.counts(con, review)
    tally = sorted(
        Counter(reason or "no reason given" for reason in reasons).items(),
        key=lambda row: (-row[1], row[0]),
    )
    in_studies = {report for reports in grouped.values() for report in reports}
    return Flow(
        identified_databases=n["databases"],
        identified_other=n["other"],
        duplicates=n["duplicates"],
        screened=n["excluded"] + n["sought"],
        # apart, they would tell a reviewer of votes
        awaiting_screening=n["awaiting_screening"] + n["in_screening"],
        in_screening=0,
        not_screened=n["not_screened"],
        excluded=n["excluded"],
        sought=n["sought"],
        not_retrieved=n["not_retrieved"],
        awaiting_full_text=n["awaiting_full_text"],
        assessed=n["excluded_full_text"] + n["included"],
        excluded_full_text=tuple(tally),
        included=n["included"],
        awaiting_extraction=n["included"] - len(in_studies),
        studies=len(grouped),
        doubtful_pairs=matches.doubtful_count(con, review),
    )


def _studies(
    con: Connection, review: Review, grouped: dict[str, list[str]], found: dict[str, list[Record]]
) -> Iterable[Study]:
    texts = evidence.extractions(con, review.id)
    for study, reports in sorted(grouped.items()):
        shown = tuple(_report(key, found) for key in reports)
        form, problem = read_form(review, study, texts.get(study))
        yield Study(study, form.label if form else study, shown, form, problem)


def read_form(review: Review, study: str, text: str | None) -> tuple[Extraction | None, str | None]:
    """(the extraction by today's form, None), or (None, why it can't be used any more; None where
    there is none).

    A protocol that changed may have left a form behind, by an outcome that is gone, say. One such
    study must not stop the page of all others.
    """
    if text is None:
        return None, None
    try:
        kept = checks.without_gone_moderators(json.loads(text), review)
        form = checks.from_json(kept, review, study, accepted=True)
    except Refused as refusal:
        return None, refusal.message
    return upgrade.upgraded(form, review), None


def _report(report_id: str, found: dict[str, list[Record]], reason: str | None = None) -> Report:
    members = found[report_id]
    return Report(
        report_id,
        records.merged(members)[0],
        tuple(sorted({record.source for record in members})),
        reason,
    )


def _published(version: versions.Version) -> Published:
    return Published(
        number=version.number,
        date=version.moment,
        content_hash=version.content_hash,
        change=version.change,
        trigger=version.cause,
        signed_by=version.signed_by,
        summary=version.summary,
        upto=version.upto,
    )
