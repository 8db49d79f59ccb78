"""The command that asks a review's language model for its second opinion."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.progress import Progress

from livereview.cli.console import err
from livereview.cli.terminal import Home, ReviewId, app, moment, say, settings_of, told, warn
from livereview.client import Session
from livereview.errors import Refused

LONGEST = 24 * 60  # minutes


@app.command()
def assist(
    review: ReviewId,
    most: Annotated[
        int | None, typer.Option(min=1, help="Ask no more than so many questions now.")
    ] = None,
    minutes: Annotated[
        int, typer.Option(min=1, max=LONGEST, help="End after so many minutes.")
    ] = 30,
    now: Annotated[str | None, typer.Option(help="Take this ISO time as the present.")] = None,
    home: Home = None,
) -> None:
    """Ask the language model about reports that people voted on.  Example: livereview assist --review R

    It answers each criterion with a quote, which is looked up in the record. Its answers decide
    nothing and move nothing. Needs an [assistant] in the protocol and LIVEREVIEW_ASSISTANT_URL;
    titles and abstracts are sent there. Exits 1 if questions failed.
    """
    with told():
        chosen = settings_of(home)
        if not chosen.assistant:
            raise Refused(
                "no server is named; set LIVEREVIEW_ASSISTANT_URL, such as https://host/v1, and"
                " LIVEREVIEW_ASSISTANT_KEY"
            )
        when: datetime = moment(now)
        # requests takes a moment to import, which no other command waits for
        from livereview import second_opinions

        server = second_opinions.Server(chosen.assistant, chosen.assistant_key, chosen.price)
        with Session(chosen) as client, Progress(console=err, transient=True) as progress:
            bar = progress.add_task("asking", total=most)
            asked = second_opinions.ask_all(
                client,
                server,
                review,
                when,
                seconds=60.0 * minutes,
                most=most,
                tick=lambda answered, failed: progress.update(
                    bar, completed=answered + failed, description=f"{answered} answered"
                ),
            )
    line = (
        f"{review}: {asked.answered:,} answered, {asked.failed:,} without an answer; {asked.ended}"
    )
    if asked.failed:
        warn(line)
        raise typer.Exit(1)
    say(line)
