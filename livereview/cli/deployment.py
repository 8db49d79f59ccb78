"""The command that brings a Prefect server up to date, for nights on several workers."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from livereview.cli.acts import NOT_CONFIRMED, Yes
from livereview.cli.terminal import Home, app, say, settings_of, told
from livereview.errors import Refused
from livereview.settings import sealed


@app.command()
def deploy(
    pool: Annotated[
        str, typer.Option(help="Work pool of the workers; made where it is not there.")
    ] = "livereview",
    pool_type: Annotated[
        str,
        typer.Option(help="Kind of a pool that is made: process, docker, kubernetes, ..."),
    ] = "process",
    alerts_to: Annotated[
        str,
        typer.Option(
            help="Address (https) to which Prefect posts when nights go wrong; it stays until another is given."
        ),
    ] = "",
    yes: Yes = False,
    home: Home = None,
) -> None:
    """Make the nights of all reviews in force on a Prefect server, for any number of workers.

    Example: livereview deploy

    Needs PREFECT_API_URL and an owner. Says first what it will change, and asks. Run again it
    changes what is not as it should be; from then on a run each five minutes follows the protocols
    in force. On one machine livereview schedule does all of it.
    """
    with told():
        if not os.environ.get("PREFECT_API_URL"):
            raise Refused(
                "PREFECT_API_URL is not set; name the Prefect server, such as PREFECT_API_URL=http://127.0.0.1:4200/api"
            )
        if alerts_to and not sealed(alerts_to):
            raise Refused(f"--alerts-to must be like https://host/path; got {alerts_to!r}")
        from livereview.night import flow_module, prefect_must_answer

        prefect_must_answer()
        flow_module("deploy").bring_up_to_date(
            settings_of(home),
            pool=pool,
            pool_type=pool_type,
            alerts=alerts_to,
            say=say,
            agreed=lambda: yes or (sys.stdin.isatty() and typer.confirm("Do it?")),
            refused=NOT_CONFIRMED,
        )
