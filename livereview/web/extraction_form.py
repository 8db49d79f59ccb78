"""An extraction form as fields of a page, and back: plain names such as results-0-effect, so it
needs no script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from livereview.evidence import appraisal, forms, sheets
from livereview.evidence.places import QUOTE_FIELDS, Standing
from livereview.review import EMMIE, OUTCOME_KINDS, Moderator, Review

MOST_ROWS = 1_000  # of one list in a draft: a page of more would take seconds to make
BLANK = 3  # empty rows under those that are filled
NAMES = {
    "results": "Results",
    "findings": "Findings",
    "appraisal": "Appraisal",
    "costs": "Costs",
}
LABELS = {
    "study": "Id of the study",
    "label": "Label",
    "reports": "Reports",
    "risk_of_bias": "Risk of bias, overall",
    "risk_of_bias_tool": "Tool of appraisal and its version",
    "n": "People analysed",
    "ci_low": "95% interval from",
    "ci_high": "95% interval to",
    "reported": "Figures as reported",
    "conflicts": "Conflicts of interest",
    "source_quote": "Quote that holds the figures",
    "worked_out": "How they were worked out",
}
HINTS = {
    "study": "small letters, digits and hyphens, such as smith-2019; never changed later",
    "reports": "one a line: DOI, pmid:1, a record id or a title",
    "direction": "only where the report gives no number: else it is read from the effect",
    "higher_is_better": "is more on this scale, or more of this event, good for people?",
    "comparison": "which of the review's comparisons the result is about",
    "subgroup": "the part of the study's people that it is about; empty: all of them",
    "arm": "a short id of the intervention group, where the study has several",
    "control_arm": "a short id of the comparison group",
    "clustered": "were people allocated in groups, such as schools or teams?",
    "overlaps": "ids of studies about the same people, one a line",
    "reported": "m1i=3.2, sd1i=1.1, n1i=40 … where no effect is given, it is worked out from them",
    "sites": "how many councils, schools or teams the study covers",
    "per": "of what: family, child …; empty: of the whole",
    "total": "yes for the whole cost per unit, where its parts are given too",
    "price_year": "of the prices; a result needs it only where it counts money",
    "quote": "as it stands in the report; … and [words] show what is left out or put in",
    "source_quote": "the sentence or the row of a table, as it stands in the report",
    "worked_out": "where the quote does not hold the figures themselves",
    "caution": "why readers should be careful with this study, in one sentence",
}
LONG = (
    "reports",
    "overlaps",
    "population",
    "intervention",
    "comparator",
    "caution",
    "text",
    "quote",
    "source_quote",
    "worked_out",
    "support",
    "sample",
)
QUOTES = tuple(QUOTE_FIELDS.values())
HIDDEN = ("form_version", "derivation")
_FIELD = re.compile(r"(results|findings|appraisal|costs)-(\d{1,4})-([a-z_]{1,30})")


@dataclass(frozen=True, slots=True)
class Box:
    """One field: its `name` on the page, `kind` line, text, number or choice, and what stands in
    it.

    `place` is where a quote was found, or that it was not. `offers` are values that a line may have
    beside any other.
    """

    name: str
    label: str
    kind: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    hint: str | None = None
    place: Standing | None = None
    offers: tuple[str, ...] = ()

    @property
    def is_quote(self) -> bool:
        """Whether words of the report are asked for."""
        return self.name.rpartition("-")[2] in QUOTES

    @property
    def page_field(self) -> str:
        """The field beside this one that takes the page of a quote."""
        return f"{self.name.rpartition('-')[0]}-page"


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the form: the study's own fields as one row, or the rows of a list.

    Attributes:
        key: "study", or the name of the list.
        title: What heads it.
        rows: The boxes of each row.
    """

    key: str
    title: str
    rows: tuple[tuple[Box, ...], ...]

    @property
    def started(self) -> bool:
        """Whether anything stands in it."""
        return any(box.value for row in self.rows for box in row)


def parts(
    review: Review,
    filled: Mapping[str, Any],
    quoted: Mapping[str, Standing] = MappingProxyType({}),
    typed: Mapping[str, str] | None = None,
) -> tuple[Part, ...]:
    """The form filled with plain data, and with empty rows to add to it.

    Args:
        review: The protocol, which says what may be chosen.
        filled: The data.
        quoted: How it stands with each quote, by the quote.
        typed: What stands in each box by its name, where that is not what the data would say:
            half a number, or a list that has not been ended.
    """
    offers = {"risk_of_bias_tool": tuple(tool.name for tool in appraisal.tools(review))}
    asked = _Asked(_choices(review, filled), _hints(review), quoted, typed, offers)
    own = [name for name in sheets.COLUMNS["study"] if asked.shows(name)]
    study = Part(
        "study", "Study", (tuple(_box(name, name, filled.get(name), asked) for name in own),)
    )
    return (study, *(_list(key, filled.get(key) or (), asked) for key in NAMES))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What this review's form asks: choices, hints and offers by field."""

    choices: Mapping[str, tuple[tuple[str, str], ...]]
    hints: Mapping[str, str]
    quoted: Mapping[str, Standing]
    typed: Mapping[str, str] | None = None
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self, name: str, place: str, value: Any) -> str:
        """What stands in a box."""
        if self.typed is not None:
            return self.typed.get(place, "")
        if name in forms.OF_MODERATORS and not isinstance(value, str):
            return _bars(value or {})
        return _text(value)

    def shows(self, name: str) -> bool:
        """Whether the field stands in the form: values of moderators only where the protocol has
        some to note.
        """
        return name not in HIDDEN and (name not in forms.OF_MODERATORS or name in self.hints)


def _hints(review: Review) -> dict[str, str]:
    noted = [_how_noted(one) for one in review.moderators if one.reads is None]
    known = HINTS | {"risk_of_bias_tool": _tools_hint(review)}
    if not noted:
        return known
    named = f"{'; '.join(noted)}. Several part with |, such as age = under 18 | dose = 12"
    return known | {
        "characteristics": f"of the whole study: {named}",
        "subgroup_is": f"of this part of its people: {named}",
    }


def _how_noted(moderator: Moderator) -> str:
    if moderator.kind == "category":
        values = " or ".join(moderator.values)
    else:
        values = moderator.unit or "a number"
    return f"{moderator.id} = {values}"


def _list(key: str, rows: Sequence[Mapping[str, Any]], asked: _Asked) -> Part:
    fields = [name for name in forms.LISTS[key].__slots__ if asked.shows(name)]
    every = [*rows, *({} for _ in range(BLANK))]
    boxes = [
        tuple(_box(name, f"{key}-{n}-{name}", row.get(name), asked) for name in fields)
        for n, row in enumerate(every)
    ]
    return Part(key, NAMES[key], tuple(boxes))


def _tools_hint(review: Review) -> str:
    """The tools that are known, from the one list."""
    names = ", ".join(tool.name for tool in appraisal.tools(review))
    return f"one of {names}, with its version; “More rows” then offers its domains and judgements"


def label_of(field: str) -> str:
    """What a field is called on the page."""
    return LABELS.get(field, field.replace("_", " ").capitalize())


def _box(name: str, place: str, value: Any, asked: _Asked) -> Box:
    label = label_of(name)
    hint = asked.hints.get(name)
    text = asked.text(name, place, value)
    if asked.choices.get(name):
        return Box(place, label, "choice", text, _with(asked.choices[name], text), hint)
    kind = "line"
    if name in LONG:
        kind = "text"
    elif name in sheets.NUMBERS:
        kind = "number"
    standing = None
    if name in QUOTES and isinstance(value, str):
        standing = asked.quoted.get(value)
    return Box(place, label, kind, text, (), hint, standing, asked.offers.get(name, ()))


def _with(choices: tuple[tuple[str, str], ...], value: str) -> tuple[tuple[str, str], ...]:
    """The choices with the one that stands in the form: one that is not offered any more would be
    lost by saving.
    """
    if not value or value in [offered for offered, _ in choices]:
        return choices
    return (*choices, (value, value.replace("_", " ")))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_figure(figure)}" for key, figure in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


def _figure(figure: Any) -> str:
    """A number as people write it; what is none stays as it was typed."""
    return str(figure) if isinstance(figure, str) else f"{figure:g}"


def _bars(value: Mapping[str, Any]) -> str:
    """Values of moderators as people type them; words may hold commas, so they part with bars."""
    return " | ".join(f"{key} = {item}" for key, item in value.items())


def _choices(review: Review, filled: Mapping[str, Any]) -> dict[str, tuple[tuple[str, str], ...]]:
    """What may be chosen in a field, as (value, words)."""
    tool = appraisal.tool_of(filled.get("risk_of_bias_tool"), review.tools)
    words = {
        "area": [(one.id, one.label) for one in review.taxonomy],
        "outcome": [(one.id, one.label) for one in review.outcomes],
        "comparison": [(one.id, one.label) for one in review.comparisons],
        "code": [(one.id, one.label) for one in review.codes],
        "domain": list(tool.domains) if tool else [],
    }
    plain: dict[str, Iterable[str]] = {
        "direction": forms.DIRECTIONS,
        "risk_of_bias": appraisal.overall_choices(tool),
        "dimension": EMMIE,
        "polarity": ("barrier", "enabler"),
        "quality": "01234",
        "judgement": tool.judgements if tool else (),
        "time_unit": forms.MONTHS_IN,
        "kind": OUTCOME_KINDS,
        "analysed": forms.ANALYSED,
        **dict.fromkeys(sheets.YES_OR_NO, ("yes", "no")),
    }
    found = {
        key: tuple((one, one.replace("_", " ")) for one in some) for key, some in plain.items()
    }
    return found | {key: tuple(some) for key, some in words.items()}


def read(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The form as typed, as plain data: empty boxes and empty rows left out, numbers as numbers."""
    form: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, Any]]] = {key: {} for key in NAMES}
    for name, raw in items:
        text = raw.strip() if isinstance(raw, str) else ""
        place = _FIELD.fullmatch(name)
        if not text:
            continue
        if place:
            key, number, field = place.groups()
            rows[key].setdefault(int(number), {})[field] = _value(field, text)
        elif name in sheets.COLUMNS["study"]:
            form[name] = _value(name, text)
    for key, some in rows.items():
        if some:
            form[key] = [some[number] for number in sorted(some)]
    return form


def is_box(name: str) -> bool:
    """Whether a box of the form may have this name."""
    place = _FIELD.fullmatch(name)
    if place is None:
        return name in sheets.COLUMNS["study"]
    return place[3] in forms.LISTS[place[1]].__slots__


def last_row(names: Iterable[str]) -> int:
    """The highest number of a row among the names of boxes, from 0; -1 where none is in a row."""
    places = [_FIELD.fullmatch(name) for name in names]
    return max((int(place[2]) for place in places if place), default=-1)


def without_gaps(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with the rows numbered as `read` numbers them: empty ones left out."""
    rows: dict[str, set[int]] = {key: set() for key in NAMES}
    for name, text in typed.items():
        place = _FIELD.fullmatch(name)
        if place and text.strip():
            rows[place[1]].add(int(place[2]))
    order = {key: sorted(numbers) for key, numbers in rows.items()}
    moved: dict[str, str] = {}
    for name, text in typed.items():
        place = _FIELD.fullmatch(name)
        if not text.strip():
            continue
        if place is None:
            moved[name] = text
            continue
        key, number, field = place.groups()
        moved[f"{key}-{order[key].index(int(number))}-{field}"] = text
    return moved


def label_of_box(name: str) -> str:
    """What a box is called, with its row: "Results 2, Effect"."""
    place = _FIELD.fullmatch(name)
    if place is None:
        return label_of(name)
    key, number, field = place.groups()
    return f"{NAMES[key]} {int(number) + 1}, {label_of(field)}"


def _value(field: str, text: str) -> Any:
    if field == "reports":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field == "reported":
        pairs = (part.partition("=") for part in re.split(r"[,;\n]", text) if part.strip())
        return {key.strip(): sheets.number(value.strip()) for key, _, value in pairs}
    if field == "overlaps":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field in sheets.YES_OR_NO:
        return sheets.yes_or_no(text)
    return sheets.number(text) if field in sheets.NUMBERS else text
