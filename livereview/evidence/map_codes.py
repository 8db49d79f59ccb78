"""What a report is about, for the evidence and gap map: its areas, outcomes, design, places and
people.

A code says that a report is about something, never what it found. So a report can be coded as soon
as somebody has it in hand, and a scoping review of many papers is a map without a form of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from livereview.errors import Refused
from livereview.messages import mark
from livereview.review import Review

KINDS: Mapping[str, str] = {
    "study": mark("Study"),
    "ongoing": mark("Ongoing study"),
    "review": mark("Systematic review"),
}
"""What a report is of, as a map tells them apart (3ie's and Campbell's maps do the same)."""

DESIGNS: Mapping[str, str] = {
    "randomised": mark("Randomised trial"),
    "comparison": mark("Comparison group, not randomised"),
    "no-comparison": mark("Figures without a comparison"),
    "qualitative": mark("Qualitative study"),
    "mixed": mark("Mixed methods"),
    "survey": mark("Survey"),
    "synthesis": mark("Synthesis of studies"),
}
"""Groups of designs: coarse, so that a map has few columns and two coders choose the same."""

LONGEST_PLACE = 60
"""Characters of a country or a group of people: a column of a map is no wider."""

MOST_VALUES = 20
"""Countries or groups of people of one report; more are a paragraph, not a code."""


@dataclass(frozen=True, slots=True)
class MapCodes:
    """What one report is about.

    Attributes:
        kind: One of KINDS.
        areas, outcomes, comparisons: Ids of the protocol's; a report may be about several.
        design: One of DESIGNS; None: not coded.
        countries, populations: In words, each once.
    """

    kind: str = "study"
    areas: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    comparisons: tuple[str, ...] = ()
    design: str | None = None
    countries: tuple[str, ...] = ()
    populations: tuple[str, ...] = ()

    @property
    def says_nothing(self) -> bool:
        """Whether there is no code: such a report has no place on the map."""
        lists = (self.areas, self.outcomes, self.comparisons, self.countries, self.populations)
        return self.design is None and not any(lists)


FIELDS = tuple(asdict(MapCodes()))


def to_json(codes: MapCodes) -> dict[str, Any]:
    """The codes as plain JSON data; `from_json` reads it back the same."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(codes).items()
    }


def from_json(data: Any, review: Review, name: str = "codes") -> MapCodes:
    """Codes as somebody gave them, checked against the protocol.

    Areas, outcomes, comparisons and designs are matched by id or by label, whatever their case.

    Raises:
        Refused: with every mistake, the value and the choices.
    """
    if not isinstance(data, Mapping):
        raise Refused(f"{name}: codes must be an object with {', '.join(FIELDS)}")
    problems = [
        f"{field!r} is no field of codes; they are {', '.join(FIELDS)}"
        for field in data
        if field not in FIELDS
    ]
    areas = {area.id: area.label for area in review.taxonomy}
    outcomes = {outcome.id: outcome.label for outcome in review.outcomes}
    comparisons = {comparison.id: comparison.label for comparison in review.comparisons}

    def chosen(field: str, choices: Mapping[str, str]) -> tuple[str, ...]:
        return _chosen(field, _list(data.get(field)), choices, problems)

    kinds = chosen("kind", KINDS)
    designs = chosen("design", DESIGNS)
    for field, values in (("kind", kinds), ("design", designs)):
        if len(values) > 1:
            problems.append(f"{field} must be one value; there are {len(values)}")
    codes = MapCodes(
        kind=kinds[0] if kinds else "study",
        areas=chosen("areas", areas),
        outcomes=chosen("outcomes", outcomes),
        comparisons=chosen("comparisons", comparisons),
        design=designs[0] if designs else None,
        countries=_words("countries", data.get("countries"), problems),
        populations=_words("populations", data.get("populations"), problems),
    )
    if problems:
        raise Refused("\n- ".join([f"{name} can't be taken:", *problems]))
    return codes


def in_force(data: Any, review: Review) -> MapCodes:
    """Codes that were taken once, as far as today's protocol still has them.

    A protocol that dropped an area must not stop the page of all others.
    """
    areas = {area.id for area in review.taxonomy}
    outcomes = {outcome.id for outcome in review.outcomes}
    comparisons = {comparison.id for comparison in review.comparisons}
    return MapCodes(
        kind=data["kind"],
        areas=_kept(data["areas"], areas.__contains__),
        outcomes=_kept(data["outcomes"], outcomes.__contains__),
        comparisons=_kept(data["comparisons"], comparisons.__contains__),
        design=data["design"],
        countries=tuple(data["countries"]),
        populations=tuple(data["populations"]),
    )


def _kept(values: Sequence[str], is_there: Callable[[str], bool]) -> tuple[str, ...]:
    return tuple(value for value in values if is_there(value))


def _list(value: Any) -> list[str]:
    """One value or a list of them, without blanks."""
    if value is None:
        return []
    values = value if isinstance(value, list | tuple) else [value]
    return [text for text in (str(item).strip() for item in values) if text]


def _chosen(
    field: str, values: Sequence[str], choices: Mapping[str, str], problems: list[str]
) -> tuple[str, ...]:
    """The ids that values mean, in the protocol's order; what none has is a problem."""
    by_word = {id.casefold(): id for id in choices}
    by_word |= {label.casefold(): id for id, label in choices.items()}
    ids = set()
    for value in values:
        id = by_word.get(value.casefold())
        if id is None:
            listed = ", ".join(choices) or "none: the protocol has none"
            problems.append(f"{field}: {value!r} is not one of {listed}")
        else:
            ids.add(id)
    return tuple(id for id in choices if id in ids)


def _words(field: str, value: Any, problems: list[str]) -> tuple[str, ...]:
    """Values in people's own words, each once, in the order given."""
    words = list(dict.fromkeys(" ".join(text.split()) for text in _list(value)))
    for text in words:
        if len(text) > LONGEST_PLACE:
            problems.append(f"{field}: {text[:20]!r}… is longer than {LONGEST_PLACE} characters")
    if len(words) > MOST_VALUES:
        problems.append(f"{field}: at most {MOST_VALUES} values; there are {len(words)}")
    return tuple(words)
