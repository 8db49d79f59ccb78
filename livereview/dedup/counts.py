"""Words of a title that count it among others of its series: numerals, ordinals, seasons, months."""

from __future__ import annotations

import re
from collections.abc import Iterable

from livereview.dedup.words import listed

# higher ones are rarer than words and abbreviations that look like them
_ROMAN = tuple(
    "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx".split()  # noqa: SIM905
)
_ORDERED = (
    "one two three four five six seven eight nine ten eleven twelve",
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
    "erste zweite dritte vierte funfte sechste",
    "erster zweiter dritter vierter funfter sechster",
    "eins zwei drei vier funf sechs",
    "premier deuxieme troisieme quatrieme cinquieme",
    "premiere seconde troisieme quatrieme cinquieme",
    "un deux trois quatre cinq six",
    "primera segunda tercera cuarta quinta sexta",
    "primero segundo tercero cuarto quinto sexto",
    "primeira segunda terceira quarta quinta sexta",
    "primeiro segundo terceiro quarto quinto sexto",
    "prima seconda terza quarta quinta sesta",
    "primo secondo terzo quarto quinto sesto",
    "eerste tweede derde vierde vijfde zesde",
    "forsta andra tredje fjarde femte sjatte",
    "forste anden tredje fjerde femte sjette",
    "первая вторая третья четвертая пятая шестая",
    "первый второи третии четвертыи пятыи шестои",
)
_TIMES = listed(
    """spring summer autumn fall winter january february march april may june july august september october november
    december fruhling fruhjahr herbst sommer printemps ete automne hiver primavera verano otono invierno"""
)
_ORDINAL = re.compile(r"(\d{1,3})(?:st|nd|rd|th|er|re|eme|e)")
_RUNS = re.compile(r"\d+")

_VALUES: dict[str, str] = {
    **{word: str(n) for n, word in enumerate(_ROMAN, start=1)},
    **{word: str(n) for line in _ORDERED for n, word in enumerate(line.split(), start=1)},
    **{word: word for word in _TIMES},
    "autumn": "fall",
    "i1": "2",  # II, misread
    "1i": "2",
    "il": "2",
}


def value(word: str) -> str | None:
    """The number, letter or time that a word of a title stands for: "2" for "2", "ii", "second" and
    "2nd"; None where it counts nothing.
    """
    if word.isdigit():
        return word.lstrip("0") or "0"
    if word in _VALUES:
        return _VALUES[word]
    if ordinal := _ORDINAL.fullmatch(word):
        return ordinal[1].lstrip("0") or "0"
    return word if len(word) == 1 and word != "a" else None


def roman(word: str) -> str:
    """The digits of a Roman numeral up to XX, of two letters or more, or of I, V and X; else ""."""
    return str(_ROMAN.index(word) + 1) if word in _ROMAN else ""


def differ(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether words that only one title has and words that only the other has count differently.

    A first letter of the alphabet counts where the other title has a letter too: "group A", "group
    B".
    """
    one, two = list(left), list(right)
    letters = [word for word in one + two if len(word) == 1 and word.isalpha()]
    mine = _values(one, len(letters) > 1)
    theirs = _values(two, len(letters) > 1)
    return bool(mine) and bool(theirs) and mine != theirs


def figures_differ(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether the figures in words that only one title has differ from those in words that only the
    other has: "hpv16", "hpv18". It may be a misprint.
    """
    mine, theirs = _figures(left), _figures(right)
    return bool(mine) and bool(theirs) and mine != theirs


def _values(words: Iterable[str], letters: bool) -> frozenset[str]:
    counted = set()
    for word in words:
        single = value(word)
        if single is None and letters and word == "a":
            single = word
        if single is not None:
            counted.add(single)
    return frozenset(counted)


def _figures(words: Iterable[str]) -> frozenset[str]:
    runs = _RUNS.findall(" ".join(words))
    return frozenset(run.lstrip("0") or "0" for run in runs)
