"""The command that pools effects: a case in, every estimate and diagnostic out, no database."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from livereview import files
from livereview.cli.terminal import app, told
from livereview.errors import Refused


@app.command()
def pool(
    case: Annotated[
        Path, typer.Argument(metavar="CASE", help="JSON, or a CSV sheet with a row per effect.")
    ],
    method: Annotated[str, typer.Option(help="EE, DL, HE, HS, SJ, ML, REML, EB or PM.")] = "REML",
    test: Annotated[
        str, typer.Option(help="z, knha (Knapp-Hartung) or adhoc (never narrower than z).")
    ] = "adhoc",
    every: Annotated[bool, typer.Option("--all", help="Every method with every test.")] = False,
    measure: Annotated[
        str, typer.Option(help="CSV: what the raw columns give, e.g. OR, SMD; GEN: yi and vi.")
    ] = "GEN",
    ratio: Annotated[
        bool, typer.Option(help="CSV: estimate and limits are ratios; take their logs.")
    ] = False,
    moderator: Annotated[
        list[str] | None, typer.Option(help="CSV: a column for meta-regression; repeat.")
    ] = None,
    level: Annotated[float, typer.Option(help="Of every interval, given or answered.")] = 0.95,
    prediction: Annotated[
        str, typer.Option(help="Its quantile: matched to the test, riley or k-1.")
    ] = "matched",
) -> None:
    """Pool effect sizes and print JSON.  Example: livereview pool case.json --method REML --test
    adhoc

    CASE is JSON with "measure" and "raw" columns, or "yi" and "vi"; or a CSV sheet with yi and vi,
    with estimate, ci_lower and ci_upper, or with raw columns and --measure. A cluster column adds
    three-level and robust models. What can't be estimated is null, with its reason under
    "not_estimable".
    """
    # brings scipy, which no other command waits for
    from livereview.statistics import pool_case, pool_report

    with told():
        body = _text(case)
        if _is_json(body, case):
            found = pool_case.read(_object(body, case))
        else:
            found = pool_case.read_rows(
                _rows(body), measure=measure, ratio=ratio, moderators=moderator or (), level=level
            )
        models = pool_report.EVERY if every else (f"{method}/{test}",)
        answer = pool_report.report(found, models, level=level, prediction=prediction)
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def _text(path: Path) -> str:
    try:
        return files.read(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8 text; save it as JSON or CSV in UTF-8") from None


def _is_json(body: str, path: Path) -> bool:
    return path.suffix.lower() == ".json" or body.lstrip()[:1] in ("{", "[")


def _object(body: str, path: Path) -> object:
    try:
        found: object = json.loads(body)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Refused(f"{path} is not JSON: {error}; a sheet must be named .csv") from None
    return found


def _rows(body: str) -> list[dict[str, str]]:
    """The rows of a sheet separated by commas, semicolons or tabs, whichever its first line has
    most of.
    """
    first = body.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = list(csv.DictReader(io.StringIO(body, newline=""), delimiter=separator, restval=""))
    except csv.Error as error:
        raise Refused(f"the sheet can't be read: {error}") from None
    if wide := [str(i) for i, row in enumerate(rows, 2) if None in row]:
        raise Refused(f"line {', '.join(wide)}: more cells than the first line names")
    return rows
