"""Scripts in which one letter may be a word, or whose words stand without blanks between them."""

from __future__ import annotations

SHARE = 0.3  # of a title's letters: a Japanese title may hold as many Latin ones
# first and last code point; Hangul as its single letters, into which `words` takes it apart
_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x109F),  # Tibetan, Burmese
    (0x1100, 0x11FF),  # Hangul
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x9FFF),  # Chinese characters
    (0xAC00, 0xD7AF),  # Hangul, composed
    (0xF900, 0xFAFF),  # Chinese characters, compatible forms
    (0x20000, 0x323AF),  # Chinese characters, rare
)


def is_by_letter(title: str) -> bool:
    """Whether a single letter of this title may be a word of its own."""
    letters = title.replace(" ", "")
    counted = sum(map(_in_ranges, letters))
    return counted > 0 and counted >= SHARE * len(letters)


def _in_ranges(letter: str) -> bool:
    code = ord(letter)
    return code >= _RANGES[0][0] and any(first <= code <= last for first, last in _RANGES)
