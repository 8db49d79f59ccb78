"""Which column of a table holds what: the headings that databases, reference managers and packages
write, and where in a file they stand.

A new tool is a word in HEADINGS. Words are in lower case, without accents and signs: "Author(s)",
"author_s" and "AUTHORS" are one.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from livereview.errors import Refused, SourceBroken

TABLES = "csv"  # the source that reads by them
HEAD_WITHIN = 40  # lines: Embase writes its search above the headings, others a banner or a licence
LONGEST_HEAD = 400_000  # characters of the lines in which the headings are looked for
SEPARATORS = (",", ";", "\t", "|")
SHOWN = 12  # headings that a refusal names

# Each field with the words for it, the best first: of the columns that are there, the first that is
# filled counts in each row.
HEADINGS: dict[str, str] = {
    "title": """title documenttitle itemtitle articletitle primarytitle titleprimary titlesprimary
        papertitle publictitle scientifictitle studytitle brieftitle ti t1 displayname fulltitle
        titleenglish titletranslated translatedtitle titel titre titulo titolo originaltitle
        titleoriginal titleofthetrial""",
    "abstract": """abstract abstractnote notesabstract abstracttext abstracts ab n2 summary resumen
        resume resumo zusammenfassung abstractenglish originalabstract briefsummary description snippet""",
    "authors": """author authors authornames authorname authorsprimary primaryauthors primaryauthor
        authorlist firstauthors authorsfullnames authorfullnames authorsfull au a1 af creator
        creators policyauthors authorshipsauthordisplayname autoren autor autores auteurs auteur autori
        bookauthors groupauthors authorgroup""",
    "year": """year publicationyear pubyear yearpublished publishedyear yearofpublication py yr
        articleyear issueyear jahr annee ano anno""",
    "date": """publicationdate datepublished publisheddate dateofpublication pubdate coverdate
        printpublicationdate issuedate publishedon dateregistration3 dateregistration dateofregistration
        firstposted studyfirstposted date onlinepublicationdate publicationdateonline
        publicationdateprint onlinedate epubdate earlyaccessdate y1 da dp datum fecha data""",
    "container_title": """sourcetitle journal journaltitle publicationtitle containertitle
        periodicalfull fulljournalname journalfull secondarytitle titlesecondary journalname
        publicationname pubtitle venue journalbook so jo jf t2 parenttitle serialtitle booktitle
        anthologytitle proceedingstitle conferencetitle primarylocationsourcedisplayname
        periodicalabbrev journalabbreviation journaliso abbreviatedsourcetitle ji
        zeitschrift revue revista rivista publication source""",
    "volume": "volume journalvolume vol vl bibliovolume band volumen volumeno",
    "issue": """issue issuenumber journalissue issueno iss is biblioissue heft numero number""",
    "pages": "pages pagination pagerange pagenumbers pagenumber pp seiten paginas page",
    "first": "pagestart startpage firstpage pagefirst beginningpage sp bp bibliofirstpage spage",
    "last": "pageend endpage lastpage pagelast endingpage otherpages ep bibliolastpage epage",
    "article_number": "artno articlenumber articleno elocationid ar",
    "doi": """doi itemdoi digitalobjectidentifier di do articledoi paperdoi doinumber doilink
        doiurl doilinks doiofarticle""",
    "pmid": "pmid pubmedid medlinepmid pm idspmid pubmed pubmedpmid medlineid",
    "pmcid": "pmcid pmc idspmcid pubmedcentralid",
    "issn": """issn issns issnisbn printissn pissn sn issnprint eissn electronicissn onlineissn
        ei issnl primarylocationsourceissnl issnelectronic""",
    "isbn": "isbn isbns bn printisbn isbnprint eisbn issnisbn",
    "url": """url link urls articleurl documenturl puburl fulltexturl fulltextlink externalurl
        permalink plink studyurl webaddress trialurl overtonurl sourceurls sourceurl pdflink ur
        primarylocationlandingpageurl eprinturl dimensionsurl weblink links""",
    "language": """language languageoforiginaldocument articlelanguage languages la lang
        originallanguage sprache langue idioma""",
    "type": """documenttype doctype itemtype referencetype typeofreference publicationtype
        publicationtypes articletype entrytype sourcetype contenttype ty dt pt type genre""",
    "registration": """trialid nctnumber trialnumber ctnumber euctnumber eutrialnumber isrctn
        isrctnnumber registrationnumber""",
    "other_registrations": """secondaryids secondaryid secid otherids otheridentifiers utrn
        utrnnumber otherrecords secondaryidentifyingnumbers eudractnumber""",
    "sponsor": "primarysponsor leadsponsor sponsor sponsorcosponsors sponsors",
    "policy": "overtonid policydocumentid",
    "extra": "extra",
    "key": """recordid eid lensid key id covidence covidencenumber rayyanid itemid ut uniquewosid
        utuniquewosid utuniqueid accessionnumber publicationid referenceid mainid
        uniqueidentifier refid""",
}
# They mean another thing in many tables ("Source" is "Scopus" in Scopus, "Number" a row's): read
# where no other column of the table is for their field.
LAST_RESORT = frozenset(
    ["source", "publication", "number", "description", "data", "is", "do", "page", "summary"]
)
# Fields of which one beside a title shows that a row holds headings, and no data.
_BESIDE = frozenset(HEADINGS) - {"title", "extra", "key", "sponsor"}
_WORDS = {
    field: {word: rank for rank, word in enumerate(words.split())}
    for field, words in HEADINGS.items()
}
Places = Mapping[str, Sequence[int]]


class Unplaced(SourceBroken):
    """A table of which no column is a title's: somebody must name it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The headings of a table.

    Attributes:
        titles: As the file has them.
        places: For each field the numbers of its columns, the best first.
        line: The number of the line (or of the row of a sheet) that they stand in, from 1.
        separator: The sign between them; empty in a sheet.
        start: Where the text of the table begins, in characters.
    """

    titles: tuple[str, ...]
    places: Places
    line: int
    separator: str = ""
    start: int = 0


def plain_heading(heading: str) -> str:
    """A heading in lower case, without accents, blanks and signs."""
    letters = unicodedata.normalize("NFKD", heading.replace("(s)", "s").replace("/s", "s"))
    return "".join(letter for letter in letters.casefold() if letter.isalnum())


def places(titles: Sequence[str], named: Mapping[str, str]) -> Places:
    """Which columns hold which field, the best first.

    Args:
        named: Fields with the heading that a person named for them; it is the only one then.
    """
    plain = [plain_heading(title) for title in titles]
    found: dict[str, list[int]] = {}
    for field, ranks in _WORDS.items():
        columns = [number for number, word in enumerate(plain) if word in ranks]
        sure = [number for number in columns if plain[number] not in LAST_RESORT]
        found[field] = sorted(sure or columns, key=lambda number: ranks[plain[number]])
    for field, heading in named.items():
        wanted = plain_heading(heading)
        found[field] = [number for number, word in enumerate(plain) if word == wanted]
    return {field: columns for field, columns in found.items() if columns}


def is_head(found: Places) -> bool:
    """Whether a row holds headings: a title's, and that of another field."""
    return "title" in found and bool(_BESIDE & found.keys())


def head_of_text(text: str, named: Mapping[str, str]) -> Head:
    """The headings of a CSV or TSV file, whatever parts them and stands above them.

    Each line is tried by itself, so that a quotation mark in a banner swallows nothing.

    Raises:
        Unplaced: none of the first lines holds them; says which headings there are.
    """
    start = 0
    tried: list[Head] = []
    window = text[:LONGEST_HEAD]
    for number, line in enumerate(window.splitlines(keepends=True)[:HEAD_WITHIN], start=1):
        if line.strip():
            head = _best(window, start, number, named)
            if _is_whole(head, named):
                return head
            tried.append(head)
        start += len(line)
    return _only(tried, named)


def head_of_rows(rows: Sequence[Sequence[str]], named: Mapping[str, str]) -> Head:
    """The headings of a sheet, as `head_of_text` has them."""
    tried: list[Head] = []
    for number, row in enumerate(rows[:HEAD_WITHIN], start=1):
        if any(cell.strip() for cell in row):
            head = Head(tuple(row), places(row, named), number)
            if _is_whole(head, named):
                return head
            tried.append(head)
    return _only(tried, named)


def _best(text: str, start: int, number: int, named: Mapping[str, str]) -> Head:
    """The row that begins at `start`, parted by the sign that makes the most headings of it."""
    heads: list[Head] = []
    for separator in SEPARATORS:
        titles = _first_row(text, start, separator)
        heads.append(Head(titles, places(titles, named), number, separator, start))
    return max(heads, key=lambda head: (len(head.places), len(head.titles)))


def _first_row(text: str, start: int, separator: str) -> tuple[str, ...]:
    stream = io.StringIO(text, newline="")
    stream.seek(start)
    try:
        return tuple(next(csv.reader(stream, delimiter=separator), []))
    except csv.Error:
        return ()


def _is_whole(head: Head, named: Mapping[str, str]) -> bool:
    """Whether these are the headings; those that a person named must all be there."""
    if named:
        return all(field in head.places for field in named) and "title" in head.places
    return is_head(head.places)


def _only(tried: Sequence[Head], named: Mapping[str, str]) -> Head:
    """The first row where it has a title's heading and no other.

    Raises:
        Unplaced: it has none; the fullest row is shown.
    """
    if tried and "title" in tried[0].places and not named:
        return tried[0]
    fullest = max(tried, key=lambda head: len(head.titles), default=None)
    raise Unplaced(_unplaced(fullest.titles if fullest else (), named), source=TABLES)


def _unplaced(titles: Sequence[str], named: Mapping[str, str]) -> str:
    """What to do about a table that no title was found in."""
    filled = [title.strip()[:30] for title in titles if title.strip()]
    shown = ", ".join(filled[:SHOWN])[:300] or "nothing"
    plain = {plain_heading(title) for title in titles}
    missing = [heading for heading in named.values() if plain_heading(heading) not in plain]
    if missing:
        return f"no column is called {', '.join(missing)[:200]}; the headings are {shown}"
    example = _quoted(filled[0] if filled else "Name of the work")
    return (
        f"this is no table of records: no column is called title; its headings are {shown}. "
        f"If one of them holds titles, name it: --columns title={example},year=…"
    )


def _quoted(heading: str) -> str:
    return f'"{heading}"' if re.search(r"\W", heading) else heading


# --- columns that a person names
# --------------------------------------------------------------------------------------------------

MAPPABLE = tuple(field for field in HEADINGS if field not in ("extra", "policy", "sponsor"))
ALIASES = {"journal": "container_title", "number": "issue", "first_page": "first"}
LONGEST_HEADING = 300  # characters
FILTER = "column:"  # before a field's name among the filters of a search
_PART = re.compile(r",(?=[ ]?[a-z_]{1,30}=)")


def mapped(text: str) -> dict[str, str]:
    """Fields with the heading that holds each, of "title=Primary,year=Pub Year".

    A heading may have commas: only one before a field's name and "=" parts them.

    Raises:
        Refused: it is no such list, or names a field that no table has.
    """
    named: dict[str, str] = {}
    for part in _PART.split(text):
        field, sign, heading = part.partition("=")
        if not sign:
            raise Refused(f'{part.strip()!r} names no column; write title=Primary,year="Pub Year"')
        named[field.strip()] = heading.strip()
    return checked(named)


def checked(named: Mapping[str, str]) -> dict[str, str]:
    """Columns that a person named, by the fields' own names.

    Raises:
        Refused: a field is none of a table, or has no heading.
    """
    columns_by_field: dict[str, str] = {}
    for name, heading in named.items():
        field = ALIASES.get(name, name)
        if field not in MAPPABLE:
            raise Refused(f"{name!r} is no field of a table; choose from {', '.join(MAPPABLE)}")
        if not plain_heading(heading) or len(heading) > LONGEST_HEADING:
            raise Refused(f"the column for {name} must be a heading of the table; got {heading!r}")
        columns_by_field[field] = heading
    return columns_by_field


def as_filters(named: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The columns that a person named as filters of a search, which keeps them."""
    return tuple((f"{FILTER}{field}", heading) for field, heading in named.items())


def of_filters(filters: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What `as_filters` made filters of."""
    ours: Iterator[tuple[str, str]] = (pair for pair in filters if pair[0].startswith(FILTER))
    return {name.removeprefix(FILTER): heading for name, heading in ours}
