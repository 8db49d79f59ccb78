"""The evidence and gap map: how many studies there are for each area and outcome, and where there
are none.

After Snilstveit and others, J Clin Epidemiol 2016;79:120-9: the map shows what evidence there is,
not what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from livereview.errors import Refused
from livereview.evidence.certainty import LEVELS
from livereview.summary.drawing import (
    BELOW,
    BOLD,
    LABEL,
    LINE,
    MIDDLE,
    QUIET,
    RULE,
    frame,
    lines,
    note,
    plain,
    sentence,
)

# units; LARGEST is the largest bubble's radius
ROW, NAMES, COLUMN, LARGEST, LEAST = 66, 180, 118, 20, 560
HEADER = ("Area", "Outcome", "Studies", "Certainty")
GAP = "0 – gap"
NOT_ASKED, WAITING = "not asked", "not yet assessed"
EMPTY = {"gap": GAP, "not_asked": NOT_ASKED, "waiting": WAITING}
"""What stands in the picture where there is no study, by `empty_kind`."""
IN_TABLE = {**EMPTY, "gap": "gap"}
"""The same in the picture's table, which has a column of counts."""
_BUBBLE = Markup(
    '<circle cx="{x}" cy="{y}" r="{r:.1f}" fill-opacity="0.25" stroke="currentColor"/>'
)
_FILLED = Markup('<path d="{d}"/>')
_HOLE = Markup(
    '<path d="{d}" stroke="currentColor" stroke-dasharray="3 3" stroke-opacity="0.6" fill="none"/>'
)
_SPOT = "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0"


@dataclass(frozen=True, slots=True)
class Cell:
    """What there is for an area and an outcome, both by id.

    Attributes:
        certainty: One of LEVELS, None where not rated.
        empty: One of EMPTY: what it means where there is no study.
    """

    area: str
    outcome: str
    studies: int
    certainty: str | None = None
    empty: str = "gap"


def empty_kind(states: Iterable[str]) -> str:
    """What a cell without a study means, one of EMPTY: a gap is only what somebody asked about, where
    nothing is left to read.

    Args:
        states: of the findings on the cell's outcome, of those reviews only that ask about its area.
    """
    asked = [state for state in states if state != "not_asked"]
    if not asked:
        return "not_asked"
    if "not_yet_assessed" in asked:
        return "waiting"
    return "gap"


def rows(
    areas: Mapping[str, str], outcomes: Mapping[str, str], cells: Iterable[Cell]
) -> list[tuple[str, ...]]:
    """The picture as a table, header first: a row for each area and outcome, gaps too.

    Raises:
        Refused: as `svg` does.
    """
    found = _known(areas, outcomes, cells)
    body = []
    for a, area in areas.items():
        for o, outcome in outcomes.items():
            cell = found.get((a, o))
            body.append(
                (plain(area), plain(outcome), f"{cell.studies if cell else 0:,}", _words(cell))
            )
    return [HEADER, *body]


def svg(
    id: str,
    title: str,
    areas: Mapping[str, str],
    outcomes: Mapping[str, str],
    cells: Iterable[Cell],
) -> Markup:
    """Areas down and outcomes across, in the order given.

    A bubble's area is the number of studies, which it tells too.

    Args:
        areas, outcomes: Labels by id.

    Raises:
        Refused: for a cell outside the map, one that is there twice, a count below zero and an
            unknown certainty.
    """
    heading = f"Evidence and gap map: {title}"
    found = _known(areas, outcomes, cells)
    if not areas or not outcomes:
        return sentence("gap-map", id, heading, "The map has no areas or no outcomes yet.")
    width = max(LEAST, NAMES + COLUMN * len(outcomes))
    heads = [lines(label, COLUMN - 8, 4) for label in outcomes.values()]
    top = 20 + 15 * max(map(len, heads))
    parts = [
        LABEL.format(x=_x(c), y=14 + 15 * n, more=MIDDLE, text=t)
        for c, h in enumerate(heads)
        for n, t in enumerate(h)
    ]
    parts += [_name(label, top + ROW * n, width) for n, label in enumerate(areas.values())]
    places = {
        (a, o): (_x(c), top + ROW * r) for r, a in enumerate(areas) for c, o in enumerate(outcomes)
    }
    parts += _cells(places, found)
    small, height = note(_key(), top + ROW * len(areas) + 22, width)
    return frame(
        "gap-map",
        id,
        heading,
        _description(areas, outcomes, found),
        width,
        height,
        [*parts, *small],
    )


Found = Mapping[tuple[str, str], Cell]


def _known(areas: Mapping[str, str], outcomes: Mapping[str, str], cells: Iterable[Cell]) -> Found:
    """The cells by area and outcome, each checked."""
    found: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        for value, choices, what in (
            (cell.area, areas, "area"),
            (cell.outcome, outcomes, "outcome"),
        ):
            if value not in choices:
                raise Refused(
                    f"{what} must be one of {', '.join(choices) or 'none (there is none)'}; it was {value!r}"
                )
        if cell.certainty not in (None, *LEVELS):
            raise Refused(
                f"certainty must be one of {', '.join(LEVELS)}, or None; it was {cell.certainty!r}"
            )
        if cell.empty not in EMPTY:
            raise Refused(f"empty must be one of {', '.join(EMPTY)}; it was {cell.empty!r}")
        if cell.studies < 0 or (cell.area, cell.outcome) in found:
            raise Refused(f"{cell.area}, {cell.outcome}: give one count for each cell, 0 or more")
        found[cell.area, cell.outcome] = cell
    return found


def _x(column: int) -> int:
    return NAMES + COLUMN * column + COLUMN // 2


def _name(label: str, y: int, width: int) -> Markup:
    told = lines(label, NAMES - 14, 3)
    first = y + ROW // 2 + 4 - 15 * (len(told) - 1) // 2
    names = [LABEL.format(x=0, y=first + 15 * n, more="", text=line) for n, line in enumerate(told)]
    return Markup("").join([RULE.format(y=y, width=width), *names])


def _cells(places: Mapping[tuple[str, str], tuple[int, int]], found: Found) -> list[Markup]:
    most = max((cell.studies for cell in found.values()), default=1)
    parts = [
        _full(found[at], x, y, most)
        for at, (x, y) in places.items()
        if _empty(found.get(at)) is None
    ]
    empty = [
        (place, kind) for at, place in places.items() if (kind := _empty(found.get(at))) is not None
    ]
    parts += [_nothing(x, y, kind) for (x, y), kind in empty]
    gaps = [place for place, kind in empty if kind == "gap"]
    holes = "".join(f"M{x - 48} {y + 12}h96v{ROW - 24}h-96z" for x, y in gaps)
    spots = [
        (x, y, LEVELS.index(found[at].certainty or "") + 1)
        for at, (x, y) in places.items()
        if _rated(found.get(at))
    ]
    filled = "".join(_spots(x, y, range(n)) for x, y, n in spots)
    hollow = "".join(_spots(x, y, range(n, len(LEVELS))) for x, y, n in spots)
    paths = ((_HOLE, holes), (_FILLED, filled), (LINE, hollow))
    return [*parts, *(shape.format(d=d, wide=1) for shape, d in paths if d)]


def _nothing(x: int, y: int, kind: str) -> Markup:
    more = MIDDLE if kind == "gap" else MIDDLE + QUIET
    return LABEL.format(x=x, y=y + ROW // 2 + 4, more=more, text=EMPTY[kind])


def _empty(cell: Cell | None) -> str | None:
    """One of EMPTY where there is no study; None where there is one."""
    if cell is None:
        return "gap"
    return None if cell.studies else cell.empty


def _rated(cell: Cell | None) -> bool:
    return cell is not None and bool(cell.studies) and cell.certainty is not None


def _spots(x: int, y: int, which: Iterable[int]) -> str:
    return "".join(f"M{x - 2 + 10 * n} {y + 41}{_SPOT}" for n in which)


def _full(cell: Cell, x: int, y: int, most: int) -> Markup:
    """The bubble at the left, at its right the number, the dots and the words of certainty."""
    return Markup("").join(
        [
            _BUBBLE.format(x=x - 32, y=y + ROW // 2, r=LARGEST * (cell.studies / most) ** 0.5),
            LABEL.format(x=x - 6, y=y + 30, more=BOLD, text=f"{cell.studies:,}"),
            LABEL.format(x=x - 6, y=y + 57, more=QUIET, text=_words(cell)),
        ]
    )


def _words(cell: Cell | None) -> str:
    empty = _empty(cell)
    if empty is not None:
        return IN_TABLE[empty]
    if cell is not None and cell.certainty:
        return cell.certainty.replace("_", " ")
    return "not rated"


def _key() -> str:
    return (
        "The area of a bubble is the number of studies, which stands beside it; filled dots and words are how certain "
        "the finding is, from one dot (very low) to four (high). A dashed box is a gap: "
        "a review asks about it, all that was found has been read, and there is no study. "
        "The map shows what evidence there is, not what it says."
    )


def _description(areas: Mapping[str, str], outcomes: Mapping[str, str], found: Found) -> str:
    empty = [_empty(found.get((area, outcome))) for area in areas for outcome in outcomes]
    full, gaps = empty.count(None), empty.count("gap")
    rest = len(empty) - full - gaps
    others = f", {rest} are not asked about or not yet assessed" if rest else ""
    return (
        f"{len(areas)} areas in rows against {len(outcomes)} outcomes in columns; {full} cells have studies, "
        f"{gaps} are gaps{others}. It shows what evidence there is, not what it says. {BELOW}"
    )
