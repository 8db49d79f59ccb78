"""Commands of people: decisions and extractions made elsewhere, and accounts."""

from __future__ import annotations

import secrets
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from rich.progress import Progress

from livereview import files
from livereview.cli.acts import Yes, carry_out, confirmed
from livereview.cli.console import err, out
from livereview.cli.terminal import (
    Home,
    ReviewId,
    app,
    moment,
    settings_of,
    tell_published,
    told,
    warn,
)
from livereview.client import Session
from livereview.commands import (
    AddToken,
    ListTokens,
    PreviewAct,
    Rate,
    RevokeToken,
    SettleOutbox,
)
from livereview.commands.evidence import Extracted
from livereview.commands.people import AccountClosed, AccountOpened

if TYPE_CHECKING:
    from livereview.client import Client


@app.command()
def decide(
    review: ReviewId,
    source: Annotated[
        Path,
        typer.Option(
            "--from", help="CSV, Excel or RIS: our own columns, or another tool's export."
        ),
    ],
    stage: Annotated[
        str | None, typer.Option(help="title_abstract or full_text, where the file does not say.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option(help="Who decided, where the file does not say.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="ISO time of the decisions; default: now.")
    ] = None,
    change_settled: Annotated[
        bool,
        typer.Option(
            help="Also take rows that undo what the team has settled; else they are refused and named."
        ),
    ] = False,
    home: Home = None,
) -> None:
    """Take in decisions made elsewhere.  Example: livereview decide --review R --from decisions.csv

    Our own columns are record, stage, reviewer, verdict, and if you like reason, note, role, tags.
    Exports of Rayyan, ASReview, Covidence and EPPI-Reviewer are read too.

    A row that can't be taken is named with its line and spares the others; exits 2 then.
    """
    with (
        told(),
        Session(settings_of(home)) as client,
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("deciding", total=files.count_rows(source))
        report = files.decide(
            client,
            review,
            source,
            moment(now),
            lambda: progress.advance(bar),
            stage,
            reviewer,
            change_settled,
        )
        client.run(SettleOutbox(now=moment(now)))
    out.print(
        f"{report.written} written, {report.known} known already, {len(report.refused)} refused"
    )
    for line, why in report.refused:
        err.print(f"{source} line {line}: {why}", style="red", markup=False, soft_wrap=True)
    if report.refused:
        raise typer.Exit(2)


@app.command()
def extract(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Extraction forms, JSON or CSV.")
    ],
    review: ReviewId,
    by: Annotated[str, typer.Option(help="Who extracted.")],
    map_: Annotated[
        Path | None,
        typer.Option("--map", help="TOML: how the sheets in the folder FILE become forms."),
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="ISO time of the extraction; default: now.")
    ] = None,
    home: Home = None,
) -> None:
    """Take in extractions and publish.  Example: livereview extract --review R --by amina
    study.json

    With --map, other people's sheets (CSV, Excel) are read as they are; what could not be placed is
    told row by row.
    """
    with told(), Session(settings_of(home)) as client:
        if map_:
            taken = files.extract_mapped(client, review, map_, paths[0], by, moment(now))
            for done in taken.written:
                _tell_extracted(done)
            for where, why in taken.problems:
                err.print(f"{where}: {why}", style="red", markup=False, soft_wrap=True)
            tell_published(client.run(SettleOutbox(now=moment(now))))
            if taken.problems:
                raise typer.Exit(1)
            return
        for path in paths:
            for done in files.extract(client, review, path, by, moment(now)):
                _tell_extracted(done)
                for question in done.questions:
                    warn(f"  {question}; it counts for nothing until the form says so")
        tell_published(client.run(SettleOutbox(now=moment(now))))


@app.command()
def code(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="Codes: CSV, Excel, or EPPI-Reviewer's JSON.")
    ],
    review: ReviewId,
    by: Annotated[str, typer.Option(help="Who coded.")],
    now: Annotated[str | None, typer.Option(help="ISO time of the coding; default: now.")] = None,
    home: Home = None,
) -> None:
    """Code reports for the evidence and gap map.  Example: livereview code --review R --by amina
    codes.csv

    Our own columns are record, kind, areas, outcomes, comparisons, design, countries and
    populations; several values of a cell are parted by a semicolon. EPPI-Reviewer's codes are
    matched by their names to the protocol's areas, outcomes and comparisons.

    A row that can't be taken is named with its number and spares the others; exits 2 then.
    """
    with told(), Session(settings_of(home)) as client:
        report = files.code(client, review, source, by, moment(now))
        tell_published(client.run(SettleOutbox(now=moment(now))))
    out.print(
        f"read as {report.kind}: {report.written} coded, {report.known} known already, "
        f"{len(report.refused)} refused",
        markup=False,
    )
    for name, reports in report.unplaced.items():
        warn(f"left out: {name!r}, on {reports} reports, is no code of this review")
    for line, why in report.refused:
        err.print(f"{source} row {line}: {why}", style="red", markup=False, soft_wrap=True)
    if report.refused:
        raise typer.Exit(2)


def _tell_extracted(done: Extracted) -> None:
    known = " (known already)" if done.known else ""
    words = f"{done.study}: {done.reports} reports, {done.results} results{known}"
    out.print(words, markup=False)


@app.command()
def rate(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON: one rating, or a list of them.")
    ],
    review: ReviewId,
    by: Annotated[str, typer.Option(help="Who rated.")],
    now: Annotated[str | None, typer.Option(help="ISO time of the rating; default: now.")] = None,
    home: Home = None,
) -> None:
    """Say how sure findings are, and publish.  Example: livereview rate --review R --by amina
    ratings.json

    GRADE: {"finding": "comparison/care-entry", "start": "high", "reasons": [{"domain":
    "imprecision", "step": -1, "why": "…"}], "answers": {"inconsistency": "…"}}; answers are for
    what does not fit the numbers, as you are told
    CERQual: {"kind": "cerqual", "statement": "trust", "level": "low", "reasons":
    [{"domain": "adequacy", "concern": "serious", "why": "…"}]}; or "code":
    "implementation/staffing/barrier" in place of the statement, for what several studies say
    ROB-ME: {"kind": "missing_evidence", "finding": "comparison/care-entry", "level": "high", "why":
    "…"}
    """
    with told(), Session(settings_of(home)) as client:
        for data in files.ratings(path):
            done = client.run(
                Rate(id=uuid4().hex, review=review, data=data, by=by, now=moment(now))
            )
            known = " (known already)" if done.known else ""
            words = f"{done.subject}: {done.level}, for {len(done.studies)} studies{known}"
            out.print(words, markup=False)
        tell_published(client.run(SettleOutbox(now=moment(now))))


@app.command()
def token(
    account: Annotated[
        str | None, typer.Argument(help="Whose: it acts as this account. None: list all.")
    ] = None,
    label: Annotated[str, typer.Option("--for", help="What it is for.")] = "a program",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, screen, extract, manage, flows or monitor; may be repeated. Never more than the role has."
        ),
    ] = None,
    review: Annotated[str | None, typer.Option(help="The only review that it opens.")] = None,
    revoke: Annotated[
        str | None, typer.Option(metavar="ID", help="End the token of this id.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who makes or ends it.")] = "the operator",
    home: Home = None,
) -> None:
    """Keys for programs, sent as "Authorization: Bearer …".  Example: livereview token amina --for
    dashboard

    Scopes: read (pages, exports), screen, extract, manage (what leads do), flows (what nights need,
    for a lead's account), monitor (/metrics, likewise). A token ends for good when its account is
    closed or gets a new secret, role or reach.
    """
    with told(), Session(settings_of(home)) as client:
        if revoke:
            client.run(RevokeToken(id=revoke, by=by))
            out.print(f"token {revoke} is good no more")
        elif account:
            secret = f"lr_{secrets.token_urlsafe(32)}"
            made = client.run(
                AddToken(
                    account=account,
                    label=label,
                    scopes=scope or ["read"],
                    review=review,
                    secret=secret,
                    by=by,
                )
            )
            out.print(f"token {made.id}, shown this once: {secret}", markup=False, soft_wrap=True)
        else:
            for token in client.run(ListTokens()).tokens:
                where = token.review or "all reviews"
                columns = (token.id, token.account, "+".join(token.scopes), where, token.label)
                out.print("  ".join(columns), markup=False, soft_wrap=True)


@app.command()
def account(
    name: Annotated[str, typer.Argument(help="Who, e.g. amina.")],
    role: Annotated[
        str | None,
        typer.Option(help="lead, reviewer, adjudicator or reader; else as before, or reviewer."),
    ] = None,
    email: Annotated[str | None, typer.Option(help="Where digests go.")] = None,
    review: Annotated[
        list[str] | None,
        typer.Option("--review", help="May enter this one only; may be given again."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--every-review", help="May enter every review; so may new accounts.")
    ] = False,
    close: Annotated[
        bool, typer.Option(help="Shut the account; its votes stay where others voted too.")
    ] = False,
    yes: Yes = False,
    home: Home = None,
) -> None:
    """Open an account and print its sign-in secret, once.  Example: livereview account amina --role
    reviewer

    What changes or shuts an account is printed and asked first; `livereview acts` lists it, and
    takes it back.
    """
    with told(), Session(settings_of(home)) as client:
        if close:
            closing = PreviewAct(kind="close_account", review="", given={"name": name})
            closed = AccountClosed.model_validate(confirmed(client, yes, closing).result)
            out.print(
                f"{name} can no longer sign in; {closed.requeued:,} records with no vote but"
                " theirs wait again."
            )
            _tell_ended(name, closed.tokens_ended)
        else:
            secret = secrets.token_urlsafe(24)
            reviews = "*" if every else ",".join(review or ())
            given = {"name": name, "role": role or "", "email": email or "", "reviews": reviews}
            digest = sha256(secret.encode()).hexdigest()
            opened = _opened(client, yes, given, digest)
            where = ", ".join(opened.reviews) or "every review"
            out.print(
                f"{name} ({opened.role}, {where}) signs in with: {secret}",
                markup=False,
                soft_wrap=True,
            )
            _tell_ended(name, opened.tokens_ended)


def _opened(client: Client, yes: bool, given: dict[str, str], digest: str) -> AccountOpened:
    """Open an account at once where it is new; else say first what changes, and ask."""
    opening = PreviewAct(kind="open_account", review="", given=given)
    is_new = not client.run(opening).lines
    if is_new:
        done = client.run(carry_out(opening, secret_hash=digest))
    else:
        done = confirmed(client, yes, opening, secret_hash=digest)
    return AccountOpened.model_validate(done.result)


def _tell_ended(name: str, tokens: int) -> None:
    """A changed account's tokens are dead for good; whoever uses them needs others."""
    if tokens:
        many = "1 token" if tokens == 1 else f"{tokens} tokens"
        err.print(
            f"{many} of {name} ended for good; make others with: livereview token {name}",
            markup=False,
        )
