"""The identifiers of publications, as they are behind all that people and programs hang on them.

Each function takes what a field, a note or an address says and gives the bare identifier, or None.
Every reader calls them, so that one work has one DOI whichever way it came.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

LONGEST_TEXT = 2_000  # characters in which an identifier is looked for
ESCAPED_AT_MOST = 4  # times: "&amp;amp;lt;" was met, more is nobody's export

# --- DOI
# --------------------------------------------------------------------------------------------------

_DOI = re.compile(r"10\.\d{4,9}(?:\.\d{1,9}){0,9}/(?:\s(?=\S*\d))?(\S+)")
# "<1661::AID-SIM968>" is part of old DOIs of Wiley; any other "<" or ">" is markup
_DOI_ENDS = re.compile(r"[\"{}“”„«»‹›‘。、]|\[doi\]|<(?!\d+:)|>(?!\d)", re.IGNORECASE)
_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});|&(?:lt|gt)(?=\d|:)"
)
# a sign as LaTeX and JSON write it: "\_", "{\_}", "\/"
_BACKSLASHED = re.compile(r"\{\\([_&%#$])\}|\\([_&%#$/])")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
# another identifier or address behind this one, in one word with it
_NEXT = re.compile(
    r"[;,|&]?(?:https?:|www\.|\bdoi:)|[;,|/&]10\.\d{4,9}/|[.;,|&_]?pmc?id:", re.IGNORECASE
)
# what an address hangs on: a fragment, a question. Old DOIs of Wiley may end in ";2-#" or ";2-?".
_HUNG_ON = re.compile(r"(?<!;2-)[#?]|&[A-Za-z_][\w.]*=")
_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-") | dict.fromkeys("⁄∕／", "/"))
# Which form of a page it is, as sites write it behind a DOI.
_FORMS = (
    r"full|abstract|abs|e?pdf|full-?text|full-?xml|html|pdfdirect|pdfplus|epub|reader"
    r"|summary|meta|references|citedby|suppl(?:_file|inf|ementary-material)?|media|figures|metrics"
    r"|download|issuetoc|(?:-/)?dcsupplemental|rapid-responses|article-info"
    r"|tab-(?:pdf|figures-data|article-info|e-letters|references)"
)
_SITE_FORM = re.compile(
    rf"(?:/(?:{_FORMS})(?:\.html?|\.pdf)?"  # "/full", "/fulltext.html"
    rf"|(?:\.|/)(?:full|abstract)(?:\.pdf)?(?:\+html)?"  # "v1.full.pdf"
    r"|/(?:full|abstract|e?pdf)/[a-z]{2}"  # "/full/es": a language of the Cochrane Library
    r"|\.pdf"
    r")/?$",
    re.IGNORECASE,
)
# "…/jiaa683/34364020/jiaa683.pdf": the number and the name of a file at Oxford; "/pdf/name.pdf"
_SITE_FILE = re.compile(r"/(?:\d{5,}|e?pdf)/[\w.-]+\.pdf$", re.IGNORECASE)
# bioRxiv and medRxiv say which version an address shows, and which part ("v2.full-text"); their
# DOI has none
_OPENRXIV = re.compile(
    r"^(10\.(?:1101|64898)/(?:\d{4}\.\d\d\.\d\d\.)?\d{6,8})v\d{1,2}(?:\.[a-z][a-z.+-]*)?$"
)
# The number that Oxford's addresses have behind a DOI: "10.1093/bjsw/bcaf012/8124013"
_OXFORD = re.compile(r"^(10\.1093/[a-z]+/[a-z]{2,8}\d{2,5})/\d{5,}$")
# A database's own address for an entry: an accession number, and no DOI of the publication.
_NOT_OF_THE_WORK = re.compile(r"^10\.1002/central/", re.IGNORECASE)


def clean_doi(text: object) -> str | None:
    """The first DOI in `text`: lower case, without a resolver and without what sites hang on it.

    Percent signs and entities are undone, however often they were written; `/full`, `.pdf`,
    `v1.full.pdf`, `#…` and `?…` are the site's and go; typographic hyphens become plain ones. A
    closing bracket stays where it has its opening one, and so does <1661::AID-SIM968> of old DOIs.
    The address of an entry of CENTRAL is none: it is the database's number for it.
    """
    for candidate in _DOI.finditer(_unescaped(str(text or "")[:LONGEST_TEXT])):
        doi = _bare_doi(candidate)
        if doi and not _NOT_OF_THE_WORK.match(doi):
            return doi
    return None


def _bare_doi(candidate: re.Match[str]) -> str | None:
    """What a match of `_DOI` is without all that is not the DOI; None where nothing is left."""
    prefix = candidate.group().partition("/")[0]
    suffix = _DOI_ENDS.split(candidate.group(1))[0].lstrip("?#")
    suffix = _NEXT.split(suffix)[0] or suffix  # Crossref has some that begin with an address
    suffix = _HUNG_ON.split(suffix)[0]
    suffix = _trimmed(suffix)
    shorter = _without_forms(suffix)
    while shorter != suffix:
        suffix = _trimmed(shorter)
        shorter = _without_forms(suffix)
    if not suffix:
        return None
    doi = f"{prefix}/{suffix}".lower()
    addressed = _OPENRXIV.match(doi) or _OXFORD.match(doi)
    return addressed.group(1) if addressed else doi


def _without_forms(suffix: str) -> str:
    """A DOI's suffix without one form of a page; as it is where nothing would be left."""
    bare = _SITE_FILE.sub("", suffix)
    bare = _SITE_FORM.sub("", bare)
    return bare if bare.strip("/.") else suffix


def _trimmed(suffix: str) -> str:
    """Without the punctuation behind it, and without a bracket that was opened before it."""
    while suffix and (
        suffix[-1] in ".,;:'’*/…|\\" or (suffix[-1] in ")]" and not _balanced(suffix))
    ):
        suffix = suffix[:-1]
    return suffix


def _balanced(text: str) -> bool:
    return text.count("(") >= text.count(")") and text.count("[") >= text.count("]")


def _unescaped(text: str) -> str:
    """Plain text of one that was escaped for an address or for markup, perhaps more than once."""
    for _ in range(ESCAPED_AT_MOST):
        plain = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
        plain = _PERCENT.sub(_percent_undone, plain)
        plain = _BACKSLASHED.sub(lambda sign: sign.group(1) or sign.group(2), plain)
        if plain == text:
            break
        text = plain
    if text.isascii():
        return text
    visible = "".join(" " if c.isspace() else c for c in text if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", visible.translate(_HYPHENS))


def _percent_undone(escapes: re.Match[str]) -> str:
    """The characters that were escaped; the escapes themselves where they are no UTF-8."""
    plain = unquote(escapes.group(), errors="replace")
    return escapes.group() if "�" in plain else plain


# --- PubMed and PMC
# --------------------------------------------------------------------------------------------------

_FLOAT = re.compile(r"(-?[0-9]{1,15})\.0+")
_POWER = re.compile(r"([0-9])\.([0-9]{1,14})[eE]\+?([0-9]{1,2})")
_AT_PUBMED = re.compile(
    r"pubmed(?:\.ncbi\.nlm\.nih\.gov)?/\??(?:term=)?(\d{1,9})(?!\d)", re.IGNORECASE
)
_PMC = re.compile(r"PMC\s?(?:ID)?:?\s?(?:PMC)?(\d{1,9})", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.])\d{1,9}(?![\d.]*\d)", re.ASCII)
_GROUPED = re.compile(r"\d{1,2},\d{3},\d{3}", re.ASCII)  # as spreadsheets print large numbers


def whole_number(text: object) -> str:
    """A number without the ".0" or the "E+07" that spreadsheets and data frames write.

    Any other text as it is; a power that lost digits stays one, as nobody knows them.
    """
    value = str(text if text is not None else "").strip()
    if floating := _FLOAT.fullmatch(value):
        return floating.group(1)
    if power := _POWER.fullmatch(value):
        first, rest, exponent = power.groups()
        if len(rest) == int(exponent):
            return first + rest
    return value


def clean_pmid(text: object) -> str | None:
    """The digits of the first PubMed id in `text`: a number, "PMID: 1", "1.0" or an address.

    None for 0, for an id of PMC and for anything else.
    """
    value = whole_number(unicodedata.normalize("NFKC", str(text or "")[:LONGEST_TEXT]))
    if _GROUPED.fullmatch(value):
        value = value.replace(",", "")
    if _POWER.fullmatch(value):
        return None
    if at_pubmed := _AT_PUBMED.search(value):
        return at_pubmed.group(1).lstrip("0") or None
    number = _NUMBER.search(_PMC.sub(" ", value))
    return number.group().lstrip("0") or None if number else None


def clean_pmcid(text: object) -> str | None:
    """ "PMC" and digits, or None."""
    match = _PMC.search(str(text or ""))
    return f"PMC{match.group(1)}" if match else None


# --- serials, books, years
# --------------------------------------------------------------------------------------------------

_ISSN = re.compile(r"(?<![\dX])(\d{4})[-‐–]?(\d{3}[\dXx])(?![\dX])")
_ISBN = re.compile(r"(?<!\d)(?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx](?!\d)")
_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")


def clean_issn(text: object) -> str | None:
    """The first ISSN in `text` whose check digit is right, as 1234-567X."""
    for match in _ISSN.finditer(str(text or "")):
        digits = (match.group(1) + match.group(2)).upper()
        weighted = zip(range(8, 0, -1), digits, strict=True)
        total = sum(weight * (10 if digit == "X" else int(digit)) for weight, digit in weighted)
        if total % 11 == 0:
            return f"{digits[:4]}-{digits[4:]}"
    return None


def clean_isbn(text: object) -> str | None:
    """The first ISBN-13 or ISBN-10 in `text` whose check digit is right, digits only."""
    for match in _ISBN.finditer(str(text or "")):
        digits = re.sub(r"[- ]", "", match.group()).upper()
        if _isbn_ok(digits):
            return digits
    return None


def _isbn_ok(digits: str) -> bool:
    if len(digits) == 13 and digits.isdigit():
        return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0
    if len(digits) == 10:
        return sum((10 - i) * (10 if d == "X" else int(d)) for i, d in enumerate(digits)) % 11 == 0
    return False


def clean_year(text: object) -> int | None:
    """The first four-digit year between 1000 and 2999 in `text`."""
    match = _YEAR.search(str(text or ""))
    return int(match.group(1)) if match else None


# --- trial registrations
# --------------------------------------------------------------------------------------------------

# Numbers of registers as they print them (https://www.who.int/tools/clinical-trials-registry-platform)
_REGISTRATION = re.compile(
    r"\b(?:NCT\s?\d{8}|ISRCTN\s?\d{8}|ACTRN\s?\d{14}p?|DRKS\s?\d{8}|CTRI/\d{4}/\d{2,3}/\d{6}"
    r"|PACTR\s?\d{15,16}|IRCT[\dN]{11,20}|(?:JPRN-)?(?:UMIN\d{9}|jRCTs?\d{9,12}|JapicCTI-?\d{6})"
    r"|ChiCTR[-A-Z]{0,6}\d{8,10}|KCT\d{7}|TCTR\d{11}|SLCTR/\d{4}/\d{3}|RBR-\w{5,9}"
    r"|RPCEC\d{8}|PER-\d{3}-\d{2}|LBCTR\d{10}|ITMCTR\d{10}|NTR\d{2,5}|NL-OMON\d{2,6}"
    r"|EudraCT:?\s?\d{4}-\d{6}-\d{2}|EUCTR\d{4}-\d{6}-\d{2}"
    r"|20\d{2}-5\d{5}-\d{2}-\d{2}|CTIS20\d{2}-5\d{5}-\d{2}-\d{2}"
    r"|U1111-\d{4}-\d{4})(?![\w])",
    re.IGNORECASE,
)
_EUROPEAN = re.compile(r"(?:EUDRACT:?|EUCTR|CTIS)?((?:19|20)\d{2}-\d{6}-\d{2}(?:-\d{2})?)")


def registrations(text: object) -> Iterator[str]:
    """Every trial registration that `text` names, in one form each: upper case, without blanks.

    EudraCT and CTIS numbers stand under "EUCTR" and "CTIS", however they were written.
    """
    for match in _REGISTRATION.finditer(str(text or "")):
        number = re.sub(r"\s", "", match.group()).upper().removeprefix("JPRN-")
        if european := _EUROPEAN.fullmatch(number):
            bare = european.group(1)
            number = f"CTIS{bare}" if bare.count("-") == 3 else f"EUCTR{bare}"
        yield number


# --- addresses
# --------------------------------------------------------------------------------------------------

# parameters that say where a reader came from, and nothing of what the address shows
TRACKING = re.compile(
    r"utm_\w+|af|rss|dgcid|ssource|fbclid|gclid|mc_[ce]id|cmpid|ref_?src|ns_\w+|trk|igshid"
    r"|xtor|wt\.mc_id|at_\w+|hss_channel|via%3d",
    re.IGNORECASE,
)


def same_address(url: str) -> str:
    """An address in a form in which two ways of writing it are equal.

    The scheme, "www.", a port that is the scheme's own, a slash at the end, the fragment and
    tracking parameters say nothing of what is there. Not an address to be opened.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url.strip()
    if port not in (None, 80, 443):
        host = f"{host}:{port}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in pairs if not TRACKING.fullmatch(pair[0])]
    path = parts.path.rstrip("/") or "/"
    return urlunsplit(("", host, path, urlencode(kept), "")).lstrip("/")
