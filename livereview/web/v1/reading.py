"""What the HTTP API tells: each function is one address that changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, cast

from fastapi import HTTPException, Path, Query

from livereview import ops
from livereview.commands import ListActs, ReadStatus
from livereview.commands.fields import Stage
from livereview.commands.wire import encode_answer
from livereview.ops import tasks as open_tasks
from livereview.ops.protocols import protocols
from livereview.records import Record
from livereview.review import Review
from livereview.screening import blindness
from livereview.screening.states import STATES
from livereview.store import (
    decisions,
    evidence,
    matches,
    queues,
    records,
    searches,
    standings,
    versions,
    voters,
    withdrawals,
)
from livereview.store.open import Connection
from livereview.store.standings import Standing
from livereview.web import guard
from livereview.web.guard import ReviewContext
from livereview.web.leases import Question
from livereview.web.mine import must_screen, report_of
from livereview.web.v1 import models
from livereview.web.v1.manners import InReview, Part


def me(user: guard.Visitor) -> models.Me:
    """What signed in, and what it may do."""
    who = user.principal
    return models.Me(
        account=who.account,
        role=who.role,
        kind=who.kind.value,
        scopes=sorted(scope.value for scope in who.scopes),
        reviews=None if who.reviews is None else sorted(who.reviews),
    )


def reviews(user: guard.Visitor, part: Part) -> models.Page[models.ReviewRow]:
    """The reviews that you may enter, by id."""
    with user.shared.store.read() as con:
        own = [review for review in protocols(con) if user.enters(review.id)]
        heads = versions.heads(con, [review.id for review in own])
    rows = [models.ReviewRow(**_review_row(review, heads.get(review.id))) for review in own]
    return part.of(rows)


def _review_row(review: Review, head: versions.Head | None) -> dict[str, Any]:
    return {
        "id": review.id,
        "title": review.title,
        "status": review.living.status,
        "version": head.number if head else None,
        "published": head.made if head else None,
    }


def review(context: InReview) -> models.Review:
    """What a review asks, and how it is screened."""
    rules = context.review
    with context.shared.store.read() as con:
        head = versions.heads(con, [rules.id]).get(rules.id)
        text = searches.protocol_text(con, rules.id)
    return models.Review(
        **_review_row(rules, head),
        question=rules.question.text,
        stages=[cast(Stage, stage) for stage in rules.screening.stages],
        votes=rules.screening.votes,
        reasons=_choices(rules.reasons),
        outcomes=_choices(rules.outcomes),
        comparisons=_choices(rules.comparisons),
        protocol=text or "",
    )


def _choices(rows: Iterable[Any]) -> list[models.Choice]:
    return [models.Choice(id=row.id, label=row.label) for row in rows]


def status(context: InReview) -> dict[str, Any]:
    """How each search fares, what waits, what is published, and what is wrong (`alarms`).

    Half-screened reports count as waiting, as on the lead's page: apart they would tell of votes.
    """
    settings = context.shared.settings
    asked = ReadStatus(review=context.review.id)
    status = ops.run(context.shared.store, settings.site, asked).reviews[0]
    plain: dict[str, Any] = encode_answer(status)
    flow = plain["flow"]
    flow["awaiting_screening"] += flow.pop("in_screening")
    return plain


def attempts(context: InReview, part: Part) -> models.Page[models.Attempt]:
    """Every run of every search, newest first."""
    store, now = context.shared.store, context.shared.clock()
    found = ops.status.ledger_of(store, review=context.review.id, now=now)["attempts"]
    named = ("name", "source", "kind", "outcome", "started")
    rows = [
        models.Attempt(
            **{name: row[name] for name in named},
            detail={name: value for name, value in row.items() if name not in named},
        )
        for row in found
    ]
    return part.of(rows)


def reports(
    context: InReview,
    part: Part,
    state: Annotated[
        str | None, Query(description=f"Only those in this state: {', '.join(STATES)}.")
    ] = None,
    stage: Annotated[Stage | None, Query(description="Only those at this stage.")] = None,
) -> models.Page[models.Report]:
    """Every report of a review with the decisions in force, in the order in which they came.

    Where you still vote, nobody else's vote is shown, nor that there is one.
    """
    if state is not None and state not in STATES:
        raise HTTPException(422, f"state must be one of {', '.join(STATES)}; it was {state!r}")
    with context.shared.store.read() as con:
        eyes = voters.eyes(con, context.review.id, context.me)
        states = _states(state, eyes)
        found = standings.page(con, context.review.id, part.start, part.limit + 1, stage, states)
        rows = _reports(con, context, [standing for _, standing in found[: part.limit]], eyes)
    goes_on = found[part.limit - 1][0] if len(found) > part.limit else None
    return part.page(rows, goes_on)


def _states(asked: str | None, eyes: str | None) -> Sequence[str] | None:
    """The states that are shown under this name to whoever asks; None: all."""
    if asked is None:
        return None
    return [state for state in STATES if blindness.state_shown(state, eyes) == asked]


def _reports(
    con: Connection, context: ReviewContext, found: Sequence[Standing], eyes: str | None
) -> list[models.Report]:
    ids = [standing.report_id for standing in found]
    members = records.reports(con, context.review.id, ids)
    votes = decisions.on_reports(con, context.review.id, ids)
    rows = []
    for standing in found:
        state, stage = standing.state, standing.stage
        shown = blindness.visible(votes.get(standing.report_id, []), stage, state, eyes)
        row = models.Report(
            **_record(records.merged(members[standing.report_id])[0], standing.report_id),
            stage=cast(Stage, stage),
            state=blindness.state_shown(state, eyes),
            decisions=[_vote(vote) for vote in shown],
        )
        rows.append(row)
    return rows


def _record(record: Record, report: str) -> dict[str, Any]:
    fields = asdict(record)
    return {**fields, "authors": list(record.authors), "record": record.record_id, "report": report}


def record_model(record: Record, report: str) -> models.Record:
    """A record as the API says it."""
    return models.Record(**_record(record, report))


def _vote(vote: Mapping[str, Any]) -> models.Vote:
    named = {name: vote[name] for name in models.Vote.model_fields if name != "tags"}
    return models.Vote(**named, tags=list(vote["tags"] or ()))


def report(
    context: InReview, record: Annotated[str, Path(description="The id of a record of the report.")]
) -> models.Record:
    """A report as its fullest record describes it."""
    with context.shared.store.read() as con:
        guard.recorded(con, context, record)
        report = report_of(con, record)
        members = records.reports(con, context.review.id, [report])[report]
    return record_model(records.merged(members)[0], report)


def queue(
    context: InReview, stage: Annotated[Stage, Path(description="A stage of the screening.")]
) -> models.Queue:
    """What waits for you at a stage. The report that you are given is kept for you meanwhile."""
    if stage not in context.review.screening.stages:
        raise HTTPException(404, "This review has no such stage.")
    rules, now = context.review, context.shared.clock()
    with context.shared.store.read() as con:
        must_screen(con, context)

        def look(question: Question) -> queues.Head:
            return queues.head(
                con, rules, context.me, stage, most=question.most, wanted=question.wanted
            )

        place_of_queue = rules.id, stage
        votes = rules.screening.votes
        taken = context.shared.leases.take(place_of_queue, context.me, now, votes, look, "")
        shown = None
        if taken.report:
            members = records.reports(con, rules.id, [taken.report])[taken.report]
            shown = record_model(records.merged(members)[0], taken.report)
    return models.Queue(stage=stage, waiting=taken.head.waiting, done=taken.head.done, report=shown)


def conflicts(context: InReview, part: Part) -> models.Page[models.Conflict]:
    """Reports on which reviewers differ, in the order in which they came."""
    with context.shared.store.read() as con:
        waiting = decisions.conflicts(con, context.review.id)
        end = part.start + part.limit
        asked = waiting[part.start : end]
        shown = _reports(con, context, asked, None)
    rows = [
        models.Conflict(
            report=report,
            stage=report.stage,
            votes=[vote for vote in report.decisions if vote.stage == standing.stage],
        )
        for report, standing in zip(shown, asked, strict=True)
    ]
    return part.page(rows, end if end < len(waiting) else None)


def duplicates(context: InReview, part: Part) -> models.Page[models.Pair]:
    """Pairs of records that wait for a person's word, oldest first."""
    end = part.start + part.limit
    with context.shared.store.read() as con:
        found = matches.doubtful(con, context.review.id, end + 1)[part.start :]
        asked = found[: part.limit]
        ids = {pair[side] for pair in asked for side in ("left", "right")}
        current = records.current(con, ids)
        homes = records.report_of(con, ids)
    rows = [
        models.Pair(
            left=record_model(current[pair["left"]], homes.get(pair["left"], pair["left"])),
            right=record_model(current[pair["right"]], homes.get(pair["right"], pair["right"])),
        )
        for pair in asked
    ]
    return part.page(rows, end if len(found) > part.limit else None)


def studies(context: InReview, part: Part) -> models.Page[models.Study]:
    """The studies of a review with their included reports, by id."""
    with context.shared.store.read() as con:
        grouped = evidence.reports_of(con, context.review.id)
        forms = evidence.extractions(con, context.review.id)
    rows = [
        models.Study(study=study, reports=grouped.get(study, []), extracted=study in forms)
        for study in sorted({*grouped, *forms})
    ]
    return part.of(rows)


def study(
    context: InReview, study: Annotated[str, Path(description="The id of a study.")]
) -> models.StudyForm:
    """A study with its extraction in force."""
    with context.shared.store.read() as con:
        grouped = evidence.reports_of(con, context.review.id)
        forms = evidence.extractions(con, context.review.id)
    if study not in grouped and study not in forms:
        raise HTTPException(404, "There is no such study in this review.")
    text = forms.get(study)
    return models.StudyForm(
        study=study,
        reports=grouped.get(study, []),
        extracted=text is not None,
        form=json.loads(text) if text else None,
    )


def published(context: InReview, part: Part) -> models.Page[models.Version]:
    """The published versions, newest first."""
    review = context.review.id
    with context.shared.store.read() as con:
        known = versions.listed(con, review)
        withdrawn = withdrawals.in_force(con, review)
    rows = [
        models.Version(
            **asdict(version),
            withdrawn=version.number in withdrawn,
            address=f"/site/{review}/v/{version.number}/",
        )
        for version in known
    ]
    return part.of(rows)


def findings(context: InReview) -> dict[str, Any]:
    """The newest published summary, as its summary.json: findings, studies, flow, searches."""
    with context.shared.store.read() as con:
        newest = versions.newest(con, context.review.id)
    if newest is None:
        raise HTTPException(404, "Nothing of this review is published yet.")
    found: dict[str, Any] = json.loads(newest.summary)
    return found


def held(context: InReview) -> models.Held:
    """What of the newest evidence waits for a name before it is public."""
    with context.shared.store.read() as con:
        waiting = versions.held(con, context.review.id)
    if waiting is None:
        raise HTTPException(404, "Nothing waits for a name.")
    return models.Held(**{name: getattr(waiting, name) for name in models.Held.model_fields})


def tasks(context: InReview, part: Part) -> models.Page[models.Task]:
    """What a lead must look at, oldest first."""
    with context.shared.store.read() as con:
        found = open_tasks.open_tasks(con, [context.review.id])[context.review.id]
    named = ("id", "kind", "made")
    rows = [
        models.Task(
            **{name: task[name] for name in named},
            data={name: value for name, value in task.items() if name not in named},
        )
        for task in found
    ]
    return part.of(rows)


def acts(context: InReview, part: Part) -> models.Page[dict[str, Any]]:
    """Acts that undid the work of others, newest first."""
    shared = context.shared
    listed = ops.run(shared.store, shared.settings.site, ListActs(review=context.review.id))
    return part.of([encode_answer(act) for act in listed.acts])
