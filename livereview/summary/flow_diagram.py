"""The PRISMA 2020 flow diagram: a check that its boxes balance, the same numbers as a table, and
the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import islice

from markupsafe import Markup

from livereview.errors import Refused
from livereview.messages import say
from livereview.review import Base
from livereview.summary.model.status import ExcludedFor, FlowCounts
from livereview.summary.snapshot import Flow, Snapshot
from livereview.summary.words import tidy

SHOWN_REASONS = 8  # in the picture; the table has all
MAIN, SIDE, LEFT, RIGHT, WIDTH, LINE = 300, 300, 10, 370, 680, 19


def check(snapshot: Snapshot) -> None:
    """Raises Refused naming every box that does not balance with the others or with the lists on
    the page.
    """
    flow = snapshot.flow
    wrong = [
        f"{box} is {n}, but {parts} is {total}"
        for box, n, parts, total in _sums(snapshot)
        if n != total
    ]
    counts = (
        *_counts(flow),
        *((f"excluded: {reason}", n) for reason, n in flow.excluded_full_text),
    )
    wrong += [f"{name} is {n}, below zero" for name, n in counts if n < 0]
    if wrong:
        raise Refused(
            f"The flow diagram of {snapshot.review.id} does not balance, so nothing is published: {'; '.join(wrong)}. "
            "The last good version stays; report this with the output of `livereview status`."
        )


def _sums(snapshot: Snapshot) -> Iterable[tuple[str, int, str, int]]:
    """(box, its number, what must add up to it, that sum)."""
    flow = snapshot.flow
    found = flow.identified_databases + flow.identified_other
    excluded = sum(n for _, n in flow.excluded_full_text)
    reports = len({report.report_id for study in snapshot.studies for report in study.reports})
    before = flow.duplicates + flow.screened + flow.awaiting_screening + flow.not_screened
    yield "identified", found, "duplicates + screened + awaiting screening + not screened", before
    screened = flow.excluded + flow.sought + flow.in_screening
    yield "screened", flow.screened, "excluded + sought + in screening", screened
    sought = flow.not_retrieved + flow.assessed + flow.awaiting_full_text
    yield "sought", flow.sought, "not retrieved + assessed + awaiting full text", sought
    yield "assessed", flow.assessed, "excluded at full text + included", excluded + flow.included
    yield (
        "included",
        flow.included,
        "reports in studies + awaiting extraction",
        reports + flow.awaiting_extraction,
    )
    yield "studies", flow.studies, "studies on the page", len(snapshot.studies)
    yield (
        "awaiting extraction",
        flow.awaiting_extraction,
        "reports listed as awaiting",
        len(snapshot.awaiting),
    )
    yield "excluded at full text", excluded, "excluded reports listed", len(snapshot.excluded)


def _counts(flow: Flow) -> Iterable[tuple[str, int]]:
    return ((name, value) for name, value in asdict(flow).items() if isinstance(value, int))


def rows(flow: Flow, base: Base | None = None) -> tuple[tuple[str, int, str], ...]:
    """(box, number, what is counted) of every box, in PRISMA's order.

    A review that this one continues comes first.
    """
    records, reports, studies = say("records"), say("reports"), say("studies")
    return (
        *_previous(base, reports, studies),
        (say("Identified in databases and registers"), flow.identified_databases, records),
        (say("Identified by other methods (grey literature)"), flow.identified_other, records),
        (say("Duplicates removed before screening"), flow.duplicates, records),
        (say("Waiting to be screened"), flow.awaiting_screening, records),
        (say("Not screened: reading was stopped by a rule"), flow.not_screened, records),
        (say("Screened"), flow.screened, records),
        (say("Screening not finished"), flow.in_screening, records),
        (say("Excluded at screening, by people"), flow.excluded, records),
        (say("Excluded by automation"), 0, records),
        (say("Sought for retrieval"), flow.sought, reports),
        (say("Not retrieved"), flow.not_retrieved, reports),
        (say("Waiting to be read in full"), flow.awaiting_full_text, reports),
        (say("Assessed in full"), flow.assessed, reports),
        *(
            (say("Excluded in full text: {reason}", reason=reason), n, reports)
            for reason, n in flow.excluded_full_text
        ),
        (say("Included"), flow.included, reports),
        (say("Included, waiting for data extraction"), flow.awaiting_extraction, reports),
        (say("Studies in the review"), flow.studies, studies),
    )


def _previous(base: Base | None, reports: str, studies: str) -> Iterable[tuple[str, int, str]]:
    """PRISMA's left column: what the review before had."""
    if base is None:
        return
    yield say("Previous review: reports that it read"), base.publications, reports
    if base.studies is not None:
        yield say("Previous review: studies that it counted"), base.studies, studies


def published(flow: Flow) -> FlowCounts:
    """The boxes by name; reasons as a list, most frequent first."""
    reasons = tuple(ExcludedFor(reason=reason, reports=n) for reason, n in flow.excluded_full_text)
    boxes = {**asdict(flow), "excluded_by_automation": 0, "excluded_full_text": reasons}
    return FlowCounts.model_validate(boxes)


Lines = Sequence[tuple[str, int | None]]


def svg(flow: Flow, base: Base | None = None) -> Markup:
    """The diagram as one SVG element, 680 units wide, with its numbers as text."""
    parts, top = [], 10
    steps = _steps(flow, base)
    for index, (main, side) in enumerate(steps):
        height = max(_height(main), _height(side))
        parts.append(_box(LEFT, top, MAIN, main, "main"))
        if side:
            parts.append(_box(RIGHT, top, SIDE, side, "side"))
            parts.append(_arrow(LEFT + MAIN, top + _height(main) // 2, RIGHT - LEFT - MAIN, 0))
        if index + 1 < len(steps):
            parts.append(
                _arrow(LEFT + MAIN // 2, top + _height(main), 0, height - _height(main) + 28)
            )
        top += height + 28
    return _FRAME.format(
        width=WIDTH,
        height=top - 18,
        title=say("PRISMA flow diagram"),
        desc=_description(flow),
        parts=Markup("").join(parts),
    )


_FRAME = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="flow-t flow-d" viewBox="0 0 {width} {height}" '
    'font-family="system-ui, sans-serif" font-size="14" fill="currentColor">'
    '<title id="flow-t">{title}</title><desc id="flow-d">{desc}</desc>'
    '<defs><marker id="flow-a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker></defs>{parts}</svg>'
)
_RECT = Markup(
    '<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="none" stroke="currentColor" '
    'stroke-width="{stroke}"{dash}/>'
)
_TEXT = Markup('<text x="{x}" y="{y}"{weight}>{text}</text>')
_NUMBER = Markup('<text x="{x}" y="{y}" text-anchor="end"{weight}>{n:,}</text>')
_BOLD, _DASHED = Markup(' font-weight="600"'), Markup(' stroke-dasharray="4 3"')


def _steps(flow: Flow, base: Base | None) -> tuple[tuple[Lines, Lines], ...]:
    """(main box, box at its side) from top to bottom; the first line of each is its heading."""
    found = flow.identified_databases + flow.identified_other
    return (
        (
            [(say("Records identified"), found), (_inset(say("databases and registers")), flow.identified_databases),
             (_inset(say("other methods")), flow.identified_other)],
            [(say("Before screening"), None), (_inset(say("duplicates removed")), flow.duplicates),
             (_inset(say("waiting to be screened")), flow.awaiting_screening), *_unread(flow)],
        ),
        (
            [(say("Records screened"), flow.screened)],
            [(say("Records excluded by people"), flow.excluded),
             (_inset(say("screening not finished")), flow.in_screening)],
        ),
        (
            [(say("Reports sought"), flow.sought)],
            [(say("Reports not retrieved"), flow.not_retrieved),
             (_inset(say("waiting to be read in full")), flow.awaiting_full_text)],
        ),
        ([(say("Reports assessed in full"), flow.assessed)], _reasons(flow)),
        (
            [(say("Reports included"), flow.included), (say("Studies in the review"), flow.studies),
             *_before(base)],
            [(say("Of these reports"), None),
             (_inset(say("waiting for data extraction")), flow.awaiting_extraction)],
        ),
    )  # fmt: skip


def _before(base: Base | None) -> Lines:
    if base:
        return [
            (_inset(say("beside the review of {year}, reports", year=base.year)), base.publications)
        ]
    return []


def _inset(text: str) -> str:
    """A line under a box's heading."""
    return f"  {text}"


def _unread(flow: Flow) -> Lines:
    if flow.not_screened:
        return [(_inset(say("not screened, by a stopping rule")), flow.not_screened)]
    return []


def _reasons(flow: Flow) -> Lines:
    first = [
        (f"  {_short(reason)}", n) for reason, n in islice(flow.excluded_full_text, SHOWN_REASONS)
    ]
    rest = sum(n for _, n in flow.excluded_full_text[SHOWN_REASONS:])
    others = [(_inset(say("other reasons (see the table)")), rest)] if rest else []
    return [(say("Reports excluded"), sum(n for _, n in flow.excluded_full_text)), *first, *others]


def _short(text: str) -> str:
    clean = " ".join(tidy(text).split())
    return clean if len(clean) <= 32 else f"{clean[:31].rstrip()}…"


def _height(lines: Lines) -> int:
    return LINE * len(lines) + 14 if lines else 0


def _box(x: int, y: int, width: int, lines: Lines, kind: str) -> Markup:
    dash = _DASHED if kind == "side" else ""
    parts = [
        _RECT.format(
            x=x,
            y=y,
            width=width,
            height=_height(lines),
            stroke=1.5 if kind == "main" else 1,
            dash=dash,
        )
    ]
    for index, (text, n) in enumerate(lines):
        inset, weight = (24, "") if text.startswith("  ") else (12, _BOLD)
        line = y + LINE * (index + 1) + 2
        parts.append(_TEXT.format(x=x + inset, y=line, weight=weight, text=text.strip()))
        if n is not None:
            parts.append(_NUMBER.format(x=x + width - 12, y=line, weight=weight, n=n))
    return Markup("").join(parts)


def _arrow(x: int, y: int, right: int, down: int) -> Markup:
    return Markup(
        '<path d="M{x} {y}l{right} {down}" stroke="currentColor" fill="none" marker-end="url(#flow-a)"/>'
    ).format(x=x, y=y, right=right, down=down)


def _description(flow: Flow) -> str:
    found = flow.identified_databases + flow.identified_other
    return say(
        "{found:,} records identified, {duplicates:,} duplicates removed, {screened:,} screened, "
        "{sought:,} reports sought, {assessed:,} assessed in full, {included:,} included, "
        "in {studies:,} studies. All boxes are in the table below the diagram.",
        found=found,
        duplicates=flow.duplicates,
        screened=flow.screened,
        sought=flow.sought,
        assessed=flow.assessed,
        included=flow.included,
        studies=flow.studies,
    )
