"""Tagged exports that are not RIS but say the same things.

Each is cut into entries and put into RIS tags.

- Ovid: "<1>" and labels ("Unique Identifier"), or two-letter tags ("TI  - "); the place of an
  article is a sentence
- RefWorks: "RT Journal", "A1 Hoeve,Machteld"
- EndNote: the refer format, .enw: "%0 Journal Article", "%A Hoeve, Machteld"
- ProQuest: a report as text: "Document 1 of 100", "Author: …", "ProQuest document ID: …"
- Cochrane: the Library's text: "Record #1 of 12", "ID: CN-02055555", "AU: Hoeve M"
- NEP: a mailing of RePEc: a list of contents, then "1. Title", the authors, the abstract, "URL: …"
"""

from __future__ import annotations

import re
from itertools import pairwise

from livereview.sources.ris_ovid import split_ovid
from livereview.sources.tagged import Entry, split, split_at_blanks

_REFWORKS_TAG = re.compile(  # no others: "US families …" in an abstract that was wrapped is no tag
    r"(RT|SR|ID|[AKTU]\d\d?|JF|JO|YR|FD|VO|IS|SP|OP|AB|NO|ED|PB|PP|SN|AV|AD|AN|LA|CL|SF|OT|LK|DO|DB|DS|CN|IP|RD|ST|UL"
    r"|SL|LL|CR|WT|WV|WP|OL|PMC?ID)(?: (.*)|$)"
)
_REFER_TAG = re.compile(r"\s?%([A-Z0-9@!#$&()*+,:<=>?\[\]^~])(?: (.*)|$)")
_PROQUEST_TAG = re.compile(r"([A-Z][A-Za-z /()-]{2,45}):(?: (.*)|$)")
_COCHRANE_TAG = re.compile(
    r"(ID|AU|TI|SO|YR|VL|NO|PG|PM|XR|PT|KY|DOI|AB|US|SN|LA|CC|PB|ST|MARK): ?(.*)"
)
_COCHRANE_MARK = re.compile(r"Record #\d+ of \d+")
_NEP_ITEM = re.compile(r"\d{1,3}\. (\S.*)")
_NEP_TAG = re.compile(r"(Date|By|URL|Keywords|JEL):\s*(.*)")
_REFWORKS = {
    **{
        same: same
        for same in (
            "A1",
            "A2",
            "T1",
            "T2",
            "JF",
            "JO",
            "IS",
            "SP",
            "AB",
            "SN",
            "AN",
            "LA",
            "DO",
            "DB",
            "ID",
        )
    },
    **{same: same for same in ("PMID", "PMCID")},
    **{
        "RT": "TY",
        "YR": "PY",
        "FD": "DA",
        "VO": "VL",
        "OP": "EP",
        "NO": "N1",
        "DS": "DB",
        "LK": "UR",
        "UL": "UR",
    },
}
_REFER = {
    **{
        "0": "TY",
        "A": "AU",
        "E": "ED",
        "T": "TI",
        "J": "JF",
        "B": "T2",
        "D": "PY",
        "8": "DA",
        "V": "VL",
        "N": "IS",
    },
    **{
        "P": "SP",
        "X": "AB",
        "@": "SN",
        "R": "DO",
        "U": "UR",
        "G": "LA",
        "M": "AN",
        "~": "DB",
        "Z": "N1",
        "!": "ST",
    },
    "9": "M3",
}
_COCHRANE = {
    **{
        "ID": "AN",
        "AU": "AU",
        "TI": "TI",
        "SO": "JF",
        "YR": "PY",
        "VL": "VL",
        "NO": "IS",
        "PG": "SP",
        "AB": "AB",
    },
    **{"PM": "PMID", "PT": "PT", "DOI": "DO", "US": "UR", "SN": "SN", "LA": "LA"},
}
_NEP = {"By": "AU", "URL": "UR", "Date": "DA", "Keywords": "KW", "JEL": "KW"}
_PROQUEST = {
    "title": "TI",
    "author": "AU",
    "editor": "ED",
    "abstract": "AB",
    "publication title": "JF",
    "volume": "VL",
    "issue": "IS",
    "pages": "SP",
    "publication year": "PY",
    "publication date": "DA",
    "issn": "SN",
    "isbn": "SN",
    "doi": "DO",
    "language": "LA",
    "document type": "M3",
    "source type": "TY",
    "proquest document id": "AN",
    "document url": "UR",
}


def entries(lines: list[str]) -> list[Entry]:
    """The entries of a file in one of the dialects, in RIS tags; none if it is in no dialect."""
    dialects = (
        split_ovid,
        _split_refworks,
        _split_refer,
        _split_proquest,
        _split_cochrane,
        _split_nep,
    )
    return next((found for dialect in dialects if (found := dialect(lines))), [])


def _split_refworks(lines: list[str]) -> list[Entry]:
    if not any(line.startswith("RT ") for line in lines) or not any(
        re.match(r"(?:SR|ID|A1|T1) ", one) for one in lines
    ):
        return []
    return [
        one.renamed(_REFWORKS) for one in split(lines, _REFWORKS_TAG, lambda tag, *_: tag == "RT")
    ]


def _split_refer(lines: list[str]) -> list[Entry]:
    """Entries that blank lines part, as some write %T before %0; a second type is dropped."""
    tags = {match.group(1) for line in lines if (match := _REFER_TAG.fullmatch(line))}
    first = next((line for line in lines if line.strip()), "")
    if not _REFER_TAG.fullmatch(first) or not {"T", "0"} & tags:
        return []
    typed_once = [
        "" if line.startswith("%0 ") and above.startswith("%0 ") else line
        for above, line in pairwise(["", *lines])
    ]
    return [one.renamed(_REFER) for one in split_at_blanks(typed_once, _REFER_TAG, "0", ("T",))]


def _split_proquest(lines: list[str]) -> list[Entry]:
    """A report's documents stand between rules of underscores.

    Of its contents and notes only those have an id.
    """
    blocks = [Entry(1)]
    for number, line in enumerate(lines, start=1):
        if re.fullmatch(r"_{20,}\s*", line):
            blocks.append(Entry(number))
        match = _PROQUEST_TAG.match(line)
        if match and match.group(1).lower() in _PROQUEST:
            blocks[-1].values.append((match.group(1).lower(), [match.group(2) or ""]))
        blocks[-1].raw.append(line)
    return [_from_proquest(block) for block in blocks if block.first("proquest document id")]


def _from_proquest(block: Entry) -> Entry:
    entry = block.renamed(_PROQUEST)
    entry.add("DB", "ProQuest")
    if not entry.first("UR"):
        entry.add(
            "UR",
            next((line for line in block.raw if re.match(r"https?://\S*/docview/", line)), None),
        )
    return entry


def _split_cochrane(lines: list[str]) -> list[Entry]:
    """A record begins at the line that numbers it."""
    if not any(_COCHRANE_MARK.match(line) for line in lines):
        return []
    marked = ["MARK: " if _COCHRANE_MARK.match(line) else line for line in lines]
    found = [
        entry.renamed(_COCHRANE)
        for entry in split(
            marked, _COCHRANE_TAG, lambda tag, before, _: tag == "MARK" or not before.values
        )
        if len(entry.values) > 1
    ]
    for entry in found:
        entry.add("DB", "Cochrane")
        entry.add("TY", "JOURNAL" if entry.first("JF") else None)
    return found


def _split_nep(lines: list[str]) -> list[Entry]:
    """The items that have an address: the list of contents before them has none."""
    if not any("nep.repec.org" in line for line in lines):
        return []
    found: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        if _NEP_ITEM.fullmatch(line):
            found.append(Entry(number))
        if found:
            found[-1].raw.append(line)
    return [_from_nep(item) for item in found if any(line.startswith("URL:") for line in item.raw)]


def _from_nep(item: Entry) -> Entry:
    """Authors are indented, or follow "By:" with their institutions.

    The abstract is all that has no label.
    """
    entry, tag = Entry(item.number, [("TY", ["WORKING PAPER"])], item.raw), ""
    said: list[str] = []
    entry.add("TI", item.raw[0].partition(" ")[2])
    for line in filter(str.strip, item.raw[1:]):
        match = _NEP_TAG.fullmatch(line)
        if match:
            tag = _NEP[match.group(1)]
        text = (match.group(2) if match else line).strip()
        if match and tag != "AU":
            entry.add(tag, text)
        elif tag == "AU" or (line.startswith("  ") and not said):
            entry.add("AU", re.sub(r"(?<! ) *+\(.*\)$", "", text[:500]))
        else:
            said.append(text)
    entry.add("AB", " ".join(said))
    handle = re.search(r"RePEc:[^&\s]+", entry.first("UR") or "")
    entry.add("AN", handle.group() if handle else None)
    return entry
