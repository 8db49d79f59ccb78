"""What readers suggest: {"tips": [{"id", "title", "link", "note"}]}, as the form "suggest a study"
writes it.
"""

from __future__ import annotations

from typing import Any

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi
from livereview.sources import answers
from livereview.sources.answers import mapping, string
from livereview.sources.protocol import Page, Source
from livereview.sources.text import link, plain

NAME = "tip"
TITLE = "Suggestions of readers"


def parse(body: bytes, cursor: str | None) -> Page:
    """Every tip as a record or a reject. The note is for the reviewers and stays with the tip."""
    tips = mapping(answers.read_json(body, NAME, TITLE)).get("tips")
    if not isinstance(tips, list):
        raise SourceBroken('these are no tips: expected {"tips": […]}', source=NAME)
    records, rejects = answers.read_items(tips, _record, "tips")
    return Page(records, rejects=rejects, total=len(tips))


def _record(tip: dict[str, Any]) -> Record | str:
    key, title, address = (
        string(tip.get("id")),
        plain(string(tip.get("title"))),
        string(tip.get("link")),
    )
    if not key or not title:
        return "no id or no title"
    doi = clean_doi(address)
    return Record(
        NAME,
        key,
        title=title,
        doi=doi,
        url=link(address) or link(f"https://doi.org/{doi}" if doi else None),
    )


SOURCE = Source(NAME, TITLE, parse, days=False, archive=False)
