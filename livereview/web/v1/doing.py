"""What the HTTP API does: each function is one address that changes something.

Whatever a page of the room refuses is refused here, by the same use cases.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Query, Request

from livereview import ops
from livereview.errors import Refused
from livereview.ops.acts import EffectChanged
from livereview.ops.screen import TeamsOutcome
from livereview.sources import columns as table_columns
from livereview.web import acts as act_pages
from livereview.web import guard
from livereview.web.guard import ReviewContext
from livereview.web.mine import must_screen, report_of
from livereview.web.v1 import models
from livereview.web.v1.manners import InReview, Write, Writing


def decide(write: Writing, body: models.Decision) -> models.Decided:
    """Decide on a report that waits for you, or take your decision back."""
    context = write.context
    _check_stage(context, body.stage)
    with context.shared.store.read() as con:
        must_screen(con, context)
        guard.recorded(con, context, body.record)
        report = report_of(con, body.record)
    takes_back = body.verdict == "withdrawn"
    try:
        decided = _decide(
            write, body, tags=body.tags, waiting=not takes_back, settled_stays=takes_back
        )
    except TeamsOutcome:
        raise HTTPException(
            409,
            "The team has settled this report, so one person can't take their decision back alone; "
            "a lead can, by the act take_back_word.",
        ) from None
    context.shared.leases.decided((context.review.id, body.stage), context.me, report)
    return decided


def settle_conflict(write: Writing, body: models.Settlement) -> models.Decided:
    """Settle a conflict as a third person; the votes stay as they are."""
    _check_stage(write.context, body.stage)
    with write.context.shared.store.read() as con:
        guard.recorded(con, write.context, body.record)
    return _decide(write, body, role="adjudication", waiting=True)


def _check_stage(context: ReviewContext, stage: str) -> None:
    if stage not in context.review.screening.stages:
        raise HTTPException(404, "This review has no such stage.")


def _decide(write: Write, body: models.Decision | models.Settlement, **how: Any) -> models.Decided:
    """Write a decision; `how`: the other terms of `ops.screen.decide`."""
    asked = write.signed | {"id": write.named}
    answer = ops.screen.decide(
        write.context.shared.store,
        record=body.record,
        stage=body.stage,
        reviewer=write.context.me,
        verdict=body.verdict,
        reason=body.reason,
        note=body.note,
        **how,
        **asked,
    )
    write.answered(known=answer["known"])
    return models.Decided(
        id=write.named,
        known=answer["known"],
        stands=answer["stands"],
        stage=answer["stage"],
        state=answer["state"],
    )


def judge(write: Writing, body: models.Judgement) -> models.Done:
    """Say what a pair of records is.

    Where that would move reports that people have decided on, it is refused: send it as an act,
    whose preview says what it would do.
    """
    context = write.context
    with context.shared.store.read() as con:
        guard.recorded(con, context, body.left)
        guard.recorded(con, context, body.right)
    given = {"left": body.left, "right": body.right, "verdict": str(body.verdict)}
    if body.link is not None:
        given["link"] = body.link.value
    if act_pages.preview(context, "judge", given)["undoes_work"]:
        raise HTTPException(
            409,
            "This would move reports that people have decided on. Send it to /acts as kind "
            "judge, with what its preview shows.",
        )
    ops.screen.judge(
        context.shared.store, id=write.named, person=context.me, now=write.now, **given
    )
    return models.Done(known=False)


def extract(write: Writing, body: models.Extraction) -> models.Extracted:
    """Write the form of a study, and tie its reports to it."""
    context = write.context
    with context.shared.store.read() as con:
        ops.evidence.check_takes_from_none(con, context.review.id, body.form)
    answer = ops.evidence.extract(
        context.shared.store,
        data=body.form,
        extractor=context.me,
        name="The form",
        role=body.role,
        **write.signed,
    )
    write.answered(known=answer["known"])
    return models.Extracted(**answer)


def rate(write: Writing, body: models.Rating) -> models.Rated:
    """Say how sure a finding is, for the numbers that it rests on now."""
    context = write.context
    answer = ops.evidence.rate(
        context.shared.store, data=body.rating, by=context.me, **write.signed
    )
    known = answer.pop("known")
    write.answered(known=known)
    return models.Rated(rating=answer, known=known)


def sign(write: Writing, body: models.Signature) -> models.Done:
    """Put your name under the changed conclusion that you have read; it is published with it."""
    answer = ops.publish.sign(
        write.context.shared.store,
        by=write.context.me,
        content_hash=body.content_hash,
        note=body.note,
        **write.signed,
    )
    write.answered(known=answer["known"])
    return models.Done(known=answer["known"])


def open_review(write: Writing, body: models.Opening) -> models.Done:
    """Let the review be public from now on, in your name."""
    answer = ops.publish.open_review(
        write.context.shared.store, by=write.context.me, note=body.note, **write.signed
    )
    write.answered(known=answer["known"])
    return models.Done(known=answer["known"])


def settle_task(
    context: InReview,
    task: Annotated[str, Path(description="The id of a task.")],
    body: models.TaskOutcome,
) -> models.Done:
    """Close a task."""
    settle = ops.tips.settle_tip if task.startswith("tip:") else ops.tasks.settle_task
    settle(
        context.shared.store,
        review=context.review.id,
        task=task,
        outcome=body.outcome,
        by=context.me,
        note=body.note,
        now=context.shared.clock(),
    )
    return models.Done(known=False)


async def file_body(request: Request) -> bytes:
    """The bytes of a file, read under the limit of its address."""
    return await request.body()


def import_records(
    write: Writing,
    body: Annotated[bytes, Depends(file_body)],
    source: Annotated[
        str, Query(max_length=60, description="What kind of file it is: ris, nbib, csv …")
    ],
    name: Annotated[str, Query(min_length=1, max_length=200, description="What it is called.")],
    grey: Annotated[bool, Query(description="It is grey literature.")] = False,
    columns: Annotated[
        str,
        Query(
            max_length=2_000,
            description="Of a table (csv): the headings that hold its fields, title=Primary,year=When.",
        ),
    ] = "",
) -> models.Imported:
    """Take in a file of records that somebody exported elsewhere: the body is the file.

    The same file again changes nothing, whatever its key.
    """
    answer = ops.surveil.import_file(
        write.context.shared.store,
        review=write.context.review.id,
        source=source,
        name=name,
        body=body,
        now=write.now,
        grey=grey,
        columns=table_columns.mapped(columns) if columns else None,
    )
    write.answered(known=answer["known"])
    counts = {name: answer[name] for name in ("found", "fresh", "changed", "rejected")}
    return models.Imported(outcome=answer["outcome"], counts=counts, known=answer["known"])


def preview_act(context: InReview, body: models.Act) -> models.Effect:
    """What an act would do, in sentences; nothing is changed."""
    _check_act(body.kind)
    return _effect(act_pages.preview(context, body.kind, body.given, body.reason))


def carry_out(write: Writing, body: models.ConfirmedAct) -> models.Effect:
    """Do an act whose preview you have read; it is logged, and can be taken back."""
    _check_act(body.kind)
    try:
        done = ops.acts.carry_out(
            write.context.shared.store,
            kind=body.kind,
            given=body.given,
            reason=body.reason,
            shown=body.shown,
            author=write.context.me,
            by=write.principal,
            folder=write.context.shared.settings.site,
            **write.signed,
        )
    except EffectChanged as changed:
        raise HTTPException(409, changed.message) from None
    write.answered(known=done["known"])
    return _effect(done)


def _check_act(kind: str) -> None:
    if kind not in act_pages.FIELDS:
        kinds = ", ".join(act_pages.FIELDS)
        raise Refused(f"an act must be one of {kinds}; it was {kind!r}")
    if kind == "open_account":
        raise Refused("an account is opened by livereview account, or on the page Team")


def _effect(told: dict[str, Any]) -> models.Effect:
    return models.Effect.model_validate(
        {name: told.get(name) for name in models.Effect.model_fields}
    )


def take_act_back(
    write: Writing,
    act: Annotated[str, Path(description="The id of an act of the log.")],
    body: models.Reason,
) -> models.Done:
    """Undo an act of the log: what stood before stands again, except where it was decided anew."""
    ops.acts.take_back(
        write.context.shared.store,
        act=act,
        reason=body.reason,
        author=write.context.me,
        by=write.principal,
        folder=write.context.shared.settings.site,
        **write.signed,
    )
    return models.Done(known=False)
