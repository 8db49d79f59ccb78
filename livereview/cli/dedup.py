"""The command on duplicates: found in files, or explained of two stored records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from livereview.cli.terminal import Home, app, say, settings_of, told
from livereview.errors import Refused
from livereview.settings import Settings


@app.command()
def dedup(
    paths: Annotated[
        list[str], typer.Argument(metavar="FILE...|explain A B", help="CSV or RIS; .gz is fine.")
    ],
    to: Annotated[
        Path | None, typer.Option("--out", help="CSV to write: record_id,cluster_id.")
    ] = None,
    doubtful: Annotated[
        Path | None, typer.Option(help="CSV to write: pairs for a person to judge.")
    ] = None,
    home: Home = None,
) -> None:
    """Deduplicate files without a database.  Example: livereview dedup a.ris b.csv.gz --out
    clusters.csv

    livereview dedup explain A B  tells why two stored records are, or are not, taken for one
    publication.
    """
    with told():
        if paths[0] == "explain" and len(paths) == 3 and not to:
            explain(paths[1], paths[2], settings_of(home))
            return
        if to is None:
            raise Refused("say where to write the clusters: --out clusters.csv")
        from livereview import dedup_files

        done = dedup_files.run(
            [Path(path) for path in paths], to, doubtful, lambda step: typer.echo(step, err=True)
        )
        say(str(done))


def explain(left: str, right: str, chosen: Settings) -> None:
    """Print the words of `livereview.ops.screen.explain`."""
    from livereview.client import Session
    from livereview.commands import ExplainPair

    with Session(chosen) as client:
        say(client.run(ExplainPair(left=left, right=right)).text)
