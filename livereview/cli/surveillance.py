"""Commands that keep a review alive: its protocol, its searches and what became of them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from livereview import logs, review_toml
from livereview.cli.acts import Yes, confirmed, protocol_effect
from livereview.cli.console import err, out
from livereview.cli.terminal import (
    Home,
    Protocol,
    ReviewId,
    app,
    moment,
    protocol_file,
    put_in_force_by,
    register,
    settings_of,
    told,
    warn,
)
from livereview.client import Session, wait_for_owner
from livereview.commands import (
    CheckMayBegin,
    CheckReadiness,
    LoseNight,
    PreviewAct,
    ReadLedger,
    ReadProtocol,
    ReadStatus,
    Register,
)
from livereview.commands.wire import encode_answer
from livereview.errors import Refused


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to put the new review.")] = Path(),
) -> None:
    """Write a commented review.toml to start from.  Example: livereview init my-review"""
    with told():
        path = folder / "review.toml"
        if path.exists():
            raise Refused(f"{path} exists; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(review_toml.template(), encoding="utf-8")
    out.print(
        f"Wrote {path}. Edit it, then: livereview surveil --protocol {path} --review ID",
        markup=False,
    )


@app.command()
def surveil(
    review: ReviewId,
    protocol: Protocol = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this search; may be given again.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="Take this ISO time as the present (for replays).")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Keep every answer in this folder.")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Take the answers from this recording, not the network.")
    ] = None,
    clock_is_right: Annotated[
        bool,
        typer.Option("--clock-is-right", help="Search although earlier nights carry later times."),
    ] = False,
    home: Home = None,
) -> None:
    """Run tonight's searches now.  Example: livereview surveil --review signs-of-safety

    Exits 1 if any search did not run through; what the others brought is kept and published.
    """
    from livereview import night

    with told():
        chosen, path = settings_of(home), protocol_file(review, protocol)
        when = moment(now)
        with Session(chosen, may_make=protocol is not None) as client:
            # a wrong id or clock must not cost the half minute that Prefect takes to start
            client.run(CheckMayBegin(review=review, now=when, clock_is_right=clock_is_right))
            register(client, review, protocol)
            client.run(ReadProtocol(review=review))
        try:
            state = night.run(
                chosen,
                review,
                path,
                only=only,
                now=now,
                record=record,
                recording=replay,
                clock_is_right=clock_is_right,
            )
        except night.PrefectAway as away:
            with Session(chosen) as client:
                client.run(LoseNight(review=review, what="a night by hand", reason=away.message))
            raise
    if state.note:
        out.print(state.note, markup=False, soft_wrap=True)
        return
    out.print(night.table(state.endings))
    tell_problem(state.problem)


@app.command("register")
def register_(
    protocols: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="A review.toml; several are fine.")
    ],
    yes: Yes = False,
    home: Home = None,
) -> None:
    """Put a protocol in force without searching.

    The schedule follows it.  Example: livereview register review.toml

    Where it moves reports that are settled (more votes, another stage), that is printed and asked
    first.
    """
    with told():
        # all are read before one is put in force
        reviews = [review_toml.load(path) for path in protocols]
        with Session(settings_of(home)) as client:
            for review in reviews:
                if author := put_in_force_by(client, review.id, review.text):
                    warn(f"{review.id}: this replaces what {author} put in force in the room")
                if protocol_effect(client, review.id, review.text):
                    given = {"text": review.text}
                    confirmed(
                        client, yes, PreviewAct(kind="protocol", review=review.id, given=given)
                    )
                else:
                    client.run(Register(text=review.text))
                out.print(
                    f"{review.id}: in force, {len(review.searches)} searches",
                    markup=False,
                    soft_wrap=True,
                )


@app.command()
def schedule(
    review: Annotated[
        list[str] | None,
        typer.Option(
            "--review", help="Only this review; may be given again. Else all, new ones too."
        ),
    ] = None,
    protocol: Annotated[
        Path | None, typer.Option(help="Put this review.toml in force first.")
    ] = None,
    every: Annotated[
        float, typer.Option(min=1, help="Seconds between two looks at what is in force.")
    ] = 60,
    home: Home = None,
) -> None:
    """Serve the schedule of all reviews until stopped.

    Needs a Prefect server (PREFECT_API_URL) and an owner.

    Follows the protocols in force: what `register` changes is served within a minute.  Example:
    livereview schedule
    """
    with told():
        if not os.environ.get("PREFECT_API_URL"):
            raise Refused(
                "PREFECT_API_URL is not set. Start `prefect server start` and set PREFECT_API_URL=http://127.0.0.1:4200/api"
            )
        chosen = settings_of(home)
        logs.start(sys.stderr, chosen.log_format, chosen.log_level)
        os.environ["LIVEREVIEW_HOME"] = str(chosen.home)  # the flows are processes of their own
        client = wait_for_owner(chosen)
        try:
            for name in review or []:
                register(client, name, protocol)
                client.run(ReadProtocol(review=name))
        finally:
            client.close()
        from livereview.night import flow_module

        flow_module("schedule").run(chosen, review or [], every)


@app.command()
def recheck(
    review: ReviewId,
    now: Annotated[
        str | None, typer.Option(help="Take this ISO time as the present (for replays).")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Keep every answer in this folder.")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Take the answers from this recording, not the network.")
    ] = None,
    home: Home = None,
) -> None:
    """Look included and queued reports up again for retractions.  Example: livereview recheck
    --review R

    Only reports that were not looked up in the last 29 days are asked for. Open copies of full
    texts that are sought are fetched from where the answers say they are. Exits 1 if a source did
    not answer.
    """
    from livereview import night

    with told():
        chosen = settings_of(home)
        moment(now)
        with Session(chosen) as client:
            client.run(ReadProtocol(review=review))
        state = night.recheck(chosen, review, now=now, record=record, recording=replay)
    if not state.endings:
        out.print(
            "Nothing is due: every report was looked up in the last 29 days, or there is none."
        )
        return
    out.print(night.table(state.endings))
    tell_problem(state.problem)


def tell_problem(problem: str | None) -> None:
    """Say what did not run through, and exit 1; nothing where all did."""
    if problem:
        err.print(problem, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1)


@app.command()
def ledger(
    review: ReviewId,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with every detail.")] = False,
    home: Home = None,
) -> None:
    """Every run of every search, newest first.  Example: livereview ledger --review R"""
    from livereview import night

    with told(), Session(settings_of(home)) as client:
        attempts = client.run(ReadLedger(review=review)).attempts
    if as_json:
        plain = [encode_answer(attempt) for attempt in attempts]
        sys.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
    elif not attempts:
        out.print(f"No search has run yet. Start one: livereview surveil --review {review}")
    else:
        out.print(night.ledger(attempts))


@app.command()
def status(
    review: Annotated[str | None, typer.Option(help="Only this review.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    home: Home = None,
) -> None:
    """What each search did, what waits, what is published. Exits 1 if there is an alarm."""
    from livereview import night

    with told(), Session(settings_of(home)) as client:
        status = client.run(ReadStatus(review=review or None))
        checks = client.run(CheckReadiness()).checks
    unready = [check for check in checks if not check.ok]
    for alarm in status.service:
        warn(f"ALARM {alarm}")
    for check in unready:
        warn(f"NOT READY {check.name}: {check.words}")
    if as_json:
        plain = [encode_answer(each) for each in status.reviews]
        sys.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
    elif not status.reviews:
        out.print("No review yet. Start one: livereview init my-review")
    else:
        for each in status.reviews:
            night.show_status(each, out)
    alarmed = any(each.alarms for each in status.reviews)
    if status.service or unready or alarmed:
        raise typer.Exit(1)
