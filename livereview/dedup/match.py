"""Which records are one publication: a verdict on a pair by named rules, with the scores it rests
on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from livereview.dedup.blocks import block_keys
from livereview.dedup.compare import (
    ALIKE,
    CLOSE,
    INSIDE,
    LONG,
    ODD,
    Scores,
    other_number,
    other_word,
    running_head,
    scores,
    torn,
)
from livereview.dedup.text import Features

__all__ = ["RULES_VERSION", "Judgement", "block_keys", "judge", "judge_all"]

RULES_VERSION = "5"
NAMES = (
    "title",
    "inside",
    "authors",
    "journal",
    "volume",
    "issue",
    "pages",
    "year",
    "abstract",
    "doi",
)
BRIEF = 25  # letters: a title shorter than this is not rare enough to speak for itself
Answer = tuple[str, str]
WITHIN = "one title within the other, in the same place"
_ANSWERS = frozenset(
    ("comment", "comments", "commentary", "reply", "response", "rejoinder", "debate", "addendum")
)
TWO_PLACES = ("linked", "one title by the same authors in two journals")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a pair: same, linked (two reports that belong together), doubtful (a
    person must look) or different; by which rule; and the scores it rests on, 0 to 1, None where a
    side does not know the field.
    """

    verdict: str
    rule: str
    scores: Mapping[str, float | None]


def judge(a: Features, b: Features) -> Judgement:
    """The verdict on a pair, the same whichever comes first."""
    return _judgement(a, b, fuzz.ratio(a.title, b.title) / 100)


def judge_all(pairs: Sequence[tuple[Features, Features]]) -> list[Judgement]:
    """The verdicts on many pairs, equal to `judge` on each."""
    return [judge(a, b) for a, b in pairs]


def _judgement(a: Features, b: Features, ratio: float) -> Judgement:
    if ratio < ODD and not _worth_a_look(a, b):
        return Judgement("different", "the titles differ", {"title": round(ratio, 3), "score": 0.0})
    s = scores(a, b, ratio)
    verdict, rule = _decide(a, b, s)
    known = {
        name: None if (value := getattr(s, name)) is None else round(value, 3) for name in NAMES
    }
    return Judgement(verdict, rule, known | {"score": _strength(known)})


def _worth_a_look(a: Features, b: Features) -> bool:
    """Titles that differ matter only where an identifier, a place or the same authors in the same
    issue agree.
    """
    if _identified(a, b):
        return True
    issue = a.volume != "" and (a.volume, a.issue) == (b.volume, b.issue)
    known = not set(a.names).isdisjoint(b.names)
    if (
        a.pages[0]
        and a.pages[0] == b.pages[0]
        and (a.volume == b.volume or (known and a.pages[1] == b.pages[1]))
    ):
        return True
    return issue and (known or (a.column and b.column))


def _decide(a: Features, b: Features, s: Scores) -> Answer:
    if s.doi == 0:
        return _two_dois(a, b, s)
    if veto := _veto(a, b, s):
        return veto
    if _identified(a, b):
        return _by_identifier(a, b, s)
    if not a.title or not b.title:
        return _untitled(a, b, s)
    if (
        a.column
        and b.column
        and s.number
        and (a.serial or b.serial)
        and (found := _column(a, b, s))
    ):
        return found
    if a.serial or b.serial:
        return _serial(s, a.serial and b.serial)
    if s.number and _runs_on(a, b):
        return "same", "one title goes on with the other's authors, in the same issue"
    if s.title >= ALIKE:
        return _one_title(a, b, s)
    return _two_titles(a, b, s)


def _identified(a: Features, b: Features) -> bool:
    return bool(
        (a.doi and a.doi == b.doi) or (a.pmid and a.pmid == b.pmid) or (a.pmcid and a.pmcid == b.pmcid)
    )  # fmt: skip


def _untitled(a: Features, b: Features, s: Scores) -> Answer:
    """A record without a title may be one that has a title, by the same people in the same issue.

    They may have written two articles there: of what a record without a title is tied to twice,
    `clusters` joins none.
    """
    both = a.serial and b.serial  # no title counts as serial
    plain = not (both or a.part or b.part or _answers(a.title + b.title))
    # an identifier would tell better
    lost = not any(f.doi or f.pmid or f.pmcid for f in (a, b) if not f.title)
    place = (
        s.volume == 1 and s.journal == 1 and s.issue != 0 and s.against == 0 and s.year in (None, 1)
    )
    if plain and lost and place and _one_team(a, b, s.issue == 1):
        return "same", "no title, the same people in the same issue"
    agreed = s.spot and s.authors == 1
    return (
        ("doubtful", "no title, the same place") if agreed else ("different", "no title to compare")
    )


def _answers(title: str) -> bool:
    """One of several items by the same people: it answers somebody, or a letter or number at its
    end counts it.
    """
    return not _ANSWERS.isdisjoint(title.split()) or title[-2:-1] == " "


def _one_team(a: Features, b: Features, placed: bool) -> bool:
    """The same people in the same order: two or more where the issue is known, else three.

    A page read badly names some more than once.
    """
    one, two = a.names, b.names
    if len(one) != len(two):
        one, two = tuple(dict.fromkeys(one)), tuple(dict.fromkeys(two))
    return one == two and len(one) > (1 if placed else 2)


def _nearly_one_team(a: Features, b: Features) -> bool:
    """Three or more, of whom one side may lack one."""
    return len(set(a.names) ^ set(b.names)) < 2 and len(set(a.names) & set(b.names)) > 2


def _column(a: Features, b: Features, s: Scores) -> Answer | None:
    """An issue has one column of its editor, whatever it is called.

    An unsigned "Editorial" may be somebody else's.
    """
    signed = (s.authors or 0) >= 0.9
    unsigned = s.authors is None and not any(f.title.startswith("editorial") for f in (a, b))
    if not (a.serial and b.serial):
        return (
            ("doubtful", "the editor's column of one issue, one with its subject")
            if signed
            else None
        )
    return ("same", "the editor's column of one issue") if signed or unsigned else None


def _two_dois(a: Features, b: Features, s: Scores) -> Answer:
    """Never one record: an alias is for a person to see, as is a wrong DOI."""
    if max(s.title, s.inside) < ALIKE or not s.written_by or a.serial or b.serial:
        return "different", "two DOIs"
    if veto := _veto(a, b, s):
        return veto
    if s.title >= ALIKE and _two_places(a, b, s):
        return TWO_PLACES
    if (
        s.title < ALIKE
        or (s.against > 1 and (s.abstract or 0) < 0.9)
        or (s.against and len(a.title) < BRIEF)
    ):
        return "different", "two DOIs"
    return "doubtful", "two DOIs, one title"


def _veto(a: Features, b: Features, s: Scores) -> Answer | None:
    """Why a pair with like titles is still two items, if it is."""
    whole = s.spot and s.span and s.authors == 1  # a notice does not fill the pages of its article
    if a.notice != b.notice and not whole and not _identified(a, b):
        return _notice(a, b, s)
    if max(s.title, s.inside) < CLOSE:
        return None
    if a.part and b.part and a.part != b.part:
        return "different", "different parts"
    if s.title >= ALIKE and s.authors != 0 and a.preprint != b.preprint and s.doi != 1:
        return "linked", "a preprint and its published version"
    if s.pages == 1 and a.pages[0].startswith("cd0") and s.year is not None and s.year < 0.6:
        return "doubtful", "two versions of a Cochrane review"
    if a.trial and b.trial and a.trial.isdisjoint(b.trial):
        return "doubtful", "two trial registrations"
    if s.title >= ALIKE and s.pages == 0 and a.meeting != b.meeting and s.written_by and s.doi != 1:
        return "linked", "a meeting abstract and its paper"
    return None


def _notice(a: Features, b: Features, s: Scores) -> Answer:
    """A reply names other authors than its article.

    A correction, a protocol and a reprint do not.
    """
    near = s.title >= 0.9 or s.inside >= INSIDE
    tied = near and (s.authors is None or "reply" in (a.notice, b.notice))
    if tied or (s.written_by and (near or s.title >= CLOSE)):
        return "linked", "one is a notice, protocol or reply to the other"
    return "different", "one is a notice, protocol or reply"


def _by_identifier(a: Features, b: Features, s: Scores) -> Answer:
    rule = "an identifier agrees"
    elsewhere = s.pages == 0 and s.volume == 0
    if not a.title or not b.title:
        return ("doubtful" if s.pages == 0 or s.authors == 0 else "same"), rule
    if s.title >= CLOSE or s.inside >= INSIDE:
        apart = s.pages == 0 and (s.authors == 0 or other_word(a.title, b.title))
        return ("doubtful" if apart else "same"), rule
    # a page of a meeting's abstracts holds several
    paged = s.pages == 1 and not (a.meeting or b.meeting)
    if s.written_by and not elsewhere and s.pages != 0 and (s.title >= 0.6 or paged):
        return "same", rule
    if (
        s.number
        and _one_team(a, b, True)
        and not (a.meeting or b.meeting)
        and s.abstract in (None, 1)
    ):
        return "same", "an identifier, the issue and all authors agree"
    many = s.pages == 0 and s.abstract is not None and s.abstract < 0.5
    if not many and (s.written_by or s.title >= 0.6 or (s.authors is None and s.pages != 0)):
        return "doubtful", "an identifier agrees, the title does not"
    return "different", "a DOI that many items share"


def _serial(s: Scores, both: bool) -> Answer:
    """ "Editorial" is one item only in one place."""
    place = (
        s.volume == 1
        and s.issue != 0
        and (s.pages == 1 or (s.issue == 1 and s.pages is None and s.authors == 1))
    )
    agreed = place and s.authors in (None, 1.0) and s.journal in (None, 1.0)
    if agreed and s.title >= (0.6 if both else ALIKE):
        return "same", "a standing title in the same place"
    if s.inside >= INSIDE and agreed:
        return "doubtful", "a standing title in the same place, more in the other"
    return "different", "a standing title"


def _one_title(a: Features, b: Features, s: Scores) -> Answer:
    """The titles agree; authors and place decide."""
    if _other_subject(a, b, s):
        apart = (
            not s.written_by or s.against > 1 or (not s.number and other_number(a.title, b.title))
        )
        return ("different" if apart else "doubtful"), "the titles differ in a word or number"
    if a.part != b.part and not s.spot:
        return "doubtful", "one title names a part"
    if s.authors is not None and not s.written_by:
        agreed = s.title >= 0.97 and (s.spot or (s.number and len(a.title) >= 2 * BRIEF))
        return (
            ("same", "title and place agree, authors are written differently")
            if agreed
            else ("different", "other authors")
        )
    if _brief(a, b) and not s.spot and not (s.number and s.authors):
        return _little(s)
    # a page alone agrees by chance
    chance = s.volume == 0 and s.issue == 0 and (s.abstract or 0) < 0.9
    if s.signs >= 2 and s.against <= 1 and not chance:
        return "same", "title and place agree"
    if not s.written_by:
        return "different", "only the title agrees"
    if _two_places(a, b, s):
        return TWO_PLACES
    if s.against or not _placed(a, b, s):
        return "doubtful", "the title agrees, the place does not"
    return "same", "title and authors agree, nothing contradicts"


def _other_subject(a: Features, b: Features, s: Scores) -> bool:
    """Titles of one series differ in a word: another drug, sex or phase.

    Where pages differ, any word counts;
    in one issue, only words that have next to nothing in common: misprints are likelier there than
    two of a series.
    """
    if (
        s.spot and not a.meeting and not b.meeting
    ):  # but a page of a meeting's abstracts holds several
        return False
    if s.pages == 0:
        return other_word(a.title, b.title, 92)
    return other_word(a.title, b.title, 45 if s.number else 70)


def _two_places(a: Features, b: Features, s: Scores) -> bool:
    """Another volume of another journal: a meeting's abstract and the paper, or a text that two
    journals printed.
    """
    elsewhere = s.volume == 0 and s.pages != 1 and s.journal is not None and s.journal < 0.6
    return (
        elsewhere
        and (s.authors or 0) >= 0.9
        and not _brief(a, b)
        and not other_word(a.title, b.title)
    )


def _brief(a: Features, b: Features) -> bool:
    return (
        min(len(a.title), len(b.title)) < BRIEF or min(a.title.count(" "), b.title.count(" ")) < 2
    )


def _little(s: Scores) -> Answer:
    if s.written_by and not s.against and s.year == 1 and (s.journal or 0) >= 0.85:
        return "same", "title and authors agree, nothing contradicts"
    return ("doubtful" if s.written_by and s.against < 2 else "different"), "a short title"


def _placed(a: Features, b: Features, s: Scores) -> bool:
    """Something besides title and authors ties the two: a journal, or, for reports that have none,
    the very year.
    """
    if not any((a.volume, b.volume, a.pages[0], b.pages[0])) and s.year is not None and s.year < 1:
        return False  # what comes out every year under one title
    if s.journal is not None:
        return s.journal >= 0.85
    return s.year == 1 or bool(a.journal or b.journal)


def _two_titles(a: Features, b: Features, s: Scores) -> Answer:
    """The titles differ: a subtitle more, a translation, a misprint.

    Only one place and one author tie them.
    """
    if s.written_by and s.inside >= INSIDE:
        return _within(a, b, s)
    if (
        s.authors is None
        and s.inside >= 0.97
        and (s.spot or s.number)
        and s.against == 0
        and not _brief(a, b)
    ):
        return "same", WITHIN
    if s.spot and s.against == 0 and not (a.meeting or b.meeting):
        return _one_spot(s)
    if s.number and s.against == 0 and (rule := _torn(a, b, s)):
        return "same", rule
    if s.written_by and s.number and s.against == 0 and s.title >= CLOSE:
        return (
            "doubtful" if other_word(a.title, b.title) else "same"
        ), "a changed title in the same issue"
    if s.written_by and s.signs >= 2 and s.against == 0 and s.title >= CLOSE:
        return "doubtful", "a changed title in the same place"
    return "different", "too little agrees"


def _within(a: Features, b: Features, s: Scores) -> Answer:
    """One title is part of the other, and an author agrees. A year read out of a title is none."""
    if a.part != b.part and not s.spot:
        return "doubtful", "one title names a part"
    misread = s.year == 0 and s.number and any(str(f.year) in f.title.split() for f in (a, b))
    if (s.spot or s.number) and s.against <= (
        (s.spot and s.journal is not None and s.journal < 0.6) or misread
    ):
        return "same", WITHIN
    volume = s.volume == 1 and s.journal == 1 and s.issue != 0 and s.against == 0
    if volume and _nearly_one_team(a, b) and min(len(a.title), len(b.title)) >= LONG:
        return "same", "one title within the other, in the same volume by the same people"
    return (
        "doubtful" if s.against < 2 and (s.journal or 0) >= 0.85 else "different"
    ), "one title within the other"


def _torn(a: Features, b: Features, s: Scores) -> str:
    """By which sign of a page read badly two titles of one issue are one; "" where there is none."""
    if a.part == b.part and _one_team(a, b, True) and torn(a.title, b.title):
        return "torn titles in the same issue"
    if s.authors == 1 and any(
        running_head(x.title, y.title, x.names[0]) for x, y in ((a, b), (b, a))
    ):
        return "a running head in the same issue"
    return ""


def _runs_on(a: Features, b: Features) -> bool:
    """The longer title goes on with what stands, or should stand, in the other's field of authors."""
    short, long = sorted((a, b), key=lambda f: len(f.title))
    if len(short.title) < BRIEF or not long.title.startswith(f"{short.title} "):
        return False
    more = {word for word in long.title[len(short.title) :].split() if not word.isdigit()}
    return bool(more) and more <= short.given


def _one_spot(s: Scores) -> Answer:
    """The same pages of the same volume hold one article: by its authors, whatever its title was
    translated to.
    """
    if s.written_by:
        proved = s.title >= 0.6 or (
            s.span and s.authors == 1 and (s.journal or 0) >= 0.85 and s.issue != 0
        )
        return (
            "same" if proved else "doubtful" if s.title >= ODD else "different"
        ), "the same pages by the same authors"
    if s.authors is None and (s.journal or 0) >= 0.85 and s.title >= 0.6:
        return ("same" if s.title >= 0.75 else "doubtful"), "a like title on the same pages"
    return "different", "too little agrees"


def _strength(known: Mapping[str, float | None]) -> float:
    """One number for ordering edges and pairs: the mean of what is known, the title counted three
    times.
    """
    rest = [
        value
        for name, value in known.items()
        if value is not None and name not in ("title", "inside")
    ]
    title = max(known["title"] or 0, 0.95 * (known["inside"] or 0))
    return round((title * 3 + sum(rest)) / (3 + len(rest)), 3)
