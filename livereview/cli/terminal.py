"""What every command shares: the app, its options, plain lines, and how errors are told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livereview import settings
from livereview.cli.commands import WORDS, Commands
from livereview.disk import full, is_full
from livereview.errors import LivereviewError, Refused

if TYPE_CHECKING:
    from livereview.client import Client
    from livereview.commands.publishing import Published, Settled

app = typer.Typer(
    cls=Commands,
    help="Keep a living systematic review alive: search, deduplicate, screen, extract, publish.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
PLACES = ("review.toml", "{}/review.toml", "reviews/{}/review.toml", "examples/{}/review.toml")
Home = Annotated[
    Path | None,
    typer.Option("--home", help="Data folder; else LIVEREVIEW_HOME, else ./livereview-data."),
]
ReviewId = Annotated[str, typer.Option("--review", help="Id of the review, as in its review.toml.")]
Protocol = Annotated[
    Path | None, typer.Option(help="Its review.toml, if it is not where livereview looks.")
]


def _print_version(asked: bool) -> None:
    """Print the version of the installed package, and end."""
    if asked:
        typer.echo(f"livereview {version('livereview')}")
        raise typer.Exit


@app.callback()
def livereview(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version, and end."
        ),
    ] = False,
) -> None:
    """Which command it is, `Commands` finds out."""


def say(line: str) -> None:
    """A line on standard output, as it is."""
    typer.echo(line)


def warn(line: str) -> None:
    """A line on standard error, red where that is a terminal."""
    typer.secho(line, fg="red", err=True)


@contextmanager
def told() -> Iterator[None]:
    """Turn an error that a person can act on into one clear line and an exit code.

    So is a file or folder that was named on the command line and can't be used; any other error of
    the system is a bug, and travels up.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            warn(f"livereview: {full(error).message}")
            raise typer.Exit(1) from None
        if not _is_named(error.filename):
            raise
        warn(f"livereview: {error.filename} can't be used ({error.strerror}); name another")
        raise typer.Exit(2) from None
    except Refused as error:
        warn(f"livereview: {error}")
        raise typer.Exit(2) from None
    except LivereviewError as error:
        warn(f"livereview: {error}")
        raise typer.Exit(1) from None


def _is_named(path: object) -> bool:
    """Whether a path is, or lies in, one that was named on the command line."""
    if not isinstance(path, str):
        return False
    place = Path(path)
    named = [Path(word.partition("=")[2] or word) for word in WORDS.get()]
    return not {place, *place.parents}.isdisjoint(named)


def protocol_file(review: str, given: Path | None) -> Path | None:
    """Where the review.toml is: as given, or in PLACES; None: trust the database."""
    from livereview import review_toml

    for place in [given] if given else [Path(place.format(review)) for place in PLACES]:
        if place.exists() and review_toml.load(place).id == review:
            return place
    if given:
        raise Refused(f"{given} is not the protocol of {review!r}")
    return None


def register(client: Client, review: str, given: Path | None) -> None:
    """Put the protocol file in force, if there is one.

    Refused where it would move what people have settled, or replace what somebody put in force in
    the room: a night by a file from before must not take that back in silence.
    """
    from livereview.cli.acts import protocol_effect
    from livereview.commands import Register

    path = protocol_file(review, given)
    if path is None:
        return
    text = path.read_text(encoding="utf-8")
    effect = protocol_effect(client, review, text)
    if effect:
        lines = " ".join(effect.lines)
        raise Refused(
            f"{path} moves what people have settled. {lines} Confirm it: livereview register {path}"
        )
    if author := put_in_force_by(client, review, text):
        raise Refused(
            f"{path} differs from the protocol that {author} put in force in the room. Take that text into the file"
            f" (page Protocol, The text), or put the file in force: livereview register {path}"
        )
    client.run(Register(text=text))


def put_in_force_by(client: Client, review: str, text: str) -> str | None:
    """Who put another text than this in force, by name; None where nobody did."""
    from livereview.commands import ReadProtocol

    try:
        in_force = client.run(ReadProtocol(review=review))
    except Refused:
        return None  # it is the first
    return None if in_force.text == text else in_force.author


def settings_of(home: Path | None) -> settings.Settings:
    return settings.read(os.environ, home)


def tell_published(settled: Settled) -> None:
    """One line a review on what was published; exit 1 if a build failed."""
    for review, published in settled.reviews.items():
        if published.problem is not None:
            problem = published.problem
            warn(f"{review}: not published, the last good page stands: {problem}")
            raise typer.Exit(1)
        for place in published.mended:
            say(f"{review}: {place} was damaged or not there, and is as it was published again")
        if published.waits:
            say(f"{review}: nothing is public yet; livereview open --review {review} --by NAME")
        elif published.version is not None:
            say(f"{review}: {_what(review, published)}, {published.folder}/index.html")


def _what(review: str, published: Published) -> str:
    """The version that is public, and what waits."""
    what = f"version {published.version} stands"
    if published.new:
        what = f"version {published.version} ({published.change})"
    if published.held is None:
        return what
    kind = published.held.change.replace("_", " ")
    waits = "the whole page" if published.held.whole else "a changed finding"
    return f"{what}; {waits} ({kind}) waits: livereview sign-off --review {review}"


def moment(text: str | None) -> datetime:
    """An ISO time with a zone, or now."""
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not an ISO time such as 2026-03-01T02:00+00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
