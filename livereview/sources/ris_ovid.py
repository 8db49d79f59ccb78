"""Ovid's own exports, put into RIS tags: each entry begins at "<1>" and holds labels or two-letter
tags.

    <1>                          <1. >
    Unique Identifier            UI  - 35555555
      35555555                   TI  - A title.
    Title                        SO  - A Journal. 45(3):123-30, 2019 Mar 1.
      A title.

Where an article stands is often told only in the sentence of its source, which every database words
in its own way.
"""

from __future__ import annotations

import re

from livereview.sources.tagged import MONTHS, Entry, split

_MARK = re.compile(r"\s{0,9}<(\d+)\.? ?>\s*")
_TAG = re.compile(r"\s?([A-Z][A-Z0-9]{1,4}) {0,2}-(?: (.*)|$)")
_LABEL = re.compile(r"([A-Z][A-Za-z /()-]{1,59}?)\s*")
# where marks were taken out
_SIGN = re.compile(r"VN {0,2}- Ovid|(?:Accession Number|Unique Identifier)\s*$")
_TAGS = {
    **{
        "UI": "AN",
        "AN": "AN",
        "AU": "AU",
        "FA": "FA",
        "ED": "ED",
        "TI": "TI",
        "SO": "SO",
        "AB": "AB",
        "BT": "BT",
    },
    **{
        "LG": "LA",
        "LA": "LA",
        "IS": "SN",
        "IL": "SN",
        "EI": "SN",
        "IT": "SN",
        "IB": "SN",
        "DO": "DO",
        "DI": "DO",
    },
    **{
        "YR": "PY",
        "DP": "DA",
        "PM": "PMID",
        "JN": "JF",
        "VO": "VL",
        "IP": "IS",
        "PG": "SP",
        "DB": "DB",
        "ST": "ST",
    },
    **{"XL": "UR", "XP": "UR", "UR": "UR", "PT": "PT", "DT": "DT"},
}
_LABELS = {
    **{
        "unique identifier": "AN",
        "accession number": "AN",
        "database": "DB",
        "status": "ST",
        "source": "SO",
    },
    **{"author": "AU", "authors": "AU", "authors full name": "FA", "editor": "ED", "editors": "ED"},
    **{
        "title": "TI",
        "article title": "TI",
        "chapter title": "CT",
        "book title": "BT",
        "abstract": "AB",
    },
    **{"language": "LA", "issn": "SN", "issn print": "SN", "issn electronic": "SN", "isbn": "SN"},
    **{
        "doi number": "DO",
        "doi": "DO",
        "digital object identifier": "DO",
        "pmid": "PMID",
        "url": "UR",
    },
    **{
        "year of publication": "PY",
        "publication year": "PY",
        "date of publication": "DA",
        "publication date": "DA",
    },
    **{
        "journal name": "JF",
        "journal title": "JF",
        "volume": "VL",
        "issue": "IS",
        "pages": "SP",
        "page": "SP",
    },
    **{
        "publication type": "PT",
        "document type": "DT",
        "link to the ovid full text or citation": "UR",
    },
}
_KINDS = (  # a word of DT or else of PT, and its type in RIS; the first that fits
    (r"book review", "JOUR"),
    (r"dissertation|thesis", "THES"),
    (r"chapter", "CHAP"),
    (r"\bbook\b|text/reference|drug reference", "BOOK"),
    (r"conference|meeting|proceeding", "CONF"),
    (r"journal|article|review|editorial|letter|note|comment|trial|stud(?:y|ies)", "JOUR"),
)
_DEGREE = re.compile(
    r",? (?:MD|MBBS|MB|PhD|DPhil|DrPH|MPH|MSc?|BSc?|BA|MA|MEd|EdD|PsyD|MSW|LCSW|DSW|RN|FAAN|MSN|BSN|DNP|MBA|JD|LLM|"
    r"MPhil|MRCP|FRCP|FRCPC|FAAP|MRes|ScD|DDS|DO|MPP|MPA|MHS|CPNP|APRN|FNP|PharmD)\b.*",
)
_NUMBERS = re.compile(
    r"(?:Vol\.? ?)?\b(\d+[A-Z]?) ?(?:\(([^()]*(?:\([^()]*\))?)\))? ?(?:: ?| ?\(pp\.? )([\w.-]*\w)"
)
_NOTE = re.compile(
    r"(?:(?<!\s)\s++)?\[(?!.{0,99}(?:retract|correct|erratum|withdraw))[A-Z][\w &/,-]{2,40}\]\.?$",
    re.IGNORECASE,
)
_VOLUME = re.compile(r"\bVol\.? ?(\w+)(?: ?\(((?:[^()]|\([^()]*\))*)\))?")
_PAGES = re.compile(r"(?:\bpp?\.?|[:;,]) ?([A-Za-z]?\d+[-–][A-Za-z]?\d+)\b(?!-)")
_MONTH = rf"(?:{'|'.join(one.title() for one in MONTHS)})[a-z]*"
_JOURNAL = re.compile(
    rf"(.+?)(?:\.\s+(?:Vol\b|[\d(])|, \d{{4}}\(|,? \d+, | {_MONTH} (?:\d\d?,? )?\d{{4}};|\.?\s{{0,9}}$)",
    re.DOTALL,
)
_CHAPTER = re.compile(r"\((\d{4})\)\. (.{1,500}?)\.? \((?:pp\.? ?)([\w-]+)\)")


def split_ovid(lines: list[str]) -> list[Entry]:
    """The entries of an Ovid export in RIS tags; none if the file isn't one."""
    marked = any(_MARK.fullmatch(line) for line in lines)
    if not marked and not any(_SIGN.match(line) for line in lines):
        return []
    two_letter = any(re.match(r"\s?(?:VN|DB|UI|AN|TI) {0,2}- ", line) for line in lines)
    found = _tagged(lines, marked) if two_letter else _labelled(lines, marked)
    return [_in_ris(one) for one in found]


def _tagged(lines: list[str], marked: bool) -> list[Entry]:
    ready = [re.sub(_MARK, r"MARK - \1", line) if _MARK.fullmatch(line) else line for line in lines]
    opening = "MARK" if marked else "VN"
    found = split(ready, _TAG, lambda tag, *_: tag == opening)
    for one in found:
        one.raw = lines[one.number - 1 : one.number - 1 + len(one.raw)]
    return [one.renamed(_TAGS) for one in found]


def _labelled(lines: list[str], marked: bool) -> list[Entry]:
    """Entries of labels at the margin and indented values.

    Without marks one begins at the label of the first.
    """
    found: list[Entry] = []
    opening = next((line.strip() for line in lines if _LABEL.fullmatch(line)), "")
    for number, line in enumerate(lines, start=1):
        if _MARK.fullmatch(line) if marked else line.strip() == opening:
            found.append(Entry(number))
        if found and (match := _LABEL.fullmatch(line)):
            found[-1].values.append((re.sub(r"[ (]s?\)", "", match.group(1)).lower(), []))
        elif found and found[-1].values:
            found[-1].values[-1][1].append(line.strip())
        if found:
            found[-1].raw.append(line)
    return [one.renamed(_LABELS) for one in found]


def _in_ris(said: Entry) -> Entry:
    """What Ovid says under the same tag in RIS, and what it says differently."""
    entry = said.renamed(
        {tag: tag for tag in ("DO", "PMID", "IS", "VL", "JF", "DB", "UR", "SN", "PT", "PY", "DA")}
    )
    kind = _kind(said)
    entry.add("TY", kind)
    entry.add("AN", (said.first("AN") or "").rstrip(".").rpartition(" ")[2])
    entry.add("LA", (said.first("LA") or "").rstrip("."))
    entry.add("PT", said.first("DT"))
    entry.add("AB", (said.first("AB") or "").lstrip(": "))
    if not entry.first("DB") and re.match(r"MEDLINE|PubMed|In-Process", said.first("ST") or ""):
        entry.add("DB", "MEDLINE")
    for one in _people(said.all("FA") or said.all("AU")):
        entry.add("AU", one)
    for one in _people([text for text in said.all("ED") if re.search("[a-z]", text)]):
        entry.add("ED", one)
    _add_place(entry, said, kind)
    return entry


def _kind(said: Entry) -> str:
    for text in said.all("DT", "PT"):
        if found := next((kind for words, kind in _KINDS if re.search(words, text.lower())), None):
            return found
    return ""


def _people(texts: list[str]) -> list[str]:
    """Names without degrees and the marks of institutions: "Ray, Jo MD, MPH 1;  Lee, Kim PhD *"."""
    found = (
        _DEGREE.sub("", " " + one[:500].strip()).strip()
        for text in texts
        for one in re.split(r"[;\n]", text)
    )
    tidy = (
        re.sub(
            r"(?<![\s\d,*+#^$&])[\s\d,*+#^$&]++$|(?<!\s)\s*+\[(?:Eds?|[^]@]{0,200}@[^]]{0,200})\]$",
            "",
            one,
        )
        for one in found
    )
    return [re.sub(r"(?<=[a-z]{2})\.$", "", one) for one in tidy if one]


def _add_place(entry: Entry, said: Entry, kind: str) -> None:
    """Title, journal or book, volume, issue, pages and date.

    The sentence of the source fills what has no tag.
    """
    source = _sentence(" ".join((said.first("SO") or "")[:2_000].split()))
    pages = said.first("SP")
    chapter = said.first("CT")
    if chapter:
        book = said.first("TI")
    elif kind != "BOOK":
        book = said.first("BT")
    else:
        book = None
    entry.add("TI", _title(chapter or said.first("TI") or source.get("BT") or ""))
    entry.add("BT", book or (source.get("BT") if kind == "CHAP" else None))
    entry.add("SP", pages if pages and re.search(r"\d", pages) else source.get("SP"))
    for tag in ("JF", "VL", "IS", "DA", "PY"):
        if not entry.first(tag) and not (tag == "JF" and kind in ("BOOK", "CHAP")):
            entry.add(tag, source.get(tag))


def _title(text: str) -> str:
    """A title without the kind of article in brackets behind it and without quotation marks around
    it.
    """
    bare = _NOTE.sub("", text[:2_000])
    return re.sub(r'^"([^"]*)"\.?$', r"\1", bare.strip())


def _sentence(source: str) -> dict[str, str]:
    """What the sentence of a source says, by RIS tag: "A Journal.

    Vol.4(2), Sep 2015, pp. 6-9." and its like.
    """
    if chapter := _CHAPTER.search(source):
        return dict(zip(("PY", "BT", "SP"), chapter.groups(), strict=True))
    journal = _JOURNAL.match(source)
    title = journal.group(1) if journal else ""
    rest, found = source[len(title) :], {"JF": title}
    volume, numbers, pages = _VOLUME.search(rest), _NUMBERS.search(rest), _PAGES.search(rest)
    if numbers and (numbers.group(2) or not re.fullmatch(r"[12]\d{3}", numbers.group(1))):
        found |= {"VL": numbers.group(1), "IS": numbers.group(2) or "", "SP": numbers.group(3)}
        rest = rest.replace(numbers.group(), " ")
    elif volume:
        found |= {"VL": volume.group(1), "IS": volume.group(2) or ""}
    if pages and "SP" not in found:
        found["SP"] = pages.group(1)
        rest = rest.replace(pages.group(), " ")
    year = re.search(r"\b[12]\d{3}\b", rest) or re.search(r"\b[12]\d{3}\b", source)
    return found | {
        "PY": year.group() if year else "",
        "DA": re.sub(r"Vol\S*", "", rest).strip(" .,;"),
    }
