"""The checks of an extraction form: what each field may hold, by the protocol.

Problems are collected, not raised.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from livereview import texts
from livereview.errors import Refused
from livereview.evidence import (
    appraisal,
    figure_checks,
    measures,
    no_size,
    orientation,
    quoted_numbers,
)
from livereview.evidence.forms import (
    ANALYSED,
    DIRECTIONS,
    FORM_VERSION,
    FORM_VERSIONS,
    LISTS,
    MONTHS_IN,
    Cost,
    EmmieFinding,
    Extraction,
    Judgement,
    Result,
)
from livereview.evidence.reported import FIGURES, complete
from livereview.review import EMMIE, OUTCOME_KINDS, Moderator, Outcome, Review


class Placed(NamedTuple):
    """An item of a sheet with the row it came from."""

    place: str
    item: dict[str, Any]


def from_json(data: object, review: Review, name: str, *, accepted: bool = False) -> Extraction:
    """The form in `data` (JSON text, or what it parses to), checked against the review's protocol.

    Raises Refused with every problem, each with its place in the form and the valid choices. Absent
    and null mean the same: not reported.

    Args:
        name: Where it came from, for messages.
        accepted: Whether the form was taken before: then tools of appraisal that were listed since
            don't close it.
    """
    problems: list[str] = []
    found = form(_parsed(data, name), review, "", problems, accepted=accepted)
    if found is None:
        raise refusal(name, problems)
    return found


def refusal(name: str, problems: list[str]) -> Refused:
    """What to raise for the problems of the form or sheet `name`."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return Refused(
        "\n".join(
            [f"{name} was not taken, {count} to put right:", *(f"- {text}" for text in problems)]
        )
    )


def _parsed(data: object, name: str) -> object:
    if not isinstance(data, str | bytes):
        return data
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name} is not JSON: {error}; see the example extractions") from error


LONGEST_TEXT = 10_000  # characters of one field of a form: several pages

# A check returns the value to keep, or raises ValueError with what is wrong and what would be
# right.
Check = Callable[[Any], Any]


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {shown(value)}")
    if any(
        unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\t\n\r" for letter in value
    ):
        raise ValueError("holds a control character; type it again rather than paste it")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"has {len(value):,} characters; at most {LONGEST_TEXT:,} are allowed")
    return " ".join(texts.clean(value).split()) or None


def _id(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value)
        or len(value) > 80
    ):
        raise ValueError(
            f"must be small letters, digits and single hyphens, such as smith-2019, not {shown(value)}"
        )
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        found = tuple(filter(None, map(_text, value)))
    else:
        found = ()
    if not found:
        raise ValueError("must list at least one report: a DOI, pmid:1, a record id or a title")
    if len(set(found)) < len(found):
        raise ValueError("names the same report twice")
    return found


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {shown(value)}")
    if not math.isfinite(value):
        raise ValueError("must be a finite number; leave it out where it was not reported")
    return value


def _not_negative(value: Any) -> float:
    if _number(value) < 0:
        raise ValueError(f"must be 0 or more, not {shown(value)}")
    return _number(value)


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(value)}")
    return value


def _ids(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of study ids, not {shown(value)}")
    return tuple(_id(item) for item in value)


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        number = _number(value)
        if number != int(number) or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {shown(value)}")
        return int(number)

    return check


def _one_of(choices: Iterable[str], what: str = "") -> Check:
    known = tuple(choices)

    def check(value: Any) -> str:
        if value not in known:
            raise ValueError(
                f"must be one of {', '.join(known) or f'none (the protocol has no {what})'}, not {shown(value)}"
            )
        return str(value)

    return check


def shown(value: Any) -> str:
    """A value for a message, not too long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_COUNT = _whole(1, 1_000_000_000)
_YEAR = _whole(1900, 2100)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError(f"must be a currency's three letters such as GBP, not {shown(value)}")
    return value


def _figures(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError("must name figures, such as {m1i = 3.2, sd1i = 1.1, n1i = 40}")
    if unknown := [str(key) for key in value if key not in FIGURES]:
        raise ValueError(
            f"has no figure {', '.join(unknown)}; the figures are {', '.join(FIGURES)}"
        )
    return {key: _number(number) for key, number in sorted(value.items())}


def _characteristics(review: Review) -> Check:
    """Values of the protocol's moderators by their ids, or as a sheet has them: "age = under 18 |
    dose = 12".
    """
    moderators = {one.id: one for one in review.moderators if one.reads is None}

    def check(value: Any) -> dict[str, str | float]:
        given = _pairs(value) if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise ValueError(
                f'must name moderators, such as {{"age": "under 18"}}, not {shown(value)}'
            )
        if unknown := [str(key) for key in given if key not in moderators]:
            known = ", ".join(moderators) or "none (the protocol has no moderators to note)"
            raise ValueError(f"has no moderator {', '.join(unknown)}; they are {known}")
        return {key: _of_moderator(moderators[key], given[key]) for key in sorted(given)}

    return check


def without_gone_moderators(data: Mapping[str, Any], review: Review) -> dict[str, Any]:
    """A kept form, as `forms.to_json` gave it, without values of moderators that today's protocol
    no longer has.

    A protocol may drop a moderator or name its groups anew; then nothing is known of the study's
    value, and all else that it says still counts.
    """
    check = _characteristics(review)
    results = [_with_known(result, "subgroup_is", check) for result in data.get("results") or ()]
    return _with_known(data, "characteristics", check) | {"results": results}


def _with_known(item: Mapping[str, Any], field: str, check: Check) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for id, value in (item.get(field) or {}).items():
        with suppress(ValueError):
            known |= check({id: value})
    rest = {key: value for key, value in item.items() if key != field}
    return rest | ({field: known} if known else {})


def _pairs(text: str) -> dict[str, str]:
    parts = [part.partition("=") for part in re.split(r"[|\n]", text) if part.strip()]
    if any(not sign for _, sign, _ in parts):
        raise ValueError(f"must be such as age = under 18 | dose = 12, not {shown(text)}")
    return {key.strip(): value.strip() for key, _, value in parts}


def _of_moderator(moderator: Moderator, value: Any) -> str | float:
    if moderator.kind == "category":
        if value not in moderator.values:
            raise ValueError(
                f"{moderator.id} must be one of {', '.join(moderator.values)}, not {shown(value)}"
            )
        return str(value)
    try:
        return _number(float(value) if isinstance(value, str) else value)
    except ValueError:
        raise ValueError(f"{moderator.id} must be a number, not {shown(value)}") from None


def _study_checks(review: Review) -> dict[str, Check]:
    return {
        "study": _id,
        "label": _text,
        "reports": _texts,
        "year": _YEAR,
        **dict.fromkeys(
            ("design", "country", "setting", "sample", "population", "intervention", "comparator"),
            _text,
        ),
        "area": _one_of((area.id for area in review.taxonomy), "taxonomy"),
        "participants": _COUNT,
        "sites": _COUNT,
        "risk_of_bias": _text,
        "risk_of_bias_tool": _text,
        **dict.fromkeys(("caution", "funding", "conflicts"), _text),
        "overlaps": _ids,
        "characteristics": _characteristics(review),
        "form_version": _one_of(FORM_VERSIONS),
    }


def _result_checks(review: Review) -> dict[str, Check]:
    return {
        "outcome": _one_of((outcome.id for outcome in review.outcomes), "outcomes"),
        "construct": _text,
        "direction": _one_of(DIRECTIONS),
        "measure": _text,
        "effect": _number,
        "ci_low": _number,
        "ci_high": _number,
        "n": _COUNT,
        "timing": _text,
        "note": _text,
        "reported": _figures,
        "derivation": _text,
        "comparison": _one_of((comparison.id for comparison in review.comparisons), "comparisons"),
        "instrument": _text,
        "higher_is_better": _yes_or_no,
        "subgroup": _text,
        "arm": _id,
        "control_arm": _id,
        "time": _not_negative,
        "time_unit": _one_of(MONTHS_IN),
        "kind": _one_of(OUTCOME_KINDS),
        "primary": _yes_or_no,
        "adjusted": _yes_or_no,
        "clustered": _yes_or_no,
        "analysed": _one_of(ANALYSED),
        "currency": _currency,
        "price_year": _YEAR,
        "subgroup_is": _characteristics(review),
        "source_quote": _text,
        "worked_out": _text,
    }


def _finding_checks(review: Review) -> dict[str, Check]:
    return {
        "dimension": _one_of(EMMIE),
        "text": _text,
        "quote": _text,
        "page": _text,
        "quality": _whole(0, 4),
        "polarity": _one_of(("barrier", "enabler")),
        "code": _one_of((code.id for code in review.codes), "codes"),
    }


_JUDGEMENT_CHECKS: dict[str, Check] = {"domain": _text, "judgement": _text, "support": _text}
_COST_CHECKS: dict[str, Check] = {
    "item": _text,
    "amount": _number,
    "currency": _currency,
    "price_year": _YEAR,
    "perspective": _text,
    "per": _text,
    "total": _yes_or_no,
}
_REQUIRED = {
    *("study", "label", "reports", "outcome", "construct", "dimension", "text"),
    *("domain", "judgement", "item", "amount"),
}
_REQUIRED_OF_COSTS = {*_REQUIRED, "currency"}  # a result has one only where it counts money


def form(
    data: Any, review: Review, where: str, problems: list[str], *, accepted: bool = False
) -> Extraction | None:
    """The form in `data`, or None after adding to `problems` what is wrong with it; `where` it came
    from, for them.
    """
    before = len(problems)
    if not isinstance(data, dict):
        problems.append(
            f"{where or 'the form'} must be an object with keys such as study and reports"
        )
        return None
    dot = f"{where}, " if where else ""
    known = _study_checks(review)
    study = {key: value for key, value in data.items() if key not in LISTS}
    fields = _read(study, known, dot, problems, list(LISTS))
    lists = {key: _list(key, data, review, dot, problems) for key in LISTS}
    if fields.get("form_version", FORM_VERSION) == FORM_VERSION:
        places = _items(data, "results", dot, [])
        for (place, _), row in zip(places, lists["results"], strict=True):
            problems += [f"{place}{problem}" for problem in _unsafe(row, review)]
    tool, overall = fields.get("risk_of_bias_tool"), fields.get("risk_of_bias")
    if not accepted:
        items = _items(data, "results", dot, [])
        problems += _contradicted(items, lists["results"], fields.get("participants"))
        problems += appraisal.problems(tool, overall, lists["appraisal"], dot, review.tools)
    if len(problems) > before:
        return None
    return Extraction(
        **fields,
        results=tuple(Result(**row) for row in lists["results"]),
        findings=tuple(EmmieFinding(**row) for row in lists["findings"]),
        appraisal=tuple(Judgement(**row) for row in lists["appraisal"]),
        costs=tuple(Cost(**row) for row in lists["costs"]),
    )


def _contradicted(
    items: Iterable[tuple[str, Any]], rows: Iterable[Mapping[str, Any]], participants: int | None
) -> Iterable[str]:
    """What results say twice and differently, each with the next step."""
    for (place, _), row in zip(items, rows, strict=True):
        is_whole = {"outcome", "construct"} <= row.keys()
        if not is_whole:
            continue  # told already
        for problem in figure_checks.contradictions(Result(**row), participants):
            yield f"{place}.{problem.field}: {problem.text}; {problem.next_step}"


def _list(
    key: str, data: Mapping[str, Any], review: Review, dot: str, problems: list[str]
) -> list[dict[str, Any]]:
    """The checked items of one of the form's lists."""
    items = _items(data, key, dot, problems)
    if key == "results":
        return [_result(row, review, place, problems) for place, row in items]
    checks = {
        "findings": _finding_checks(review),
        "appraisal": _JUDGEMENT_CHECKS,
        "costs": _COST_CHECKS,
    }[key]
    required = _REQUIRED_OF_COSTS if key == "costs" else _REQUIRED
    return [_read(row, checks, f"{place}.", problems, required=required) for place, row in items]


def _items(
    data: Mapping[str, Any], key: str, dot: str, problems: list[str]
) -> list[tuple[str, Any]]:
    """(place, item) of a list in the form; in a sheet the place is the row it came from."""
    items = data.get(key)
    if items is not None and not isinstance(items, list | tuple):
        problems.append(f"{dot}{key}: must be a list, not {shown(items)}")
        return []
    return [
        item if isinstance(item, Placed) else (f"{dot}{key}[{n}]", item)
        for n, item in enumerate(items or ())
    ]


def _read(
    data: Any,
    checks: Mapping[str, Check],
    dot: str,
    problems: list[str],
    more: Iterable[str] = (),
    required: Collection[str] = _REQUIRED,
) -> dict[str, Any]:
    """The checked fields of one object.

    Unknown keys are problems too, since they are mostly slips of the pen.
    """
    if not isinstance(data, dict):
        problems.append(f"{dot.rstrip('.')}: must be an object, not {shown(data)}")
        return {}
    problems.extend(
        f"{dot}{key}: unknown; the keys are {', '.join((*checks, *more))}"
        for key in data
        if key not in checks
    )
    fields: dict[str, Any] = {}
    for key, check in checks.items():
        value = data.get(key)
        try:
            checked = None if value is None else check(value)
        except ValueError as error:
            problems.append(f"{dot}{key}: {error}")
            continue
        if checked is not None:
            fields[key] = checked
        elif key in required:
            problems.append(f"{dot}{key}: must be given")
    return fields


def _result(data: Any, review: Review, place: str, problems: list[str]) -> dict[str, Any]:
    fields = _read(data, _result_checks(review), f"{place}.", problems)
    effect, low, high = (fields.get(key) for key in ("effect", "ci_low", "ci_high"))
    if (low is None) != (high is None):
        problems.append(f"{place}: give both ci_low and ci_high, or neither")
    elif (
        low is not None
        and high is not None
        and not low <= (low if effect is None else effect) <= high
    ):
        problems.append(
            f"{place}: must be ci_low <= effect <= ci_high, not {low} <= {effect} <= {high}"
        )
    if not (effect is None and low is None) and "measure" not in fields:
        problems.append(f"{place}.measure: must be given where there is an effect, e.g. SMD")
    problems += [f"{place}{problem}" for problem in _not_in_quote(fields)]
    if effect is None and low is None and "reported" in fields:
        return _completed(fields, place, problems)
    return fields


def _not_in_quote(fields: Mapping[str, Any]) -> list[str]:
    """What is wrong where the quote of a result does not hold its figures.

    Without a quote nothing is asked; with one, each figure stands in it, or the person says how it
    was worked out.
    """
    quote = fields.get("source_quote")
    if quote is None or "worked_out" in fields:
        return []
    figures = {key: fields[key] for key in ("effect", "ci_low", "ci_high") if key in fields}
    figures |= fields.get("reported") or {}
    absent = [
        f"{key} = {value:g}"
        for key, value in figures.items()
        if not quoted_numbers.number_in_quote(value, quote)
    ]
    if not absent:
        return []
    return [
        f".source_quote: does not hold {', '.join(absent)}; quote the words that do, "
        "or say in worked_out how the figure was worked out"
    ]


def _unsafe(row: Mapping[str, Any], review: Review) -> list[str]:
    """What must be said of a result before a public sentence may rest on it (form version 3)."""
    outcome = next((one for one in review.outcomes if one.id == row.get("outcome")), None)
    if outcome is None or "construct" not in row:
        return []  # told already
    found: list[str] = []
    has_number = "effect" in row or _figures_without_size(row)
    if not has_number and "direction" not in row:
        found.append(".direction: must be given where no size is reported")
    if len(review.comparisons) > 1 and "comparison" not in row:
        known = ", ".join(comparison.id for comparison in review.comparisons)
        found.append(f".comparison: must be given; the comparisons are {known}")
    if ("time" in row) != ("time_unit" in row):
        found.append(".time: give both time and time_unit, or neither")
    if "subgroup_is" in row and "subgroup" not in row:
        found.append(
            ".subgroup: must be given with subgroup_is: which part of the people it is, in words"
        )
    found += _without_direction(row, outcome)
    found += _without_clusters(row)
    return found


def _figures_without_size(row: Mapping[str, Any]) -> bool:
    """Whether its figures are such as give no size, which says more than a direction would."""
    return no_size.of(row.get("measure"), row.get("reported")) is not None


def _without_direction(row: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """What keeps a number from being turned to its outcome."""
    if "effect" not in row and _figures_without_size(row):
        denied = orientation.contradiction(outcome, Result(**row))
        return [] if denied is None else [f".direction: {denied}"]
    if "effect" not in row:
        return []
    unit = measures.read(row.get("measure"))
    if unit is None:
        known = ", ".join(measures.MEASURES)
        return [
            f".measure: must be one of {known}, or a name of one of them, not {shown(row.get('measure'))}"
        ]
    if unit.measure.scales and "higher_is_better" not in row:
        if row.get("direction") == "unclear":
            return []  # nobody can tell yet: it counts for nothing and waits as a question
        return [
            f".higher_is_better: must be given with {unit.measure.id}: true where more on this scale is good "
            "for people, false where it is bad; where nobody can tell yet, give direction unclear"
        ]
    result = Result(**row)
    contradiction = orientation.contradiction(outcome, result)
    if contradiction is not None:
        return [f".direction: {contradiction}"]
    oriented = orientation.orient(outcome, result)
    if oriented.effect is None:
        return [f": {oriented.reason}"]
    return []


def _without_clusters(row: Mapping[str, Any]) -> list[str]:
    """What is missing of a result of people who were allocated in groups."""
    if not row.get("clustered"):
        return []
    if "analysed" not in row:
        return [
            ".analysed: must be given with clustered = true; choose one of individuals, clusters"
        ]
    figures = row.get("reported") or {}
    if row["analysed"] == "individuals" and "icc" not in figures:
        return [
            ".reported: an analysis of individuals in clusters needs icc and cluster_size (borrow them from a like "
            "study and say so in note), or its interval is too narrow"
        ]
    return []


def _completed(fields: dict[str, Any], place: str, problems: list[str]) -> dict[str, Any]:
    """The result with the effect that its reported figures give.

    As it is where they are such as give none: nobody had the event, say.
    """
    if no_size.of(fields.get("measure"), fields["reported"]) is not None:
        return fields
    try:
        return fields | complete(fields.get("measure"), fields["reported"])
    except ValueError as error:
        problems.append(f"{place}.reported: {error}")
        return fields
