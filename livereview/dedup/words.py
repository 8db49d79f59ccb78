"""Text as a row of plain words: what is left when markup, accents, case and punctuation are gone."""

from __future__ import annotations

import html
import re
import unicodedata

_INLINE = re.compile(
    r"</?(?:su[bp]|i|b|em|strong|span|inf|italic|bold|scp)\b[^<>]{0,200}>", re.IGNORECASE
)
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_WORDS = re.compile(r"[^\W_]+")
_GREEK = str.maketrans(
    {
        "α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "ε": " epsilon ", "κ": " kappa ",
        "λ": " lambda ", "μ": " mu ", "ω": " omega ", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l",
    }
)  # fmt: skip
_GREEK_WORD = re.compile(r"[α-ω]{2}")


class _Folding(dict[int, str]):
    """What each character becomes, for `str.translate`: worked out when it first comes.

    A sign becomes a space.
    """

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFKD", chr(code)).casefold()
        found = "".join(c for c in folded if not unicodedata.combining(c)).replace("’", "'")
        if found and not _WORDS.search(found) and "'" not in found:
            found = " "
        self[code] = found
        return found


_FOLDED = _Folding()
# of ASCII only
_PLAIN = bytes(
    code if chr(code).isalnum() else 32 for code in bytes(range(128)).lower() + bytes(128)
)


def words(text: str) -> str:
    """Letters and digits only, lower case, without marks, one space between words.

    Non-Latin letters stay.

    A single Greek letter becomes its name, as half the databases write it; a Greek word stays as it
    is.
    """
    if not text.isascii():
        text = text.translate(_FOLDED)
        if not _GREEK_WORD.search(text):
            text = text.translate(_GREEK)
    if text.isascii():
        return " ".join(text.encode().translate(_PLAIN, b"'").decode().split())  # the same, sooner
    return " ".join(_WORDS.findall(text.replace("'", "")))


def listed(text: str) -> frozenset[str]:
    """The words of a list that reads better as a sentence."""
    return frozenset(text.split())


def unmarked(text: str) -> str:
    """Without HTML or XML tags and entities."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        return _TAGS.sub(" ", _INLINE.sub("", text))
    return text
