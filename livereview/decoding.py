"""The characters of a file whose encoding nobody wrote down.

Marks and UTF-8 decide where they can. Merged exports mix UTF-8 with an older encoding line by line,
so only the lines that are no UTF-8 are guessed at; and what was guessed is a note for the person
who brought the file, as a wrong guess turns names into other names.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from charset_normalizer import CharsetMatch, from_bytes

WESTERN = "cp1252"  # what an export without a mark most often is
# Tried in this order before the library's own ranking, which knows languages but not names: it
# prefers a Polish reading of three accented letters to a French one.
LIKELY = (WESTERN, "mac_roman", "cp1250")
SAMPLE = 60_000  # bytes of the lines in question: more change no guess
MOST_FOREIGN = 0.5  # of a word's letters beyond ASCII, in a language of Latin letters
UNSURE_OF_WESTERN = 0.4  # coherence with another language at which Western is given up
MOST_ZEROS = 4  # one byte of so many, or more of them, is zero in UTF-16
_MARK_TWICE = "ï»¿"  # the mark of UTF-8, saved by a program that took it for three letters
_LINE_END = re.compile(rb"\r\n|\r|\n")
_WORD = re.compile(r"[^\s!-/:-@\[-`{-~]+")
# what may stand within a word of a Latin script besides letters and digits
_AROUND = "¿¡§¶†‡•±×÷½¼¾µ"  # and what may stand before or behind one
_WITHIN = "'’‘‐‑–—­·.…&™®©°ºª“”«»„‹›ˈ"


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, and what had to be guessed to read it, as a sentence; or None."""

    text: str
    note: str | None = None


def decode(body: bytes) -> Decoded:
    """The text of a file in any usual encoding, without a mark at its beginning."""
    if body.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return Decoded(body.decode("utf-32", "replace"))
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Decoded(body.decode("utf-16", "replace"))
    start = body[:1_000]
    if start and start.count(b"\x00") * MOST_ZEROS > len(start):
        order = "utf-16-be" if body[:1] == b"\x00" else "utf-16-le"
        return Decoded(body.decode(order, "replace").lstrip("\ufeff"))
    try:
        return _marked_twice(body.decode("utf-8").lstrip("\ufeff"))
    except UnicodeDecodeError:
        return _guessed(body)


def note(body: bytes) -> str | None:
    """What had to be guessed to read these bytes; None for UTF-8 and for what says its encoding."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return decode(body).note
    return (
        decode(body).note if body.lstrip(b"\xef\xbb\xbf").startswith(_MARK_TWICE.encode()) else None
    )


def _marked_twice(text: str) -> Decoded:
    """A text whose mark was encoded again, and perhaps all its other letters with it."""
    if not text.startswith(_MARK_TWICE):
        return Decoded(text)
    bare = text
    while bare.startswith(_MARK_TWICE):
        bare = bare.removeprefix(_MARK_TWICE).lstrip("\ufeff")
    if bare.isascii():
        return Decoded(bare)
    try:
        undone = bare.encode(WESTERN).decode("utf-8")
    except UnicodeError:
        return Decoded(bare)
    return Decoded(undone, "the file's letters were encoded twice, which was undone; check a name")


def _guessed(body: bytes) -> Decoded:
    lines = _LINE_END.split(body)
    foreign = [line for line in lines if not line.isascii() and not _is_utf8(line)]
    encoding = guess(b"\n".join(foreign)[:SAMPLE])
    beyond = sum(not line.isascii() for line in lines)
    mixed = len(foreign) < beyond and encoding in LIKELY
    text = "\n".join(_line(line, encoding, mixed) for line in lines).lstrip("\ufeff")
    what = "the file is"
    if mixed:
        what = "a line is" if len(foreign) == 1 else f"{len(foreign):,} lines are"
    shown = _example(foreign, encoding)
    note = (
        f"{what} not in UTF-8: read as {encoding}, which is a guess; check that {shown!r} is right"
    )
    return Decoded(text, note)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _line(line: bytes, encoding: str, mixed: bool) -> str:
    if mixed and _is_utf8(line):
        return line.decode("utf-8")
    return line.decode(encoding, "replace").replace("\n", " ")


def _example(lines: list[bytes], encoding: str) -> str:
    """A word that shows a reader whether the guess is right."""
    words = _WORD.findall(lines[0][:2_000].decode(encoding, "replace"))
    return next((word[:40] for word in words if not word.isascii()), "")


def guess(sample: bytes) -> str:
    """The likeliest encoding of bytes that are no UTF-8, by Python's name for it."""
    ranked = list(from_bytes(sample))
    if fits_latin(sample, WESTERN) and not _another_language(ranked):
        return WESTERN
    for encoding in LIKELY[1:]:
        if fits_latin(sample, encoding):
            return encoding
    # a reading in half-width katakana is what Chinese in Big5 looks like to a Japanese encoding
    sane = [match for match in ranked if not _half_width(str(match))]
    best = next(iter(sane or ranked), None)
    return best.encoding if best else WESTERN


def _another_language(ranked: list[CharsetMatch]) -> bool:
    """Whether the library is sure of a language and has ruled Western out."""
    if not ranked:
        return False
    names = {name for match in ranked for name in (match.encoding, *match.could_be_from_charset)}
    coherence: float = ranked[0].coherence
    return WESTERN not in names and coherence >= UNSURE_OF_WESTERN


def fits_latin(sample: bytes, encoding: str) -> bool:
    """Whether the bytes read in this encoding look like words in Latin letters.

    No capital in the midst of small letters ("CafŽ"), no sign within a word ("¿³obki"), not more
    letters beyond ASCII than MOST_FOREIGN of a long word, as in Cyrillic read as accented vowels.
    """
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\r\n" for letter in text):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    wrong = sum(not _is_latin_word(word) for word in words)
    return wrong * 20 <= len(words)  # one in twenty may be a formula or a trade mark


def _is_latin_word(word: str) -> bool:
    inner = word.strip(_WITHIN + _AROUND).rstrip("²³¹ªº")
    if inner[:1] in tuple("£€¥¢") and not inner[1:2].isalpha():
        inner = inner[1:]
    for before, letter in pairwise(inner):
        if before.islower() and letter.isupper() and not letter.isascii():
            return False
    if any(not (c.isalnum() or unicodedata.combining(c) or c in _WITHIN) for c in inner):
        return False
    if any(letter in "²³¹ºª" for letter in inner if inner[:1].isalpha()):
        return False
    letters = [letter for letter in inner if letter.isalpha()]
    foreign = sum(not letter.isascii() for letter in letters)
    return len(letters) < 4 or foreign <= MOST_FOREIGN * len(letters)


def _half_width(text: str) -> bool:
    narrow = sum("\uff61" <= letter <= "\uff9f" for letter in text)
    return narrow * 4 > sum(not letter.isascii() for letter in text)
