"""Whether a quote stands in a text, and where.

A quote proves something only if the text says it: each word, number, sign and negation. So nothing
here measures likeness. Both are folded for typesetting (`folding.py`), then compared exactly.

- `...`, `…` and `[...]` leave words out: the pieces must follow each other within one sentence and
  `LONGEST_OMISSION` characters, and what is left out must hold no negation.
- `[words]` are the quoter's own, if the text has no such brackets: they are not verified, may stand
  for a few words, and must hold no digit and no negation. Nor may they be words of the text that
  they stand for, picked out of it: "confidence [CI]" hides a word of "confidence interval [CI]".
- A quote that ends inside a number, or leaves its sign or unit out, says another number.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from livereview.evidence.folding import LINE_BREAKS, Folded, Gap, fold, is_letter

# letters and digits: less stands in every text ("no", "n = 40"), and proves nothing
LEAST_LETTERS = 8
LEAST_LETTERS_OF_PIECE = 8  # beside an omission: with less, any sentence could be put together
LEAST_LETTERS_AT_BRACKET = 2
MOST_PIECES = 8
LONGEST_CODE = 4  # letters of a name such as SCL90, which tables put next to other words
LONGEST_OMISSION = 200  # characters: about two lines; more should be two quotes
LONGEST_REPLACED = 60  # characters that an insertion in brackets may stand for
# Characters looked at to verify places, for each character of text and quote: enough for any text
# that people write, and an end for one that repeats itself without end.
STEPS_PER_CHARACTER = 20

NEGATIONS = frozenset(
    {
        *("no", "not", "never", "none", "nor", "neither", "without", "cannot", "n't"),
        *("nothing", "nobody", "nowhere", "hardly", "barely", "scarcely"),
        *("lack", "lacks", "lacked", "lacking", "fail", "fails", "failed", "failing"),
    }
)
_NEGATING_PREFIXES = frozenset(
    {
        *("a", "an", "anti", "contra", "counter", "de", "dis", "dys", "il", "im", "in", "ir"),
        *("mal", "mis", "no", "non", "un", "under"),
    }
)
_NEGATING_SUFFIXES = ("less", "free", "out", "not", "proof")
# one letter less is another word that people could mean
_MISREAD = frozenset({"she"})
_MULTIPLIERS = frozenset({"percent", "per", "hundred", "thousand", "million", "billion", "fold"})
_OMISSION = re.compile(
    r"\[\s?(?:…|\.\.\.|\. \. \.)\s?\]|\(\s?(?:…|\.\.\.)\s?\)|…|\.\. ?\.|\. \. \."
)
_INSERTION = re.compile(r"\[[^\[\]]{0,200}\]")
# The end of a sentence or paragraph. An abbreviation ("vs. ") counts as one too: then the quote is
# made longer, and nothing false is taken.
_SENTENCE_END = re.compile(r"[.!?][)\]”\"’']{0,3}\s|\n[ \t\r]*\n")
LONGEST_LABEL = 20  # characters
_LABEL = re.compile(r"(?:[Ff]ig\.?|[Ff]igure|[Tt]able|[Bb]ox|[Aa]ppendix)\d{1,3}\Z")
_IN_PIECES = re.compile(rf"{_OMISSION.pattern}|{_INSERTION.pattern}")
_TOKEN = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

Reason = Literal["too short", "not there", "cut", "omission", "insertion", "too many pieces"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quote stands.

    Attributes:
        spans: The start and end in the text of each piece, in order; one where nothing is left out.
        negation: The negation that stands directly before the quote, which readers should see.
        cuts_word: Whether it begins or ends inside a word.
    """

    spans: tuple[tuple[int, int], ...]
    negation: str | None = None
    cuts_word: bool = False

    @property
    def start(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return self.spans[-1][1]


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a quote counts as not found."""

    reason: Reason

    @property
    def words(self) -> str:
        """The reason and what to do, for the person who typed the quote."""
        return _WORDS[self.reason]


_WORDS: dict[Reason, str] = {
    "too short": "it is too short to prove anything; quote the whole sentence",
    "not there": "the text does not say it in these words and numbers; copy it from the text",
    "cut": (
        "it begins or ends inside a number or a word, or leaves out a sign or a unit; "
        "quote the whole of it"
    ),
    "omission": (
        f"its pieces are more than {LONGEST_OMISSION} characters or a sentence apart, stand in "
        "another order, or a negation between them is left out"
    ),
    "insertion": (
        "words in square brackets must be yours, without numbers and negations, and none of the "
        f"text that they stand for, which has at most {LONGEST_REPLACED} characters of a sentence"
    ),
    "too many pieces": f"it has more than {MOST_PIECES} pieces; make several quotes of it",
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a quote that must stand in the text.

    Attributes:
        folded: How it may read.
        may_skip: How many characters of the text may be left out before it.
        least: How many letters it must have.
        inserted: The quoter's own words before it.
    """

    folded: tuple[Folded, ...]
    may_skip: int
    least: int
    inserted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The parts of a quote in order, and the quoter's own words after the last."""

    pieces: tuple[_Piece, ...]
    inserted_after: tuple[str, ...]


def find(text: str | Folded, quote: str) -> Place | Missing:
    """Where `quote` stands in `text`, or why it counts as not found.

    Takes time linear in the text for any input. Who looks for many quotes folds the text once.
    """
    folded = text if isinstance(text, Folded) else fold(text)
    answer = _whole(folded, quote)
    if isinstance(answer, Missing) and answer.reason != "too short":
        bare = _without_marks(quote)
        if bare != quote:
            answer = _whole(folded, bare)
        if isinstance(answer, Missing) and _IN_PIECES.search(bare):
            return _in_pieces(folded, bare)
    return answer


def _whole(text: Folded, quote: str) -> Place | Missing:
    """The quote as it is, dots and brackets too."""
    folded = fold(quote)
    if _letters(folded.core) < LEAST_LETTERS:
        return Missing("too short")
    places = _Search(text).all_of(_readings(quote))
    good = [place for place in places if not place.cut]
    if good:
        return _place(text, good[:1])
    return Missing("cut" if places else "not there")


def _without_marks(quote: str) -> str:
    """The quote without quotation marks around it."""
    bare = quote.strip()
    if len(bare) > 2 and fold(bare[0]).core in ("'", '"') and fold(bare[-1]).core in ("'", '"'):
        return bare[1:-1]
    return quote


def _letters(core: str) -> int:
    return sum(1 for sign in core if sign.isalnum())


def _readings(words: str) -> tuple[Folded, ...]:
    """The words, and with the case of their first letter changed."""
    folded = fold(words)
    for place, sign in enumerate(folded.core):
        if not is_letter(sign):
            continue
        other = sign.swapcase()
        if len(other) != 1 or other == sign:
            break
        core = folded.core[:place] + other + folded.core[place + 1 :]
        changed = Folded(folded.source, core, folded.starts, folded.ends, folded.gaps)
        return (folded, changed)
    return (folded,)


@dataclass(frozen=True, slots=True, order=True)
class _Hit:
    """Where a piece stands in the core of a text: `core[first:after]`."""

    first: int
    after: int
    cut: bool
    cuts_word: bool


class _Search:
    """The search in one text, with an end to the steps it takes."""

    def __init__(self, text: Folded):
        self._text = text
        self._steps = STEPS_PER_CHARACTER * (len(text.core) + 1_000)

    def all_of(self, readings: Sequence[Folded]) -> list[_Hit]:
        """Every place where one of these readings stands, in order."""
        hits = [hit for reading in readings if reading.core for hit in self._of(reading)]
        return sorted(set(hits))

    def _of(self, wanted: Folded) -> list[_Hit]:
        hits: list[_Hit] = []
        core = self._text.core
        place = core.find(wanted.core)
        while place >= 0 and self._steps > 0:
            self._steps -= len(wanted.core)
            if self._text.reads_alike(place, wanted):
                hits.append(_hit(self._text, place, place + len(wanted.core)))
            place = core.find(wanted.core, place + 1)
        return hits


def _hit(text: Folded, first: int, after: int) -> _Hit:
    start, end = _start_of_word(text, first), _end_of_word(text, after)
    cut = (
        _splits_a_sign(text, first)
        or _splits_a_sign(text, after)
        or _cuts_number_before(text, first)
        or _cuts_number_after(text, after)
        or _changes_first_word(text, start, first)
        or _changes_last_word(text, after, end)
    )
    missing = text.core[start:first] + text.core[after:end]
    return _Hit(first, after, cut, any(is_letter(sign) for sign in missing))


def _splits_a_sign(text: Folded, place: int) -> bool:
    """Whether two characters beside `place` are one in the source: "½", "ﬁ"."""
    if place == 0 or place == len(text.core):
        return False
    return text.starts[place] == text.starts[place - 1]


def _start_of_word(text: Folded, first: int) -> int:
    """Where the word begins that `first` stands in."""
    place = first
    while place > 0 and _in_one_word(text, place) and first - place < LONGEST_REPLACED:
        place -= 1
    return place


def _end_of_word(text: Folded, after: int) -> int:
    """Where the word ends whose last character before the end is at `after - 1`."""
    place = after
    while place < len(text.core) and _in_one_word(text, place) and place - after < LONGEST_REPLACED:
        place += 1
    return place


def _in_one_word(text: Folded, place: int) -> bool:
    """Whether the characters before and at `place` are letters of one word or compound."""
    before, after = text.core[place - 1], text.core[place]
    gap = text.gaps[place]
    if gap in (Gap.SPACE, Gap.LINE_BREAK):
        return False
    if gap in (Gap.HYPHEN, Gap.SPACED_HYPHEN) and _parts_clauses(text, place):
        return False
    if after == "'" or before == "'":
        return is_letter(before) or is_letter(after)
    return is_letter(before) and is_letter(after)


def _parts_clauses(text: Folded, place: int) -> bool:
    """Whether the hyphen or dash before `place` stands between words, not inside one."""
    start = text.ends[place - 1]
    between = text.source[start : min(text.starts[place], start + 20)]
    if "—" in between or "―" in between or between[:1].isspace():
        return True
    ends_line = any(sign in LINE_BREAKS for sign in between)
    return text.gaps[place] == Gap.SPACED_HYPHEN and not ends_line


def _changes_first_word(text: Folded, start: int, first: int) -> bool:
    """Whether what is missing of the first word changes what it says.

    A letter too little is a slip of the mouse. More may be another word: "women" is not "men".
    """
    missing = text.core[start:first].strip("'").casefold()
    if not missing:
        return False
    end = _end_of_word(text, first)
    word = text.core[start:end].casefold()
    if word in NEGATIONS or word in _MISREAD or missing in _NEGATING_PREFIXES:
        return True
    rest = text.core[first:end]
    is_code = len(rest) <= LONGEST_CODE and rest.isupper() and text.core[end : end + 1].isdecimal()
    return len(missing) > 1 and len(rest) > 1 and not is_code


def _changes_last_word(text: Folded, after: int, end: int) -> bool:
    """Whether what is missing of the last word turns it round: "with" for "without"."""
    missing = text.core[after:end].casefold()
    if not missing:
        return False
    word = text.core[_start_of_word(text, after - 1) : end].casefold()
    negated = word in NEGATIONS or word.endswith(("n't", "nt'"))
    return negated or missing.startswith(_NEGATING_SUFFIXES)


def _cuts_number_before(text: Folded, first: int) -> bool:
    """Whether the quote begins inside a number, or after its sign or operator."""
    core = text.core
    begin = first
    if core[begin : begin + 1] in (".", ",", "·", "%") and core[begin + 1 : begin + 2].isdecimal():
        begin += 1  # ".5" cut from "0.5"
    if first == 0 or not core[begin : begin + 1].isdecimal():
        return core[first : first + 1] == "%" and first > 0 and core[first - 1].isdecimal()
    before = core[first - 1]
    apart = text.gaps[first] != Gap.NONE
    if before in "<>≤≥⩽⩾≦≧≈~±":
        return True
    if before.isdecimal():
        return not apart or _is_group_of_thousand(text, first)
    if apart:
        return False
    if before in ".,·:/^":
        return first > 1 and (core[first - 2].isdecimal() or text.gaps[first - 1] != Gap.NONE)
    return before in "+-" or before in "²³¹½¼¾" or is_letter(before)


def _is_group_of_thousand(text: Folded, place: int) -> bool:
    """Whether digits on both sides of the white space before `place` look like "1 200"."""
    core = text.core
    after = place
    while (
        after < len(core)
        and core[after].isdecimal()
        and (after == place or text.gaps[after] == Gap.NONE)
        and after - place < 4
    ):
        after += 1
    if after - place != 3:
        return False
    before = place
    while before > 0 and core[before - 1].isdecimal() and place - before < 4:
        before -= 1
        if text.gaps[before] != Gap.NONE:
            break
    return place - before <= 3


def _cuts_number_after(text: Folded, after: int) -> bool:
    """Whether the quote ends inside a number, or before its unit or multiplier."""
    core = text.core
    end = after
    if core[end - 1] in ".,·" and end > 1 and core[end - 2].isdecimal():
        return core[end : end + 1].isdecimal() and text.gaps[end] == Gap.NONE
    if after == len(core) or not core[end - 1].isdecimal():
        return False
    following, second = core[end], core[end + 1 : end + 2]
    apart = text.gaps[end] != Gap.NONE
    if following in "%‰×":
        return True
    if following.isdecimal():
        return not apart or _is_group_of_thousand(text, end)
    if is_letter(following):
        return _is_unit(text, end)
    if apart:
        return False
    if following in ".,·:/^-+":
        return second.isdecimal() and text.gaps[end + 1] == Gap.NONE
    return following in "²³¹½¼¾⁰⁴⁵⁶⁷⁸⁹⁻"


def _is_unit(text: Folded, place: int) -> bool:
    """Whether the letters after a number belong to it: "5mg", "5 million", "5 per cent"."""
    word = text.core[place : _end_of_word(text, place + 1)]
    if text.gaps[place] != Gap.NONE:
        return word.casefold() in _MULTIPLIERS
    # "Figure 2Results": a heading that the text glues to the number before it
    heading = len(word) > 3 and word[0].isupper() and word[1:].islower()
    label = _LABEL.search(text.core[max(0, place - LONGEST_LABEL) : place])
    return not heading and not label


def _place(text: Folded, hits: Sequence[_Hit]) -> Place:
    spans = tuple((text.starts[hit.first], text.ends[hit.after - 1]) for hit in hits)
    before = text.source[max(0, spans[0][0] - 40) : spans[0][0]]
    words = _WORD.findall(before)
    negation = words[-1] if words and before.rstrip().endswith(words[-1]) else ""
    is_negation = negation.casefold() in NEGATIONS
    cuts_word = hits[0].cuts_word or hits[-1].cuts_word
    return Place(spans, negation if is_negation else None, cuts_word)


def beside(before: str, quote: str, after: str) -> Place | None:
    """A quote that was found, as it stands between the text around it: for its `negation` and
    `cuts_word`.

    Args:
        before: The end of the text before it.
        quote: The quote as it was typed.
        after: The beginning of the text after it.
    """
    bare = _without_marks(quote).strip()
    text = fold(f"{before}{bare}{after}")
    for hit in _Search(text).all_of((fold(bare),)):
        if text.starts[hit.first] >= len(before):
            return _place(text, [hit])
    return None


def _in_pieces(text: Folded, quote: str) -> Place | Missing:
    """A quote with omissions or insertions."""
    parted = _pieces(quote)
    if isinstance(parted, Missing):
        return parted
    search = _Search(text)
    # for each last piece so far by where it ends: the hits that lead to it
    chains: list[tuple[_Hit, ...]] = []
    for n, piece in enumerate(parted.pieces):
        hits = [hit for hit in search.all_of(piece.folded) if not hit.cut]
        if not hits:
            return Missing("not there")
        if n == 0:
            chains = [(hit,) for hit in hits if not _hides_before(text, hit, piece.inserted)]
        else:
            chains = _joined(text, chains, hits, piece)
        if not chains:
            return Missing("insertion" if piece.inserted else "omission")
    after = parted.inserted_after
    whole = [chain for chain in chains if not _hides_after(text, chain[-1], after)]
    return _place(text, whole[0]) if whole else Missing("insertion")


def _hides_before(text: Folded, hit: _Hit, inserted: tuple[str, ...]) -> bool:
    """Whether own words before a quote are picked out of the sentence there."""
    start = text.starts[hit.first]
    sentence = _SENTENCE_END.split(text.source[max(0, start - LONGEST_REPLACED) : start])[-1]
    near = _tokens(sentence)
    return near[-len(inserted) :] != inserted and _picked_out(inserted, near)


def _hides_after(text: Folded, hit: _Hit, inserted: tuple[str, ...]) -> bool:
    """Whether own words after a quote are picked out of the sentence there."""
    stop = text.ends[hit.after - 1]
    sentence = _SENTENCE_END.split(text.source[stop : stop + LONGEST_REPLACED])[0]
    near = _tokens(sentence)
    return near[: len(inserted)] != inserted and _picked_out(inserted, near)


def _picked_out(inserted: tuple[str, ...], left_out: tuple[str, ...]) -> bool:
    """Whether words in brackets all stand in what they stand for, and others there do not.

    Such words are the text's and not the quoter's, and what stands between is hidden.
    """
    return bool(inserted) and inserted != left_out and set(inserted) <= set(left_out)


def _tokens(words: str) -> tuple[str, ...]:
    """Words and numbers as they are compared, whatever their case."""
    return tuple(token.casefold() for token in _TOKEN.findall(words))


def _joined(
    text: Folded, chains: list[tuple[_Hit, ...]], hits: Sequence[_Hit], piece: _Piece
) -> list[tuple[_Hit, ...]]:
    """The chains that one of these hits continues, each hit once with the nearest before it."""
    ends = [chain[-1].after for chain in chains]
    longer: list[tuple[_Hit, ...]] = []
    for hit in hits:
        last = bisect_left(ends, hit.first + 1) - 1
        if last >= 0 and _may_follow(text, ends[last], hit.first, piece):
            longer.append((*chains[last], hit))
    return sorted(longer, key=lambda chain: chain[-1].after)


def _may_follow(text: Folded, end: int, first: int, piece: _Piece) -> bool:
    """Whether what is left out before a piece is short, in one sentence, without negation, and not
    what the quoter's own words there are picked out of.
    """
    start = text.ends[end - 1]
    stop = text.starts[first]
    if stop - start > piece.may_skip:
        return False
    left_out = text.source[start:stop]
    if _picked_out(piece.inserted, _tokens(left_out)):
        return False
    return not _SENTENCE_END.search(left_out) and not _negates(left_out)


def _negates(words: str) -> bool:
    for word in _WORD.findall(words):
        plain = word.casefold().replace("’", "'")
        if plain in NEGATIONS or plain.endswith("n't"):
            return True
    return False


def _pieces(quote: str) -> _Pieces | Missing:
    """What must stand in the text, by the signs between."""
    pieces: list[_Piece] = []
    inserted: list[str] = []
    skip = 0
    for n, part in enumerate(_OMISSION.split(quote)):
        insertions = _INSERTION.findall(part)
        if any(_says_something(words) for words in insertions):
            return Missing("insertion")
        least = LEAST_LETTERS_AT_BRACKET if insertions else LEAST_LETTERS_OF_PIECE
        skip = LONGEST_OMISSION if n else 0
        for words, insertion in zip_longest(_INSERTION.split(part), insertions, fillvalue=""):
            readings = _readings(words)
            if readings[0].core:
                pieces.append(_Piece(readings, skip, least, tuple(inserted)))
                inserted = []
                skip = 0
            inserted += _tokens(insertion)
            skip = max(skip, LONGEST_REPLACED)
    if len(pieces) > MOST_PIECES:
        return Missing("too many pieces")
    cores = [piece.folded[0].core for piece in pieces]
    if sum(map(_letters, cores)) < LEAST_LETTERS:
        return Missing("too short")
    short = any(
        _letters(core) < piece.least and piece.folded[0].core.strip(".,;:'\"")
        for core, piece in zip(cores, pieces, strict=True)
    )
    if short:
        return Missing("too short")
    return _Pieces(tuple(pieces), tuple(inserted))


def _says_something(insertion: str) -> bool:
    """Whether words in brackets hold what a quoter must not add."""
    return any(sign.isdigit() for sign in insertion) or _negates(insertion)
