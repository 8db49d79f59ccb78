"""A text folded for comparing quotes with it: what typesetting changes is folded, words, numbers
and signs are not.

Typesetting changes ligatures, white space, hyphens at line ends, the shapes of quotation marks and
dashes, and how Unicode writes the same letter. All that can be folded away without a quote saying
anything else. Digits, decimal signs, signs before numbers, operators and negations stay as they
are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

# ---- what is the same sign for a quote
_SAME: dict[str, str] = {
    **dict.fromkeys("‘’‚‛`´ʼʹ′‹›", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    "＋": "+",
    "∶": ":",
    "…": "...",
}
# how pdfium writes the hyphen at the end of a line
LINE_END_HYPHENS = "\ufffe\x02"
SOFT_HYPHEN = "\u00ad"
MOST_MARKS = 16  # on one letter; more are text by themselves, so that no text takes long to sort
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# a line may break inside a word before or after these: renderers place them as glyphs of their own
_LIGATURES = ("ff", "fi", "fl", "ft", "ſt", "st", "tt", "ti")


class Gap(IntEnum):
    """What stands between two characters of the core of a text."""

    NONE = 0
    SPACE = 1
    LINE_BREAK = 2
    HYPHEN = 3  # between letters, without white space
    SPACED_HYPHEN = 4  # between letters, with a space or a line break beside it
    SOFT_HYPHEN = 5  # between letters: it is there only where the line ends


_JOINED = {Gap.NONE, Gap.SPACED_HYPHEN, Gap.SOFT_HYPHEN}
_HYPHENATED = {Gap.HYPHEN, Gap.SPACED_HYPHEN, Gap.SOFT_HYPHEN}
_APART = {Gap.SPACE, Gap.LINE_BREAK}


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without its typesetting.

    Attributes:
        source: The text as it was given.
        core: Its characters without white space, invisible signs, and hyphens between letters.
        starts, ends: For each character of `core`, where it begins and ends in `source`.
        gaps: For each character of `core`, what stands before it.
    """

    source: str
    core: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    gaps: bytes

    def reads_alike(self, place: int, other: Folded) -> bool:
        """Whether `other`, whose core stands at `place` of this core, has the same gaps."""
        core = other.core
        if self.gaps[place + 1 : place + len(core)] == other.gaps[1:]:
            return True
        return all(
            self._gap_alike(place + n, other, n)
            for n in range(1, len(core))
            if self.gaps[place + n] != other.gaps[n]
        )

    def _gap_alike(self, place: int, other: Folded, n: int) -> bool:
        here, there = Gap(self.gaps[place]), Gap(other.gaps[n])
        before, after = self.core[place - 1], self.core[place]
        if is_letter(before) and is_letter(after):
            if {here, there} <= _APART:
                return True
            return _words_alike(here, there) or self._breaks_at_ligature(place, there)
        if matters_in_number(self.core, place) and not self._hyphen_at_line_end(place):
            return (here == Gap.NONE) == (there == Gap.NONE)
        return True

    def _breaks_at_ligature(self, place: int, there: Gap) -> bool:
        """Whether a line of this text ends inside a word, before or after a ligature."""
        if self.gaps[place] != Gap.LINE_BREAK or there != Gap.NONE:
            return False
        before = self.core[max(0, place - 2) : place]
        return self.core.startswith(_LIGATURES, place) or before in _LIGATURES

    def _hyphen_at_line_end(self, place: int) -> bool:
        """Whether the line ends after a hyphen that follows a letter or digit: "12-" and "15"."""
        if self.gaps[place] != Gap.LINE_BREAK or self.core[place - 1] != "-" or place < 2:
            return False
        before = self.core[place - 2]
        return self.gaps[place - 1] == Gap.NONE and (before.isalnum() or before in "%)")


def _words_alike(here: Gap, there: Gap) -> bool:
    """Whether two gaps between letters leave the words the same."""
    gaps = {here, there}
    return gaps <= _JOINED or gaps <= _HYPHENATED


def is_letter(sign: str) -> bool:
    """Whether it is part of a word: a letter or a mark on one."""
    return sign.isalpha() or unicodedata.category(sign)[0] == "M"


def matters_in_number(core: str, place: int) -> bool:
    """Whether white space before this character may change a number.

    "1 200" is not "1200", "0. 5" not "0.5", and "12 -5" not "12-5"; "n = 5" is "n=5".
    """
    before, after = core[place - 1], core[place]
    second = core[place - 2] if place > 1 else " "
    third = core[place + 1] if place + 1 < len(core) else " "
    if before.isdecimal():
        return after.isdecimal() or (after in ".,·:/^-+" and third.isdecimal())
    if not after.isdecimal():
        return False
    if before in ".,·:/^":
        return not is_letter(second) and second not in ")]%"
    return before in "-+" and not is_letter(second)


def fold(text: str) -> Folded:
    """The text folded, in time linear in its length."""
    signs: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    gaps = bytearray()
    gap = Gap.NONE
    for start, end in _clusters(text):
        seen, plain = _read(text[start:end])
        if seen is not None:
            gap = _and_then(gap, seen)
            continue
        if plain is None:
            plain = _folded_between(text, start, end)
        for letter in plain:
            signs.append(letter)
            starts.append(start)
            ends.append(end)
            gaps.append(gap)
            gap = Gap.NONE
    return _without_hyphens(text, signs, starts, ends, gaps)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Each character with the marks that follow it."""
    start = 0
    for place in range(1, len(text) + 1):
        follows = place < len(text) and text[place] > "\u02ff" and _is_mark(text[place])
        if follows and place - start <= MOST_MARKS:
            continue
        yield start, place
        start = place


@lru_cache(maxsize=4_096)
def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "M"


@lru_cache(maxsize=4_096)
def _read(sign: str) -> tuple[Gap | None, str | None]:
    """What a cluster is: a gap, or characters of the core; (None, None): its neighbours decide."""
    if sign in LINE_END_HYPHENS:
        return None, "\ufffe"
    gap = _gap_of(sign)
    if gap is not None:
        return gap, None
    same = _SAME.get(sign)
    if same is not None:
        return None, same
    plain = _plain(sign)
    # a digit of another width is a digit; other signs that stand for digits may join a number
    if plain == sign or sign[0].isdecimal() or not _is_numeric_form(plain):
        return None, plain
    return None, None


def _gap_of(sign: str) -> Gap | None:
    """The gap that a sign is; None for one of the core."""
    if sign in LINE_BREAKS:
        return Gap.LINE_BREAK
    if sign.isspace():
        return Gap.SPACE
    if sign == SOFT_HYPHEN:
        return Gap.SOFT_HYPHEN
    if unicodedata.category(sign[0]) in ("Cc", "Cf"):
        return Gap.NONE
    return None


def _and_then(gap: Gap, seen: Gap) -> Gap:
    """The gap of two that stand side by side."""
    if Gap.SOFT_HYPHEN in (gap, seen):
        return Gap.SOFT_HYPHEN
    return max(gap, seen)


def _plain(sign: str) -> str:
    normal = unicodedata.normalize("NFKC", sign)
    return "".join(_SAME.get(letter, letter) for letter in normal if not letter.isspace())


def _is_numeric_form(plain: str) -> bool:
    return plain[:1] in ("-", "+") or any(letter.isdecimal() for letter in plain)


def _folded_between(text: str, start: int, end: int) -> str:
    """A sign that stands for digits, such as ² or ½: plain unless it would join a number.

    10² is not 102, and 3½ is not 31/2.
    """
    sign = text[start:end]
    if _is_numeric(text[start - 1 : start]) or _is_numeric(text[end : end + 1]):
        return sign
    return _plain(sign)


def _is_numeric(sign: str) -> bool:
    if not sign:
        return False
    return sign in ".,·-−–" or unicodedata.category(sign) in ("Nd", "No")


def _without_hyphens(
    text: str, signs: list[str], starts: list[int], ends: list[int], gaps: bytearray
) -> Folded:
    """The core: hyphens between letters become part of the gap, since a line may end there."""
    core: list[str] = []
    places: list[int] = []
    kept = bytearray()
    hyphen: Gap | None = None
    for place, sign in enumerate(signs):
        if hyphen is None and sign in "-\ufffe" and _between_letters(signs, place):
            hyphen = _hyphen_gap(sign, gaps[place], gaps[place + 1])
            continue
        core.append("-" if sign == "\ufffe" else sign)
        places.append(place)
        kept.append(gaps[place] if hyphen is None else hyphen)
        hyphen = None
    return Folded(
        source=text,
        core="".join(core),
        starts=tuple(starts[place] for place in places),
        ends=tuple(ends[place] for place in places),
        gaps=bytes(kept),
    )


def _between_letters(signs: list[str], place: int) -> bool:
    if place == 0 or place + 1 == len(signs):
        return False
    return is_letter(signs[place - 1]) and is_letter(signs[place + 1])


def _hyphen_gap(sign: str, before: int, after: int) -> Gap:
    if sign == "\ufffe":
        return Gap.SOFT_HYPHEN
    if before == after == Gap.NONE:
        return Gap.HYPHEN
    return Gap.SPACED_HYPHEN
