"""Commands that keep a second copy of everything, and bring it back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livereview.cli.terminal import Home, app, say, settings_of, told, warn
from livereview.client import Session, refuse_to_own
from livereview.commands import Backup, Follow
from livereview.errors import Retry

if TYPE_CHECKING:
    from livereview.ops.restore import Found
    from livereview.settings import Settings

EACH = 60.0  # seconds between two increments: so much work can be lost at most
PLACE = (
    "A folder, or an address that fsspec knows, such as s3://bucket/folder; "
    "else LIVEREVIEW_BACKUP, else the home's."
)


@app.command()
def backup(
    to: Annotated[str | None, typer.Option("--to", help=PLACE)] = None,
    name: Annotated[str | None, typer.Option(help="Name of the copy; default: the time.")] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Afterwards keep only so many of the newest copies.")
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option(
            "--follow", help="Ship there what is new each minute, until stopped.", metavar="PLACE"
        ),
    ] = None,
    home: Home = None,
) -> None:
    """Copy database, full texts, published versions and recordings while everything goes on.

    Example: livereview backup --to /mnt/nas/livereview --keep 30
    """
    with told():
        chosen = settings_of(home)
        if follow is not None:
            _follow(chosen, _absolute(follow), keep or chosen.keep)
            return
        target = _absolute(to or chosen.backup)
        with Session(chosen) as client:
            done = client.run(Backup(target=target or None, name=name, keep=keep))
    say(
        f"Wrote {done.name} in {done.place}: {done.decisions:,} decisions,"
        f" all events up to {done.seq:,},"
    )
    size = f"{done.bytes / 1e6:,.1f} MB"
    say(f"{done.files:,} files of full texts and published versions; the database has {size}.")
    for missing in done.missing:
        say(f"Not in it: {missing}")
    for gone in done.removed:
        say(f"Removed the old copy {gone}")
    if done.same_disk:
        warn(
            "This copy is on the disk of the database itself: it is lost with it. Use --to with another disk."
        )


def _absolute(place: str) -> str:
    """A folder as the owner finds it, who may have been started elsewhere."""
    if not place or "://" in place:
        return place
    return str(Path(place).expanduser().resolve())


def _follow(chosen: Settings, place: str, keep: int) -> None:
    """Ask the owner each minute to ship what is new.

    A place or an owner that is away is waited for, and said so.
    """
    while True:
        now = datetime.now(UTC)
        try:
            with Session(chosen) as client:
                done = client.run(Follow(target=place, keep=keep))
        except Retry as error:
            warn(f"{now:%H:%M:%S} not shipped: {error.message}; tried again in a minute")
        else:
            kind = "a whole copy" if done.whole else f"{done.rows:,} rows"
            say(f"{now:%H:%M:%S} {kind} to {done.place}, up to event {done.seq:,}")
        time.sleep(EACH)


@app.command()
def restore(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="Where the backups are, or one database file.")
    ],
    copy: Annotated[
        str | None,
        typer.Option("--copy", help="This whole copy; default: the newest that is sound."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only prove in a scratch folder that it can be brought back."),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Move what is in the home aside first; nothing is deleted."),
    ] = False,
    home: Home = None,
) -> None:
    """Bring a home back: database, full texts, published versions, front page.

    Example: livereview restore /mnt/nas/livereview --home /var/lib/livereview

    Exits 1 if something in the backup was damaged or missing; what could be brought back is there.
    """
    from livereview.ops import restore as restoring

    with told():
        chosen = settings_of(home)
        refuse_to_own(chosen)
        if check:
            found = restoring.check(source, copy)
        else:
            found = restoring.restore(source, chosen.home, replace=replace, copy=copy)
        _tell(found)
    if check:
        say(
            "It can be brought back. Nothing was changed."
            if not found.problems
            else "Nothing was changed."
        )
    else:
        if found.aside:
            say(f"What was there before is in {found.aside}")
        say(f"Brought back to {chosen.home}. Go on with: livereview serve --home {chosen.home}")
    if found.problems:
        raise typer.Exit(1)


def _tell(found: Found) -> None:
    say(
        f"Found {found.copy} of {found.made[:19]} in {found.place}, with {found.increments:,} increments after it:"
    )
    say(f"all events up to number {found.upto:,}, of {found.last_made[:19]}.")
    shown = {
        "decision": "decisions",
        "record": "records",
        "extraction": "extractions",
        "account": "changes of accounts",
    }
    say(", ".join(f"{found.counts.get(table, 0):,} {words}" for table, words in shown.items()))
    for review, number in found.versions.items():
        say(f"{review}: published versions up to {number}")
    say(f"{found.files:,} files of full texts and published versions")
    for missing in found.missing:
        say(f"Not in it: {missing}")
    if found.secrets:
        say(f"Secrets to set again: {', '.join(found.secrets)}")
    for problem in found.problems:
        warn(f"PROBLEM {problem}")
