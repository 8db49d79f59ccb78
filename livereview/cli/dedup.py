"""The command on duplicates: found in files, or explained of two stored records."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from livereview.cli.terminal import Home, app, say, settings_of, told
from livereview.errors import Refused
from livereview.settings import Settings


class EngineName(StrEnum):
    """Who compares the records."""

    MEMORY = "memory"
    FILES = "files"
    DASK = "dask"


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
    engine: Annotated[
        EngineName,
        typer.Option(
            help="memory: all at once; files: in parts, in this process, for more records than "
            "memory holds; dask: in parts, by several processes or machines."
        ),
    ] = EngineName.MEMORY,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler to use, such as tcp://10.0.0.4:8786; none: this machine."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Dask processes to start where no scheduler is named.")
    ] = 2,
    memory: Annotated[str, typer.Option(help="What each of these processes may use.")] = "2GB",
    part: Annotated[int, typer.Option(min=2, help="Records in a part.")] = 20_000,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where parts are kept meanwhile; every worker must reach it."),
    ] = None,
    home: Home = None,
) -> None:
    """Deduplicate files without a database.  Example: livereview dedup a.ris b.csv.gz --out
    clusters.csv

    livereview dedup explain A B  tells why two stored records are, or are not, taken for one
    publication. The answer is the same, byte for byte, whichever engine works it out.
    """
    with told():
        if paths[0] == "explain" and len(paths) == 3 and not to:
            explain(paths[1], paths[2], settings_of(home))
            return
        if to is None:
            raise Refused("say where to write the clusters: --out clusters.csv")
        files = [Path(path) for path in paths]
        _refuse_at_once(engine, scheduler, folder, [path for path in (to, doubtful) if path])
        if engine is EngineName.MEMORY:
            from livereview import dedup_files

            done = dedup_files.run(files, to, doubtful, _tell)
        else:
            from livereview.batches import engines
            from livereview.batches.run import run

            with engines.named(engine.value, scheduler, workers, memory) as chosen:
                done = run(
                    files, to, chosen, doubtful=doubtful, folder=folder, size=part, progress=_tell
                )
        say(str(done))


def _refuse_at_once(
    engine: EngineName, scheduler: str | None, folder: Path | None, outputs: list[Path]
) -> None:
    """Refuse what would only be found out after hours of comparing, or would be ignored."""
    if scheduler and engine is not EngineName.DASK:
        raise Refused(f"--scheduler is for --engine dask, and the engine is {engine.value}")
    if folder and engine is EngineName.MEMORY:
        raise Refused("--folder is for --engine files or dask: memory keeps no parts")
    for output in outputs:
        if not output.parent.is_dir():
            raise Refused(f"{output} can't be written: there is no folder {output.parent}")


def _tell(step: str) -> None:
    typer.echo(step, err=True)


def explain(left: str, right: str, chosen: Settings) -> None:
    """Print the words of `livereview.ops.screen.explain`."""
    from livereview.client import Session
    from livereview.commands import ExplainPair

    with Session(chosen) as client:
        say(client.run(ExplainPair(left=left, right=right)).text)
