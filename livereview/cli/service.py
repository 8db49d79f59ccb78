"""Commands that serve and publish."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from livereview import logs
from livereview.cli.console import out
from livereview.cli.terminal import Home, ReviewId, app, moment, settings_of, tell_published, told
from livereview.client import Session, must_exist, refuse_to_own
from livereview.commands import (
    OpenReview,
    Publish,
    PublishAsOf,
    ReadStatus,
    SettleOutbox,
    SignOff,
)
from livereview.commands.publishing import Settled


@app.command()
def demo(
    home: Annotated[Path, typer.Option("--home", help="Where to build it; emptied first.")] = Path(
        "demo"
    ),
) -> None:
    """Run three nights of the example review without network and publish its summary."""
    from livereview import demo as example

    with told():
        refuse_to_own(settings_of(home))
        example.run(home, out)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    new: Annotated[
        bool, typer.Option("--new", help="Make a database where there is none yet.")
    ] = False,
    home: Home = None,
) -> None:
    """Own the database: the screening room, the published pages, and the door for flows.  Example:
    livereview serve
    """
    from livereview.web.serve import serve as run

    with told():
        chosen = settings_of(home)
        logs.start(sys.stderr, chosen.log_format, chosen.log_level)
        refuse_to_own(chosen)
        if not new:
            must_exist(chosen)
        run(chosen, host, port)


@app.command()
def publish(
    review: ReviewId,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="ISO time: build again what was published then, into as-of/, and nothing else."
        ),
    ] = None,
    home: Home = None,
) -> None:
    """Bring the published folder up to date; unchanged content makes no new version.

    Example: livereview publish --review R --as-of 2026-03-01T00:00Z
    """
    with told(), Session(settings_of(home)) as client:
        if as_of is not None:
            then = client.run(PublishAsOf(review=review, moment=moment(as_of)))
            out.print(
                f"version {then.version} as of {as_of}: {then.folder}",
                markup=False,
                soft_wrap=True,
            )
            return
        done = client.run(Publish(review=review))
        tell_published(Settled({review: done}))
        tell_published(client.run(SettleOutbox()))


@app.command("open")
def open_review(
    review: ReviewId,
    by: Annotated[str, typer.Option(help="Who opens it; the first version will show this name.")],
    note: Annotated[str | None, typer.Option(help="For your colleagues.")] = None,
    now: Annotated[str | None, typer.Option(help="ISO time of the act; default: now.")] = None,
    home: Home = None,
) -> None:
    """Open a review to the public: its first version is published.  Example: livereview open
    --review R --by lena

    Nothing of a review is published before that, whatever is imported, screened or extracted.
    """
    with told(), Session(settings_of(home)) as client:
        opened = client.run(
            OpenReview(id=uuid4().hex, review=review, by=by, note=note, now=moment(now))
        )
        if opened.known:
            out.print(f"{review} is open to the public already", markup=False)
            return
        tell_published(client.run(SettleOutbox(now=moment(now))))


@app.command("sign-off")
def sign_off(
    review: ReviewId,
    by: Annotated[
        str | None, typer.Option(help="Sign with this name, which the public page will show.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="For your colleagues.")] = None,
    now: Annotated[
        str | None, typer.Option(help="ISO time of the signature; default: now.")
    ] = None,
    home: Home = None,
) -> None:
    """Show the changed findings that wait, or sign them.  Example: livereview sign-off --review R
    --by lena
    """
    with told(), Session(settings_of(home)) as client:
        held = client.run(ReadStatus(review=review)).reviews[0].held
        if held is None:
            out.print("no changed conclusion waits for a name")
            return
        out.print(f"{held.change}, since {held.since}, after: {held.cause}", markup=False)
        for reason in held.reasons:
            out.print(
                f"  {reason.claim}: {reason.kind}, {reason.why}",
                markup=False,
                soft_wrap=True,
            )
            out.print(
                f"    was: {reason.before}\n    now: {reason.after}",
                markup=False,
                soft_wrap=True,
            )
        if by is None:
            out.print("Sign it: add --by NAME")
            return
        client.run(
            SignOff(
                id=uuid4().hex,
                review=review,
                by=by,
                note=note,
                content_hash=held.content_hash,
                now=moment(now),
            )
        )
        tell_published(client.run(SettleOutbox(now=moment(now))))
