"""OAI-PMH: what is asked for, how pages follow, what damage is repaired, and every recorded answer
counted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.sources.oai import SOURCE
from livereview.sources.oai_record import record
from livereview.sources.protocol import Query, Window

PAYLOADS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "payloads"
CASES = Path(__file__).parent / "data" / "sources" / "oai"
MAY = Window(datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 31, 2, tzinfo=UTC))
HOME = "https://eprints.example.org/cgi/oai2"


def asked(cursor: str | None = None, window: Window = MAY, **filters: str) -> dict[str, str]:
    assert SOURCE.request
    request = SOURCE.request(Query(filters=tuple(filters.items()), url=HOME), window, cursor)
    assert request.url == HOME
    return dict(request.params)


def made(**fields: list[str]) -> dict[str, object]:
    one = record("oai", "k", {"title": ["A study"], **fields})
    assert not isinstance(one, str)
    return {name: getattr(one, name) for name in one.__slots__}


def test_a_harvest_asks_for_the_days_the_set_and_the_format() -> None:
    assert asked(set="social-work", metadataPrefix="mods") == {
        "verb": "ListRecords",
        "metadataPrefix": "mods",
        "set": "social-work",
        "from": "2026-05-01",
        "until": "2026-05-31",
    }
    assert asked(window=Window(None, MAY.end)) == {
        "verb": "ListRecords",
        "metadataPrefix": "oai_dc",
    }


def test_a_token_travels_alone() -> None:
    assert asked("a token/2", set="x") == {"verb": "ListRecords", "resumptionToken": "a token/2"}


def test_other_filters_and_a_missing_address_are_refused() -> None:
    with pytest.raises(Refused, match="no filter subject; choose of set, metadataPrefix"):
        asked(subject="care")
    with pytest.raises(Refused, match="give the search a url"):
        assert SOURCE.request
        SOURCE.request(Query(), MAY, None)


def test_pages_follow_by_token_until_it_is_empty() -> None:
    first, last = ((CASES / name).read_bytes() for name in ("page.xml", "last.xml"))
    assert (SOURCE.parse(first, None).next_cursor, SOURCE.parse(first, None).total) == ("tok/2", 9)
    assert (SOURCE.parse(last, "tok/2").next_cursor, SOURCE.parse(last, "tok/2").total) == (None, 9)


def test_a_token_that_leads_to_itself_ends_the_harvest_with_a_warning() -> None:
    page = SOURCE.parse((CASES / "page.xml").read_bytes(), "tok/2")
    assert page.next_cursor is None and len(page.records) == 2
    assert "the token of this very page" in page.warnings[0]


def test_nothing_matched_beside_another_error_is_no_honest_zero() -> None:
    both = b'<OAI-PMH><error code="noRecordsMatch">0</error><error code="badArgument">set</error></OAI-PMH>'
    with pytest.raises(SourceBroken, match="badArgument, set"):
        SOURCE.parse(both, None)


@pytest.mark.parametrize("end", range(1, 1400, 97))
def test_an_answer_that_is_cut_off_anywhere_is_for_later(end: int) -> None:
    whole = re.sub(r"\s+", " ", (CASES / "last.xml").read_text(encoding="utf-8")).strip()
    assert whole.endswith("</OAI-PMH>")
    with pytest.raises(Retry):
        SOURCE.parse(('<?xml version="1.0"?>' + whole)[: min(end + 20, len(whole))].encode(), None)


@pytest.mark.parametrize(
    "bomb",
    [
        b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><OAI-PMH><ListRecords>&b;</ListRecords></OAI-PMH>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><OAI-PMH><ListRecords>&f;</ListRecords></OAI-PMH>',
        b"<!--"
        + b" " * 20_000
        + b'--><!DOCTYPE x [<!ENTITY f "g">]><OAI-PMH><ListRecords/></OAI-PMH>',
        b'<!DOCTYPE lolz [<!ENTITY lol "lol">]><lolz>&lol;</lolz>',
    ],
)
def test_entities_and_document_types_are_broken_sources(bomb: bytes) -> None:
    with pytest.raises(SourceBroken):
        SOURCE.parse(bomb, None)


def test_a_tower_of_elements_gives_no_record_and_no_crash() -> None:
    tower = (
        b"<OAI-PMH><ListRecords>"
        + b"<a>" * 100_000
        + b"</a>" * 100_000
        + b"</ListRecords></OAI-PMH>"
    )
    assert SOURCE.parse(tower, None).records == ()


def test_records_lost_to_damage_are_counted() -> None:
    text = (CASES / "last.xml").read_text(encoding="utf-8")
    hidden = text.replace("<record>", "<!-- <record><header></header></record> --><record>", 1)
    (reject,) = SOURCE.parse(hidden.encode(), None).rejects
    assert "1 records can't be read" in reject.reason


def test_bytes_in_another_encoding_are_read_as_they_say() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><OAI-PMH><GetRecord><record><header><identifier>1</identifier>'
    text += (
        "</header><metadata><dc><title>Café</title></dc></metadata></record></GetRecord></OAI-PMH>"
    )
    for body in (text.encode("latin-1"), text.encode("utf-8")):
        assert SOURCE.parse(body, None).records[0].title == "Café"


def test_a_record_or_its_metadata_saved_alone_is_read() -> None:
    alone = '<dc xmlns="http://purl.org/dc/elements/1.1/"><title>A study</title><identifier>urn:x:1</identifier></dc>'
    (one,) = SOURCE.parse(alone.encode(), None).records
    assert (one.source_key, one.title) == ("urn:x:1", "A study")


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("Kin; Vol. 4 No. 2 (2026): Spring; 12-34", ("Kin", "4", "2", "12-34")),
        ("Care: 29 (1975) no. 4, pp. 750-762", ("Care", "29", "4", "750-762")),
        (
            "Child Abuse, 2013, 65 (10), pp.1175-1184. &lt;10.5555/abc&gt;",
            ("Child Abuse", "65", "10", "1175-1184"),
        ),
        (
            "Springer Journal, 2015-12-01, Volume 63, pp 353-365",
            ("Springer Journal", "63", None, "353-365"),
        ),
        ("Deliverable D5.1, 2008.", ("Deliverable D5.1", None, None, None)),
        ("A study. Doe, A., Journal 2004;10(9).", (None, None, None, None)),
        ("ISSN: 2049-3630", (None, None, None, None)),
    ],
)
def test_a_citation_gives_journal_volume_issue_and_pages(
    source: str, place: tuple[str | None, ...]
) -> None:
    found = made(source=[source])
    assert tuple(found[name] for name in ("container_title", "volume", "issue", "pages")) == place


@pytest.mark.parametrize(
    ("fields", "doi"),
    [
        ({"source": ["Care, 2013. <10.5555/eps.2013.05.019>"]}, "10.5555/eps.2013.05.019"),
        (
            {"relation": ["info:eu-repo/semantics/altIdentifier/doi/10.5555/a", "10.5555/b"]},
            "10.5555/a",
        ),
        ({"relation": ["https://doi.org/10.5555/b"]}, "10.5555/b"),
        ({"relation": ["10.5555/b", "10.5555/c"]}, None),
        ({"relation": ["10.5555/b"], "type": ["masterThesis"]}, None),
        ({"relation": ["10.5555/b"], "type": ["Dataset"]}, None),
    ],
)
def test_a_doi_is_that_of_the_item_and_not_of_what_is_related(
    fields: dict[str, list[str]], doi: str | None
) -> None:
    assert made(**fields)["doi"] == doi


@pytest.mark.parametrize(
    ("creator", "authors"),
    [
        (["Doe, Ann; Roe, Rob"], ("Doe, Ann", "Roe, Rob")),
        (["Doe, Ann; University of X, Department"], ("Doe, Ann",)),
        (["Ann Doe, Rob Roe, Jo Poe"], ("Ann Doe", "Rob Roe", "Jo Poe")),
        (["Doe, Ann, 1950-"], ("Doe, Ann",)),
        (["Ministry of Justice"], ("Ministry of Justice",)),
    ],
)
def test_names_are_told_apart_and_lose_what_is_no_name(
    creator: list[str], authors: tuple[str, ...]
) -> None:
    assert made(creator=creator)["authors"] == authors


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["info:eu-repo/semantics/bookPart"], "book-chapter"),
        (["info:eu-repo/semantics/workingPaper"], "preprint"),
        (["info:eu-repo/semantics/conferenceObject"], "conference-paper"),
        (["http://purl.org/coar/resource_type/c_6501"], "journal-article"),
        (["Book review"], "journal-article"),
        (["Yüksek lisans"], "thesis"),
        (["Text"], None),
    ],
)
def test_types_are_the_vocabularys(types: list[str], kind: str | None) -> None:
    assert made(type=types)["type"] == kind


@pytest.mark.parametrize(
    "field", ["source", "creator", "date", "type", "description", "identifier", "relation"]
)
def test_long_rows_of_marks_do_not_hold_the_night_up(field: str) -> None:
    for marks in (", " * 50_000, ";:" * 50_000, "[" * 100_000, "1 (" * 50_000):
        assert made(**{field: [marks]})["title"] == "A study"


@settings(max_examples=60)
@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            ["<OAI-PMH>", "</OAI-PMH>", "<ListRecords>", "<record>", "<header>", "&", "é", "<dc>"]
        )
    )
    .map("".join)
    .map(str.encode)
)
def test_any_bytes_never_crash(raw: bytes) -> None:
    try:
        SOURCE.parse(raw, None)
    except LivereviewError as error:
        assert error.source == "oai"


ERRORS = {"badResumptionToken": Retry} | dict.fromkeys(
    (
        "ListMetadataFormats",
        "ListSets",
        "ListRecordsBroken",
        "cannotDisseminateFormat",
        "idDoesNotExist",
    ),
    SourceBroken,
)


@pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
@pytest.mark.parametrize(
    "folder", ["oai_pmh", "base", "other/scrapi_mla", "other/scrapi_smithsonian"]
)
def test_every_item_of_every_recorded_answer_is_a_record_or_a_reject(folder: str) -> None:
    read = 0
    for path in sorted(PAYLOADS.glob(f"{folder}*.xml" if "/" in folder else f"{folder}/*.xml")):
        raw = path.read_bytes()
        if kind := ERRORS.get(path.stem) or (
            SourceBroken if path.stem == "undefinedError" else None
        ):
            with pytest.raises(kind):
                SOURCE.parse(raw, None)
            continue
        page = SOURCE.parse(raw, None)
        items = max(
            len(re.findall(rb"<(?:%s)[\s>]" % tag, raw)) for tag in (b"header", b"record", b"doc")
        )
        assert len(page.records) + len(page.rejects) == items, path.name
        assert all(
            reject.reason.startswith(("deleted", "no title", "a header")) for reject in page.rejects
        ), path.name
        read += 1
    assert read
