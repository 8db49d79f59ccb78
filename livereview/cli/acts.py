"""The log of acts that undo others' work, and how every command that does one asks first."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
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
from livereview.errors import Refused

if TYPE_CHECKING:
    from livereview.client import Client

Yes = Annotated[
    bool, typer.Option("--yes", help="Do it without asking; what it does is printed all the same.")
]
NOT_CONFIRMED = "nothing was done: say --yes to do it"


def show(effect: Mapping[str, Any]) -> None:
    """What an act does, line by line, and what the public page would say."""
    for line in effect["lines"]:
        say(f"  {line}")
    for one in effect["reviews"]:
        for sentence in one["sentences"]:
            say(f"  The public page: {sentence['claim']} ({sentence['class']}): {sentence['why']}")
            say(f"    - {sentence['before'] or 'nothing'}")
            say(f"    + {sentence['after'] or 'nothing'}")


def confirmed(client: Client, yes: bool, **asked: Any) -> dict[str, Any]:
    """Say what an act does, ask, and do it.

    Raises Refused, having done nothing, where nobody says yes.

    Args:
        client: The owner's.
        yes: Whether --yes was given.
        asked: As `ops.acts.carry_out` wants it, but for `id` and `shown`.
    """
    first = {name: value for name, value in asked.items() if name not in ("secret_hash", "request")}
    effect = client.call("preview_act", **first)
    say(f"{effect['title']}:")
    show(effect)
    agreed = yes or (sys.stdin.isatty() and typer.confirm("Do it?"))
    if not agreed:
        raise Refused(NOT_CONFIRMED)
    done: dict[str, Any] = client.call("act", id=uuid4().hex, shown=effect["shown"], **asked)
    return done


def protocol_effect(client: Client, review: str, text: str) -> dict[str, Any] | None:
    """What putting this protocol in force does to what people have settled.

    None where that is nothing.
    """
    try:
        in_force = client.call("protocol", review=review)["text"]
    except Refused:
        return None  # it is the first
    if in_force == text:
        return None
    effect: dict[str, Any] = client.call(
        "preview_act", kind="protocol", review=review, given={"text": text}
    )
    return effect if effect["undoes_work"] else None


@app.command("acts")
def acts_(
    review: ReviewId,
    undo: Annotated[str | None, typer.Option(metavar="ID", help="Take this act back.")] = None,
    by: Annotated[str, typer.Option(help="Who takes it back.")] = "the operator",
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for programs.")] = False,
    now: Annotated[str | None, typer.Option(help="ISO time of the act; default: now.")] = None,
    home: Home = None,
) -> None:
    """List what undid others' work, or take it back.  Example: livereview acts --review R --undo
    3f2a…

    Decisions made again, accounts closed or changed, versions withdrawn, reviews retired, studies
    regrouped: who, when, how much, why. Taking an act back lets stand again what stood before it,
    except where somebody has decided since.
    """
    from livereview.client import Session

    with told(), Session(settings_of(home)) as client:
        if undo:
            done = client.call(
                "take_back_act", id=uuid4().hex, act=undo, review=review, author=by, now=moment(now)
            )
            say("taken back:")
            show(done)
            tell_published(client.call("settle_outbox", now=moment(now)))
            return
        listing = client.call("acts", review=review)
    if as_json:
        say(json.dumps(listing, ensure_ascii=False, indent=1))
        return
    _print(listing)


def _print(listing: Mapping[str, Any]) -> None:
    waiting = [request for request in listing["requests"] if request["outcome"] is None]
    for request in waiting:
        say(
            f"waits for a lead: {request['title']}, asked by {request['author']}: {request['reason']}"
        )
    for act in listing["acts"]:
        reason = f": {act['reason']}" if act["reason"] else ""
        say(f"{act['made'][:16]}  {act['author']}  {act['title']}{reason}  [{act['id']}]")
        for line in act["lines"]:
            say(f"  {line}")
        back = act["taken_back"]
        if back:
            say(f"  taken back by {back['author']}, {back['made'][:16]}")
    if not listing["acts"]:
        say("No act has undone anybody's work here.")
