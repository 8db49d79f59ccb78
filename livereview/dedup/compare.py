"""How alike two records are, field by field: 1 agrees, 0 contradicts, None where a side does not
know the field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from livereview.dedup import counts, scripts
from livereview.dedup.text import Features
from livereview.dedup.words import listed

ALIKE = 0.90  # titles this near say the same but for misprints
CLOSE = 0.80
ODD = 0.45  # titles further apart than this have next to nothing in common
INSIDE = 0.93  # how well a title must fit into a longer one to count as part of it
LEAST_INSIDE = 18  # letters: shorter titles fit into too many
MOST_MARK_WORDS = 3  # of a number in a programme: "MON-LB-017"
_DIGIT = re.compile(r"\d")
LONG = 40  # letters: what two titles of one issue share by chance is shorter
EQUAL = 0.97  # titles this near differ in a letter or two
HALF_ALIKE = 0.60  # a translated or a shortened title in the place of the other
LIKE_IN_PLACE = 0.75  # what a title on the same pages needs where no author is named
SAME_JOURNAL = 0.85  # an abbreviation, or a name with a word more
OTHER_JOURNAL = 0.60  # below this the names share too little to be of one journal
SAME_ABSTRACT = 0.90
OTHER_ABSTRACT = 0.50
NAMED_THERE = 0.90  # one side's first author is among the other's, see `authors`
SOME_AUTHORS = 0.60  # the least share of authors by which two are by the same people
_OPPOSITES = frozenset(
    frozenset(pair.split("/"))
    for pair in listed(
        """men/women male/female males/females man/woman boys/girls mothers/fathers maternal/paternal
        inpatient/outpatient inpatients/outpatients hypertension/hypotension hyperglycemia/hypoglycemia
        hyperthyroidism/hypothyroidism prenatal/postnatal antenatal/postnatal preoperative/postoperative
        prevention/intervention upper/lower low/high short/long early/late acute/chronic systolic/diastolic
        with/without effective/ineffective rural/urban north/south east/west northern/southern eastern/western
        interim/final baseline/followup before/after boy/girl son/daughter sons/daughters mother/father mothers/fathers
        primary/secondary younger/older quantitative/qualitative morning/evening internal/external indoor/outdoor"""
    )
)
_SMALL = listed(
    "a an and as at by for from in of on or the to with its using der die das und le la les el"
)


@dataclass(frozen=True, slots=True)
class Scores:
    """`title` compares whole titles, `inside` the shorter with the best fitting piece of the
    longer; `span` is whether the last pages agree too, of an article of more than one page.
    """

    title: float
    inside: float
    authors: float | None
    journal: float | None
    volume: float | None
    issue: float | None
    pages: float | None
    span: bool
    year: float | None
    abstract: float | None
    doi: float | None

    @property
    def spot(self) -> bool:
        """The same first page of the same volume, or the same pages of the same year where there
        are no volumes.
        """
        return self.pages == 1 and (
            self.volume == 1 or (self.volume is None and self.span and self.year == 1)
        )

    @property
    def number(self) -> bool:
        """The same issue of the same journal."""
        return (
            self.volume == 1
            and self.issue == 1
            and (self.journal or 0) >= SAME_JOURNAL
            and self.pages != 0
        )

    @property
    def written_by(self) -> bool:
        return self.authors is not None and self.authors >= SOME_AUTHORS

    @property
    def signs(self) -> int:
        """How many facts of place agree."""
        place = (self.pages == 1, self.volume == 1, self.volume == 1 and self.issue == 1)
        return (
            sum(place)
            + ((self.journal or 0) >= SAME_JOURNAL)
            + ((self.abstract or 0) >= SAME_ABSTRACT)
        )

    @property
    def against(self) -> int:
        """How many facts contradict.

        An issue alone does not: sources number supplements as they like.
        """
        return (
            (self.pages == 0)
            + (self.volume == 0)
            + (self.journal is not None and self.journal < OTHER_JOURNAL)
            + (self.abstract is not None and self.abstract < OTHER_ABSTRACT)
            + (self.year == 0)
        )


def scores(a: Features, b: Features, ratio: float) -> Scores:
    """Every field of the two compared; `ratio` is the plain likeness of their titles, 0 to 1."""
    volume = _equal(a.volume, b.volume)
    if volume == 0 and not _volumes_comparable(a.volume, b.volume):
        volume = None
    whole = title(a.title, b.title, ratio)
    return Scores(
        title=whole,
        inside=inside(a.title, b.title),
        authors=authors(a, b, whole >= ALIKE),
        journal=journal(a, b),
        volume=volume,
        issue=_equal(a.issue, b.issue),
        pages=pages(a.pages, b.pages),
        span=a.pages == b.pages and a.pages[1] not in ("", a.pages[0]),
        year=None if a.year is None or b.year is None else max(0.0, 1 - abs(a.year - b.year) / 3),
        abstract=abstract(a.abstract, b.abstract),
        doi=_equal(a.doi, b.doi),
    )


def title(a: str, b: str, ratio: float) -> float:
    """How alike two titles are, whatever the order of their words and wherever words are joined or
    split.
    """
    if not a or not b:
        return 0.0
    if ODD <= ratio < 0.99:
        if a.replace(" ", "") == b.replace(" ", ""):
            return 1.0
        return max(ratio, 0.98 * fuzz.token_sort_ratio(a, b) / 100)
    return ratio


def inside(a: str, b: str) -> float:
    """How well the shorter title fits into the longer; 0 where they are equally long or too short
    to tell.
    """
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) < LEAST_INSIDE or " " not in short or len(long) - len(short) < 4:
        return 0.0
    return fuzz.partial_ratio(short, long) / 100


def authors(a: Features, b: Features, near: bool = False) -> float | None:
    """1 where the first authors agree; .9 where one side's first is among the other's; else the
    share of names.

    .7 where most full words agree though family and given names are taken for each other; misprints
    of words count where the titles are near.
    """
    if not a.names or not b.names:
        return None
    one, two = a.names, b.names
    if one[0] == two[0] or _alike(one[0], two[0]):
        return 1.0
    shared = len(set(one) & set(two)) / min(len(set(one)), len(set(two)))
    if one[0] in two or two[0] in one or _joined(one, two):
        return max(shared, 0.9)
    return max(shared, 0.7 if _words_shared(a.given, b.given, near) >= 0.6 else 0.0)


def _words_shared(one: frozenset[str], two: frozenset[str], misprints: bool) -> float:
    """The share of full words of names that both sides have, of three or more words with their
    misprints.
    """
    least = min(len(one), len(two))
    found = len(one & two)
    if misprints and least > 2:
        found = min(_resembling(one, two), _resembling(two, one))
    return found / max(1, least)


def _resembling(words: frozenset[str], others: frozenset[str]) -> int:
    return sum(word in others or any(_alike(word, other) for other in others) for word in words)


def _alike(a: str, b: str) -> bool:
    return len(a) > 3 and len(b) > 3 and JaroWinkler.normalized_similarity(a, b) > 0.92


def _joined(one: Sequence[str], two: Sequence[str]) -> bool:
    """A double name of which the other side has a half: "Macedo Barcelos" and "Barcelos"."""
    pairs = [*product(one[:1], two), *product(two[:1], one)]
    return any(
        len(x) > 4
        and len(y) > 4
        and (x.endswith(y) or y.endswith(x) or x.startswith(y) or y.startswith(x))
        for x, y in pairs
    )


def journal(a: Features, b: Features) -> float | None:
    """1 for the same ISSN or name, an abbreviation or acronym of it.

    Else how many words they share.

    A short name within a longer one is another journal as often as not: "Diabetes" and "Diabetes
    Care" score 0.8.
    """
    if a.issn and a.issn == b.issn:
        return 1.0
    one, two = a.journal, b.journal
    if not one or not two:
        return None
    if one == two or abbreviates(one, two) or abbreviates(two, one):
        return 1.0
    least = min(one.count(" "), two.count(" "))
    return min(fuzz.token_set_ratio(one, two) / 100, 1.0 if least > 1 else 0.8)


@lru_cache(16_384)
def abbreviates(short: str, long: str) -> bool:
    """Each word of `short` shortens one of `long` in order, or its first word is made of the
    beginnings of theirs.
    """
    pieces, rest = short.split(), long.split()
    if len(pieces[0]) > 2 and len(rest) > 2 and _made_of(pieces[0], rest):
        return True  # "bmj", "amcis 2017 proceedings", "jthoraccardiovascsurg"
    if (
        len(pieces) > len(rest)
        or len(pieces) < min(3, len(rest))
        or not _shortens(pieces[0], rest[0])
    ):
        return False
    left = iter(rest[1:])
    return all(any(_shortens(piece, word) for word in left) for piece in pieces[1:])


def _shortens(piece: str, word: str) -> bool:
    """ "j" journal, "natl" national, "dtsch" deutsche: its first letter, then letters of it in
    order.
    """
    if word.startswith(piece):
        return True
    letters = iter(word)
    return len(piece) > 2 and piece[0] == word[0] and all(letter in letters for letter in piece)


def _made_of(letters: str, rest: Sequence[str]) -> bool:
    """Whether `letters` are beginnings of the words, one after the other and none left."""
    ends = {0}
    for word in rest:
        ends = {
            end + n
            for end in ends
            for n in range(1, len(word) + 1)
            if letters[end : end + n] == word[:n]
        }
    return len(letters) in ends


def pages(a: tuple[str, str], b: tuple[str, str]) -> float | None:
    """Whether the first pages agree.

    Pages that start at 1 on one side only may count within the article: None.
    """
    if not a[0] or not b[0]:
        return None
    if a[0] == b[0]:
        if a[0] != "1" or a[1] == b[1] or not a[1] or not b[1]:
            return 1.0
        return None
    if _bare(a[0]) == _bare(b[0]) and (a[0].isdigit() or b[0].isdigit()):
        return 1.0
    if (a[0] == b[1] and not a[1]) or (b[0] == a[1] and not b[1]):
        return 1.0
    if _follows(a, b) or _follows(b, a):
        return 0.0
    return None if "1" in (a[0], b[0]) else 0.0


def _follows(a: tuple[str, str], b: tuple[str, str]) -> bool:
    """The second begins on the page after the first's last: two items of one issue."""
    numbers = a[1].isdigit() and b[0].isdigit()
    return numbers and int(b[0]) == int(a[1]) + 1


def _bare(page: str) -> str:
    return page.lstrip("abcdefghijklmnopqrstuvwxyz")


def abstract(a: str, b: str) -> float | None:
    """How alike the beginnings of two abstracts are, from 60 letters on."""
    size = min(len(a), len(b))
    if size >= 60:
        return fuzz.ratio(a[:size], b[:size]) / 100
    return None


def other_number(a: str, b: str) -> bool:
    """The titles count differently ("FOCUS 1", "FOCUS II"; "spring", "autumn"), or one has a word of
    which the other has the opposite.

    A number that only one title has says nothing here, see `counted_once`.
    """
    one, two = set(a.split()), set(b.split())
    left, right = one - two, two - one
    if counts.differ(left, right) and not _year_cut(left, right):
        return True
    ends = a[-2:-1] == b[-2:-1] == " " and a[-1] != b[-1]
    return ends or any(frozenset(pair) in _OPPOSITES for pair in product(left, right))


def _year_cut(left: set[str], right: set[str]) -> bool:
    """All that differs is a year whose first figure was lost, as a large first letter is: "1985",
    "985".
    """
    short, long = sorted((" ".join(left), " ".join(right)), key=len)
    return _is_year(long) and short == long[1:]


def counted_once(a: str, b: str) -> bool:
    """One title is the other with a number before or after it: the second of a series, perhaps.

    A "1" is a footnote's mark more often than it counts.
    """
    short, long = sorted((a.split(), b.split()), key=len)
    if len(long) != len(short) + 1:
        return False
    if long[:-1] == short:
        return _counts(long[-1])
    return long[1:] == short and _counts(long[0])


def programme_number(a: str, b: str) -> bool:
    """Whether one title is the other behind a number of a meeting's programme ("P-123: ...")."""
    short, long = sorted((a, b), key=len)
    return _behind_a_number(long, short)


def names_without_number(whole: str, numbered: str) -> bool:
    """Whether a title holds another, of which it leaves the number in a meeting's programme out."""
    if numbered in whole:
        return False
    words = numbered.split()
    for size in range(1, MOST_MARK_WORDS + 1):
        rest = " ".join(words[size:])
        if rest in whole and _behind_a_number(numbered, rest):
            return True
    return False


def _behind_a_number(long: str, short: str) -> bool:
    if len(short) < LEAST_INSIDE or not long.endswith(" " + short):
        return False
    mark = long.removesuffix(short).split()
    bare = len(mark) == 1 and mark[0].isdigit()  # of a series, or a footnote's: `counted_once`
    return len(mark) <= MOST_MARK_WORDS and not bare and any(map(_DIGIT.search, mark))


def _counts(word: str) -> bool:
    return word != "1" and counts.value(word) is not None


def other_word(a: str, b: str, least: float = 70) -> bool:
    """Each title has a word that none in the other resembles by `least` of 100, or `other_number` or
    `other_letter` holds.
    """
    if other_number(a, b) or other_letter(a, b):
        return True
    left, right = set(a.split()) - set(b.split()), set(b.split()) - set(a.split())
    if counts.figures_differ(left, right) and not _year_cut(left, right):
        return True
    if _acronym(left, right, b) or _acronym(right, left, a):
        return False
    return _unlike(left - _SMALL, right, b, least) and _unlike(right - _SMALL, left, a, least)


def other_letter(a: str, b: str) -> bool:
    """Titles in a script whose words are letters (Chinese, Japanese, Korean) or stand without blanks
    (Thai, Khmer) differ in a letter: that may be the town for the countryside.
    """
    if a.isascii() or b.isascii():
        return False
    by_letter = scripts.is_by_letter(a) or scripts.is_by_letter(b)
    return by_letter and a.replace(" ", "") != b.replace(" ", "")


def _acronym(one: set[str], others: set[str], title: str) -> bool:
    """One word alone against several that begin with its letters, in its order: "IS", "information
    systems".
    """
    word = next(iter(one)) if len(one) == 1 else ""
    return len(word) > 1 and word == "".join(
        other[0] for other in title.split() if other in others - _SMALL
    )


def torn(a: str, b: str) -> bool:
    """The end of one title is the beginning of the other, for LONG letters and three quarters of
    the shorter.
    """
    least = max(LONG, 3 * min(len(a), len(b)) // 4)
    return _overlap(a, b) >= least or _overlap(b, a) >= least


def running_head(short: str, long: str, name: str) -> bool:
    """The line above the pages: the first author, then three or more words of the title in their
    order.
    """
    words = short.split()
    rest = iter(long.split())
    return words[:1] == [name] and len(words) > 3 and all(word in rest for word in words[1:])


def _overlap(a: str, b: str) -> int:
    """How many letters at the end of `a` are the beginning of `b`, from a whole word on."""
    starts = (at + 1 for at in range(len(a)) if a[at] == " ")
    return next((len(a) - at for at in starts if b.startswith(a[at:])), 0)


def _unlike(words: set[str], others: set[str], title: str, least: float) -> bool:
    joined = title.replace(" ", "")
    return any(
        word not in joined and all(fuzz.ratio(word, other) < least for other in others)
        for word in words
    )


def _equal(a: str, b: str) -> float | None:
    return None if not a or not b else float(a == b)


def _volumes_comparable(a: str, b: str) -> bool:
    """Both are numbers: "jul" and "19 70" contradict nothing.

    And both are years or neither: a journal may have years in one database, numbers in another.
    """
    return a.isdigit() and b.isdigit() and _is_year(a) == _is_year(b)


def _is_year(volume: str) -> bool:
    return len(volume) == 4 and volume[:2] in ("19", "20")
