"""The command that brings the database of an older livereview up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from livereview.cli.terminal import Home, app, say, settings_of, told, warn
from livereview.client import must_exist, refuse_to_own

if TYPE_CHECKING:
    from livereview.settings import Settings
    from livereview.store.upgrading import Plan

MB = 1e6


@app.command()
def upgrade(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would happen; nothing is changed.")
    ] = False,
    trial: Annotated[
        bool, typer.Option("--try", help="With --check: do it to a copy, and say how long it took.")
    ] = False,
    home: Home = None,
) -> None:
    """Bring the database of an older livereview up to date, after a copy.  Example: livereview
    upgrade --check

    Stop the owner first. `livereview serve` does the same when it starts; no other command
    does.
    """
    from livereview.store.upgrading import plan

    with told():
        chosen = settings_of(home)
        refuse_to_own(chosen)
        must_exist(chosen)
        found = plan(chosen.database, trial=trial)
        _tell(found)
        if not found.fits:
            warn("There is not enough room: nothing would be changed. Make room first.")
            raise typer.Exit(1)
        if found.waiting and not check:
            _carry_out(chosen)
            say(f"The database is at migration {found.newest} now; start livereview serve.")


def _tell(plan: Plan) -> None:
    if not plan.waiting:
        say(f"Nothing is to be done: the database is at migration {plan.last}, as this livereview.")
        return
    say(f"The database goes from migration {plan.last} to {plan.newest}:")
    for migration in plan.waiting:
        seconds = plan.trial.steps.get(migration.number) if plan.trial else None
        took = "" if seconds is None else f" [{seconds:.2f} s]"
        say(f"  {migration.number:04d}{took} {migration.words or migration.name}")
        say(f"       {', '.join(dict.fromkeys(migration.changes))}")
    say(
        f"Before that a copy of the file ({plan.size / MB:,.0f} MB) is kept in backups/, as"
        f" before-migration-{plan.newest:04d}-….duckdb: it is the way back."
    )
    say(f"{plan.needed / MB:,.0f} MB must be free on its disk; {plan.free / MB:,.0f} MB are.")
    if plan.trial:
        total = plan.trial.copying + plan.trial.deriving + sum(plan.trial.steps.values())
        say(
            f"On a copy it took {total:.1f} s: {plan.trial.copying:.1f} s to copy,"
            f" {sum(plan.trial.steps.values()):.1f} s to change, {plan.trial.deriving:.1f} s to derive again."
        )


def _carry_out(settings: Settings) -> None:
    """As the start of `serve` does."""
    from datetime import UTC, datetime

    from livereview.ops import cleaning
    from livereview.ops.advice import advice
    from livereview.store.open import Store

    with (
        advice(settings.home, settings.backup),
        Store(settings.database, settings.memory, settings.threads, settings.reserve) as store,
    ):
        cleaning.catch_up(store, datetime.now(UTC))
