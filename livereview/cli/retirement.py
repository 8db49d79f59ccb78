"""The command that retires a review, or brings it back: by a vote of its people, never by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from uuid import uuid4

import typer
from rich.table import Table
from rich.text import Text

from livereview.cli.acts import Yes, confirmed
from livereview.cli.console import out
from livereview.cli.terminal import Home, ReviewId, app, moment, settings_of, tell_published, told
from livereview.client import Session
from livereview.commands import (
    PreviewAct,
    ProposeRetirement,
    ReadRetirement,
    SettleOutbox,
    VoteRetirement,
)
from livereview.commands.people import RetirementState, Trigger, VoteClosed, Votes
from livereview.errors import Refused

DATE = len("2026-03-01")  # so much of an ISO time is shown
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
    chosen = [propose is not None, revive is not None, vote is not None, close]
    with told(), Session(settings_of(home)) as client:
        when = moment(now)
        if not any(chosen):
            show(client.run(ReadRetirement(review=review, person=by, now=when)))
            return
        if sum(chosen) > 1 or not by:
            raise Refused(
                "do one of --propose, --revive, --vote and --close at a time, and say who does it"
                " with --by"
            )
        if vote is not None:
            client.run(
                VoteRetirement(
                    id=uuid4().hex, review=review, verdict=vote, by=by, note=note, now=when
                )
            )
            out.print("Your vote is kept; others see it once a lead closes the vote.")
        elif close:
            closing = PreviewAct(kind="close_vote", review=review, given={}, author=by, now=when)
            closed = VoteClosed.model_validate(confirmed(client, yes, closing).result)
            tell_closed(closed)
            tell_published(client.run(SettleOutbox(now=when)))
        else:
            client.run(
                ProposeRetirement(
                    id=uuid4().hex,
                    review=review,
                    kind="revive" if propose is None else "retire",
                    reason=propose or revive or "",
                    not_asked=None if propose is None else not_asked,
                    no_resources=None if propose is None else no_resources,
                    by=by,
                    now=when,
                )
            )
            out.print(
                f"Proposed. Everybody votes: livereview retire --review {review} --vote yes"
                " --by NAME",
                markup=False,
            )


def tell_closed(vote: VoteClosed) -> None:
    """How a vote went, and what that does."""
    result = "it was not carried, and nothing changes"
    if vote.carried:
        result = {"retire": "the review is retired", "revive": "the review is back"}[vote.kind]
    out.print(f"{counted(vote.votes)}: {result}", highlight=False)


def counted(votes: Votes) -> str:
    """The votes by what they say, in words."""
    return (
        f"{votes.yes} yes, {votes.no} no, {votes.abstain} abstained, of {votes.voters} who may vote"
    )


def show(state: RetirementState) -> None:
    """The status, the signs, and the vote that is open."""
    since = f" since {state.since[:DATE]}" if state.since else ""
    out.print(f"{state.review} is {state.state}{since}", highlight=False)
    out.print(signs(state.triggers))
    if proposal := state.open:
        mine = f"; yours: {proposal.mine.verdict}" if proposal.mine else ""
        moved = f"{proposal.author} moved on {proposal.made[:DATE]} to {proposal.kind}"
        out.print(f"Open: {moved}: {proposal.reason}", markup=False)
        out.print(f"{proposal.voted} of {proposal.voters} have voted{mine}", highlight=False)
    for vote in state.closed:
        result = "carried" if vote.carried else "not carried"
        out.print(
            f"{vote.closed[:DATE]} {vote.kind}, {result}: {counted(vote.votes)}", highlight=False
        )


def signs(triggers: Iterable[Trigger]) -> Table:
    """The signs, one a row."""
    table = Table("sign", "now", "told")
    for trigger in triggers:
        table.add_row(trigger.id, MET[trigger.met], Text(trigger.told))
    return table
