"""The main job on a small scale: three nights of a real review, with people's work between them,
without network.

The answers of the sources are recordings served by a local server; everything else is the service
itself.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from livereview import files, night, ops, settings
from livereview.client import Client, Local, Session
from livereview.commands import (
    FindRecord,
    ImportFile,
    Judge,
    OpenReview,
    Rate,
    ReadStatus,
    Register,
    SettleOutbox,
    SettleTip,
    SignOff,
)
from livereview.commands.publishing import Published
from livereview.errors import Refused
from livereview.records import record_id
from livereview.settings import Settings

# where a wheel has what is `examples` in a checkout
_packaged = Path(__file__).resolve().parent / "_examples"
if _packaged.is_dir():
    EXAMPLES = _packaged
else:
    EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
REVIEW = "youth-homelessness"
NIGHTS = tuple(datetime(2026, month, 1, 2, tzinfo=UTC) for month in (3, 4, 5))
MARK = ".livereview-demo"

SIGNS = "signs-of-safety"
TIPPED, LATER = "tipped-", "later-"
"""How the files are named of what a reader told of, and of what became public after the review began."""

TIP: dict[str, Any] = {
    "title": "Signs of effectiveness of signs of safety? – A pilot study",
    "link": "",
    "note": "A Dutch study with a comparison group; the thesis of 2017 is on the same families.",
}
COMMENT = (
    "You say that hardly any study has measured it. There is a Dutch pilot study with a comparison "
    "group of 20 families; I have sent you its title."
)
RESPONSE = (
    "Thank you. Both reports are in the review now, as one study: they are on the same 40 families."
)
"""What a made-up reader and the made-up team say in the consultation on the first version."""

LATER_STUDIES = ("second-english-evaluation", "roses-2020")
"""Those of them that the team's statements cite."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one night and the day after it did."""

    number: int
    when: datetime
    ran: night.Night
    decisions: int
    extractions: int
    flow: dict[str, int]
    published: Published


def run(home: Path, out: Console) -> list[Step]:
    """Build the demo under `home`, print what each night did and where the page is."""
    if not EXAMPLES.is_dir():
        raise Refused("the examples come with the source tree; run this in a checkout")
    fresh(home)
    os.environ.setdefault("PREFECT_HOME", str((home / "prefect").resolve()))
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    chosen = settings.read({}, home)
    out.print("Three nights of the example review; starting Prefect takes a while the first time …")
    steps = [step(chosen, number, when, out) for number, when in enumerate(NIGHTS, start=1)]
    with Session(chosen) as client:
        rate(client, REVIEW, NIGHTS[-1] + timedelta(hours=10))
    seed(chosen)
    out.print(table(steps))
    out.print(
        "ok: searches that ran through; repeats (duplicates) and included reports: so far",
        style="dim",
    )
    out.print("\nWhat to look at:", markup=False)
    for line in guide(chosen, home):
        out.print(line, soft_wrap=True, markup=False)
    return steps


def guide(chosen: Settings, home: Path) -> tuple[str, ...]:
    """What to look at and how to go on, a line each."""
    latest = Path("latest") / "index.html"
    return (
        f"a finished page:      {chosen.site / REVIEW / latest}",
        f"an answer that moved: {chosen.site / SIGNS / latest} (what changed, and its map)",
        f"all reviews:          {chosen.site / 'index.html'}",
        f"screen, extract, sign: livereview account amina --role lead --home {home} && "
        f"livereview serve --home {home}",
    )


def fresh(home: Path) -> None:
    """An empty folder, emptied only if an earlier demo made it."""
    if home.exists() and any(home.iterdir()) and not (home / MARK).exists():
        raise Refused(f"{home} has files that no demo made; choose another --home")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / MARK).touch()


def step(chosen: Settings, number: int, when: datetime, out: Console) -> Step:
    """One night through the real flow, then the reviewers' decisions and extractions of the
    following day.
    """
    folder = EXAMPLES / REVIEW
    ran = night.run(
        chosen,
        REVIEW,
        folder / "review.toml",
        now=when.isoformat(),
        recording=folder / "nights" / str(number),
    )
    for ending in ran.endings:
        if not ending.ran_through:
            out.print(
                f"night {number}: {ending.name} {ending.outcome}: {ending.error}",
                style="red",
                markup=False,
            )
    day = when + timedelta(hours=8)
    with Session(chosen) as client:
        report = files.decide(
            client, REVIEW, folder / "decisions" / f"night-{number}.csv", day, lambda: None
        )
        if report.refused:
            raise Refused(f"decisions of night {number}: {report.refused[:3]}")
        if when == NIGHTS[-1]:
            code(client, REVIEW, folder / "codes.csv", day)
        sheets = sorted((folder / "extractions").glob(f"{number}-*.json"))
        for sheet in sheets:
            files.extract(client, REVIEW, sheet, "amina", day)
        if number == 1:
            client.run(OpenReview(id="opening", review=REVIEW, by="lena", now=day))
        published = client.run(SettleOutbox(now=day)).reviews[REVIEW]
        if published.held:
            client.run(SignOff(id=f"night-{number}", review=REVIEW, by="lena", now=day))
            published = client.run(SettleOutbox(now=day)).reviews[REVIEW]
        flow = client.run(ReadStatus(review=REVIEW, now=day)).reviews[0].flow
    out.print(f"night {number}: {sentence(ran, report.written, published)}", markup=False)
    if published.problem is not None:
        raise Refused(f"night {number} was not published: {published.problem}")
    return Step(number, when, ran, report.written, len(sheets), flow, published)


def sentence(ran: night.Night, decisions: int, published: Published) -> str:
    """A night in a line, as it ends."""
    new = sum(ending.fresh for ending in ran.endings)
    page = "the page stands"
    if published.new:
        needed_no_name = published.change in ("first", "figures_updated")
        signed = "" if needed_no_name else ", signed by the lead"
        page = f"version {published.version} ({published.change}{signed})"
    return f"{new} new records, {decisions} decisions, {page}"


def seed(chosen: Settings) -> None:
    """The founding review in three steps: what was public when it began, a study that a reader told
    of, then what came after; each after a night of searches, and signed.
    """
    first, second, third = NIGHTS
    with closing(Local(chosen)) as client:
        _register(client, first, without=LATER_STUDIES)
    _search(chosen, 1)
    with closing(Local(chosen)) as client:
        _bring(client, "", first)
        _assess(client, "", first)
        day = first + timedelta(hours=8)
        client.run(OpenReview(id="opening-signs", review=SIGNS, by="lena", now=day))
        client.run(SettleOutbox(now=day))
        comment = _consult(client, day)

    _search(chosen, 2)
    with closing(Local(chosen)) as client:
        _bring(client, TIPPED, second)
        _take_tip(client, second)
        _assess(client, TIPPED, second)
        _publish(client, SIGNS, second + timedelta(hours=8))
        _answer(client, comment, second + timedelta(days=1))

    _search(chosen, 3)
    with closing(Local(chosen)) as client:
        _bring(client, LATER, third)
        _assess(client, LATER, third)
        _register(client, third)
        rate(client, SIGNS, third + timedelta(hours=6))


def _search(chosen: Settings, number: int) -> None:
    """One night of the founding review through the real flow."""
    when = NIGHTS[number - 1]
    recording = EXAMPLES / SIGNS / "nights" / str(number)
    ran = night.run(chosen, SIGNS, None, now=when.isoformat(), recording=recording)
    broken = [ending.name for ending in ran.endings if not ending.ran_through]
    if broken:
        raise Refused(f"night {number} of {SIGNS}: {', '.join(broken)} did not run through")


def _consult(client: Local, day: datetime) -> str:
    """Open the first version for comment, let a reader comment and tell of a study; the comment's
    id.
    """
    until = (day + timedelta(days=21)).date().isoformat()
    asked: dict[str, Any] = {"review": SIGNS, "version": 1, "by": "lena"}
    ops.consultation.open_version(
        client.store,
        id="consultation",
        until=until,
        note="Do you know of a study that is not here? Is a sentence unclear?",
        now=day,
        **asked,
    )
    ops.consultation.comment(
        client.store,
        id="reader-1",
        review=SIGNS,
        text=COMMENT,
        about="answer",
        now=day + timedelta(days=9),
    )
    ops.tips.suggest(client.store, review=SIGNS, id="reader-1", now=day + timedelta(days=9), **TIP)
    return "reader-1"


def _take_tip(client: Client, now: datetime) -> None:
    """The lead accepts what the reader told of, which makes it a record, and says that it is the
    report whose details the team has brought.
    """
    known = client.run(FindRecord(review=SIGNS, reference=TIP["title"])).record
    task = f"tip:{SIGNS}:reader-1"
    client.run(SettleTip(review=SIGNS, task=task, outcome="accepted", by="lena", now=now))
    tipped = record_id("tip", task)
    client.run(Judge(id="tip-is", left=known, right=tipped, verdict="same", person="lena", now=now))


def _answer(client: Local, comment: str, now: datetime) -> None:
    """Accept the comment, answer it with the version that it changed, and publish both."""
    asked: dict[str, Any] = {"review": SIGNS, "by": "lena", "now": now}
    ops.consultation.moderate(client.store, id="accepted", comment=comment, accepted=True, **asked)
    ops.consultation.respond(
        client.store,
        id="response",
        comment=comment,
        text=RESPONSE,
        changed="The study was screened, extracted and added.",
        changed_in=2,
        **asked,
    )
    ops.consultation.publish(client.store, id="consultation-published", version=1, **asked)
    client.run(SettleOutbox(now=now))


def _publish(client: Client, review: str, now: datetime) -> None:
    """Bring the page up to date; what needs a name has the lead's an hour later."""
    published = client.run(SettleOutbox(now=now)).reviews[review]
    if published.held:
        later = now + timedelta(hours=1)
        client.run(SignOff(id=f"{review}-{now:%Y%m%d}", review=review, by="lena", now=later))
        client.run(SettleOutbox(now=later))


def _register(client: Client, when: datetime, without: tuple[str, ...] = ()) -> None:
    """The protocol; before studies were there the team's statements could not cite them.

    Afterwards the team has read all of them again beside the new evidence.
    """
    lines = (EXAMPLES / SIGNS / "review.toml").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not any(f'["{study}"]' in line for study in without)]
    text = "".join(kept)
    if not without:
        read_again = f'[[statements]]\nchecked = "{when:%Y-%m-%d}"\n'
        text = text.replace("[[statements]]\n", read_again)
    client.run(Register(text=text, now=when))


def _bring(client: Client, step: str, when: datetime) -> None:
    """The records of one step; the names of its files begin with `step`, "" is the first."""
    name = f"{step}records.ris"
    body = (EXAMPLES / SIGNS / name).read_bytes()
    client.run(ImportFile(review=SIGNS, source="ris", name=name, body=body, grey=True, now=when))


def _assess(client: Client, step: str, when: datetime) -> None:
    """The codes, decisions and forms of one step."""
    folder = EXAMPLES / SIGNS
    code(client, SIGNS, folder / f"{step}codes.csv", when)
    report = files.decide(client, SIGNS, folder / f"{step}decisions.csv", when, lambda: None)
    if report.refused:
        raise Refused(f"decisions of {SIGNS}: {report.refused[:3]}")
    for sheet in sorted((folder / "extractions").glob("*.json")):
        if _step_of(sheet) == step:
            files.extract(client, SIGNS, sheet, "amina", when)


def _step_of(sheet: Path) -> str:
    """Of a form: which step it belongs to."""
    return next((step for step in (TIPPED, LATER) if sheet.name.startswith(step)), "")


def code(client: Client, review: str, sheet: Path, when: datetime) -> None:
    """Code what a file says for the map."""
    report = files.code(client, review, sheet, "amina", when)
    if report.refused:
        raise Refused(f"codes of {review}: {report.refused[:3]}")


def rate(client: Client, review: str, when: datetime) -> None:
    """The team's ratings of certainty, and an hour later the lead's signature under what they
    change.
    """
    ratings = json.loads((EXAMPLES / review / "ratings.json").read_text(encoding="utf-8"))
    for number, data in enumerate(ratings):
        identity = f"{review}-rating-{number}"
        client.run(Rate(id=identity, review=review, data=data, by="lena", now=when))
    later = when + timedelta(hours=1)
    published = client.run(SettleOutbox(now=later)).reviews[review]
    if published.held:
        client.run(SignOff(id=f"{review}-ratings", review=review, by="lena", now=later))
        client.run(SettleOutbox(now=later))


def table(steps: list[Step]) -> Table:
    """What each night did, a row each."""
    rows = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("night", "ok", "found", "new", "changed"):
        rows.add_column(name, justify="left" if name == "night" else "right")
    for name in ("repeats", "votes", "studies", "included", "page"):
        rows.add_column(name, justify="right")
    for step in steps:
        endings = step.ran.endings
        fine = sum(ending.ran_through for ending in endings)
        counts = (
            sum(ending.found for ending in endings),
            sum(ending.fresh for ending in endings),
            sum(ending.changed for ending in endings),
            step.flow["duplicates"],
            step.decisions,
            step.extractions,
            step.flow["included"],
        )
        rows.add_row(
            f"{step.when:%d %b}",
            f"{fine}/{len(endings)}",
            *map(str, counts),
            f"v{step.published.version}",
        )
    return rows
