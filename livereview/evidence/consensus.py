"""Two people's extractions of one study, side by side: which rows are about the same thing, which
fields differ, and how far people agree, field by field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LISTS = ("results", "findings", "appraisal", "costs")
# What a row is about, the most telling first.
ABOUT = {
    "results": (
        "outcome",
        "comparison",
        "construct",
        "instrument",
        "subgroup",
        "arm",
        "control_arm",
        "time",
        "time_unit",
        "timing",
    ),
    "findings": ("dimension", "code", "polarity", "quote", "text"),
    "appraisal": ("domain",),
    "costs": ("item", "per", "total"),
}
# How much it counts that two rows say the same: first of all in what they are about.
SAME_SUBJECT = 6
SAME_TRAIT = 2
OTHER_TRAIT = -2  # both say what the row is about, and not the same
TRAIT_OF_ONE = -1  # one says more of what the row is about than the other
SAME_FIGURE = 1
# Rows on two subjects are one, with the subject mistyped, where so many figures agree.
LEAST_FIGURES = 3
NOT_COMPARED = frozenset({"form_version", "derivation"})  # nobody types them
FALSE_UNLESS_TYPED = frozenset({"primary", "total"})  # yes or nothing

Form = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowPair:
    """Two rows about the same thing, by their places in each form; None: that form has no such row."""

    left: int | None
    right: int | None

    @property
    def found_by_both(self) -> bool:
        return self.left is not None and self.right is not None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field, or a whole row, that two extractions tell differently.

    Attributes:
        place: Such as "results[2].effect": the row's place on the left, or else on the right.
        left: What the left one says; None: nothing.
        right: What the right one says.
    """

    place: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class FieldAgreement:
    """How often two extractors said the same in one field.

    Attributes:
        part: "study", or the list that the field is in.
        field: Its name; "row" for whether both had the row at all.
        same: In how many rows they agree.
        rows: Of how many rows where at least one of them says something.
    """

    part: str
    field: str
    same: int
    rows: int


def pair_rows(part: str, left: Sequence[Form], right: Sequence[Form]) -> tuple[RowPair, ...]:
    """Which rows of a list are about the same thing, in whatever order each person typed them.

    Each row is in one pair: those that share most come first. The pairs stand in the left form's
    order, and rows that only the right one has stand at the end.
    """
    likenesses = []
    for place, row in enumerate(left):
        for other_place, other in enumerate(right):
            if _may_be_one(part, row, other):
                likeness = _likeness(part, row, other)
                likenesses.append((-likeness, abs(place - other_place), place, other_place))
    partner_of_left: dict[int, int] = {}
    taken_on_the_right: set[int] = set()
    for _, _, place, other_place in sorted(likenesses):
        if place not in partner_of_left and other_place not in taken_on_the_right:
            partner_of_left[place] = other_place
            taken_on_the_right.add(other_place)
    pairs = [RowPair(place, partner_of_left.get(place)) for place in range(len(left))]
    for other_place in range(len(right)):
        if other_place not in taken_on_the_right:
            pairs.append(RowPair(None, other_place))
    return tuple(pairs)


def _may_be_one(part: str, row: Form, other: Form) -> bool:
    """Whether two rows share their subject, or else so many figures that it may be a slip."""
    subject = ABOUT[part][0]
    return (
        row.get(subject) == other.get(subject) or _same_figures(part, row, other) >= LEAST_FIGURES
    )


def _likeness(part: str, row: Form, other: Form) -> int:
    """How much speaks for it that two rows are about the same thing."""
    subject, *traits = ABOUT[part]
    likeness = SAME_SUBJECT if row.get(subject) == other.get(subject) else 0
    for trait in traits:
        mine, theirs = row.get(trait), other.get(trait)
        if mine is None and theirs is None:
            continue
        if mine is None or theirs is None:
            likeness += TRAIT_OF_ONE
        else:
            likeness += SAME_TRAIT if mine == theirs else OTHER_TRAIT
    return likeness + SAME_FIGURE * _same_figures(part, row, other)


def _same_figures(part: str, row: Form, other: Form) -> int:
    """In how many fields that do not say what a row is about both say the same."""
    same = 0
    for name, value in row.items():
        is_figure = name not in ABOUT[part] and name not in NOT_COMPARED
        if is_figure and value is not None and other.get(name) == value:
            same += 1
    return same


def differences(left: Form, right: Form) -> tuple[Difference, ...]:
    """Where two forms (as `forms.to_json` gives them) differ: the study's own fields, then the rows
    of each list.
    """
    differing = list(_fields_apart("", _own(left), _own(right)))
    for part in LISTS:
        rows, others = left.get(part) or (), right.get(part) or ()
        for pair in pair_rows(part, rows, others):
            here = rows[pair.left] if pair.left is not None else None
            there = others[pair.right] if pair.right is not None else None
            place = f"{part}[{pair.left if pair.left is not None else pair.right}]"
            if here is None or there is None:
                differing.append(Difference(place, here, there))
            else:
                differing += _fields_apart(f"{place}.", here, there)
    return tuple(differing)


def _own(form: Form) -> Form:
    """The study's own fields of a form."""
    return {name: value for name, value in form.items() if name not in LISTS}


def _fields_apart(before: str, left: Form, right: Form) -> Iterable[Difference]:
    for name in _names(left, right):
        if left.get(name) != right.get(name):
            yield Difference(f"{before}{name}", left.get(name), right.get(name))


def _names(left: Form, right: Form) -> list[str]:
    """The fields of two rows that people type, in the order of the left one."""
    return [name for name in dict.fromkeys((*left, *right)) if name not in NOT_COMPARED]


def agreement(pairs: Iterable[tuple[Form, Form]]) -> tuple[FieldAgreement, ...]:
    """How far the two extractions of each study agree, field by field, the least agreement first.

    A field that neither filled says nothing. A row that only one has counts against "row" alone.
    """
    same: dict[tuple[str, str], int] = {}
    rows: dict[tuple[str, str], int] = {}

    def count(part: str, field: str, agrees: bool) -> None:
        rows[part, field] = rows.get((part, field), 0) + 1
        same[part, field] = same.get((part, field), 0) + agrees

    def count_fields(part: str, left: Form, right: Form) -> None:
        for name in _names(left, right):
            if _says(name, left.get(name)) or _says(name, right.get(name)):
                count(part, name, left.get(name) == right.get(name))

    for left, right in pairs:
        count_fields("study", _own(left), _own(right))
        for part in LISTS:
            here, there = left.get(part) or (), right.get(part) or ()
            for pair in pair_rows(part, here, there):
                count(part, "row", pair.found_by_both)
                if pair.left is not None and pair.right is not None:
                    count_fields(part, here[pair.left], there[pair.right])
    every = [FieldAgreement(*key, same[key], rows[key]) for key in rows]
    return tuple(sorted(every, key=lambda field: (field.same / field.rows, -field.rows)))


def _says(name: str, value: Any) -> bool:
    """Whether a field holds anything that somebody typed."""
    if name in FALSE_UNLESS_TYPED:
        return bool(value)
    return value is not None and value != [] and value != "" and value != {}
