"""Commands on ranking: a finished review replayed, to see what ranking would have saved and where
rules would stop.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from rich.progress import Progress
from rich.table import Table

from livereview import files, packed
from livereview.cli.acts import Yes, confirmed
from livereview.cli.console import err, out
from livereview.cli.terminal import Home, ReviewId, app, settings_of, told
from livereview.client import Session
from livereview.commands import DrawAudit, ExplainRank, PreviewAct, ReadOn, SettleOutbox
from livereview.commands.screening import Stopped
from livereview.errors import Refused

if TYPE_CHECKING:  # scikit-learn takes a second to import, which no other command waits for
    from livereview.ranking.features import Text
    from livereview.ranking.metrics import Metrics
    from livereview.ranking.simulate import Expectations, Verdict

COLUMNS = ("record_id", "title", "abstract", "label_included")
LABELS = {"1": 1, "1.0": 1, "true": 1, "0": 0, "0.0": 0, "false": 0}
rank = typer.Typer(help="Order what is left to read; see what that saves.", no_args_is_help=True)
app.add_typer(rank, name="rank")


@rank.callback()
def rank_() -> None:
    """Order what is left to read; see what that saves."""


@rank.command("simulate")
def simulate_(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help=f"CSV, .gz is fine, with {', '.join(COLUMNS)}.")
    ],
    to: Annotated[Path, typer.Option("--out", help="The order to write, one record id a line.")],
    seed: Annotated[
        int, typer.Option(help="Draws the records to begin with, if --priors does not name them.")
    ] = 0,
    priors: Annotated[
        Path | None, typer.Option(help="Record ids known from the start, one a line.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="The recall curve to draw, .svg or .png.")
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="What was expected to be left, with the labels, as a line of JSON; takes longer."
        ),
    ] = None,
) -> None:
    """Read a finished review again in ranked order.  Example: livereview rank simulate mine.csv.gz
    --out order.txt

    Prints how good the order was and where rules for stopping would have ended the reading, at
    which recall. Records known from the start come first in the order and are left out of the
    measures. The calibrated rule is among the rules where --scores has the model asked, now and
    then, how many relevant records it expects among the unread.
    """
    from livereview.ranking import curve, png, simulate
    from livereview.ranking.metrics import metrics, sequence

    with told():
        if plot and plot.suffix.lower() not in (".svg", ".png"):
            raise Refused(f"{plot}: the curve is drawn as SVG or PNG; name the file .svg or .png")
        texts, truth = labelled(data)
        known = named(priors, truth) if priors else simulate.priors(truth, seed)
        found, expectations = read_again(texts, truth, known, seed, asked=scores is not None)
        labels = sequence(found, truth, known)
        expected = expectations.scores(len(labels)) if expectations else None
        measured, verdicts = metrics(labels), simulate.verdicts(labels, scores=expected)
        write(to, "".join(f"{record}\n" for record in (*known, *found)))
        if scores is not None and expected is not None:
            topic = data.name.split(".")[0]
            write(scores, simulate.line(topic, f"livereview-seed{seed}", labels, expected))
        if plot:
            name, stops = f"Recall curve of {data.name}", [(v.rule, v.read) for v in verdicts]
            svg = plot.suffix.lower() == ".svg"
            write(plot, curve.svg(labels, name, stops) if svg else png.png(labels, name, stops))
        show(measured, verdicts, known)


Lead = Annotated[str, typer.Option(help="The lead who signs.")]
Note = Annotated[
    str | None, typer.Option(help="Why; needed where the test does not support stopping.")
]


@rank.command("stop")
def stop_(
    review: ReviewId, by: Lead, note: Note = None, yes: Yes = False, home: Home = None
) -> None:
    """Leave the rest unread, and say so in public.  Example: livereview rank stop --review R --by
    lena

    It ends by itself when a new report comes or the protocol changes. Half-screened reports are
    read to the end.
    """
    with told(), Session(settings_of(home)) as client:
        stop = PreviewAct(
            kind="stop_reading", review=review, given={}, author=by, reason=note or " "
        )
        stopped = Stopped.model_validate(confirmed(client, yes, stop).result)
        client.run(SettleOutbox())
    test = stopped.told
    if test["low"] is None:
        least = "nothing found yet"
    else:
        least = f"at least {test['low']:.0%} found"
    out.print(
        f"reading stopped after {test['read']:,} of {test['total']:,}: {least}", highlight=False
    )


@rank.command("read-on")
def read_on_(review: ReviewId, by: Lead, note: Note = None, home: Home = None) -> None:
    """Take a stop back.  Example: livereview rank read-on --review R --by lena"""
    with told(), Session(settings_of(home)) as client:
        client.run(ReadOn(id=uuid4().hex, review=review, by=by, note=note))
        client.run(SettleOutbox())
    out.print("everything unread waits again")


@rank.command("audit")
def audit_(
    review: ReviewId,
    by: Lead,
    number: Annotated[int, typer.Option(help="How many of the unread to draw.")] = 100,
    home: Home = None,
) -> None:
    """Draw some of the unread at random, to be read first.  Example: livereview rank audit --review
    R --by lena

    What they tell of recall stands on the lead's page: an interval, never a certificate.
    """
    with told(), Session(settings_of(home)) as client:
        done = client.run(DrawAudit(id=uuid4().hex, review=review, by=by, number=number))
    out.print(
        f"{done.drawn:,} of {done.unread:,} unread reports drawn; they come first in every queue"
    )


@rank.command("why")
def why_(
    review: ReviewId,
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="A record id, DOI, pmid:… or title.")
    ],
    home: Home = None,
) -> None:
    """The words that moved a record's rank.  Example: livereview rank why --review R 10.1000/trial1"""
    with told(), Session(settings_of(home)) as client:
        why = client.run(ExplainRank(review=review, record=record))
    table = Table("word or words", "moved the score by")
    for share in why.terms:
        table.add_row(share.term, f"{share.contribution:+.2f}")
    table.add_row("everything else", f"{why.remainder:+.2f}")
    out.print(f"place {why.place or '-'}, score {why.score:.2f}", highlight=False)
    out.print(table)


def labelled(path: Path) -> tuple[list[Text], dict[str, int]]:
    """The texts and labels (1 relevant, 0 not) of a sheet.

    Raises:
        Refused: for what is not such a sheet.
    """
    from livereview.ranking.features import Text, repeated

    csv.field_size_limit(packed.LARGEST)
    try:
        rows = csv.DictReader(
            io.StringIO(files.read(path).decode("utf-8-sig"), newline=""), restval=""
        )
        head = rows.fieldnames or ()
        if lacking := [name for name in COLUMNS if name not in head]:
            raise Refused(
                f"{path} has no column {', '.join(lacking)}; its columns are {', '.join(head) or 'none'}"
            )
        found = [
            (Text(row["record_id"].strip(), row["title"], row["abstract"]), row["label_included"])
            for row in rows
        ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path} is not a CSV sheet in UTF-8: {error}; save it as one") from None
    if (
        nameless := next((n for n, (text, _) in enumerate(found, 1) if not text.record_id), None)
    ) is not None:
        raise Refused(
            f"{path}: record {nameless} has no record_id; give each record an id of its own"
        )
    truth = {
        text.record_id: _label(label, line, path) for line, (text, label) in enumerate(found, 2)
    }
    texts = [text for text, _ in found]
    if (twice := repeated(text.record_id for text in texts)) is not None:
        raise Refused(f"{path}: record id {twice!r} comes twice; give each record an id of its own")
    return texts, truth


def _label(text: str, line: int, path: Path) -> int:
    if (label := LABELS.get(text.strip().lower())) is None:
        raise Refused(
            f"{path}, record {line - 1}: label_included is {text!r}; write 1 (relevant) or 0, or drop the record"
        )
    return label


def named(path: Path, truth: dict[str, int]) -> tuple[str, ...]:
    """The record ids of a file, in its order.

    Raises:
        Refused: for one that the sheet does not have.
    """
    try:
        found = dict.fromkeys(
            line.strip()
            for line in files.read(path).decode("utf-8-sig").splitlines()
            if line.strip()
        )
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8 text; write record ids, one a line") from None
    if unknown := [one for one in found if one not in truth]:
        raise Refused(
            f"{path} names {unknown[0]!r}, which the sheet does not have; write its record ids, one a line"
        )
    return tuple(found)


def read_again(
    texts: Sequence[Text],
    truth: dict[str, int],
    known: Sequence[str],
    seed: int,
    asked: bool = False,
) -> tuple[tuple[str, ...], Expectations | None]:
    """The order in which the records not known before would have been read, with a bar on the
    terminal.

    Args:
        asked: Whether the model is asked what it expects to be left, which is the second answer.
    """
    from livereview.ranking import simulate
    from livereview.ranking.features import build

    if len({label for one, label in truth.items() if one not in known}) < 2:
        raise Refused(
            "leave a relevant and an irrelevant record to be found, beside those known before"
        )
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("reading the words", total=None)
        features = build(texts)
        progress.update(task, description="reading again", total=len(truth) - len(known))
        expectations = simulate.Expectations(features, seed) if asked else None
        order = simulate.replay(
            features,
            truth,
            known,
            seed,
            tick=lambda read: progress.update(task, completed=read),
            watch=expectations,
        )
        return order, expectations


def write(path: Path, content: str | bytes) -> None:
    try:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise Refused(f"{path} can't be written: {error}; choose another place") from None


def show(measured: Metrics, verdicts: Sequence[Verdict], known: Sequence[str]) -> None:
    head = f"records {measured.records:,}   relevant {measured.relevant:,}   known before {', '.join(known) or 'none'}"
    found = f"recall@10% {measured.recall_10:.4f}   WSS@95 {measured.wss_95:.4f}   ATD {measured.atd:.4f}"
    out.print(head, markup=False, highlight=False, soft_wrap=True)
    out.print(
        f"{found}   loss {measured.loss:.4f}   NDCG {measured.ndcg:.4f}",
        highlight=False,
        soft_wrap=True,
    )
    table = Table("rule for stopping", "read", "of all", "true recall")
    for verdict in verdicts:
        share = verdict.read / measured.records
        table.add_row(verdict.rule, f"{verdict.read:,}", f"{share:.1%}", f"{verdict.recall:.3f}")
    out.print(table)
