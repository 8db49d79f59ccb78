"""The WHO's International Clinical Trials Registry Platform: its exports as XML, of the search page
(<Trials_downloaded_from_ICTRP><Trial>…) and in the WHO's own form for registers (<trials><trial>…).

Its CSV and Excel exports are tables like others (`csv`). An element's name is read like a table's
heading, so both have the same fields.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from lxml import etree

from livereview.errors import SourceBroken
from livereview.records import Record
from livereview.sources import columns, rows, tagged
from livereview.sources.markup import refuse_crowded
from livereview.sources.protocol import Page, Reject, Source
from livereview.sources.text import reject

NAME = "ictrp"
TITLE = "WHO ICTRP export"
_BEGINS = re.compile(r"<(?:Trials_downloaded_from_ICTRP|trials|Trial)\b", re.IGNORECASE)


def parse(body: bytes, cursor: str | None) -> Page:
    """Every trial as a record or a reject."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, element in enumerate(_trials(body)):
        made = _record(element)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"Trial[{number}]", etree.tostring(element)))
    return Page(tagged.distinct(records), rejects=tuple(rejects), total=len(records) + len(rejects))


def _trials(body: bytes) -> list[Any]:
    text = "\n".join(tagged.read_lines(body))
    if not text.strip():
        raise tagged.foreign([], "this is no export of the WHO's ICTRP", NAME)
    if re.search(r"<!ENTITY|<!DOCTYPE[^<>]{0,2000}\[", text):
        raise SourceBroken("this file declares entities, which no export needs", source=NAME)
    if not text.lstrip().startswith("<") or not _BEGINS.search(text[:5_000]):
        raise tagged.foreign(text.splitlines()[:50], "this is no WHO ICTRP export", NAME)
    refuse_crowded(body, NAME)
    parser = etree.XMLParser(
        recover=False, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
    )
    try:
        root = etree.fromstring(text.lstrip().encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        words = f"this export is damaged or cut off: {error}; export it again"
        raise SourceBroken(words[:300], source=NAME) from None
    if _tag(root) == "trial":
        return [root]
    return [one for one in root if _tag(one) == "trial"]


def _tag(element: Any) -> str:
    if isinstance(element.tag, str):
        return etree.QName(element).localname.lower()
    return ""


def _record(trial: Any) -> Record | str:
    """The trial as a row of a table with its elements' names as headings."""
    texts: dict[str, list[str]] = {}
    for element in trial.iter():
        text = (element.text or "").strip() if len(element) == 0 else ""
        if text:
            texts.setdefault(columns.plain_heading(_tag(element)), []).append(text)
    titles = list(texts)
    row: dict[str, str] = {}
    for field, places in columns.places(titles, {}).items():
        row[field] = "; ".join(texts[titles[places[0]]])
    made = rows.record(row)
    if isinstance(made, str):
        return made
    if made.registration is None:
        return "no number of a register that is known"
    return replace(made, source=NAME, source_key=made.registration)


SOURCE = Source(NAME, TITLE, parse)
