"""The command that retires a review, or brings it back: by a vote of its people, never by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.table import Table
from rich.text import Text

from livereview.cli.acts import Yes, confirmed
from livereview.cli.console import out
from livereview.cli.terminal import Home, ReviewId, app, moment, settings_of, tell_published, told
from livereview.client import Session
from livereview.errors import Refused

MET = {True: "met", False: "not met", None: "not known"}


@app.command()
def retire(
    review: ReviewId,
    propose: Annotated[
        str | None, typer.Option(metavar="WHY", help="Move that the review retires.")
    ] = None,
    revive: Annotated[
        str | None, typer.Option(metavar="WHY", help="Move that a retired review comes back.")
    ] = None,
    not_asked: Annotated[
        str | None,
        typer.Option(metavar="WHY", help="With --propose: the question is no longer asked."),
    ] = None,
    no_resources: Annotated[
        str | None, typer.Option(metavar="WHY", help="With --propose: nobody can keep the review.")
    ] = None,
    vote: Annotated[
        str | None, typer.Option(help="yes, no or abstain; your later vote counts instead.")
    ] = None,
    note: Annotated[
        str | None, typer.Option(help="With --vote: why, for colleagues, once it is closed.")
    ] = None,
    close: Annotated[
        bool, typer.Option("--close", help="End the vote and count it; for leads.")
    ] = False,
    yes: Yes = False,
    by: Annotated[
        str | None, typer.Option(help="Who does it; needs an account that may vote.")
    ] = None,
    now: Annotated[str | None, typer.Option(help="ISO time of the act; default: now.")] = None,
    home: Home = None,
) -> None:
    """Show the signs that a review could retire, or vote.  Example: livereview retire --review R
    --vote yes --by bo

    Nothing retires by itself. It takes two votes for it (one, where only one person may vote), more
    than against, and a lead who closes the vote. A retired review keeps its page, which says why,
    and is not searched for any more.
    """
    grounds = {"not_asked": not_asked, "no_resources": no_resources}
    acts = {
        "retire": ("propose_retirement", {"kind": "retire", "reason": propose, **grounds})
        if propose is not None
        else None,
        "revive": ("propose_retirement", {"kind": "revive", "reason": revive})
        if revive is not None
        else None,
        "vote": ("vote_retirement", {"verdict": vote, "note": note}) if vote is not None else None,
        "close": ("close_retirement", {}) if close else None,
    }
    with told(), Session(settings_of(home)) as client:
        chosen = [one for one in acts.values() if one]
        if not chosen:
            show(client.call("retirement", review=review, person=by, now=moment(now)))
            return
        if len(chosen) > 1 or not by:
            raise Refused(
                "do one of --propose, --revive, --vote and --close at a time, and say who does it with --by"
            )
        ((name, given),) = chosen
        if name == "close_retirement":
            asked: dict[str, Any] = {
                "kind": "close_vote",
                "review": review,
                "given": {},
                "author": by,
            }
            done = confirmed(client, yes, now=moment(now), **asked)["result"]
        else:
            done = client.call(name, id=uuid4().hex, review=review, by=by, now=moment(now), **given)
        tell(name, review, done)
        if name == "close_retirement":
            tell_published(client.call("settle_outbox", now=moment(now)))


def tell(name: str, review: str, done: dict[str, Any]) -> None:
    """What was done; of a closed vote, how it went."""
    if name == "propose_retirement":
        out.print(
            f"Proposed. Everybody votes: livereview retire --review {review} --vote yes --by NAME",
            markup=False,
        )
    elif name == "vote_retirement":
        out.print("Your vote is kept; others see it once a lead closes the vote.")
    else:
        what = {"retire": "the review is retired", "revive": "the review is back"}[done["kind"]]
        result = what if done["carried"] else "it was not carried, and nothing changes"
        out.print(f"{counted(done['votes'])}: {result}", highlight=False)


def counted(votes: dict[str, int]) -> str:
    return f"{votes['yes']} yes, {votes['no']} no, {votes['abstain']} abstained, of {votes['voters']} who may vote"


def show(found: dict[str, Any]) -> None:
    """The status, the signs, and the vote that is open."""
    since = f" since {found['since'][:10]}" if found["since"] else ""
    out.print(f"{found['review']} is {found['state']}{since}", highlight=False)
    out.print(signs(found["triggers"]))
    if one := found["open"]:
        mine = f"; yours: {one['mine']['verdict']}" if one["mine"] else ""
        out.print(
            f"Open: {one['author']} moved on {one['made'][:10]} to {one['kind']}: {one['reason']}",
            markup=False,
        )
        out.print(f"{one['voted']} of {one['voters']} have voted{mine}", highlight=False)
    for one in found["closed"]:
        result = "carried" if one["carried"] else "not carried"
        out.print(
            f"{one['closed'][:10]} {one['kind']}, {result}: {counted(one['votes'])}",
            highlight=False,
        )


def signs(triggers: Iterable[dict[str, Any]]) -> Table:
    table = Table("sign", "now", "told")
    for one in triggers:
        table.add_row(one["id"], MET[one["met"]], Text(one["told"]))
    return table
