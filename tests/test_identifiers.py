"""Identifiers are the same whatever people, sites and programs hang on them."""

from __future__ import annotations

import html
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.identifiers import (
    clean_doi,
    clean_pmcid,
    clean_pmid,
    registrations,
    same_address,
    whole_number,
)

SICI = "10.1002/(sici)1097-0258(19980815)17:15<1661::aid-sim968>3.0.co;2-2"
BARE = ("10.1000/abc.1", "10.1016/s0140-6736(20)30183-5", SICI, "10.1002/cl2.70001")
FORMS = (
    *("/full", "/abstract", "/pdf", "/epdf", ".pdf", "/full.pdf", "/fulltext.html", "/full/html"),
    *("/download", "/issuetoc", "/tab-pdf", "/-/dcsupplemental", "/full/es", "/epdf/full/en"),
    *("/pdf/name.pdf", "\\", "。", "、10.1000/abc.2", ".PMID:12345", "_PMCID:PMC12"),
    *("#sec-2", "?download=true", "?utm_source=x&af=R", "&domain=pdf", ".full.pdf", "/pdf/"),
    *(
        ".",
        ",",
        ");",
        "…",
        "”",
        "[doi]",
        ' target="x"',
        ";10.1000/abc.2",
        ",https://doi.org/10.1/x",
    ),
)


@pytest.mark.parametrize("doi", BARE)
@pytest.mark.parametrize("form", FORMS)
def test_what_sites_and_sentences_hang_on_a_doi_is_no_part_of_it(doi: str, form: str) -> None:
    assert clean_doi(f"https://site.example.org/doi/{doi}{form}") == doi
    assert clean_doi(f"doi: {doi.upper()}{form}") == doi


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("https://x.org/content/10.1101/2020.01.01.123456v2.full.pdf", "10.1101/2020.01.01.123456"),
        ("10.1101/097196v1", "10.1101/097196"),
        ("10.1101/2020.01.01.123456v1.full-text", "10.1101/2020.01.01.123456"),
        ("10.1101/2020.01.01.123456v12.supplementary-material", "10.1101/2020.01.01.123456"),
        (r"10.1016/S0140{\_}6736(20)1", "10.1016/s0140_6736(20)1"),  # Mendeley's BibTeX
        (r"10.1016/S0140\_6736(20)1", "10.1016/s0140_6736(20)1"),
        (r"https:\/\/doi.org\/10.1000\/abc.1", "10.1000/abc.1"),
        ("10.21203/rs.3.rs-123456/v1", "10.21203/rs.3.rs-123456/v1"),  # here the version is its own
        ("10.31234/osf.io/abcde_v1", "10.31234/osf.io/abcde_v1"),
        (
            "https://oup.example.org/pdf/doi/10.1093/infdis/jiaa683/34364020/jiaa683.pdf",
            "10.1093/infdis/jiaa683",
        ),
        ("10.1093/bjsw/bcaf012/8124013", "10.1093/bjsw/bcaf012"),
        ("10.1000/full/abstract.1", "10.1000/full/abstract.1"),  # inside, it is the publisher's
        ("10.1000/full", "10.1000/full"),  # nothing would be left
        ("10.1002/ajpa.1<3::AID-AJPA1>3.0.CO;2-#", "10.1002/ajpa.1<3::aid-ajpa1>3.0.co;2-#"),
        ("１０．１０００／ａｂｃ", "10.1000/abc"),
        ("10.1000\u2044abc\u20111\u200b", "10.1000/abc-1"),
        ("“10.1000/abc.1”", "10.1000/abc.1"),
        ("10.1000/ abc.1", "10.1000/abc.1"),
        ("10.1000/ and more", None),
        ("10.1002/central/CN-00700001/full", None),  # CENTRAL's number for its entry
        ("10.1002/central/CN-00700001; 10.1000/abc.1", "10.1000/abc.1"),
        (
            "10.5424/http://dx.doi.org/10.5424/sjar/1-330-10",
            "10.5424/http://dx.doi.org/10.5424/sjar/1-330-10",
        ),
        ("NA", None),
        (None, None),
    ],
)
def test_a_doi_is_the_doi(text: str | None, doi: str | None) -> None:
    assert clean_doi(text) == doi


@given(st.sampled_from(BARE), st.lists(st.sampled_from(["percent", "entities"]), max_size=3))
def test_escapes_are_undone_however_often_they_were_written(doi: str, ways: list[str]) -> None:
    text = doi
    for way in ways:
        text = quote(text, safe="/") if way == "percent" else html.escape(text)
    assert clean_doi(text) == doi
    assert clean_doi(clean_doi(text)) == doi


@pytest.mark.parametrize(
    ("text", "pmid"),
    [
        ("31234567", "31234567"),
        ("31234567.0", "31234567"),
        ("3.1234567E+07", "31234567"),
        ("3.12E+07", None),  # the digits are lost
        ("PMID: 12345; 67890", "12345"),
        ("MEDLINE:12345678", "12345678"),
        ("PUBMED 21314900", "21314900"),
        ("https://pubmed.ncbi.nlm.nih.gov/33245809/?dopt=Abstract1", "33245809"),
        ("https://www.ncbi.nlm.nih.gov/pubmed/33245809", "33245809"),
        ("PMC7756398", None),
        ("PMC7756398; PMID 33245809", "33245809"),
        ("0", None),
        ("nan", None),
        (7, "7"),
    ],
)
def test_a_pmid_is_its_digits(text: object, pmid: str | None) -> None:
    assert clean_pmid(text) == pmid


def test_a_pmcid_and_numbers_of_data_frames() -> None:
    assert clean_pmcid("PMC 7756398") == clean_pmcid("https://x.org/pmc7756398/") == "PMC7756398"
    assert clean_pmcid("7756398") is None
    assert [whole_number(text) for text in ("12.0", "12", "12.5", "1.2E+01", "3-4", None)] == [
        *("12", "12", "12.5", "12", "3-4", ""),
    ]


def test_registrations_have_one_form() -> None:
    text = (
        "NCT 01234567, isrctn12345678; EudraCT 2015-001234-56 (EUCTR2015-001234-56-GB), "
        "2023-501234-12-00, ACTRN12612000123456, ChiCTR2000012345, JPRN-UMIN000012345, NCT0123"
    )
    assert list(registrations(text)) == [
        *("NCT01234567", "ISRCTN12345678", "EUCTR2015-001234-56", "EUCTR2015-001234-56"),
        *("CTIS2023-501234-12-00", "ACTRN12612000123456", "CHICTR2000012345", "UMIN000012345"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        "http://www.example.org/r/1",
        "https://example.org/r/1/",
        "https://EXAMPLE.org:443/r/1?utm_source=feed&utm_medium=rss#top",
    ],
)
def test_one_address_is_the_same_however_it_is_written(other: str) -> None:
    assert same_address(other) == same_address("https://www.example.org/r/1")
    assert same_address(other.replace("/r/1", "/r/12")) != same_address(
        "https://www.example.org/r/1"
    )
    assert same_address("https://example.org/?p=1") != same_address("https://example.org/?p=2")


@pytest.mark.parametrize("text", ["12,345,678", "１２３４５６７８", "PMID：１２３４５６７８"])
def test_a_pubmed_id_is_read_as_spreadsheets_and_wide_digits_write_it(text: str) -> None:
    assert clean_pmid(text) == "12345678"
