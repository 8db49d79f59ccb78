"""The table of what is kept of each format that people bring, in docs/reference/sources.md."""

from __future__ import annotations

import json
from pathlib import Path

from livereview import sources
from livereview.records import Record

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "sources.md"
HEADING = "## What is kept of each format"

RIS = """TY  - JOUR
AU  - Ek, A.
TI  - Meals
JO  - Food
PY  - 2024/02/03
VL  - 1
IS  - 2
SP  - 3
EP  - 4
DO  - 10.5555/a
AN  - 38000001
DB  - PubMed
C2  - PMC1
SN  - 2041-1723
UR  - https://a.example/1
AB  - Words.
LA  - eng
ER  -
"""
NBIB = """PMID- 38000001
OWN - NLM
TI  - Meals
FAU - Ek, A
JT  - Food
DP  - 2024 Feb 3
VI  - 1
IP  - 2
PG  - 3-4
LID - 10.5555/a [doi]
PMC - PMC1
IS  - 2041-1723 (Electronic)
AB  - Words.
LA  - eng
PT  - Journal Article
SI  - ClinicalTrials.gov/NCT05000001
"""
WOS = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Ek, A
TI Meals
SO Food
PY 2024
PD FEB 3
VL 1
IS 2
BP 3
EP 4
DI 10.5555/a
PM 38000001
SN 2041-1723
AB Words.
LA English
DT Article
UT WOS:1
ER

EF
"""
BIBTEX = """@article{a, title={Meals}, author={Ek, A.}, journal={Food}, year={2024}, month=feb,
volume={1}, number={2}, pages={3--4}, doi={10.5555/a}, pmid={38000001}, pmcid={PMC1},
issn={2041-1723}, url={https://a.example/1}, abstract={Words.}, language={eng}}
"""
CSL = json.dumps(
    [
        {
            "id": "a",
            "type": "article-journal",
            "title": "Meals",
            "author": [{"family": "Ek", "given": "A."}],
            "container-title": "Food",
            "issued": {"date-parts": [[2024, 2, 3]]},
            "volume": "1",
            "issue": "2",
            "page": "3-4",
            "DOI": "10.5555/a",
            "PMID": "38000001",
            "PMCID": "PMC1",
            "ISSN": "2041-1723",
            "URL": "https://a.example/1",
            "abstract": "Words.",
            "language": "eng",
        }
    ]
)
ENDNOTE = """<xml><records><record><ref-type name="Journal Article">17</ref-type>
<contributors><authors><author>Ek, A.</author></authors></contributors>
<titles><title>Meals</title><secondary-title>Food</secondary-title></titles>
<pages>3-4</pages><volume>1</volume><number>2</number>
<dates><year>2024</year><pub-dates><date>Feb 3</date></pub-dates></dates><isbn>2041-1723</isbn>
<accession-num>38000001</accession-num><remote-database-name>PubMed</remote-database-name>
<electronic-resource-num>10.5555/a</electronic-resource-num><abstract>Words.</abstract>
<language>eng</language><custom2>PMC1</custom2>
<urls><related-urls><url>https://a.example/1</url></related-urls></urls></record></records></xml>
"""
TABLE = """title,authors,journal,publication date,volume,issue,pages,doi,pmid,pmcid,issn,url,abstract,\
language,type
Meals,"Ek, A.",Food,2024-02-03,1,2,3-4,10.5555/a,38000001,PMC1,2041-1723,https://a.example/1,\
Words.,eng,Article
"""
ICTRP = """<Trials_downloaded_from_ICTRP><Trial><TrialID>NCT05000001</TrialID>
<Public_title>Meals</Public_title><Primary_sponsor>Food University</Primary_sponsor>
<Date_registration3>20240203</Date_registration3><web_address>https://a.example/1</web_address>
<Secondary_IDs>ISRCTN12345678</Secondary_IDs></Trial></Trials_downloaded_from_ICTRP>
"""
TRIALS = """Trial ID,Secondary IDs,Title
NCT05000001,ISRCTN12345678,Meals
"""
FILES = {
    "ris": RIS,
    "nbib": NBIB,
    "wos": WOS,
    "bibtex": BIBTEX,
    "endnote": ENDNOTE,
    "ictrp": ICTRP,
    "csl": CSL,
    "csv": TABLE,
}
# Tables of registers have columns that no article has.
ALSO = {"csv": TRIALS}
FIELDS = (
    *("title", "authors", "year", "published", "container_title", "volume", "issue", "pages"),
    *("doi", "pmid", "pmcid", "issn", "url", "abstract", "language", "type"),
    *("registration", "related"),
)
EXACTNESS = {4: "year", 7: "month", 10: "day"}  # of a date, by its length


def kept(records: list[Record], field: str) -> str:
    """What a cell of the table says of a field of files that have all that their format can hold."""
    values = [value for record in records if (value := getattr(record, field))]
    if field == "published":
        return EXACTNESS[len(values[0])]
    return "yes" if values else "no"


def records_of(name: str) -> list[Record]:
    files = [FILES[name], *([ALSO[name]] if name in ALSO else [])]
    return [sources.find(name).parse(text.encode(), None).records[0] for text in files]


def rows() -> list[str]:
    """The table, in Markdown."""
    lines = ["| field | " + " | ".join(FILES) + " |", "|---" * (len(FILES) + 1) + "|"]
    for field in FIELDS:
        cells = [kept(records_of(name), field) for name in FILES]
        lines.append(f"| {field} | " + " | ".join(cells) + " |")
    return lines


def test_the_table_of_formats_and_fields_says_what_is_kept() -> None:
    section = PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("|")] == rows()


def test_what_is_kept_says_the_same_in_every_format() -> None:
    for name in FILES.keys() - {"ictrp"}:  # its entries are of trials, not of articles
        record = records_of(name)[0]
        assert (record.title, record.container_title, record.year) == ("Meals", "Food", 2024), name
        assert (record.volume, record.issue, record.pages) == ("1", "2", "3-4"), name
        assert (record.doi, record.pmid, record.issn) == ("10.5555/a", "38000001", "2041-1723"), (
            name
        )
        assert (record.type, record.abstract) == ("journal-article", "Words."), name
