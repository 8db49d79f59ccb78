"""Every entry of every tagged format is a record or a reject, whatever order its tags come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.sources import SOURCES


@dataclass(frozen=True)
class Format:
    """How a format writes an entry: its tags in any order, then what ends it."""

    source: str
    tags: Callable[[int], list[str]]  # all the lines of an entry, of which none must come first
    first: str = ""  # what stands before every entry, if the format has such a line
    last: str = ""
    title: str = ""  # the line that says the title


def _ris(tag: str) -> Callable[[int], list[str]]:
    def lines(n: int) -> list[str]:
        own = [f"TY{tag}JOUR", f"TI{tag}Title {n}", f"AU{tag}Doe, J{n}", f"PY{tag}20{n:02}"]
        return [*own, f"AB{tag}Words of {n}\nthat go on", f"KW{tag}word", f"AN{tag}{n}000"]

    return lines


def _nbib(n: int) -> list[str]:
    own = [f"PMID- {3000 + n}", f"PMC - PMC{n}00", f"TI  - Title {n}", f"FAU - Doe, J{n}"]
    return [*own, f"AB  - Words of {n}\n      that go on", "OWN - NLM", f"DP  - 20{n:02}"]


def _eric(n: int) -> list[str]:
    return [f"OID - EJ1000{n:02}", "OWN - ERIC", f"TI  - Title {n}", f"AU  - Doe, J{n}"]


def _wos(n: int) -> list[str]:
    own = ["PT J", f"AU Doe, J{n}\n   Roe, R", f"TI Title {n}\n   that goes on", f"UT WOS:000{n}"]
    return [*own, f"PY 20{n:02}", "DT Article"]


def _refworks(n: int) -> list[str]:
    return [f"A1 Doe,J{n}", f"T1 Title {n}", f"YR 20{n:02}", f"ID {n}", "AB Words\nthat go on"]


def _refer(n: int) -> list[str]:
    own = ["%0 Journal Article", f"%A Doe, J{n}", f"%T Title {n}", f"%D 20{n:02}"]
    return [*own, f"%X Words of {n}\nthat go on"]


def _ovid(n: int) -> list[str]:
    own = ["DB  - Embase", f"UI  - {n}00000", f"TI  - Title {n}", f"AU  - Doe J{n}."]
    return [*own, f"AB  - Words of {n}\n      that go on", f"YR  - 20{n:02}"]


def _cochrane(n: int) -> list[str]:
    own = [f"ID: CN-0000{n:02}", f"AU: Doe J{n}", f"TI: Title {n}", f"YR: 20{n:02}"]
    return [*own, f"AB: Words of {n}"]


FORMATS = {
    "ris": Format("ris", _ris("  - "), last="ER  - "),
    "ris narrow": Format("ris", _ris(" - "), last="ER - "),
    "nbib": Format("nbib", _nbib, last=""),
    "eric": Format("nbib", _eric, last=""),
    "wos": Format("wos", _wos, last="ER\n"),
    "refworks": Format("ris", _refworks, first="RT Journal", last=""),
    "refer": Format("ris", _refer, last=""),
    "ovid": Format("ris", _ovid, first="<{n}>", last=""),
    "cochrane": Format("ris", _cochrane, first="Record #{n} of 9", last=""),
}


def entries_of(format_: Format) -> st.SearchStrategy[list[list[str]]]:
    def one(n: int) -> st.SearchStrategy[list[str]]:
        return st.permutations(format_.tags(n)).map(
            lambda lines: [*filter(None, [format_.first.format(n=n)]), *lines, format_.last]
        )

    return (
        st.integers(2, 5).flatmap(lambda count: st.tuples(*map(one, range(1, count + 1)))).map(list)
    )


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, database=None, deadline=None)
@given(st.data())
def test_records_and_rejects_are_the_entries_in_any_order_of_tags(
    name: str, data: st.DataObject
) -> None:
    format_ = FORMATS[name]
    entries = data.draw(entries_of(format_))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = "\n".join("\n".join(lines) for lines in entries) + "\n"
    page = SOURCES[format_.source].parse(text.replace("\n", end).encode(), None)
    assert len(page.records) + len(page.rejects) == len(entries)
    for n, record in enumerate(page.records, start=1):
        assert record.title is not None and record.title.startswith(f"Title {n}")
        assert record.authors[0].startswith(("Doe, J", "Doe J")) and str(n) in record.authors[0]
    assert len(page.records) == len(entries)


def test_a_mixed_file_of_pubmed_and_eric_loses_nobody() -> None:
    text = "\n\n".join("\n".join(lines) for lines in (_nbib(1), _eric(2), _nbib(3)))
    page = SOURCES["nbib"].parse(text.encode(), None)
    assert [record.pmid for record in page.records] == ["3001", None, "3003"]
    assert [record.pmcid for record in page.records] == ["PMC100", None, "PMC300"]


def test_lines_before_a_ty_are_its_own_unless_both_have_a_title() -> None:
    text = (
        "AU  - Doe, J\nTI  - One\nTY  - JOUR\nER  - \nTI  - Lost\nTY  - JOUR\nTI  - Two\nER  - \n"
    )
    page = SOURCES["ris"].parse(text.encode(), None)
    assert [(record.title, record.authors) for record in page.records] == [
        *(("One", ("Doe, J",)), ("Two", ())),
    ]
    assert [reject.reason for reject in page.rejects] == [
        "RIS lines outside any entry: no TY line stands above them"
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("ris", "ty  - JOUR\nti  - Lower\nau  - Low, A\ner  - \n"),
        ("ris", "ty - JOUR\nti - Lower\nau - Low, A\ner - \n"),
        ("nbib", "pmid- 9\nti  - Lower\nfau - Low, A\n"),
    ],
)
def test_tags_in_small_letters_are_tags(source: str, text: str) -> None:
    (record,) = SOURCES[source].parse(text.encode(), None).records
    assert (record.title, record.authors) == ("Lower", ("Low, A",))
