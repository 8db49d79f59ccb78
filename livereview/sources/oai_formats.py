"""The formats that repositories put their metadata in, each as the elements of Dublin Core.

oai_dc and what is like it (qualified and UK thesis Dublin Core, BASE's) has those names already.
MODS, MARC 21, JATS, DataCite, DOAJ's and arXiv's format are a table of paths. An unknown format is
read as far as it uses the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lxml import etree

from livereview.sources import answers
from livereview.sources.text import name

Fields = dict[str, list[str]]

# name of the format's root without its namespace: the field: an XPath to its elements, namespaces
# taken away
FORMATS: Mapping[str, Mapping[str, str]] = {
    "mods": {
        "title": "titleInfo[not(@type)]/title",
        "subtitle": "titleInfo[not(@type)]/subTitle",
        "creator": "name[not(role) or role/roleTerm[. = 'author' or . = 'aut' or . = 'creator']]",
        "date": "originInfo/dateIssued | relatedItem[@type='host']/part/date | part/date",
        "container": "relatedItem[@type='host']/titleInfo/title",
        "volume": ".//part/detail[@type='volume']/number",
        "issue": ".//part/detail[@type='issue']/number",
        "first": ".//part/extent/start",
        "last": ".//part/extent/end",
        "doi": "identifier[@type='doi']",
        "issn": ".//identifier[@type='issn']",
        "isbn": "identifier[@type='isbn']",
        "identifier": "identifier",
        "url": "location/url",
        "abstract": "abstract",
        "language": "language/languageTerm",
        "type": "genre",
    },
    "record": {  # MARC 21
        "title": "datafield[@tag='245']/subfield[@code='a']",
        "subtitle": "datafield[@tag='245']/subfield[@code='b']",
        "creator": "datafield[@tag='100' or @tag='110' or @tag='700' and not(subfield[@code='t'])]",
        "date": "datafield[@tag='260' or @tag='264']/subfield[@code='c']",
        "container": "datafield[@tag='773']/subfield[@code='t' or @code='p']",
        "doi": "datafield[@tag='024'][subfield[@code='2'] = 'doi']/subfield[@code='a']",
        "issn": "datafield[@tag='022' or @tag='773']/subfield[@code='a' or @code='x']",
        "isbn": "datafield[@tag='020']/subfield[@code='a']",
        "url": "datafield[@tag='856']/subfield[@code='u']",
        "abstract": "datafield[@tag='520']/subfield[@code='a']",
        "language": "datafield[@tag='041']/subfield[@code='a']",
        "type": "datafield[@tag='655' or @tag='980']/subfield[@code='a']",
        "identifier": "controlfield[@tag='001']",
    },
    "article": {  # JATS, as PubMed Central's oai_pmc
        "title": "front/article-meta/title-group/article-title",
        "subtitle": "front/article-meta/title-group/subtitle",
        "creator": "front/article-meta//contrib[not(@contrib-type) or @contrib-type='author'][.//name or .//collab]",
        "date": "front/article-meta/pub-date",
        "container": "front/journal-meta//journal-title",
        "volume": "front/article-meta/volume",
        "issue": "front/article-meta/issue",
        "first": "front/article-meta/fpage",
        "last": "front/article-meta/lpage",
        "doi": "front/article-meta/article-id[@pub-id-type='doi']",
        "pmid": "front/article-meta/article-id[@pub-id-type='pmid']",
        "pmcid": "front/article-meta/article-id[@pub-id-type='pmc' or @pub-id-type='pmcid']",
        "issn": "front/journal-meta/issn",
        "abstract": "front/article-meta/abstract[not(@abstract-type)]",
        "language": "@xml:lang",
        "type": "@article-type",
    },
    "resource": {  # DataCite's kernel, inside oai_datacite or alone
        "title": "titles/title[not(@titleType)]",
        "creator": "creators/creator",
        "date": "dates/date[@dateType='Issued'] | publicationYear",
        "doi": "identifier[@identifierType='DOI']",
        "identifier": "identifier | alternateIdentifiers/alternateIdentifier",
        "abstract": "descriptions/description[@descriptionType='Abstract']",
        "language": "language",
        "type": "resourceType | resourceType/@resourceTypeGeneral",
    },
    "doajArticle": {
        "title": "title",
        "creator": "authors/author",
        "date": "publicationDate",
        "container": "journalTitle",
        "volume": "volume",
        "issue": "issue",
        "first": "startPage",
        "last": "endPage",
        "doi": "doi",
        "issn": "issn | eissn",
        "url": "fullTextUrl",
        "abstract": "abstract",
        "language": "language",
        "type": "'article'",
    },
    "arXiv": {
        "title": "title",
        "creator": "authors/author",
        "date": "created",
        "source": "journal-ref",
        "doi": "doi",
        "identifier": "concat('https://arxiv.org/abs/', id)",
        "abstract": "abstract",
        "type": "'preprint'",
    },
}
_FAMILY = ".//surname | .//keyname | .//familyName | ./namePart[@type='family']"
_GIVEN = ".//given-names | .//forenames | .//givenName | ./namePart[@type='given']"
_WHOLE = ".//collab | .//creatorName | ./name | ./namePart[not(@type) or @type='corporate'] | ./subfield[@code='a']"


def read(metadata: Any) -> Fields:
    """Each field's texts, with markup and spaces as they came, by the name of Dublin Core's element
    in lower case.

    Besides those: subtitle, container, volume, issue, first and last page, doi, pmid, pmcid, issn,
    isbn, url, abstract, where the format tells them apart.
    """
    root = _without_namespaces(metadata)
    found = next(
        (
            one
            for one in root.iter()
            if one.tag in FORMATS and (one.tag != "record" or _is_marc(one))
        ),
        None,
    )
    if found is None:
        return _by_name(root)
    return {
        field: texts
        for field, path in FORMATS[found.tag].items()
        if (texts := _texts(field, found.xpath(path, **_XML)))
    }


def _is_marc(element: Any) -> bool:
    return element.find("datafield") is not None


def tag(element: Any) -> str:
    """The element's name without its namespace; "" for a comment, an instruction and an entity."""
    if isinstance(element.tag, str):
        return etree.QName(element).localname
    return ""


_XML: dict[str, Any] = {"namespaces": {"xml": "http://www.w3.org/XML/1998/namespace"}}


def _without_namespaces(element: Any) -> Any:
    copy = deepcopy(element)
    for one in copy.iter(etree.Element):
        one.tag = tag(one)
    return copy


def _texts(field: str, found: Any) -> list[str]:
    shaped = {"creator": _person, "date": _day}.get(field, _text)
    if isinstance(found, str):
        texts = [found]
    else:
        texts = [one if isinstance(one, str) else shaped(one) for one in found]
    return [text for text in texts if text and text.strip()]


def _text(element: Any) -> str:
    """All text under the element, with a space where an element ends a block, not a word."""
    return ("" if all(tag(one) in _INLINE for one in element) else " ").join(element.itertext())


_INLINE = (
    "sub",
    "sup",
    "italic",
    "bold",
    "i",
    "b",
    "em",
    "strong",
    "sc",
    "xref",
    "ext-link",
    "span",
    "a",
    "",
)


def _person(element: Any) -> str:
    family, given, whole = (
        str(element.xpath(f"string({path})")) for path in (_FAMILY, _GIVEN, _WHOLE)
    )
    return (name(family, given) if family.strip() else whole) or _text(element)


def _day(element: Any) -> str:
    day = answers.iso(*(element.findtext(part) for part in ("year", "month", "day")))
    return day or _text(element)


def _by_name(root: Any) -> Fields:
    """Dublin Core's elements are children of one.

    Where a format has no such place, every element that holds text.
    """
    holder = next(
        (one for one in root.iter() if any(tag(child).lower() == "title" for child in one)), None
    )
    if holder is not None:
        places = holder
    else:
        places = (one for one in root.iter() if len(one) == 0)
    found: Fields = {}
    for element in places:
        if tag(element) and _text(element).strip():
            found.setdefault(tag(element).lower(), []).append(_text(element))
    return found
