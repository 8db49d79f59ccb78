"""Whether a figure's digits stand in the quote that it was taken from.

The rule, the same for every figure:

- Sign: a minus or dash directly before the digits is part of the number, unless a letter or digit
  stands directly before it ("COVID-19", "12-15"). The true minus sign (U+2212) is one also with a
  space after it. "reduced by 5" does not hold -5: who turned the sign worked the figure out.
- Decimals: ".5", "0.5", "0·5" and "0,5" are the same number.
- Thousands: groups of three digits behind commas, spaces or apostrophes. A single comma before
  exactly three digits parts thousands ("1,200" is 1200), unless the whole part is 0 ("0,125"), or
  other numbers of the quote have decimal commas and none has a decimal point; then points part
  thousands. Groups behind spaces may be numbers side by side too: both readings count.
- A percent sign does not change a number: "45%" holds 45, and not 0.45.
- Numbers in words ("twelve") are not read, nor are powers such as 3 × 10⁻³.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

MINUS = "−"
_DASHES = f"-‐‑‒–—{MINUS}"
_SAME = {"·": ".", "．": ".", "，": ",", "－": "-", "’": "'"}
_POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
# A run of digits and of what may stand inside a number. Bounded: no figure is longer.
_RUN = re.compile(r"\d{1,40}(?:[., ']\d{1,40}){0,12}|[.,]\d{1,40}")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([ ',.])\d{3}(?:\1\d{3}){0,12}")
_DECIMAL_COMMA = re.compile(r"\d{0,40},(?:\d{1,2}|\d{4,40})")
_DECIMAL_POINT = re.compile(r"\d{0,40}\.(?:\d{1,2}|\d{4,40})")


def number_in_quote(value: float, quote: str) -> bool:
    """Whether `value` stands in `quote` as one of its numbers, sign included."""
    return Decimal(repr(float(value))) in numbers(quote)


def numbers(quote: str) -> frozenset[Decimal]:
    """The numbers of a quote, by the rule of this module."""
    text = _plain(quote)
    runs = list(_RUN.finditer(text))
    commas = _has_decimal_commas([run.group() for run in runs])
    values: set[Decimal] = set()
    for run in runs:
        if text[run.end() : run.end() + 1] in tuple(_POWERS):
            continue  # 10² is not 10
        negative = _is_negative(text, run.start())
        for reading in _readings(run.group(), commas):
            values |= set(_signed(reading, negative))
    return frozenset(values)


def _plain(quote: str) -> str:
    """The quote with digits, points and spaces of one kind each; 10² stays what it is."""
    letters: list[str] = []
    for letter in quote:
        digit = unicodedata.decimal(letter, None)
        if digit is not None:
            letters.append(str(digit))
        elif letter.isspace():
            letters.append(" ")
        else:
            letters.append(_SAME.get(letter, letter))
    return "".join(letters)


def _signed(reading: list[str], negative: bool) -> Iterable[Decimal]:
    """Numbers side by side; a sign before them is the first one's."""
    for n, digits in enumerate(reading):
        number = Decimal(digits)
        yield -number if negative and n == 0 else number


def _is_negative(text: str, start: int) -> bool:
    """Whether a sign stands before the digits: no hyphen, range or subtraction."""
    before = text[max(0, start - 3) : start]
    if before.endswith(f"{MINUS} "):
        last = before[:-2].rstrip()[-1:]
        return not (last.isalnum() or last in ("%", ")"))
    if before[-1:] not in tuple(_DASHES):
        return False
    last = before[-2:-1]
    return not (last.isalnum() or last == "%")


def _has_decimal_commas(runs: list[str]) -> bool:
    """Whether the quote writes decimals with commas, and none with a point."""
    if any(_DECIMAL_POINT.fullmatch(run) for run in runs):
        return False
    return any(_DECIMAL_COMMA.fullmatch(run) for run in runs)


def _readings(run: str, commas: bool) -> list[list[str]]:
    """What the run may be: each reading has one number, or several side by side."""
    point, other = (",", ".") if commas else (".", ",")
    whole, _, fraction = run.rpartition(point) if point in run else (run, "", "")
    if not fraction or fraction.isdecimal():
        number = _whole_number(whole)
        if number is not None:
            one = [f"{number}.{fraction}" if fraction else number]
            if " " in run:
                return [one, _side_by_side(run, point)]
            return [one]
    if run.count(other) == 1 and other == "," and not {" ", "'", point} & set(run):
        return [[f"0{run.replace(',', '.')}"]]
    return [_side_by_side(run, point)]


def _whole_number(digits: str) -> str | None:
    """The digits before the decimal sign, without what parts thousands; None for no number."""
    if not digits or digits.isdecimal():
        return digits or "0"
    if _THOUSANDS.fullmatch(digits):
        return re.sub(r"[ ',.]", "", digits)
    return None


def _side_by_side(run: str, point: str) -> list[str]:
    """Numbers that a comma or a space parts, such as the cells of a row."""
    spaced = run if point == "," else run.replace(",", " ")
    parts = spaced.replace("'", " ").split(" ")
    plain = [part.replace(point, ".") for part in parts]
    return [part for part in plain if re.fullmatch(r"\d{1,40}(?:\.\d{1,40})?", part)]
