"""The numbers under which trials are registered, as one and the same however they are written.

ClinicalTrials.gov, the registers of the WHO's network and the EU's two. "EudraCT 2012-003632-23",
"EUCTR2012-003632-23-CZ" and "2012-003632-23" in a field for numbers are one number. The forms are
those of the registers' own pages and of the WHO's list of primary registers.
"""

from __future__ import annotations

import re

LONGEST_TEXT = 30_000  # characters in which numbers are looked for
_EU_NUMBER = r"(20\d\d-\d{6}-\d\d)"
_EU_LABEL = (
    r"(?:EudraCT|EUCTR|EU[ -]?CT|CTIS)"
    r"(?:[ -]?(?:numbers?|no\.?|nr\.?|identifier|ID))?[\s:#.-]{0,3}"
)
# Each register's numbers; a group, where there is one, is what stays of it.
_FORMS = (
    r"\b(NCT\d{8})(?!\d)",
    r"\b(ISRCTN)[ -]?(\d{8})(?!\d)",
    r"\b(ACTRN)[ -]?(\d{14})(?!\d)",
    r"\b(DRKS)[ -]?(\d{8})(?!\d)",
    r"\b(CTRI/20\d\d/\d\d\d?/\d{6})(?!\d)",
    r"\b(PACTR\d{15,16})(?!\d)",
    r"\b(IRCT\d{8,16}N\d{1,3})(?!\d)",
    r"\b(ChiCTR)[- ]?((?:[A-Z]{2,5}-)?\d{8,10})(?!\d)",
    r"\b(jRCTs?\d{9,10})(?!\d)",
    r"\b(?:JPRN-)?(UMIN\d{9})(?!\d)",
    r"\b(KCT\d{7})(?!\d)",
    r"\b(TCTR\d{11})(?!\d)",
    r"\b(SLCTR/20\d\d/\d{3})(?!\d)",
    r"\b(RBR-[0-9a-z]{6,8})\b",
    r"\b(RPCEC\d{8})(?!\d)",
    r"\b(LBCTR\d{10})(?!\d)",
    r"\b(NTR\d{3,5})(?!\d)",
    r"\b(NL-OMON\d{3,6})(?!\d)",
    r"\b(PER-\d{3}-\d\d)(?!\d)",
    r"\b(U1111-\d{4}-\d{4})(?!\d)",  # the WHO's universal trial number
)
_NUMBER = re.compile("|".join(_FORMS), re.IGNORECASE)
_EU_LABELLED = re.compile(_EU_LABEL + _EU_NUMBER, re.IGNORECASE)
_EU_BARE = re.compile(r"(?<![\d-])" + _EU_NUMBER + r"(?!\d)")
# Most texts name no number: these are looked for first, as registers write them and as some do in
# small letters. "function" has an "nct", so a figure stands behind it there.
_HINTS = (
    *("NCT", "ISRCTN", "ACTRN", "DRKS", "CTRI/", "PACTR", "IRCT", "ChiCTR", "CHICTR", "jRCT"),
    *("JRCT", "UMIN", "KCT", "TCTR", "SLCTR", "RBR-", "RPCEC", "LBCTR", "NTR", "NL-OMON", "PER-"),
    *("U1111", "nct0", "isrctn", "drks0", "actrn", "chictr"),
)
_EU_HINTS = ("eudract", "euctr", "eu ct", "eu-ct", "euct", "ctis")


def in_text(text: str | None) -> frozenset[str]:
    """The registration numbers that a text names; a bare EU number is none, as it may be a date's."""
    known = (text or "")[:LONGEST_TEXT]
    lower = known.lower()
    numbers = _numbers(known)
    if any(map(lower.__contains__, _EU_HINTS)):
        numbers |= {match[1] for match in _EU_LABELLED.finditer(known)}
    return frozenset(numbers)


def in_field(text: str | None) -> frozenset[str]:
    """The numbers in a field that is for them, where an EU number may stand bare."""
    known = (text or "")[:LONGEST_TEXT]
    bare = {match[1] for match in _EU_BARE.finditer(known)}
    return frozenset(_numbers(known) | bare)


def own(text: str | None) -> str | None:
    """The number of a register's entry: the first in a field that holds it; None where none is."""
    known = (text or "")[:LONGEST_TEXT]
    numbers = [(match.start(), _canonical(match)) for match in _NUMBER.finditer(known)]
    numbers += [(match.start(1), match[1]) for match in _EU_BARE.finditer(known)]
    return min(numbers)[1] if numbers else None


def _numbers(text: str) -> set[str]:
    if not any(map(text.__contains__, _HINTS)):
        return set()
    return {_canonical(match) for match in _NUMBER.finditer(text)}


def _canonical(match: re.Match[str]) -> str:
    """The number in capitals, without the blank or hyphen that some write behind the name."""
    return "".join(part for part in match.groups() if part).upper()
