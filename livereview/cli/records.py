"""Commands on records: files taken in or read, reports made again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from livereview import files, sources
from livereview.cli.console import err, out
from livereview.cli.terminal import (
    Home,
    Protocol,
    ReviewId,
    app,
    protocol_file,
    register,
    settings_of,
    told,
)
from livereview.client import Session
from livereview.commands import ImportFile, ReadStatus, Rebuild, SettleOutbox
from livereview.commands.screening import Move
from livereview.errors import Refused, Retry, SourceBroken
from livereview.packed import Packed
from livereview.sources import columns as table_columns
from livereview.sources.protocol import Page, Query, Source

Columns = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD=HEADING,...",
        help='Of a table whose headings say too little: which holds what, e.g. title=Primary,year="Pub Year".',
    ),
]


@app.command("import")
def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Exports; .gz and .zip are fine.")
    ],
    review: ReviewId,
    source: Annotated[
        str | None, typer.Option(help="What the files are, e.g. ris; guessed if not given.")
    ] = None,
    grey: Annotated[
        bool, typer.Option(help="Count them under other methods, not databases.")
    ] = False,
    columns: Columns = None,
    protocol: Protocol = None,
    home: Home = None,
) -> None:
    """Take in files exported elsewhere.  Example: livereview import --review youth-homelessness
    *.ris.gz
    """
    table = Table("file", "kind", "found", "new", "rejected", "outcome")
    with told():
        named = table_columns.mapped(columns) if columns else {}
        protocol_file(review, protocol)  # a broken one is refused before a database is made for it
    new = protocol is not None
    with (
        told(),
        Session(settings_of(home), may_make=new) as client,
        Progress(console=err, transient=True) as progress,
    ):
        register(client, review, protocol)
        exports: list[Packed] = []
        unread: list[str] = []
        for path in paths:
            exports += files.read_all(path)
        for export in progress.track(exports, description="importing"):
            try:
                kind = source or _kind(export, named)
                imported = client.run(
                    ImportFile(
                        review=review,
                        source=kind,
                        name=export.name,
                        body=export.body,
                        grey=grey,
                        columns=named,
                    )
                )
            except SourceBroken as error:
                if not export.archived:
                    raise
                unread.append(export.name)  # Rayyan packs a log of its own beside the records
                err.print(f"{export.name}: {error}", style="red", markup=False, soft_wrap=True)
                table.add_row(export.name, "", "", "", "", "not read")
                continue
            for note in imported.notes:
                err.print(f"{export.name}: {note}", style="yellow", markup=False, soft_wrap=True)
            outcome = "known already" if imported.known else imported.outcome
            counts = (imported.found, imported.fresh, imported.rejected)
            table.add_row(export.name, kind, *map(str, counts), outcome)
        flow = client.run(ReadStatus(review=review)).reviews[0].flow
        client.run(SettleOutbox())
    out.print(table)
    found = flow["databases"] + flow["other"]
    out.print(
        f"found {found:,}   duplicates {flow['duplicates']:,}   queued {flow['awaiting_screening']:,}"
    )
    if exports and len(unread) == len(exports):
        raise typer.Exit(3)


def _kind(export: Packed, named: dict[str, str]) -> str:
    """The source that reads an export: a table's where columns of it were named."""
    if named:
        return table_columns.TABLES
    return files.guess(export.body, export.name)


@app.command()
def parse(
    source: Annotated[str, typer.Argument(help="Name of a source, or package.module:Attribute.")],
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    columns: Columns = None,
) -> None:
    """Print what a source reads from files, one JSON object a line.  Example: livereview parse ris
    export.ris

    Exits 3, with the reason on standard error, if a file is not that source's at all.
    """
    broken = False
    with told():
        reader = sources.find(source)
        named = table_columns.mapped(columns) if columns else {}
        for path in paths:
            try:
                page = _page(reader, files.read(path), named)
            except (SourceBroken, Retry) as error:
                err.print(f"{path}: {error}", style="red", markup=False, soft_wrap=True)
                broken = True
                continue
            for note in page.notes:
                err.print(f"{path}: {note}", style="yellow", markup=False, soft_wrap=True)
            for line in files.lines(page):
                sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    if broken:
        raise typer.Exit(3)


def _page(reader: Source, body: bytes, named: dict[str, str]) -> Page:
    """What the source reads from a file, by the columns that were named, if any were."""
    if not named:
        return reader.parse(body, None)
    if reader.name != table_columns.TABLES or reader.read is None:
        raise Refused(f"--columns is for tables (csv), and this is {reader.name}")
    return reader.read(body, Query(filters=table_columns.as_filters(named)))


@app.command("sources")
def sources_() -> None:
    """List the sources: which can be searched, which read files, and the settings they look for."""
    table = Table("source", "what it is", "searched or imported", "settings")
    for name, source in sorted(sources.SOURCES.items()):
        way = "imported" if source.request is None else "searched"
        table.add_row(name, source.title, way, ", ".join(source.secrets))
    out.print(table)


@app.command()
def tools() -> None:
    """List the tools of appraisal that an extraction may name: domains and judgements.

    A protocol may add its own.
    """
    from livereview.evidence.appraisal import TOOLS

    table = Table("tool", "domains", "judgements, best first", "source")
    for tool in TOOLS.values():
        domains = ", ".join(domain for domain, _ in tool.domains)
        table.add_row(tool.name, domains, ", ".join(tool.judgements), tool.source)
    out.print(table)


@app.command()
def rebuild(
    home: Home = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Let reports join and part as the rules now say.")
    ] = False,
) -> None:
    """Judge all pairs again by the rules in force; make the reports and the blocking keys again.

    Where reports would join or part, it lists them and the decisions on them, and changes nothing
    without --yes. What people decided is untouched.
    """
    with told(), Session(settings_of(home)) as client:
        rejudged = client.run(Rebuild(yes=yes))
    for move in rejudged.moves:
        _show_move(move)
    if rejudged.done:
        out.print(
            f"{rejudged.records:,} records settled again; {rejudged.changed:,} verdicts changed"
        )
        return
    out.print(
        f"{len(rejudged.moves):,} moves by the rules of version {rejudged.rules_version};"
        " nothing was changed: give --yes to let them happen"
    )


def _show_move(move: Move) -> None:
    words = {"join": "these reports become one", "part": "this report becomes several"}
    out.print(words[move.kind])
    for report in move.reports:
        titles = [f"{record} {move.titles[record]}" for record in report]
        out.print(f"  {'; '.join(titles)}", markup=False)
    for decision in move.decisions:
        out.print(
            f"    {decision['review']}: {decision['reviewer']} decided {decision['verdict']}"
            f" on {decision['record']} ({decision['stage']})",
            markup=False,
        )
