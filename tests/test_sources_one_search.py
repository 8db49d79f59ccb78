"""One article as each tool exports it: the kinds of files that people bring for one and the same search.

The inputs are written here after the manner of each tool; the tables of most are in
`test_sources_columns`. Between tools an article may differ in what they leave out, never in what
they say.
"""

from __future__ import annotations

import pytest

from livereview.dedup.match import judge
from livereview.dedup.text import features
from livereview.records import Record
from livereview.sources import SOURCES

CITAVI = """TY  - JOUR
SN  - 20411723
AU  - Ek, Ann
AU  - van den Lo, Bo
T1  - Meals at school for every child
JF  - Food (Abingdon, England)
SP  - 20
EP  - 29
IS  - 1
VL  - 15
PY  - 2024
PB  - Press
CY  - Germany
UR  - https://lens.example/084-036
L2  - https://link.example/content/pdf/10.5555/other.pdf
L2  - https://www.example.org/pmc/articles/PMC9
Y2  - 2021/02/01
TS  - RIS
DO  - 10.5555/e.1
M4  - Citavi
ER  -
"""
COVIDENCE = """TY  - JOUR
T1  - Meals at school for every child
A1  - Ek, A.
A1  - Van den Lo, B.
Y1  - 2024///
PD  -
AB  -
JO  - Food
PB  -
CY  -
VL  - 15
IS  - 1
PG  - 20-29
SP  - 20
EP  - 29
AN  -
DO  - 10.5555/e.1
UR  - https://www.example.org/search/results?subaction=viewrecord&id=L1&from=export
NS  -
N1  -
ER  -
"""
MDPI = """TY  - EJOUR
AU  - Ek, Ann
AU  - Van den Lo, Bo
TI  - Meals at school for every child
T2  - Food
PY  - 2024
VL  - 15
IS  - 1
SN  - 2041-1723
SP  - 20
EP  - 29
KW  - n/a
DO  - 10.5555/e.1
ER  -
TY  - EJOUR
AU  - Ray, C.
TI  - Walking home
PY  - 2024
ER  -
"""
EPPI = """TY  - JOUR
T1  - Meals at school for every child
JF  - Food
A1  - Ek A
A1  - Van den Lo
A1  - B
ST  - Ek (2024)
KW  - eppi-reviewer
PY  - 2024
DA  - 2024///
Y1  - 2024///
AB  -
DO  - 10.5555/e.1
VL  - 15
IS  - 1
SP  - 20
EP  - 29
CY  -
UR  - https://www.example.org/search?id=L1 http://dx.doi.org/10.5555/e.1
SN  - 2041-1723
U1  - 102199191
N1  - 2023-02-06
ER  -
"""
ENDNOTE = """TY  - JOUR
AB  - Words.
AU  - Ek, Ann
AU  - van den Lo, Bo
DA  - 2024/02/03
DO  - 10.5555/e.1
IS  - 1
KW  - Meals
School
L1  - internal-pdf://1734575198/Ek2024.pdf
PY  - 2024
SN  - 20411723
09395555
SP  - 20-29
ST  - Meals at school for every child
T2  - Food
TI  - Meals at school for every child
UR  - http://dspace.example.nl/handle/1
https://core.example/display/81087861
https://www.example.org/pubmed/38000001
VL  - 15
ID  - 16
ER  -
"""
OVID = """2.
TY  - JOUR
DB  - APA PsycInfo <2024>
ID  - 2024-94054-001
DO  - https://dx.doi.org/10.5555/e.1
T1  - Meals at school for every child.
A1  - Ek, Ann
A1  - Van den Lo, Bo A
AI  - Ek, Ann; ORCID: https://orcid.org/0000-0001-6931-0232
A2  - Achen, T., Resco, L., Achen, Bisch, N.L., Rapee, R.M., et al.
Y1  - 2024//
M3  - Feeding [3311]
JF  - Food
VL  - 15
IS  - 1
SP  - 20
EP  - 29
SN  - 2041-1723
AD  - Ek, Ann: Centre for Meals, Lund, Sweden, ann@example.org
M1  - Achen, T. (2000). Manual of meals. https://dx.doi.org/10.5555/cited.1
M1  - Bisch, N. (2018). Meals. https://pubmed.ncbi.nlm.nih.gov/29761836
ER  -
"""
MENDELEY = """TY  - JOUR
T1  - Meals at school for every child
AU  - Ek, Ann
AU  - van den Lo, Bo
PY  - 2024/02//
Y1  - 2024/02//
AB  - Words.
JF  - Food
VL  - 15
IS  - 1
SP  - 20
EP  - 29
DO  - 10.5555/e.1
N1  - cited By 12
ER  -
"""
ZOTERO = """TY  - JOUR
TI  - Meals at school for every child
AU  - Ek, Ann
AU  - Lo, Bo, van den
T2  - Food
AB  - Words.
DA  - 2024/02/03/
PY  - 2024
DO  - 10.5555/e.1
DP  - DOI.org (Crossref)
VL  - 15
IS  - 1
SP  - 20
EP  - 29
J2  - Food
LA  - en
SN  - 2041-1723
UR  - https://www.example.org/a
Y2  - 2025/05/28/08:27:10
L1  - https://www.example.org/a.pdf
ER  -
"""
RAYYAN = """TY  - JOUR
ID  - rayyan-1
TI  - Meals at school for every child
Y1  - 2024//2/3
T2  - Food
SN  - 2041-1723
VL  - 15
IS  - 1
SP  - 20
EP  - 29
AU  - Ek, A.
AU  - van den Lo, B.
DO  - 10.5555/e.1
LA  - eng
N1  - RAYYAN-INCLUSION: {"Ann"=>"Included"} | RAYYAN-LABELS: meals
ER  -
"""
SCHOLAR = """TY  - JOUR
T1  - Meals at school for every child
A1  - Ek, A
A1  - van den Lo, B
JO  - Food
VL  - 15
IS  - 1
SP  - 20
EP  - 29
SN  - 2041-1723
Y1  - 2024
PB  - Press
ER  -
"""
SCOPUS = """TY  - JOUR
AU  - Ek, A.
AU  - van den Lo, B.
TI  - Meals at school for every child
PY  - 2024
T2  - Food
VL  - 15
IS  - 1
SP  - 20
EP  - 29
DO  - 10.5555/e.1
UR  - https://www.scopus.example/inward/record.uri?eid=2-s2.0-1&doi=10.5555%2fe.1&partnerID=40
DB  - Scopus
N1  - Export Date: 03 May 2025; Cited By: 12; Correspondence Address: A. Ek; email: a@example.org
M3  - Article
ER  -
"""
WEB_OF_SCIENCE = """TY  - JOUR
AU  - Ek, A
AU  - van den Lo, B
TI  - Meals at school for every child
T2  - FOOD
AB  - Words.
SN  - 2041-1723
DA  - FEB 3
PY  - 2024
VL  - 15
IS  - 1
SP  - 20
EP  - 29
DO  - 10.5555/e.1
AN  - WOS:000123
ER  -
"""
CITAVI_TABLE = (
    "Reference Type\tReference Id\tAuthors, Primary\tTitle Primary\tPeriodical Full\tPeriodical Abbrev"
    "\tPub Year\tPub Month & Day\tVolume\tIssue\tStart Page\tOther Pages\tNotes\tISSN/ISBN\tURL\tDOI"
    "\tPMID\tUser 1\t\n"
    "Journal Article\t100,doc:61b9\tEk,null;van den Lo, B. A. J.\tMeals at school for every child\tFood"
    "\t \t2024\t \t15\t1\t20\t29\tID: 152-434\t2041-1723\thttps://a.example/1 https://b.example/2"
    "\t10.5555/e.1\t \t \t\n"
)
COCHRANE_TABLE = (
    '"Cochrane Review Group Code","Author(s)","Title","Source","Year","Volume","Issue","Pages","DOI"\n'
    '"EPOC","Ek, A; van den Lo, B","Meals at school for every child","Food","2024","15","1","20-29",'
    '"10.5555/e.1"\n'
)
COVIDENCE_TABLE = (
    "Title,Authors,Abstract,Published Year,Published Month,Journal,Volume,Issue,Pages,Accession Number,"
    "DOI,Ref,Covidence #,Study,Notes,Tags\n"
    '"Meals at school for every child","Ek, A.; van den Lo, B.","",2024,"",Food,15,1,20-29,"",'
    "10.5555/e.1,1,#12,Ek 2024,,\n"
)
RAYYAN_TABLE = (
    "key,title,year,month,day,journal,issn,volume,issue,pages,authors,url,language,publisher,location,"
    "abstract,notes,doi\n"
    'rayyan-1,"Meals at school for every child",2024,2,3,Food,2041-1723,15,1,20-29,'
    '"Ek, A. and van den Lo, B.",,eng,,,,"RAYYAN-INCLUSION: {}",10.5555/e.1\n'
)
EPPI_TABLE = (
    '"Item Type";"ID";"Short Title";"Title";"Parent Title";"Year";"Authors";"Volume";"Issue";"Pages";"DOI"\n'
    '"Journal, Article";"102199191";"Ek (2024)";"Meals at school for every child";"Food";"2024";'
    '"Ek A; van den Lo B";"15";"1";"20-29";"10.5555/e.1"\n'
)
FILES = {
    "Citavi": ("ris", CITAVI),
    "Covidence": ("ris", COVIDENCE),
    "MDPI": ("ris", MDPI),
    "EPPI-Reviewer": ("ris", EPPI),
    "EndNote": ("ris", ENDNOTE),
    "PsycInfo by Ovid": ("ris", OVID),
    "Mendeley": ("ris", MENDELEY),
    "Zotero": ("ris", ZOTERO),
    "Rayyan": ("ris", RAYYAN),
    "Google Scholar": ("ris", SCHOLAR),
    "Scopus": ("ris", SCOPUS),
    "Web of Science": ("ris", WEB_OF_SCIENCE),
    "Citavi's table": ("csv", CITAVI_TABLE),
    "the Cochrane Library's table": ("csv", COCHRANE_TABLE),
    "Covidence's table": ("csv", COVIDENCE_TABLE),
    "Rayyan's table": ("csv", RAYYAN_TABLE),
    "EPPI-Reviewer's table": ("csv", EPPI_TABLE),
}
WITHOUT_DOI = {"Google Scholar"}


def read(tool: str) -> Record:
    source, text = FILES[tool]
    page = SOURCES[source].parse(text.encode(), None)
    assert not page.rejects
    return page.records[0]


@pytest.mark.parametrize("tool", FILES)
def test_one_article_reads_alike_in_the_file_of_every_tool(tool: str) -> None:
    record = read(tool)
    assert (record.title or "").rstrip(".") == "Meals at school for every child"
    assert (record.year, record.volume, record.issue) == (2024, "15", "1")
    assert record.pages == "20-29"
    assert (record.container_title or "").casefold().startswith("food")
    assert record.doi == (None if tool in WITHOUT_DOI else "10.5555/e.1")
    assert (record.published or "").startswith("2024")


@pytest.mark.parametrize("tool", FILES)
def test_its_two_authors_are_two_in_the_file_of_every_tool(tool: str) -> None:
    first, second = read(tool).authors
    assert first.startswith("Ek") and "Lo" in second and "null" not in first
    assert "@" not in second


@pytest.mark.parametrize("tool", FILES)
def test_the_files_of_two_tools_hold_one_report(tool: str) -> None:
    assert judge(features(read("Citavi")), features(read(tool))).verdict == "same"


def test_entries_without_a_line_between_them_are_all_read() -> None:
    records = SOURCES["ris"].parse(MDPI.encode(), None).records
    assert [record.title for record in records] == [
        "Meals at school for every child",
        "Walking home",
    ]


def test_addresses_are_one_each_and_nothing_of_references_is_taken_for_the_article() -> None:
    assert (read("EPPI-Reviewer").url or "").endswith("id=L1")
    assert read("EndNote").url == "http://dspace.example.nl/handle/1"
    assert read("Citavi's table").url == "https://a.example/1"
    assert read("PsycInfo by Ovid").pmid is None
    assert read("Zotero").published == "2024-02-03" and read("Citavi").published == "2024"
