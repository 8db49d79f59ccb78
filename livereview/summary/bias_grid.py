"""The grid of risk of bias: what was judged of each study in each domain, one block for each tool.

Tools are not mixed in a block: their domains and judgements do not mean the same (Cochrane Handbook
7.6 and 25.3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from livereview.errors import Refused
from livereview.evidence.appraisal import WORDS, in_words, tool_of
from livereview.evidence.finding import StudyEffect
from livereview.messages import many, say
from livereview.review import Tool
from livereview.summary.drawing import (
    BELOW,
    BOLD,
    LABEL,
    LINE,
    MIDDLE,
    QUIET,
    RULE,
    cut,
    frame,
    lines,
    plain,
    sentence,
    span,
)

ROW, NAMES, COLUMN, LEAST = 30, 184, 88, 560  # units
OVERALL = "overall"
_CIRCLE, _SQUARE, _DIAMOND = (
    "m-10 0a10 10 0 1 0 20 0a10 10 0 1 0 -20 0",
    "m-9 -9h18v18h-18z",
    "m0 -12l12 12l-12 12l-12 -12z",
)
_TRIANGLE, _DOUBLE = (
    "m0 -13l11 21h-22z",
    "m-6 -11h12l6 11l-6 11h-12l-6 -11zm2 3l-4 8l4 8h8l4 -8l-4 -8z",
)
_CORNERS, _TAB = "m-9 -5v-4h4m10 0h4v4m0 10v4h-4m-10 0h-4v-4", "m-9 -9h13l5 5v13h-18z"
# shape and sign: told apart without colour, and by either alone
SIGNS: Mapping[str, tuple[str, str]] = {
    "low": (_CIRCLE, "+"),
    "met": (_CIRCLE, "+"),
    "yes": (_CIRCLE, "+"),
    "some_concerns": (_SQUARE, "−"),
    "moderate": (_SQUARE, "−"),
    "partly_met": (_SQUARE, "−"),
    "high": (_DIAMOND, "x"),
    "not_met": (_DIAMOND, "x"),
    "no": (_DIAMOND, "x"),
    "serious": (_TRIANGLE, "!"),
    "very_high": (_TRIANGLE, "!"),
    "critical": (_DOUBLE, "‼"),
    "no_information": (_CORNERS, "?"),
    "cant_tell": (_CORNERS, "?"),
    "unclear": (_CORNERS, "?"),
    "not_applicable": ("", "–"),
    **{str(n): (_CIRCLE, str(n)) for n in range(5)},  # of EMMIE-Q
}
UNKNOWN_SIGN = "?"


def sign(judgement: str) -> str:
    """The sign of a judgement, as in the grid; a question mark where its tool has words of its own."""
    if judgement in SIGNS:
        return SIGNS[judgement][1]
    return UNKNOWN_SIGN


Signs = Mapping[str | None, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One study's appraisal with one tool: each domain with its judgement, None where it was not
    judged.

    Attributes:
        known: The tool as data, for a protocol's own; None: looked for among those of the list.
    """

    study: str
    tool: str
    domains: tuple[tuple[str, str | None], ...]
    overall: str | None
    known: Tool | None = None

    @property
    def data(self) -> Tool | None:
        """The tool as data, where it is known."""
        return self.known or tool_of(self.tool)


def rows(studies: Sequence[Judged]) -> list[tuple[str, ...]]:
    """The picture as a table, header first: one row a study, block by block.

    Empty where a tool lacks a domain.
    """
    names = list(dict.fromkeys(name for one in studies for name, _ in one.domains))
    body = []
    for _, block in _blocks(studies):
        known = _domains(block)
        for one in block:
            judged = dict(one.domains)
            cells = (in_english(judged.get(name)) if name in known else "" for name in names)
            body.append((plain(one.study), plain(one.tool), *cells, in_english(one.overall)))
    return [("Study", "Tool", *map(in_english, names), OVERALL), *body]


def svg(id: str, title: str, rows: Sequence[Judged]) -> Markup:
    """Studies down in the order given, domains across, a block for each tool.

    Each judgement a shape and a sign.

    Raises:
        Refused: where a study has the same domain twice.
    """
    heading = say("Risk of bias: {title}", title=title)
    if not rows:
        return sentence("bias-grid", id, heading, say("No study has been appraised yet."))
    blocks = _blocks(rows)
    width = max(LEAST, *(NAMES + COLUMN * (len(_domains(block)) + 1) for _, block in blocks))
    signs = _signs(rows)
    parts, y = [], 16
    for tool, block in blocks:
        drawn, y = _block(tool, block, signs, y, width)
        parts += drawn
    key, height = _key(signs, y, width)
    return frame(
        "bias-grid", id, heading, _description(rows, blocks), width, height, [*parts, *key]
    )


Blocks = list[tuple[str, list[Judged]]]


def _blocks(studies: Sequence[Judged]) -> Blocks:
    """The studies of each tool, tools in order of first use.

    Versions of a tool known here stand together.
    """
    found: defaultdict[str, list[Judged]] = defaultdict(list)
    for one in studies:
        names = [name for name, _ in one.domains]
        if len(set(names)) < len(names):
            raise Refused(f"{one.study}: a domain is judged twice; give each domain once")
        tool = one.data
        found[tool.name if tool else one.tool].append(one)
    return list(found.items())


def _domains(block: Sequence[Judged]) -> list[str]:
    """The domains of a block: in the tool's order where it is known here, else as they come."""
    names = dict.fromkeys(name for one in block for name, _ in one.domains)
    tool = block[0].data
    order = [name for name, _ in tool.domains] if tool else []
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def in_english(value: str | None) -> str:
    """A judgement in English, as pictures and their tables have it; or a domain's id."""
    if value is None:
        return "not judged"
    return plain(WORDS.get(value, value.replace("_", " ").replace("-", " ")))


def domains_of(study: StudyEffect) -> str:
    """What was judged of each domain: "randomisation: low; missing: high"."""
    return "; ".join(
        f"{in_english(row.domain)}: {in_english(row.judgement)}" for row in study.domains
    )


def _signs(studies: Sequence[Judged]) -> Signs:
    """Shape and sign of each judgement in use, best first.

    Judgements of a tool not known here are numbered.
    """
    used = {
        judgement for one in studies for judgement in (*dict(one.domains).values(), one.overall)
    }
    for _, block in _blocks(studies):
        domains = set(_domains(block))
        if any(domains - set(dict(one.domains)) for one in block):
            # a study that gives only its overall judgement stands beside one that gives domains
            used.add(None)
    others = sorted(
        judgement for judgement in used if judgement is not None and judgement not in SIGNS
    )
    known: dict[str | None, tuple[str, str]] = {one: SIGNS[one] for one in SIGNS if one in used}
    known.update({one: (_TAB, str(n)) for n, one in enumerate(others, start=1)})
    return known | ({None: ("", "·")} if None in used else {})


def _block(
    tool: str, block: Sequence[Judged], signs: Signs, y: int, width: int
) -> tuple[list[Markup], int]:
    """One tool's name, headings and studies, and where the next block starts."""
    domains = _domains(block)
    names = [*map(in_english, domains), say("overall")]
    heads = [lines(name, COLUMN - 1, 3, 11) for name in names]
    parts = [LABEL.format(x=0, y=y, more=BOLD, text=cut(tool, NAMES - 24))]
    for column, head in enumerate(heads):
        parts += [
            LABEL.format(x=_x(column), y=y + 13 * n, more=MIDDLE + QUIET, text=t)
            for n, t in enumerate(head)
        ]
    top = y + 13 * max(map(len, heads))
    cells: list[tuple[int, int, str | None]] = []
    for n, one in enumerate(block):
        middle, judged = top + ROW * n + ROW // 2, dict(one.domains)
        parts.append(RULE.format(y=middle - ROW // 2, width=width))
        parts.append(LABEL.format(x=0, y=middle + 4, more="", text=cut(one.study, NAMES - 6)))
        cells += [(_x(c), middle, judged.get(name)) for c, name in enumerate(domains)]
        cells.append((_x(len(domains)), middle, one.overall))
    return [*parts, *_cells(cells, signs)], top + ROW * len(block) + 26


def _x(column: int) -> int:
    return NAMES + COLUMN * column + COLUMN // 2


def _cells(cells: Iterable[tuple[int, int, str | None]], signs: Signs) -> list[Markup]:
    """All shapes in one path, so that a page with many studies stays light; and a sign in each."""
    placed = [(x, y, *signs[judgement]) for x, y, judgement in cells]
    d = "".join(f"M{x} {y}{shape}" for x, y, shape, _ in placed if shape)
    return [
        LINE.format(d=d, wide=1.3),
        *(LABEL.format(x=x, y=y + 4, more=MIDDLE, text=sign) for x, y, _, sign in placed),
    ]


def _key(signs: Signs, y: int, width: int) -> tuple[list[Markup], int]:
    """What shapes and signs mean, on as many lines as it takes.

    Judgements with the same sign stand together.
    """
    alike: dict[tuple[str, str], list[str]] = {}
    for judgement, drawn in signs.items():
        alike.setdefault(drawn, []).append(plain(in_words(judgement)))
    parts, x = [], 14
    for (shape, sign), names in alike.items():
        either = say("or")
        words = cut(f" {either} ".join(names), width - 40, 11)
        wide = 30 + int(span(words, 11))
        if x > 14 and x + wide > width:
            x, y = 14, y + ROW
        parts += [LINE.format(d=f"M{x} {y}{shape}", wide=1.3)] if shape else []
        parts.append(LABEL.format(x=x, y=y + 4, more=MIDDLE, text=sign))
        parts.append(LABEL.format(x=x + 19, y=y + 4, more=QUIET, text=words))
        x += wide + 14
    return parts, y + 22


def _description(studies: Sequence[Judged], blocks: Blocks) -> str:
    tools = "; ".join(f"{plain(tool)}: {len(block)}" for tool, block in blocks)
    told = many(
        "One appraisal in rows ({tools}), domains in columns, the overall judgement in the last.",
        "{n} appraisals in rows ({tools}), domains in columns, the overall judgement in the last.",
        len(studies),
        tools=tools,
    )
    signs = say("Shape and sign are the judgement.")
    return f"{told} {signs} {say(BELOW)}"
