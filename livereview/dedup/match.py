"""Which records are one publication: keys to find candidates by, scores, vetoes, a verdict that can be explained."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from livereview.dedup.text import Features

RULES_VERSION = "1"
ALIKE = 0.94  # titles this near say the same but for misprints
CLOSE = 0.80


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a pair: same, linked (two reports that belong together), doubtful (a person must look) or
    different; by which rule; and the scores it rests on, 0 to 1, None where a side does not know the field."""

    verdict: str
    rule: str
    scores: Mapping[str, float | None]


def block_keys(f: Features) -> tuple[str, ...]:
    """Keys under which this record and its duplicates meet; each depends on the record alone."""
    keys = {f"doi {f.doi}" if f.doi else "", f"pmid {f.pmid}" if f.pmid else "", f"pmc {f.pmcid}" if f.pmcid else ""}
    joined = re.sub(r"^\d+|\d+$", "", f.title.replace(" ", ""))  # a footnote's mark may stand before or after
    if joined:
        keys |= {f"t {joined[:24]}", f"t- {joined[-24:]}"}
        long = sorted(set(f.title.split()), key=lambda word: (-len(word), word))[:3]
        keys.add("w " + " ".join(sorted(long)))
    if len(f.short) > 20:
        keys.add(f"s {f.short}")
    name = f.names[0] if f.names else ""
    if name and f.pages[0]:
        keys.add(f"p {name} {f.pages[0]}")
    if name and f.volume and f.year:
        keys.add(f"v {name} {f.volume} {f.year}")
    if f.volume and f.pages[0] and f.journal:
        keys.add(f"j {f.journal[:4]} {f.volume} {f.pages[0]}")
    return tuple(sorted(keys - {""}))


def judge(a: Features, b: Features) -> Judgement:
    """The verdict on a pair, the same whichever comes first."""
    return _verdict(a, b, _title(a, b, fuzz.ratio(a.title, b.title) / 100))


def judge_all(pairs: Sequence[tuple[Features, Features]]) -> list[Judgement]:
    """The verdicts on many pairs, equal to `judge` on each."""
    return [judge(a, b) for a, b in pairs]


def _title(a: Features, b: Features, ratio: float) -> float:
    """How alike two titles are; one that lacks its subtitle, or its words' order, is nearly the other."""
    if not a.title or not b.title or ratio < 0.35:
        return ratio if a.title and b.title else 0.0
    if ratio < ALIKE:
        ratio = max(ratio, 0.98 * fuzz.token_sort_ratio(a.title, b.title) / 100)
        short, long = sorted((a.title, b.title), key=len)
        if len(short) > 25 and (long.startswith(short + " ") or long.endswith(" " + short)):
            ratio = max(ratio, 0.95)
    return ratio


def _verdict(a: Features, b: Features, title: float) -> Judgement:
    scores: dict[str, float | None] = {
        "title": round(title, 3),
        "authors": _authors(a.names, b.names),
        "journal": _journal(a, b),
        "pages": _pages(a.pages, b.pages),
        "volume": _equal(a.volume, b.volume),
        "issue": _equal(a.issue, b.issue),
        "year": None if a.year is None or b.year is None else max(0.0, 1 - abs(a.year - b.year) / 4),
        "doi": _equal(a.doi, b.doi),
        "abstract": _abstract(a.abstract, b.abstract),
    }
    verdict, rule = _decide(a, b, scores, title)
    scores["score"] = round(_score(scores), 3)
    return Judgement(verdict, rule, scores)


def _decide(a: Features, b: Features, s: Mapping[str, float | None], title: float) -> tuple[str, str]:
    if a.doi and b.doi and a.doi != b.doi:
        return _two_dois(a, b, s, title)
    if title >= CLOSE and (veto := _veto(a, b)):
        return veto
    if (a.doi and a.doi == b.doi) or (a.pmid and a.pmid == b.pmid) or (a.pmcid and a.pmcid == b.pmcid):
        if title >= 0.6 or not a.title or not b.title or (s["pages"] == 1 and s["authors"] == 1):
            return "same", "an identifier agrees"
        near = title >= 0.4 or (s["authors"] or 0) >= 0.8
        return ("doubtful" if near else "different"), "an identifier agrees, the title does not"
    if not a.title or not b.title:
        return "different", "no title to compare"
    if a.serial or b.serial:
        spot = s["pages"] == 1 or (s["issue"] == 1 and s["pages"] is None and s["authors"] == 1)
        ok = (
            title >= ALIKE and s["volume"] == 1 and spot and s["authors"] in (None, 1.0) and s["journal"] in (None, 1.0)
        )
        return ("same", "a serial title in the same place") if ok else ("different", "a serial title")
    return _by_place(a, b, s, title)


OTHERS = ("different", "other authors")


def _by_place(a: Features, b: Features, s: Mapping[str, float | None], title: float) -> tuple[str, str]:
    """Where title and authors leave it open, the place of publication decides: journal, volume, pages, abstract."""
    strong, against = _place(s)
    known = s["authors"] is not None and s["authors"] >= 0.6
    spot = s["pages"] == 1 and s["volume"] == 1
    if title >= ALIKE and not spot and _other_number(a.title, b.title):
        return "different", "the titles differ in a number"
    if title >= ALIKE and (known or s["authors"] is None):
        if strong and against <= 1:
            return "same", "title and place agree"
        if known and not against and not _sparse(s):
            return "same", "title and authors agree, nothing contradicts"
        return ("doubtful", "the title agrees, the place does not") if known else ("different", "only the title agrees")
    if title >= ALIKE:  # by the letter, other authors
        issue = title >= 0.97 and s["journal"] == 1 and s["volume"] == 1 and s["issue"] == 1 and s["pages"] != 0
        return ("same", "title and place agree, authors are written differently") if spot or issue else OTHERS
    if spot and known and title >= 0.5 and not against:
        return ("same" if title >= 0.6 else "doubtful"), "the same pages by the same authors"
    if title >= CLOSE and known and strong and not against:
        return "same" if title >= 0.9 else "doubtful", "a changed title in the same place"
    return "different", "too little agrees"


def _place(s: Mapping[str, float | None]) -> tuple[bool, int]:
    """Whether two signs of place agree, and how many contradict."""

    def is_(name: str, least: float) -> bool:
        return s[name] is not None and (s[name] or 0) >= least

    signs = [is_("pages", 1), is_("volume", 1), is_("journal", 0.85), is_("abstract", 0.9)]
    against = [
        s["pages"] == 0,
        s["volume"] == 0,
        s["journal"] is not None and not is_("journal", 0.6),
        s["abstract"] is not None and not is_("abstract", 0.5),
        s["year"] is not None and not is_("year", 0.5),
    ]
    return sum(signs) >= 2, sum(against)


def _sparse(s: Mapping[str, float | None]) -> bool:
    """Nothing but title, authors and year to go by, and the journals do not agree."""
    return s["journal"] is not None and s["journal"] < 0.85


def _other_number(a: str, b: str) -> bool:
    """Each title has a number that the other lacks ("FOCUS 1", "FOCUS 2"); one more alone may be a footnote's mark."""
    one, two = ({word for word in title.split() if word.isdigit()} for title in (a, b))
    return bool(one - two) and bool(two - one)


def _two_dois(a: Features, b: Features, s: Mapping[str, float | None], title: float) -> tuple[str, str]:
    alike = title >= ALIKE and (s["authors"] or 0) >= 0.8
    if not alike or a.serial or b.serial:
        return "different", "two DOIs"
    if (a.kind == "preprint") != (b.kind == "preprint"):
        return "linked", "a preprint and its published version"
    if veto := _veto(a, b):
        return veto
    _, against = _place(s)
    return ("doubtful" if against <= 1 else "different"), "two DOIs, one title"


def _veto(a: Features, b: Features) -> tuple[str, str] | None:
    """Why a pair with like titles is still two items, if it is."""
    if a.part != b.part and (a.part and b.part):
        return "different", "different parts"
    if a.notice != b.notice:
        return "linked", "one is a notice or reply on the other"
    if a.trial and b.trial and a.trial != b.trial:
        return "doubtful", "two trial registrations"
    return None


def _equal(a: str, b: str) -> float | None:
    return None if not a or not b else float(a == b)


def _authors(a: Sequence[str], b: Sequence[str]) -> float | None:
    if not a or not b:
        return None
    if a[0] == b[0] or JaroWinkler.normalized_similarity(a[0], b[0]) > 0.92:
        return 1.0
    shared = len(set(a) & set(b)) / min(len(set(a)), len(set(b)))
    return max(shared, 0.9 if a[0] in b or b[0] in a or any(x and x in y for x in a[:1] for y in b) else 0.0)


def _journal(a: Features, b: Features) -> float | None:
    if a.issn and b.issn and a.issn == b.issn:
        return 1.0
    if not a.journal or not b.journal:
        return None
    if a.journal == b.journal or _abbreviates(a.journal, b.journal) or _abbreviates(b.journal, a.journal):
        return 1.0
    return fuzz.token_set_ratio(a.journal, b.journal) / 100


def _abbreviates(short: str, long: str) -> bool:
    """Each word of `short` begins one of `long`, in order."""
    rest = iter(long.split())
    return all(any(word.startswith(piece) for word in rest) for piece in short.split())


def _pages(a: tuple[str, str], b: tuple[str, str]) -> float | None:
    if not a[0] or not b[0]:
        return None
    return 1.0 if a[0] == b[0] or (a[0] == b[1] and not a[1]) or (b[0] == a[1] and not b[1]) else 0.0


def _abstract(a: str, b: str) -> float | None:
    if len(a) < 60 or len(b) < 60:
        return None
    size = min(len(a), len(b), 400)
    return fuzz.ratio(a[:size], b[:size]) / 100


def _score(s: Mapping[str, float | None]) -> float:
    """One number for ordering edges and pairs: the mean of what is known, the title counted three times."""
    known = [value for key, value in s.items() if value is not None and key != "title"]
    return ((s["title"] or 0) * 3 + sum(known)) / (3 + len(known))
