"""Names of authors in a form in which two sources' ways of writing them are equal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from livereview.dedup.nothing import known_text
from livereview.dedup.words import listed, words

LIMIT = 12  # authors compared; the rest of a collaboration says no more
KEPT = 16_384  # names remembered with what was made of them: half of those in a search come again
_AND = re.compile(r"(?<!\s)\s++(?:and|&)\s+")
_GLUED = re.compile(r"(?<=[^\W\d_]\.)(?=[^\W\d_]{2}|[^\W\d_]['’])")
_SUFFIX = re.compile(
    r"(?<![\s,])[\s,]++(?:jr|sr|ii|iii|iv|phd|ph\.d|md|m\.d|msc|mph|rn)\b\.?", re.IGNORECASE
)
_PARTICLES = listed(
    "van der den de het ter ten von zu zur la le les du des da das do dos del della di al el bin ibn abu"
)
_BODIES = listed(
    """agency association authority board bureau centre center collaboration collaborative college commission committee
    consortium council department federation foundation government group hospital initiative institute institution
    investigators ministry network office organisation organization panel programme program project service services
    society study team trial trust union university"""
)


def people(authors: tuple[str, ...]) -> list[str]:
    """One name each, whatever separates them: ";", a new line, "and", a comma, or only the full
    stop of an initial.
    """
    if len(authors) != 1:
        return list(authors[:LIMIT])
    text = authors[0][:4_000]
    for pieces in _splits(text):
        parts = [part for piece in pieces if (part := piece.strip())]
        if len(parts) > 1:
            return [name for part in parts[:LIMIT] for name in _by_commas(part)][:LIMIT]
    names = (
        _by_commas(text) if "," in text else [part for part in _GLUED.split(text) if part.strip()]
    )
    return list(names[:LIMIT])


def _splits(text: str) -> Iterator[list[str]]:
    yield text.replace("|", ";").split(";")
    yield text.split("\n")
    yield _AND.split(text)


@lru_cache(KEPT)
def _by_commas(text: str) -> Sequence[str]:
    """ "Doe J, Roe R" is two names, "Doe, Jane" one, "Doe, J., Roe, R." two."""
    if "," not in text:
        return [text] if text.strip() else []
    parts = [part.strip() for part in _SUFFIX.sub("", text).split(",") if part.strip()]
    if len(parts) < 2 or is_body(text):
        return [text] if text.strip() else []
    if all(
        " " in part and _initials(part.split()[-1]) and not _initials(part.split()[0])
        for part in parts
    ):
        return parts
    if len(parts) == 2:
        return [", ".join(parts)]
    if len(parts) % 2 == 0 and all(_all_initials(part) for part in parts[1::2]):
        return [", ".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]
    if all(" " in part for part in parts):
        return parts
    return [", ".join(parts)]


@lru_cache(KEPT)
def family(name: str) -> str:
    """The family name in "Family, Given", "Family GG", "Given Family", "Family I.I." or "G.
    Family"; all of a body's.

    "" for a word that names nobody ("Anonymous"). Particles are left out, so that "van der Berg, P"
    and "Berg P van der" agree.
    """
    if not known_text(name):
        return ""
    before = name.partition(",")[0]
    if before != name and before.isascii() and before.isalpha() and before.lower() not in _BODIES:
        return before.lower()
    if is_body(name):
        return words(before).replace(" ", "")
    name = _SUFFIX.sub("", name)
    if "," in name:
        return _joined(name.split(",")[0].split())
    parts = name.split()
    plain = [part for part in parts if not _initials(part)]
    if len(plain) == len(parts) > 1:
        return _joined(plain[-1:])  # no initials anywhere: given names come first
    return _joined(plain or sorted(parts, key=len, reverse=True)[:1])


def full_words(names: list[str]) -> frozenset[str]:
    """Every full word of the names, for sources that take the given name for the family name."""
    return frozenset(
        {word for word in words(" ".join(names)).split() if len(word) > 2} - _PARTICLES
    )


def _joined(parts: list[str]) -> str:
    found = words(" ".join(parts)).split()
    return "".join([word for word in found if word not in _PARTICLES] or found)


def _initials(word: str) -> bool:
    """ "J", "JA", "J.A.", "J.-P.": upper case, and no more than three letters."""
    letters = word.replace(".", "").replace("-", "").replace("‐", "")
    return letters.isupper() and len(letters) <= 3 and letters.isalpha()


def _all_initials(text: str) -> bool:
    return all(_initials(word) for word in text.split())


@lru_cache(KEPT)
def is_body(name: str) -> bool:
    """Whether the name is a ministry's, a university's or a study group's."""
    return not _BODIES.isdisjoint(name.lower().replace(",", " ").split())
