"""Keys under which a record and its duplicates meet.

Each depends on the record alone, so that it does not matter who else is there or when they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from livereview.dedup.text import MOST_TRIALS, Features
from livereview.dedup.words import listed

CAP = 1_000  # a key that more records share is skipped: it says too little of them
# How a record's own identifiers begin as keys, by how links write them.
_KEYS = {"doi": "doi ", "pmid": "pmid ", "pmcid": "pmc ", "epmc": "epmc ", "trial": "trial "}
_COMMON = listed(
    """a an the of and in on for to with by from at as or is are its their among between during after using versus vs
    effect effects impact role use study studies trial trials randomised randomized controlled clinical systematic
    review meta analysis case report reports cohort evaluation comparison outcomes predictors patients"""
)


def meetings(keyed: Iterable[tuple[str, ...]]) -> Iterator[tuple[int, list[int]]]:
    """Each record's place, with the places before it of those that share one of its keys: every
    pair once.

    The same pairs as `store.candidates` finds among these records; here without a database, which
    takes longer to open than a few thousand records take to be compared.
    """
    groups = _shared(keyed)
    within: dict[int, list[Sequence[int]]] = {}
    for group in groups:
        for place in group:
            within.setdefault(place, []).append(group)
    for place in sorted(within):
        others = {other for group in within.pop(place) for other in group if other < place}
        if others:
            yield place, sorted(others)


def _shared(keyed: Iterable[tuple[str, ...]]) -> list[Sequence[int]]:
    """The places of the records of each key that 2 to CAP of them have."""
    first: dict[str, int] = {}
    more: dict[str, list[int]] = {}
    for place, keys in enumerate(keyed):
        for key in keys:
            if (found := first.setdefault(key, place)) != place:
                more.setdefault(key, [found]).append(place)
    return [group for group in more.values() if len(group) <= CAP]


def block_keys(f: Features) -> tuple[str, ...]:
    """Short keys, sorted; two records that share none are never compared."""
    keys = {
        f"doi {f.doi}" if f.doi else "",
        f"pmid {f.pmid}" if f.pmid else "",
        f"pmc {f.pmcid}" if f.pmcid else "",
    }
    keys |= _ties(f)
    keys |= _title(f) | _place(f)
    return tuple(sorted(keys - {""}))


def _ties(f: Features) -> set[str]:
    """The identifiers of others that a source ties to the record, and the trials it is of."""
    if not (f.related or f.trial or f.registration or f.numbered):
        return set()
    keys = {_KEYS[scheme] + value for scheme, value in _named(f) if scheme in _KEYS}
    if f.registration or len(f.trial) <= MOST_TRIALS:
        keys |= {f"trial {number}" for number in f.trial | f.also}
    return keys


def _named(f: Features) -> Iterator[tuple[str, str]]:
    own = [name for name in f.ids if name.startswith(("epmc:", "trial:"))]
    for name in (*own, *(other.id for other in f.related)):
        scheme, _, value = name.partition(":")
        yield scheme, value


def _title(f: Features) -> set[str]:
    content = _content(f.title)
    joined = _joined(content)
    if f.serial or len(joined) < 16:
        return _short_title(f, f.title.replace(" ", "")[:24])
    long = sorted(sorted(set(content)), key=len, reverse=True)  # the longest first, then by letter
    keys = {f"t {joined[:24]}", f"- {joined[-24:]}", "w " + " ".join(sorted(long[:3]))}
    if len(f.short) > 20:
        keys.add(f"s {_joined(_content(f.short))[:60]}")
    return keys


def _short_title(f: Features, joined: str) -> set[str]:
    """Too many records share a short title: it needs a volume, an author or at least a year beside
    it.
    """
    more = [f.volume, *f.names[:1]]
    if joined:
        return {f"t {joined} {word}" for word in more if word} or {f"t {joined} {f.year}"}
    return set()


def _content(title: str) -> list[str]:
    """The words of a title that say what it is about."""
    return [word for word in title.split() if word not in _COMMON]


def _joined(content: list[str]) -> str:
    """A footnote's mark may stand before or after."""
    return "".join(content).strip("0123456789")


def _place(f: Features) -> set[str]:
    name = f.names[0] if f.names else ""
    page = f.pages[0]
    return {
        f"p {name} {page}" if name and page else "",
        f"v {name} {f.volume} {f.issue}" if name and f.volume else "",
        f"e {f.journal[:1]} {f.volume} {f.issue}" if f.column and f.volume and f.issue else "",
        f"j {f.journal[:1]} {f.volume} {page} {f.pages[1]}"
        if f.volume and page and f.journal
        else "",
    }
