"""The log of acts that undo others' work, and how every command that does one asks first."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from livereview.cli.terminal import (
    Home,
    ReviewId,
    app,
    moment,
    say,
    settings_of,
    tell_published,
    told,
)
from livereview.commands import (
    CarryOut,
    ListActs,
    PreviewAct,
    ReadProtocol,
    SettleOutbox,
    TakeBackAct,
)
from livereview.commands.people import ActDone, Acts, Effect
from livereview.commands.wire import encode_answer
from livereview.errors import Refused

if TYPE_CHECKING:
    from livereview.client import Client

Yes = Annotated[
    bool, typer.Option("--yes", help="Do it without asking; what it does is printed all the same.")
]
MINUTE = len("2026-03-01T02:00")  # so much of an ISO time is shown
NOT_CONFIRMED = "nothing was done: say --yes to do it"


def show(effect: Effect) -> None:
    """What an act does, line by line, and what the public page would say."""
    for line in effect.lines:
        say(f"  {line}")
    for review in effect.reviews:
        for sentence in review.sentences:
            say(f"  The public page: {sentence.claim} ({sentence.kind}): {sentence.why}")
            say(f"    - {sentence.before or 'nothing'}")
            say(f"    + {sentence.after or 'nothing'}")


def confirmed(
    client: Client, yes: bool, act: PreviewAct, *, secret_hash: str | None = None
) -> ActDone:
    """Say what an act does, ask, and do it.

    Raises Refused, having done nothing, where nobody says yes.

    Args:
        client: The owner's.
        yes: Whether --yes was given.
        act: What is to be done.
        secret_hash: As `CarryOut` takes it.
    """
    effect = client.run(act)
    say(f"{effect.title}:")
    show(effect)
    agreed = yes or (sys.stdin.isatty() and typer.confirm("Do it?"))
    if not agreed:
        raise Refused(NOT_CONFIRMED)
    return client.run(carry_out(act, shown=effect.shown, secret_hash=secret_hash))


def carry_out(
    act: PreviewAct, *, shown: str | None = None, secret_hash: str | None = None
) -> CarryOut:
    """The command that does what was previewed."""
    return CarryOut(
        id=uuid4().hex,
        kind=act.kind,
        review=act.review,
        given=act.given,
        reason=act.reason,
        author=act.author,
        now=act.now,
        shown=shown,
        secret_hash=secret_hash,
    )


def protocol_effect(client: Client, review: str, text: str) -> Effect | None:
    """What putting this protocol in force does to what people have settled.

    None where that is nothing.
    """
    try:
        in_force = client.run(ReadProtocol(review=review)).text
    except Refused:
        return None  # it is the first
    if in_force == text:
        return None
    effect = client.run(PreviewAct(kind="protocol", review=review, given={"text": text}))
    return effect if effect.undoes_work else None


@app.command("acts")
def acts_(
    review: ReviewId,
    undo: Annotated[str | None, typer.Option(metavar="ID", help="Take this act back.")] = None,
    take_back_import: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Take back what this file brought, as a whole."),
    ] = None,
    yes: Yes = False,
    by: Annotated[str, typer.Option(help="Who takes it back.")] = "the operator",
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for programs.")] = False,
    now: Annotated[str | None, typer.Option(help="ISO time of the act; default: now.")] = None,
    home: Home = None,
) -> None:
    """List what undid others' work, or take it back.  Example: livereview acts --review R --undo
    3f2a…

    Decisions made again, accounts closed or changed, versions withdrawn, reviews retired, studies
    regrouped: who, when, how much, why. Taking an act back lets stand again what stood before it,
    except where somebody has decided since. A file that was brought by mistake is taken back by
    --take-back-import, as long as nobody has worked on what only it brought.
    """
    from livereview.client import Session

    with told(), Session(settings_of(home)) as client:
        if undo:
            when = moment(now)
            take_back = TakeBackAct(id=uuid4().hex, act=undo, review=review, author=by, now=when)
            done = client.run(take_back)
            say("taken back:")
            show(done)
            tell_published(client.run(SettleOutbox(now=when)))
            return
        if take_back_import:
            named = {"name": f"import: {take_back_import}"}
            when = moment(now)
            act = PreviewAct(
                kind="take_back_import", review=review, given=named, author=by, now=when
            )
            confirmed(client, yes, act)
            say("taken back")
            tell_published(client.run(SettleOutbox(now=when)))
            return
        listing = client.run(ListActs(review=review))
    if as_json:
        say(json.dumps(encode_answer(listing), ensure_ascii=False, indent=1))
        return
    _print(listing)


def _print(listing: Acts) -> None:
    waiting = [request for request in listing.requests if request.outcome is None]
    for request in waiting:
        say(f"waits for a lead: {request.title}, asked by {request.author}: {request.reason}")
    for act in listing.acts:
        reason = f": {act.reason}" if act.reason else ""
        say(f"{act.made[:MINUTE]}  {act.author}  {act.title}{reason}  [{act.id}]")
        for line in act.lines:
            say(f"  {line}")
        back = act.taken_back
        if back:
            say(f"  taken back by {back.author}, {back.made[:MINUTE]}")
    if not listing.acts:
        say("No act has undone anybody's work here.")
