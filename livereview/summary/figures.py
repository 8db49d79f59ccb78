"""Pictures of the evidence, as SVG of our own: text as text, a title, a description, and shapes
that need no colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from markupsafe import Markup

from livereview.evidence import appraisal
from livereview.evidence.finding import Finding, StudyEffect
from livereview.messages import say
from livereview.review import Tool
from livereview.summary.snapshot import Study
from livereview.summary.words import DIRECTIONS, tidy

# units; KEY is how wide the explanation of the shapes is
ROW, COLUMN, NAMES, KEY = 34, 104, 210, 800

_FRAME = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="edp-t edp-d" viewBox="0 0 {width} {height}" '
    'font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
    '<title id="edp-t">{title}</title><desc id="edp-d">{desc}</desc>{parts}</svg>'
)
_LABEL = Markup('<text x="{x}" y="{y}"{more}>{text}</text>')
_MIDDLE, _QUIET = Markup(' text-anchor="middle"'), Markup(' font-size="11" opacity="0.8"')
_RULE = Markup('<path d="M0 {y}h{width}" stroke="currentColor" stroke-opacity="0.25"/>')
_SHAPES = {  # up and filled, down and hollow, both, flat, open: told apart without colour
    "favours_intervention": Markup('<path d="M{x} {y}m0 -8l9 15h-18z"/>'),
    "favours_comparison": Markup(
        '<path d="M{x} {y}m0 8l9 -15h-18z" fill="none" stroke="currentColor" stroke-width="1.8"/>'
    ),
    "no_difference": Markup(
        '<path d="M{x} {y}m-9 -3h18m-18 6h18" stroke="currentColor" stroke-width="2.2"/>'
    ),
    "unclear": Markup(
        '<circle cx="{x}" cy="{y}" r="3" fill="none" stroke="currentColor" stroke-width="1.8"/>'
    ),
}


def by_risk_of_bias(studies: Sequence[Study], own: Sequence[Tool] = ()) -> list[Study]:
    """Extracted studies, lowest risk of bias first, then newest first; `own`: the protocol's tools."""
    extracted = [study for study in studies if study.extraction]
    return sorted(
        extracted,
        key=lambda study: (_rank(study, own), -(_year(study) or 0), study.label, study.study_id),
    )


def _rank(study: Study, own: Sequence[Tool]) -> float:
    if study.extraction:
        return appraisal.appraised(study.extraction, own).rank
    return appraisal.NOT_JUDGED


def _year(study: Study) -> int | None:
    return study.extraction.year if study.extraction else None


def effect_direction(found: Sequence[Finding], studies: Sequence[Study]) -> Markup:
    """Studies down, findings across.

    A shape for the direction, hollow where the interval holds no difference.
    """
    cells = {
        (finding.id, part.study): (finding, part) for finding in found for part in finding.studies
    }
    width = NAMES + COLUMN * len(found)
    head = [_heading(finding, column) for column, finding in enumerate(found)]
    top = 16 + 15 * max((len(_lines(finding.outcome_label)) for finding in found), default=1)
    body = [
        _row(study, found, cells, top + ROW * index, width) for index, study in enumerate(studies)
    ]
    bottom = top + ROW * len(studies)
    parts = Markup("").join([*head, *body, _key(bottom + 24)])
    return _FRAME.format(
        width=max(width, KEY),
        height=bottom + 40,
        title=say("Effect direction plot"),
        desc=_description(found, studies),
        parts=parts,
    )


def _lines(label: str) -> list[str]:
    return wrap(tidy(label), 15)[:4] or [""]


def _heading(found: Finding, column: int) -> Markup:
    x = NAMES + COLUMN * column + COLUMN // 2
    lines = enumerate(_lines(found.outcome_label))
    return Markup("").join(
        _LABEL.format(x=x, y=14 + 15 * n, more=_MIDDLE, text=line) for n, line in lines
    )


def _row(
    study: Study,
    found: Sequence[Finding],
    cells: dict[tuple[str, str], tuple[Finding, StudyEffect]],
    y: int,
    width: int,
) -> Markup:
    bias = appraisal.in_words(study.extraction.risk_of_bias if study.extraction else None)
    parts = [
        _RULE.format(y=y, width=width),
        _LABEL.format(x=0, y=y + 15, more="", text=_short(study.label)),
        _LABEL.format(x=0, y=y + 28, more=_QUIET, text=say("risk of bias: {level}", level=bias)),
    ]
    for column, finding in enumerate(found):
        cell = cells.get((finding.id, study.study_id))
        if cell:
            x = NAMES + COLUMN * column + COLUMN // 2
            parts.append(_SHAPES[direction(*cell)].format(x=x, y=y + 17))
    return Markup("").join(parts)


def direction(finding: Finding, part: StudyEffect) -> str:
    """One of words.DIRECTIONS: the side to which a study's estimate leans, as good or bad for
    people.
    """
    if part.leans is None:
        if part.as_words or part.no_size:
            return "unclear"
        return "no_difference"
    good = (part.leans == "more") == (finding.better == "higher")
    return "favours_intervention" if good else "favours_comparison"


def _short(text: str) -> str:
    clean = " ".join(tidy(text).split())
    return clean if len(clean) <= 30 else f"{clean[:29].rstrip()}…"


def _key(y: int) -> Markup:
    """What the shapes mean, in one line under the plot."""
    parts, x = [], 12
    for direction, message in DIRECTIONS.items():
        words = say(message)
        parts += [
            _SHAPES[direction].format(x=x, y=y),
            _LABEL.format(x=x + 17, y=y + 4, more=_QUIET, text=words),
        ]
        x += 44 + round(6.2 * len(words))
    return Markup("").join(parts)


def _description(found: Sequence[Finding], studies: Sequence[Study]) -> str:
    return say(
        "{studies} studies in rows, ordered by risk of bias, against {outcomes} outcomes in columns. "
        "The shape is the direction of the effect that the study gives. "
        "The table below the plot has the same content.",
        studies=len(studies),
        outcomes=len(found),
    )
