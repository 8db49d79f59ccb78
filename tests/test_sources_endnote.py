"""EndNote XML: as many records and rejects as <record> elements, each field as Zotero has it, no
trick believed.
"""

from __future__ import annotations

import json
import re
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from livereview.errors import LivereviewError, SourceBroken
from livereview.records import Record
from livereview.sources import endnote
from livereview.sources.text import plain

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
shared = pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared data are not here")
TYPES = {"journalArticle": "journal-article", "bookSection": "book-chapter", "webpage": "web-page"}
# (file, entry, field): what we say instead of what Zotero says, and why
DIFFERENT: dict[tuple[str, int, str], object] = {
    # initials keep the point they have, and get none they have not
    ("zot_EndnoteXML_01.xml", 0, "authors"): ("Ahlquist, John S", "Breunig, Christian"),
    ("zot_EndnoteXML_01.xml", 2, "authors"): ("Foderaro, Lisa W",),
    ("zot_EndnoteXML_01.xml", 6, "authors"): ("McInnis, Maurie Dee", "Nelson, Louis P"),
    ("zot_EndnoteXML_03.xml", 1, "authors"): ("Author, Test Jr.",),
    # a patent's year is its date here; the page of a web site appears on that site
    ("zot_EndnoteXML_01.xml", 7, "published"): "2011",
    ("zot_EndnoteXML_01.xml", 8, "container_title"): "Citation Style Editor",
}


def one(inner: str, kind: str = "Journal Article") -> Record:
    body = f'<xml><records><record><ref-type name="{kind}">0</ref-type><titles><title>T</title></titles>{inner}'
    (record,) = endnote.parse(f"{body}</record></records></xml>".encode(), None).records
    return record


def wanted(item: dict[str, Any]) -> dict[str, object]:
    """Zotero's item in our fields: markup removed, editors only where there are no authors."""
    kinds = [creator["creatorType"] in ("author", "inventor") for creator in item["creators"]]
    people = [
        c for c in item["creators"] if c["creatorType"] in ("author", "inventor") or not any(kinds)
    ]
    places = ("publicationTitle", "bookTitle", "publisher")
    return {
        "type": TYPES.get(item["itemType"], item["itemType"]),
        "title": plain(item["title"]),
        "authors": tuple(
            ", ".join(filter(None, (c.get("lastName"), c.get("firstName")))) for c in people
        ),
        "published": item.get("date"),
        "container_title": next((item[key] for key in places if item.get(key)), None),
        "volume": item.get("volume"),
        "issue": item.get("issue"),
        "pages": item.get("pages"),
        "isbn": item.get("ISBN"),
        "issn": item.get("ISSN"),
        "url": item.get("url"),
        "abstract": plain(item.get("abstractNote"), 20_000),
    }


@shared
@pytest.mark.parametrize(
    "path", sorted((PAYLOADS / "refman_endnote").glob("zot_*.xml")), ids=lambda path: path.name
)
def test_each_field_is_as_zotero_has_it(path: Path) -> None:
    expected = json.loads(
        unicodedata.normalize(
            "NFC", path.with_name(path.name + ".expected.json").read_text("utf-8")
        )
    )
    page = endnote.parse(path.read_bytes(), None)
    assert (len(page.records), page.rejects) == (len(expected), ())
    for number, (item, record) in enumerate(zip(expected, page.records, strict=True)):
        for field, value in wanted(item).items():
            value = DIFFERENT.get((path.name, number, field), value)
            assert getattr(record, field) == value, (field, number)


@shared
def test_every_recorded_file_gives_as_many_as_it_has_records() -> None:
    total = 0
    for path in (PAYLOADS / "refman_endnote").iterdir():
        if path.suffix == ".json":
            continue
        body = path.read_bytes()
        begun = len(re.findall(rb"<record>", body)) or len(re.findall(rb"(?m)^%T ", body))
        page = endnote.parse(body, None)
        assert (len(page.records), page.rejects) == (begun, ()), path.name
        assert all(record.title and record.source == "endnote" for record in page.records)
        total += begun
    assert total == COUNTED


COUNTED = 33


@shared
def test_what_an_export_of_endnote_says_of_an_article() -> None:
    (record,) = endnote.parse(
        (PAYLOADS / "refman_endnote/jr_EndnoteXmlImporterTestArticle.xml").read_bytes(), None
    ).records
    assert (record.doi, record.pmid, record.issn) == (
        "10.1038/bjc.2014.606",
        "25647015",
        "1532-1827",
    )
    assert (record.published, record.pages, record.volume, record.issue) == (
        "2015-03-03",
        "943-7",
        "112",
        "5",
    )
    assert record.url == "http://www.ncbi.nlm.nih.gov/pubmed/25647015"


def test_a_doi_is_found_in_each_address_alone() -> None:
    urls = "<urls><related-urls><url>https://doi.org/10.5555/a</url><url>https://x.org</url></related-urls></urls>"
    assert (one(urls).doi, one(urls).url) == ("10.5555/a", "https://doi.org/10.5555/a")
    assert (
        one("<electronic-resource-num>10.5555/b 10.5555/c</electronic-resource-num>" + urls).doi
        == "10.5555/b"
    )


@pytest.mark.parametrize(
    ("year", "day", "iso"),
    [
        ("2015", "Mar 3", "2015-03-03"),
        ("2015", "3 March", "2015-03-03"),
        ("2015", "Mar-Apr", "2015"),
        ("2015", "2015/03/03", "2015-03-03"),
        ("2015", "Spring", "2015"),
        ("2015", "Jun", "2015-06"),
        ("2015", "", "2015"),
        ("in press", "", None),
    ],
)
def test_dates(year: str, day: str, iso: str | None) -> None:
    assert (
        one(
            f"<dates><year>{year}</year><pub-dates><date>{day}</date></pub-dates></dates>"
        ).published
        == iso
    )


def test_the_journal_is_found_wherever_it_is() -> None:
    assert one("<periodical><full-title>J</full-title></periodical>").container_title == "J"
    assert (
        one("<titles><alt-title>J</alt-title></titles><publisher>P</publisher>").container_title
        == "J"
    )
    assert one("<publisher>P</publisher>").container_title == "P"
    assert one("<periodical><abbr-1>J.</abbr-1></periodical>").container_title == "J."
    assert one("<pages>12–19</pages>").pages == "12-19"
    assert one("<pages>Available: http://x.org</pages>").pages is None


def test_spans_accents_entities_and_bad_characters() -> None:
    body = (
        '<xml><records><record><titles><title><style>A </style><style face="italic">B</style><style>&amp;&#xE9; < 5'
        "</style></title></titles></record></records></xml>"
    )
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (record,) = endnote.parse(body.replace(" < 5", "").encode(encoding), None).records
        assert record.title == "A B&é"
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>' + body.replace("&#xE9; < 5", "é")
    assert endnote.parse(latin.encode("latin-1"), None).records[0].title == "A B&é"


GOOD = "<record><titles><title>T%d</title></titles></record>"
WHOLE = "<xml><records>" + "".join(GOOD % n for n in range(5)) + "</records></xml>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "empty"),
        (WHOLE[:120], "cut off before </records>"),
        (WHOLE[:20], "EndNote"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + WHOLE, "declares entities"),
        (
            " " * 20_000 + '<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>' + WHOLE,
            "declares entities",
        ),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><record/></feed>', "EndNote"),
        ("TY  - JOUR\nER  - \n", "EndNote"),
    ],
)
def test_what_is_cut_foreign_or_a_trick_is_an_error(body: str, words: str) -> None:
    with pytest.raises(SourceBroken, match=words):
        endnote.parse(body.encode(), None)


def test_an_entity_in_utf_16_is_refused_as_well() -> None:
    with pytest.raises(SourceBroken, match="declares entities"):
        endnote.parse(('<!DOCTYPE x [<!ENTITY a "b">]>' + WHOLE).encode("utf-16"), None)


def test_an_empty_library_is_an_empty_page() -> None:
    assert endnote.parse(b"<xml><records></records></xml>", None).total == 0
    assert endnote.parse(b"<xml><records/></xml>", None).total == 0


@pytest.mark.parametrize("cut", range(0, len(WHOLE) - 7, 7))
def test_no_cut_looks_like_fewer_records(cut: int) -> None:
    with pytest.raises(LivereviewError):
        endnote.parse(WHOLE[:cut].encode(), None)


@pytest.mark.parametrize("cut", range(15, 260, 5))
def test_no_hole_loses_a_record_in_silence(cut: int) -> None:
    body = WHOLE[:cut] + WHOLE[cut + 3 :]
    try:
        page = endnote.parse(body.encode(), None)
    except SourceBroken:
        return
    assert len(page.records) + len(page.rejects) >= body.count("<record>")


def test_deep_nesting_ends_soon() -> None:
    began = time.process_time()
    with pytest.raises(SourceBroken):
        endnote.parse(b"<xml><records>" + b"<record>" * 200_000, None)
    assert time.process_time() - began < 10
