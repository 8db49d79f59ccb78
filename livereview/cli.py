"""The one script: what people and schedulers type. Exit codes: 0 done, 1 something failed and was kept, 2 refused,
3 a file is not of the kind that was said."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from livereview import files, review_toml, settings, sources
from livereview.client import Client, Session
from livereview.errors import LivereviewError, Refused, Retry, SourceBroken

app = typer.Typer(
    help="Keep a living systematic review alive: search, deduplicate, screen, extract, publish.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
PLACES = ("review.toml", "{}/review.toml", "reviews/{}/review.toml", "examples/{}/review.toml")
out = Console()
err = Console(stderr=True, highlight=False)

Home = Annotated[Path | None, typer.Option("--home", help="Data folder; else LIVEREVIEW_HOME, else ./livereview-data.")]
ReviewId = Annotated[str, typer.Option("--review", help="Id of the review, as in its review.toml.")]
Protocol = Annotated[Path | None, typer.Option(help="Its review.toml, if it is not where livereview looks.")]


@contextmanager
def told() -> Iterator[None]:
    """Turn an error that a person can act on into one clear line and an exit code."""
    try:
        yield
    except Refused as error:
        err.print(f"livereview: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except LivereviewError as error:
        err.print(f"livereview: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def protocol_file(review: str, given: Path | None) -> Path | None:
    """Where the review.toml is: as given, or in PLACES; None: trust the database."""
    for place in [given] if given else [Path(place.format(review)) for place in PLACES]:
        if place.exists() and review_toml.load(place).id == review:
            return place
    if given:
        raise Refused(f"{given} is not the protocol of {review!r}")
    return None


def register(client: Client, review: str, given: Path | None) -> None:
    """Put the protocol file in force, if there is one."""
    if path := protocol_file(review, given):
        client.call("register", text=path.read_text(encoding="utf-8"))


def settings_of(home: Path | None) -> settings.Settings:
    return settings.read(os.environ, home)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where to put the new review.")] = Path()) -> None:
    """Write a commented review.toml to start from.  Example: livereview init my-review"""
    with told():
        path = folder / "review.toml"
        if path.exists():
            raise Refused(f"{path} exists; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(review_toml.template(), encoding="utf-8")
    out.print(f"Wrote {path}. Edit it, then: livereview surveil --protocol {path} --review ID", markup=False)


@app.command()
def demo(
    home: Annotated[Path, typer.Option("--home", help="Where to build it; emptied first.")] = Path("demo"),
) -> None:
    """Run three nights of the example review without network and publish its summary."""
    from livereview import demo as example

    with told():
        example.run(home, out)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    home: Home = None,
) -> None:
    """Own the database: the screening room, the published pages, and the door for flows.  Example: livereview serve"""
    from livereview.web.serve import serve as run

    with told():
        run(settings_of(home), host, port)


@app.command()
def surveil(
    review: ReviewId,
    protocol: Protocol = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this search; may be given again.")] = None,
    now: Annotated[str | None, typer.Option(help="Take this ISO time as the present (for replays).")] = None,
    record: Annotated[Path | None, typer.Option(help="Keep every answer in this folder.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Take the answers from this recording, not the network.")] = None,
    home: Home = None,
) -> None:
    """Run tonight's searches now.  Example: livereview surveil --review signs-of-safety

    Exits 1 if any search did not run through; what the others brought is kept and published.
    """
    from livereview import night

    with told():
        chosen, path = settings_of(home), protocol_file(review, protocol)
        moment(now)
        with Session(chosen) as client:  # a wrong id must not cost the half minute that Prefect takes to start
            register(client, review, protocol)
            client.call("protocol", review=review)
        state = night.run(chosen, review, path, only=only, now=now, record=record, recording=replay)
    out.print(night.table(state.endings))
    if state.problem:
        err.print(state.problem, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)


@app.command()
def schedule(
    review: Annotated[list[str], typer.Option("--review", help="Review to schedule; may be given again.")],
    protocol: Protocol = None,
    home: Home = None,
) -> None:
    """Serve the reviews' schedules until stopped; needs a Prefect server (PREFECT_API_URL)."""
    with told():
        if not os.environ.get("PREFECT_API_URL"):
            raise Refused(
                "PREFECT_API_URL is not set. Start `prefect server start` and set PREFECT_API_URL=http://127.0.0.1:4200/api"
            )
        from flows.schedule import run

        chosen = settings_of(home)
        with Session(chosen) as client:
            for name in review:
                register(client, name, protocol)
            found = [review_toml.parse(client.call("protocol", review=name)["text"]) for name in review]
        run(found, chosen.home)


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exports; .gz is fine.")],
    review: ReviewId,
    source: Annotated[str | None, typer.Option(help="What the files are, e.g. ris; guessed if not given.")] = None,
    grey: Annotated[bool, typer.Option(help="Count them under other methods, not databases.")] = False,
    protocol: Protocol = None,
    home: Home = None,
) -> None:
    """Take in files exported elsewhere.  Example: livereview import --review youth-homelessness *.ris.gz"""
    table = Table("file", "kind", "found", "new", "rejected", "outcome")
    with told(), Session(settings_of(home)) as client, Progress(console=err, transient=True) as progress:
        register(client, review, protocol)
        bodies = [(path, files.read(path)) for path in paths]
        for path, body in progress.track(bodies, description="importing"):
            kind = source or files.guess(body, path.name)
            n = client.call("import_file", review=review, source=kind, name=path.name, body=body, grey=grey)
            outcome = "known already" if n["known"] else n["outcome"]
            table.add_row(path.name, kind, *(str(n[key]) for key in ("found", "fresh", "rejected")), outcome)
        flow = client.call("status", review=review)["reviews"][0]["flow"]
        client.call("settle_outbox")
    out.print(table)
    found = flow["databases"] + flow["other"]
    out.print(f"found {found:,}   duplicates {flow['duplicates']:,}   queued {flow['awaiting_screening']:,}")


@app.command()
def decide(
    review: ReviewId,
    source: Annotated[Path, typer.Option("--from", help="CSV: record, stage, reviewer, verdict, reason, note, role.")],
    now: Annotated[str | None, typer.Option(help="ISO time of the decisions; default: now.")] = None,
    home: Home = None,
) -> None:
    """Take in decisions made elsewhere.  Example: livereview decide --review R --from decisions.csv

    A row that can't be taken is named with its line and spares the others; exits 2 then.
    """
    with told(), Session(settings_of(home)) as client, Progress(console=err, transient=True) as progress:
        bar = progress.add_task("deciding", total=files.count_rows(source))
        report = files.decide(client, review, source, moment(now), lambda: progress.advance(bar))
        client.call("settle_outbox", now=moment(now))
    out.print(f"{report.written} written, {report.known} known already, {len(report.refused)} refused")
    for line, why in report.refused:
        err.print(f"{source} line {line}: {why}", style="red", markup=False, soft_wrap=True)
    if report.refused:
        raise typer.Exit(2)


@app.command()
def extract(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Extraction forms, JSON or CSV.")],
    review: ReviewId,
    by: Annotated[str, typer.Option(help="Who extracted.")],
    now: Annotated[str | None, typer.Option(help="ISO time of the extraction; default: now.")] = None,
    home: Home = None,
) -> None:
    """Take in extractions and publish.  Example: livereview extract --review R --by amina study.json"""
    with told(), Session(settings_of(home)) as client:
        for path in paths:
            for done in files.extract(client, review, path, by, moment(now)):
                known = " (known already)" if done["known"] else ""
                out.print(f"{done['study']}: {done['reports']} reports, {done['results']} results{known}", markup=False)
        tell_published(client.call("settle_outbox", now=moment(now)))


@app.command()
def publish(review: ReviewId, home: Home = None) -> None:
    """Bring the published folder up to date; unchanged content makes no new version."""
    with told(), Session(settings_of(home)) as client:
        done = client.call("publish", review=review)
        client.call("settle_outbox")
        tell_published({review: done})


def tell_published(done: dict[str, Any]) -> None:
    """One line a review on what was published; exit 1 if a build failed."""
    for review, result in done.items():
        if "problem" in result:
            err.print(
                f"{review}: not published, the last good page stands: {result['problem']}", style="red", markup=False
            )
            raise typer.Exit(1)
        what = (
            f"version {result['version']} ({result['change']})"
            if result["new"]
            else f"version {result['version']} stands"
        )
        out.print(f"{review}: {what}, {result['folder']}/index.html", markup=False, soft_wrap=True)


@app.command()
def parse(
    source: Annotated[str, typer.Argument(help="Name of a source, or package.module:Attribute.")],
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...")],
) -> None:
    """Print what a source reads from files, one JSON object a line.  Example: livereview parse ris export.ris

    Exits 3, with the reason on standard error, if a file is not that source's at all.
    """
    broken = False
    with told():
        reader = sources.find(source)
        for path in paths:
            try:
                page = reader.parse(files.read(path), None)
            except (SourceBroken, Retry) as error:
                err.print(f"{path}: {error}", style="red", markup=False, soft_wrap=True)
                broken = True
                continue
            for line in files.lines(page):
                sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    if broken:
        raise typer.Exit(3)


@app.command()
def dedup(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or RIS; .gz is fine.")],
    to: Annotated[Path, typer.Option("--out", help="CSV to write: record_id,cluster_id.")],
    doubtful: Annotated[Path | None, typer.Option(help="CSV to write: pairs for a person to judge.")] = None,
) -> None:
    """Deduplicate files without a database.  Example: livereview dedup a.ris b.csv.gz --out clusters.csv"""
    from livereview import dedup_files

    with told():
        out.print(str(dedup_files.run(paths, to, doubtful, lambda step: err.print(step))))


@app.command()
def explain(left: str, right: str, home: Home = None) -> None:
    """Why two records are, or are not, taken for one publication.  Example: livereview explain r0a1 r2b3"""
    with told(), Session(settings_of(home)) as client:
        out.print(client.call("explain", left=left, right=right)["text"], markup=False, soft_wrap=True)


@app.command()
def status(
    review: Annotated[str | None, typer.Option(help="Only this review.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    home: Home = None,
) -> None:
    """What each search did, what waits, what is published. Exits 1 if there is an alarm."""
    from livereview import night

    with told(), Session(settings_of(home)) as client:
        found = client.call("status", **({"review": review} if review else {}))["reviews"]
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    elif not found:
        out.print("No review yet. Start one: livereview init my-review")
    else:
        for one in found:
            night.show_status(one, out)
    if any(one["alarms"] for one in found):
        raise typer.Exit(1)


@app.command()
def backup(
    name: Annotated[str | None, typer.Option(help="Name of the copy; default: the time.")] = None, home: Home = None
) -> None:
    """Copy the database into backups/ while everything goes on working."""
    with told(), Session(settings_of(home)) as client:
        done = client.call("backup", name=name or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    out.print(f"Wrote {done['file']}", markup=False, soft_wrap=True)


@app.command()
def rebuild(home: Home = None) -> None:
    """Make the reports and the blocking keys again from the stored events; what people decided is untouched."""
    with told(), Session(settings_of(home)) as client:
        out.print(f"{client.call('rebuild')['records']:,} records settled again")


@app.command()
def account(
    name: Annotated[str, typer.Argument(help="Who, e.g. amina.")],
    role: Annotated[str, typer.Option(help="lead, reviewer, adjudicator or reader.")] = "reviewer",
    close: Annotated[bool, typer.Option(help="Shut the account; its decisions stay.")] = False,
    home: Home = None,
) -> None:
    """Open an account and print its sign-in secret, once.  Example: livereview account amina --role reviewer"""
    with told(), Session(settings_of(home)) as client:
        if close:
            client.call("close_account", name=name)
            out.print(f"{name} can no longer sign in.")
        else:
            secret = secrets.token_urlsafe(24)
            client.call("add_account", name=name, role=role, secret=secret)
            out.print(f"{name} ({role}) signs in with: {secret}", markup=False, soft_wrap=True)


def moment(text: str | None) -> datetime:
    """An ISO time with a zone, or now."""
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not an ISO time such as 2026-03-01T02:00+00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
