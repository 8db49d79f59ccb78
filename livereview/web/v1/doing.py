"""What the HTTP API does: each function is one address that changes something.

Whatever a page of the room refuses is refused here, by the same use cases.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Query, Request
from fastapi.responses import Response

from livereview import ops, rights
from livereview.errors import Refused
from livereview.ops.acts import EffectChanged
from livereview.ops.screen import TeamsOutcome
from livereview.web import acts as act_pages
from livereview.web import guard
from livereview.web.guard import Room, Visit
from livereview.web.mine import must_screen, report_of
from livereview.web.v1 import models
from livereview.web.v1.manners import Key, changing, event_id, here

Here = Annotated[Room, Depends(here)]
By = Annotated[Visit, Depends(changing)]


def decide(
    request: Request, response: Response, room: Here, by: By, body: models.Decision, key: Key = None
) -> models.Decided:
    """Decide on a report that waits for you, or take your decision back."""
    if body.stage not in room.review.screening.stages:
        raise HTTPException(404, "This review has no such stage.")
    takes_back = body.verdict == "withdrawn"
    with room.desk.store.read() as con:
        must_screen(con, room)
        guard.recorded(con, room, body.record)
        report = report_of(con, body.record)
    id = f"{room.me}-{event_id(request, by, key)}"
    try:
        answer = ops.screen.decide(
            room.desk.store,
            id=id,
            review=room.review.id,
            record=body.record,
            stage=body.stage,
            reviewer=room.me,
            verdict=body.verdict,
            reason=body.reason,
            note=body.note,
            tags=body.tags,
            now=room.desk.clock(),
            waiting=not takes_back,
            settled_stays=takes_back,
        )
    except TeamsOutcome:
        raise HTTPException(
            409,
            "The team has settled this report, so one person can't take their decision back alone; "
            "a lead can, by the act take_back_word.",
        ) from None
    room.desk.leases.decided((room.review.id, body.stage), room.me, report)
    return _decided(response, id, answer)


def _decided(response: Response, id: str, answer: dict[str, Any]) -> models.Decided:
    response.status_code = 200 if answer["known"] else 201
    named = {name: answer[name] for name in ("known", "stands", "stage", "state")}
    return models.Decided(id=id, **named)


def settle_conflict(
    request: Request,
    response: Response,
    room: Here,
    by: By,
    body: models.Settlement,
    key: Key = None,
) -> models.Decided:
    """Settle a conflict as a third person; the votes stay as they are."""
    if body.stage not in room.review.screening.stages:
        raise HTTPException(404, "This review has no such stage.")
    with room.desk.store.read() as con:
        guard.recorded(con, room, body.record)
    id = f"{room.me}-{event_id(request, by, key)}"
    answer = ops.screen.decide(
        room.desk.store,
        id=id,
        review=room.review.id,
        record=body.record,
        stage=body.stage,
        reviewer=room.me,
        role="adjudication",
        verdict=body.verdict,
        reason=body.reason,
        note=body.note,
        now=room.desk.clock(),
        waiting=True,
    )
    return _decided(response, id, answer)


def judge(
    request: Request,
    response: Response,
    room: Here,
    by: By,
    body: models.Judgement,
    key: Key = None,
) -> models.Done:
    """Say what a pair of records is.

    Where that would move reports that people have decided on, it is refused: send it as an act,
    whose preview says what it would do.
    """
    with room.desk.store.read() as con:
        guard.recorded(con, room, body.left)
        guard.recorded(con, room, body.right)
    given = {"left": body.left, "right": body.right, "verdict": body.verdict}
    if act_pages.preview(room, "judge", given)["undoes_work"]:
        raise HTTPException(
            409,
            "This would move reports that people have decided on. Send it to /acts as kind "
            "judge, with what its preview shows.",
        )
    ops.screen.judge(
        room.desk.store,
        id=f"{room.me}-{event_id(request, by, key)}",
        person=room.me,
        now=room.desk.clock(),
        **given,
    )
    response.status_code = 201
    return models.Done(known=False)


def extract(
    request: Request,
    response: Response,
    room: Here,
    by: By,
    body: models.Extraction,
    key: Key = None,
) -> models.Extracted:
    """Write the form of a study, and tie its reports to it."""
    with room.desk.store.read() as con:
        ops.evidence.check_takes_from_none(con, room.review.id, body.form)
    answer = ops.evidence.extract(
        room.desk.store,
        id=event_id(request, by, key),
        review=room.review.id,
        data=body.form,
        extractor=room.me,
        now=room.desk.clock(),
        name="The form",
        role=body.role,
    )
    ops.quotes.look_up(
        room.desk.store,
        room.desk.settings.full_texts,
        review=room.review.id,
        study=answer["study"],
        now=room.desk.clock(),
    )
    response.status_code = 200 if answer["known"] else 201
    return models.Extracted(**answer)


def rate(
    request: Request,
    response: Response,
    room: Here,
    by: By,
    body: models.Rating,
    key: Key = None,
) -> models.Rated:
    """Say how sure a finding is, for the numbers that it rests on now."""
    answer = ops.evidence.rate(
        room.desk.store,
        id=event_id(request, by, key),
        review=room.review.id,
        data=body.rating,
        by=room.me,
        now=room.desk.clock(),
    )
    known = answer.pop("known")
    response.status_code = 200 if known else 201
    return models.Rated(rating=answer, known=known)


def sign(
    request: Request,
    response: Response,
    room: Here,
    by: By,
    body: models.Signature,
    key: Key = None,
) -> models.Done:
    """Put your name under the changed conclusion that you have read; it is published with it."""
    answer = ops.publish.sign(
        room.desk.store,
        id=event_id(request, by, key),
        review=room.review.id,
        by=room.me,
        now=room.desk.clock(),
        content_hash=body.content_hash,
        note=body.note,
    )
    return _done(response, known=bool(answer["known"]))


def open_review(
    request: Request,
    response: Response,
    room: Here,
    by: By,
    body: models.Opening,
    key: Key = None,
) -> models.Done:
    """Let the review be public from now on, in your name."""
    answer = ops.publish.open_review(
        room.desk.store,
        id=event_id(request, by, key),
        review=room.review.id,
        by=room.me,
        now=room.desk.clock(),
        note=body.note,
    )
    return _done(response, known=bool(answer["known"]))


def _done(response: Response, *, known: bool) -> models.Done:
    response.status_code = 200 if known else 201
    return models.Done(known=known)


def settle_task(
    room: Here,
    by: By,
    task: Annotated[str, Path(description="The id of a task.")],
    body: models.TaskOutcome,
) -> models.Done:
    """Close a task."""
    settle = ops.tips.settle_tip if task.startswith("tip:") else ops.tasks.settle_task
    settle(
        room.desk.store,
        review=room.review.id,
        task=task,
        outcome=body.outcome,
        by=room.me,
        note=body.note,
        now=room.desk.clock(),
    )
    return models.Done(known=False)


async def file_body(request: Request) -> bytes:
    """The bytes of a file, read under the limit of its address."""
    return await request.body()


def import_records(
    response: Response,
    room: Here,
    by: By,
    body: Annotated[bytes, Depends(file_body)],
    source: Annotated[
        str, Query(max_length=60, description="What kind of file it is: ris, nbib, csv …")
    ],
    name: Annotated[str, Query(min_length=1, max_length=200, description="What it is called.")],
    grey: Annotated[bool, Query(description="It is grey literature.")] = False,
) -> models.Imported:
    """Take in a file of records that somebody exported elsewhere: the body is the file."""
    answer = ops.surveil.import_file(
        room.desk.store,
        review=room.review.id,
        source=source,
        name=name,
        body=body,
        now=room.desk.clock(),
        grey=grey,
    )
    response.status_code = 200 if answer["known"] else 201
    counts = {key: value for key, value in answer.items() if isinstance(value, int)}
    counts.pop("known", None)
    return models.Imported(
        search=answer.get("search"),
        outcome=str(answer.get("outcome", "")),
        counts=counts,
        known=answer["known"],
    )


def preview_act(room: Here, by: By, body: models.Act) -> models.Effect:
    """What an act would do, in sentences; nothing is changed."""
    _may_act(room, body.kind)
    told = act_pages.preview(room, body.kind, body.given, body.reason)
    return _effect(told)


def carry_out(
    request: Request,
    response: Response,
    room: Here,
    by: By,
    body: models.ConfirmedAct,
    key: Key = None,
) -> models.Effect:
    """Do an act whose preview you have read; it is logged, and can be taken back."""
    _may_act(room, body.kind)
    try:
        done = ops.acts.carry_out(
            room.desk.store,
            id=event_id(request, by, key),
            kind=body.kind,
            review=room.review.id,
            given=body.given,
            now=room.desk.clock(),
            reason=body.reason,
            shown=body.shown,
            author=room.me,
            by=by.principal,
            folder=room.desk.settings.site,
        )
    except EffectChanged as changed:
        raise HTTPException(409, changed.message) from None
    response.status_code = 200 if done["known"] else 201
    return _effect(done)


def _may_act(room: Room, kind: str) -> None:
    if kind not in act_pages.FIELDS:
        kinds = ", ".join(act_pages.FIELDS)
        raise Refused(f"an act must be one of {kinds}; it was {kind!r}")
    if kind == "open_account":
        raise Refused("an account is opened by livereview account, or on the page Team")
    if not room.may(rights.MANAGE):
        raise HTTPException(403, "Acts that undo others' work are done by leads.")


def _effect(told: dict[str, Any]) -> models.Effect:
    return models.Effect.model_validate(
        {name: told.get(name) for name in models.Effect.model_fields}
    )


def take_act_back(
    request: Request,
    room: Here,
    by: By,
    act: Annotated[str, Path(description="The id of an act of the log.")],
    body: models.Reason,
    key: Key = None,
) -> models.Done:
    """Undo an act of the log: what stood before stands again, except where it was decided anew."""
    ops.acts.take_back(
        room.desk.store,
        id=event_id(request, by, key),
        act=act,
        review=room.review.id,
        now=room.desk.clock(),
        reason=body.reason,
        author=room.me,
        by=by.principal,
        folder=room.desk.settings.site,
    )
    return models.Done(known=False)
