"""The command that withdraws a published version."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

import typer

from livereview.cli.acts import Yes, confirmed
from livereview.cli.console import err, out
from livereview.cli.terminal import Home, ReviewId, app, moment, settings_of, told
from livereview.client import Session
from livereview.commands import PreviewAct, Reinstate
from livereview.commands.publishing import Published


@app.command()
def withdraw(
    review: ReviewId,
    version: Annotated[int, typer.Option(help="Number of the published version.")],
    reason: Annotated[str, typer.Option(help="Why, in plain words; readers will see it.")],
    by: Annotated[
        str, typer.Option(help="Your name, for the books; the page says “the lead of the review”.")
    ] = "lead",
    undo: Annotated[
        bool, typer.Option("--undo", help="Let a withdrawn version stand again, as it was.")
    ] = False,
    yes: Yes = False,
    now: Annotated[str | None, typer.Option(help="ISO time of the act; default: now.")] = None,
    home: Home = None,
) -> None:
    """Withdraw a published version: a notice with the reason takes its place.

    Example: livereview withdraw --review R --version 7 --reason "A study was counted twice."

    What that does is printed and asked first. Its address answers 410 from then on, and feeds and
    lists say so. If it is the newest version, the page `latest` is a notice too, until corrected
    evidence makes a new version.
    """
    published: Published | None
    with told(), Session(settings_of(home)) as client:
        if undo:
            reinstate = Reinstate(
                id=uuid4().hex,
                review=review,
                version=version,
                by=by,
                reason=reason,
                now=moment(now),
            )
            published = client.run(reinstate).published
        else:
            withdraw = PreviewAct(
                kind="withdraw",
                review=review,
                given={"version": str(version)},
                author=by,
                reason=reason,
                now=moment(now),
            )
            published = confirmed(client, yes, withdraw).published
    what = "stands again" if undo else "is withdrawn"
    out.print(f"{review}: version {version} {what}", markup=False, highlight=False)
    if published is not None and (problem := published.problem):
        err.print(
            f"{review}: the page could not be built again: {problem}", style="red", markup=False
        )
        raise typer.Exit(1)
