"""Names of authors as files have them: one name each, and nothing that is no name.

Mail addresses, roles and degrees stand beside names in exports of every kind; a mail address on a
public page would be a breach, so no reader lets one through.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

LONGEST_NAME = 500  # characters of one name that are looked at

# --- what is no name
# --------------------------------------------------------------------------------------------------

# Words for "nobody", however they are written.
_NOBODY = re.compile(
    r"\W*(?:anon(?:ymous)?(?:,? a)?|s\. ?n|no authors?(?: (?:listed|given|available|named))?|no authorship indicated"
    r"|authors? (?:unknown|not available|anonymous)|unknown(?: authors?)?|various authors"
    r"|et\.? ?al(?:ii|ia)?|(?:and |& )?others|not available|not applicable|undefined)\W*",
    re.IGNORECASE,
)
# "Na" and "Null" are families; in capitals or small letters alone they are a data frame's words.
_EMPTY_WORDS = "NA na N/A n/a N.A. nan NaN NAN <NA> None none NONE null NULL nil NIL"
_EMPTY = frozenset(_EMPTY_WORDS.split())
_EMPTY_GIVEN = _EMPTY - {"NA", "N.A."}  # "Ivanov, NA" has two initials
_AND_OTHERS = re.compile(
    r"[,;]?\s+(?:et\.? al\.?|and others|& others|and colleagues)$", re.IGNORECASE
)

_MAIL = r"[^\s()\[\]<>,;:]+@[^\s()\[\]<>,;:]+"
# "ann (at) example.org", "ann at example dot org": an address hidden from machines is one
_HIDDEN_MAIL = re.compile(
    r"\s*[(\[{<]\s*(?:at|AT)\s*[)\]}>]\s*"
    r"|(?<=[\w.+-])\s+(?:at|AT)\s+(?=[a-z0-9-]+(?:(?:\.|\s(?:dot|DOT)\s)[a-z0-9-]+)*"
    r"(?:\.|\s(?:dot|DOT)\s)[a-z]{2,12}\b)",
)
_HIDDEN_DOT = re.compile(r"(?<=[\w-])(?:\s+(?:dot|DOT)\s+|\s*[(\[{]\s*dot\s*[)\]}]\s*)(?=[\w-])")
_IN_BRACKETS = r"[(\[<{][^()\[\]<>{}]{0,200}"
_MAIL_IN_BRACKETS = re.compile(rf"{_IN_BRACKETS}@[^()\[\]<>{{}}]{{0,200}}[)\]>}}]?")
_MAIL_ALONE = re.compile(
    rf"[,;:]?\s*(?:\b(?:e-?mails?|electronic address|contact|mailto|correspondence)\b\s*:?\s*)?{_MAIL}",
    re.IGNORECASE,
)
_ROLE = (
    r"(?:corresponding |reprint |lead |first |senior |principal |co-?|guest |series )?"
    r"(?:authors?|editors?|eds?|inventors?|translators?|trans|compilers?|comps?|reviewers?|advisors?"
    r"|advisers?|supervisors?|chairs?|directors?|contributors?|producers?|illustrators?|assignees?"
    r"|investigators?|collaborators?|edited by|narrators?|creators?|aut|edt|ctb)"
)
_ROLE_IN_BRACKETS = re.compile(
    rf"\s*[(\[]\s*(?:{_ROLE}\.?\s*(?:[,;/&]|and)?\s*)+(?:[,;][^()\[\]]{{0,200}})?[)\]]",
    re.IGNORECASE,
)
_ROLE_BEHIND = re.compile(rf",\s*{_ROLE}\.?$", re.IGNORECASE)
_NUMBER_BEHIND = re.compile(  # an ORCID or a database's number for a person
    r"\s*[(\[]?\s*(?:orcid:?\s*)?(?:https?://orcid\.org/)?\d{4}-\d{4}-\d{4}-\d{3}[\dX]\s*[)\]]?$"
    r"|\s*\(\d{6,}\)$",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(
    r"^(?:correspond(?:ence|ing author)(?: to)?|(?:presenting )?authors?|by)\s*:\s*", re.IGNORECASE
)
_FOR_OTHERS = re.compile(r",?\s+on behalf of\s.*$", re.IGNORECASE)
# signs that point to a footnote or an address
_MARK_BEFORE = re.compile(r"^[*†‡§¶#\s]+")
_MARKS = "*†‡§¶#⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜ"
_NUMBERS_BEHIND = re.compile(r"(?<=,)(.*[a-z.])\d{1,2}(?:,\s?\d{1,2})*$")
_TITLE_BEFORE = re.compile(r"^(?:(?:Dr|Prof|Professor)\.?\s+)+(?=[^\W\d_]{2})")
# Degrees with small letters or four capitals are no initials of anybody; "MPH" and "M.D." may be.
_DEGREE = (
    r"Ph\.?\s?D\.?|D\.?Phil\.?|MPhil|M\.?Sc\.?|B\.?Sc\.?|Dr\.?PH\.?|Psy\.?D\.?|Ed\.?D\.?|M\.Ed\.?"
    r"|MBBS|MBChB|MB\s?BS|MRCP\w{0,5}|FRCP\w{0,5}|FRACP|FAAN|FAAP|FRSM|LCSW|APRN|CPNP|Pharm\.?D\.?|MRes"
    r"|Dr\.? med\.?|ScD"
)
_SHORT_DEGREE = (
    r"MD|M\.D\.|RN|MA|BA|MS|BS|JD|DO|MB|DDS|FNP|MPA|MPP|MHS|MPH|M\.P\.H\.|MBA|MSW|DSW|MSN|BSN|DNP|LLM|LLB"
    r"|MEd|M\.A\.|B\.A\.|M\.S\."
)
_DEGREE_BEHIND = re.compile(rf"(?:,\s*|\s+)(?:{_DEGREE})$")
_DEGREE_PART = re.compile(rf"(?:(?:{_DEGREE}|{_SHORT_DEGREE})[\s,/&]*)+")


def tidy(text: str | None) -> str | None:
    """A name without mail address, role, degree, number and "et al."; None where it is none.

    The order of its parts stays: "Family, Given" is what the reader made of it.
    """
    if not text:
        return None
    name = text[:LONGEST_NAME]
    if "&" in name:
        name = html.unescape(html.unescape(name))
    name = _with_plain_mail(" ".join(name.split()))
    name = _WORD_BEFORE.sub("", name)
    if "@" in name:
        name = _ROLE_IN_BRACKETS.sub("", name)
        name = _MAIL_IN_BRACKETS.sub("", name)
        name = _MAIL_ALONE.sub("", name)
    if "(" in name or "[" in name:
        name = _ROLE_IN_BRACKETS.sub("", name)
        name = re.sub(r"[(\[]\s*[)\]]", "", name)
    name = _NUMBER_BEHIND.sub("", name)
    name = _without_marks(name)
    name = _FOR_OTHERS.sub("", name)
    name = _AND_OTHERS.sub("", name)
    if name.count(",") > 1:  # "Urban, Ed" is a person called so
        name = _ROLE_BEHIND.sub("", name)
    name = _without_degrees(name)
    untitled = _TITLE_BEFORE.sub("", name)
    name = untitled if " " in untitled else name  # "Dr. Drang" has no other name
    return _somebody(" ".join(name.split()).strip(" ,;:/&"))


def _with_plain_mail(name: str) -> str:
    """The text with mail addresses in the form that machines know: "ann@example.org"."""
    plain = name.replace("＠", "@")
    if " " in plain or "(" in plain or "[" in plain:
        plain = _HIDDEN_MAIL.sub("@", plain)
    return _HIDDEN_DOT.sub(".", plain) if "@" in plain else plain


def _without_marks(name: str) -> str:
    """Without the signs and numbers by which a page points to footnotes and addresses."""
    name = _MARK_BEFORE.sub("", name)
    shorter = name.rstrip(f"{_MARKS} ,")
    if not set(_MARKS).isdisjoint(name[len(shorter) :]):
        name = shorter
    name = re.sub(r"\s*(?:\.{3,}|…)$", "", name)
    if name[-1:].isdigit() and not is_body(name):
        name = _NUMBERS_BEHIND.sub(r"\1", name)
    return name


def _without_degrees(name: str) -> str:
    parts = name.split(",")
    several = len(parts) > 2
    while len(parts) > 2 and _DEGREE_PART.fullmatch(parts[-1].strip()):
        parts.pop()
    full_name = " " in parts[0].strip() and parts[0].strip()[0].isupper()
    if several and len(parts) == 2 and full_name and _DEGREE_PART.fullmatch(parts[1].strip()):
        parts.pop()  # "Ann Lee, MD, PhD": no initials of anybody
    name = ",".join(parts)
    shorter = _DEGREE_BEHIND.sub("", name)
    while shorter != name:
        name = shorter
        shorter = _DEGREE_BEHIND.sub("", name)
    return name


def _somebody(name: str) -> str | None:
    """The name, unless its words say that there is none; without a given name of that kind."""
    parts = [part.strip() for part in name.split(",")]
    if not any(letter.isalpha() for letter in name) or _NOBODY.fullmatch(name):
        return None
    if all(word in _EMPTY for word in name.replace(",", " ").split()):
        return None
    if all(part in _EMPTY or _NOBODY.fullmatch(part) for part in parts):
        return None
    if len(parts) > 1 and parts[1] in _EMPTY_GIVEN:
        return ", ".join([parts[0], *parts[2:]])
    return name


# --- where one name ends and the next begins
# --------------------------------------------------------------------------------------------------

_BODY_WORD = re.compile(
    r"\b(?:agenc(?:y|ies)|assembly|association|academy|authorit(?:y|ies)|board|bureau|cent(?:er|re)s?"
    r"|collaborati(?:on|ve)|college|commission(?:er)?|committee|consortium|council|departments?|directorate"
    r"|executive|faculty|federation|foundation|government|group|hospitals?|initiative|inspectorate"
    r"|institut\w*|investigators|laborator(?:y|ies)|library|ministry|national|network|observatory"
    r"|office|organi[sz]ation|panel|parliament|partnership|program(?:me)?|project|school|secretariat"
    r"|services?|society|standards|study|task force|team|trial|trust|unit|uni(?:versit\w*|on)|working)\b",
    re.IGNORECASE,
)
# the last word of what stands behind "and" in the name of a body, and of no person
_BODY_TAIL = re.compile(
    r"\b(?:affairs|agriculture|care|commerce|communities|control|cooperation|culture|defence|development"
    r"|education|employment|energy|environment|evaluation|evidence|excellence|families|family|finance"
    r"|fisheries|food|health|housing|industry|innovation|justice|labou?r|learning|media|medicine"
    r"|nutrition|pensions|planning|policy|prevention|protection|quality|regulation|rehabilitation"
    r"|research|rights|safety|sciences?|security|skills|social|sport|statistics|technology|training"
    r"|transport|welfare|women|work|youth)$",
    re.IGNORECASE,
)
_INITIALS = re.compile(r"(?:[A-Z]\.?[ -]?){1,4}")
_WITH_INITIALS = re.compile(r"[^\W\d_][\w'’ -]*,?\s(?:[A-Z]\.?[ -]?){1,4}")
_SPACED_INITIALS = re.compile(r"([^,]*?[a-z][^,]*?)\s+((?:[A-Z]\.?-?\s?){1,4})")


def is_body(text: str) -> bool:
    """Whether a name is an organisation's: it has a word that no person is called by."""
    return bool(_BODY_WORD.search(text))


def person(text: str) -> str:
    """ "Shannon,Claude", "Shannon C.E." and "Shannon C E" as "Shannon, …".

    Whatever is not a name and initials stays as it is.
    """
    tidied = re.sub(r"(?:(?<!\s)\s++)?,\s*", ", ", text[:LONGEST_NAME].strip().strip(","))
    name = _SPACED_INITIALS.fullmatch(tidied)
    if name is None or is_body(name.group(1)) or name.group(1)[-1:] == ".":
        return tidied
    return f"{name.group(1)}, {name.group(2).strip()}"


def lines_of_names(text: str) -> list[str]:
    """One name a line, or names parted by semicolons, after entities have become letters.

    A line that ends in the midst of a name ("Department of Health and") goes on in the next.
    """
    plain = _without_asides(text)
    whole = re.sub(r"(,|\b(?:and|of|for|the)|&)[ \t]*\n\s*", r"\1 ", plain)
    return [part.strip() for part in re.split(r"[;\n]", whole) if part.strip()]


def cut(text: str) -> list[str]:
    """The names in a cell of a table: parted by ";", "|", lines, "and", or commas, in this order.

    "Family, I., Family, I." is two names. A body's own "and" and commas part nothing.
    """
    text = _without_asides(text)
    text = re.sub(r"(?<!\s)\s*+\(\d{6,}\)", "", text)  # Scopus' ids after full names
    if re.fullmatch(r"\[.*\]", text):  # a list as Python prints it
        quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", text)
        return [single or double for single, double in quoted]
    parts = [part.strip() for part in re.split(r"[;|\n]", text) if part.strip()]
    parts = [re.sub(r"^(?:and|&)\s+", "", part) for part in parts]
    if len(parts) > 1:
        return parts
    text = parts[0] if parts else ""
    parts = join_bodies([part.strip() for part in re.split(r"(?<!\s)\s++and\s+", text)])
    if len(parts) == 1:
        return _at_commas(parts[0])
    return [name for part in parts for name in _at_commas(part.strip(" ,"))]


def _without_asides(text: str) -> str:
    """The text with its entities as letters, and without roles and mail addresses in brackets:
    what stands in them must not part names.
    """
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "[" in text or "(" in text:
        text = _ROLE_IN_BRACKETS.sub("", text)
    return _MAIL_IN_BRACKETS.sub("", text) if "@" in text else text


def join_bodies(parts: Sequence[str], sure_only: bool = False) -> list[str]:
    """Parts between "and" as names: "Department of Health" and "Social Care" are one body.

    With `sure_only`, where the format says that "and" parts names, only what ends as no person's
    name does is joined.
    """
    names: list[str] = []
    for part in parts:
        if names and _goes_on(names[-1], part, sure_only):
            names[-1] = f"{names[-1]} and {part}"
        else:
            names.append(part)
    return names


def _goes_on(before: str, part: str, sure_only: bool) -> bool:
    """Whether what stands behind "and" is the rest of a body's name, and no other author."""
    if "," in part and not is_body(before):
        return False
    begins_a_body = _BODY_WORD.match(part) or part.lower().startswith("the ")
    if begins_a_body or _WITH_INITIALS.fullmatch(part):
        return False
    if is_body(before):
        return not sure_only or bool(_BODY_TAIL.search(part)) or is_body(part)
    return (
        " " not in before and "," not in before and is_body(part)
    )  # "Health and Safety Executive"


def _at_commas(text: str) -> list[str]:
    """ "Doe, A., Roe, B." and "Ann Doe, Bo Roe" as two names; "Doe, Ann" as one."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if is_body(text):
        people = [part for part in parts if _WITH_INITIALS.fullmatch(part)]
        if people and len(people) + 1 >= len(parts):
            return parts
        return [text]
    initials = [bool(_INITIALS.fullmatch(part)) for part in parts]
    if len(parts) > 2 and len(parts) % 2 == 0 and all(initials[1::2]):
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return [f"{family}, {given}" for family, given in pairs]
    full_names = len(parts) == 2 and all(" " in part for part in parts)
    if len(parts) > 2 and not _is_suffixed(parts):
        return parts
    return parts if full_names else [text]


def _is_suffixed(parts: list[str]) -> bool:
    """Whether it is one name with a suffix or a degree: "King, Martin, Jr"."""
    return len(parts) == 3 and bool(
        re.fullmatch(r"(?:jr|sr|ii|iii|iv)\.?", parts[2], re.IGNORECASE)
        or _DEGREE_PART.fullmatch(parts[2])
    )


# Initials with nothing else: "H B", "J.-P.". "WHO" is none, as its letters are not parted.
_INITIALS_ONLY = re.compile(r"[^\W\d_](?:[\s.-]+[^\W\d_])*\.?")
_ENDS_IN_INITIALS = re.compile(r"\s[^\W\d_]\.?$")


def rejoined(authors: Sequence[str]) -> tuple[str, ...]:
    """The authors with initials put back behind the family name before them.

    EPPI-Reviewer writes "Dos Santos" and "H B" as two authors where it was given "Dos Santos, H B".
    """
    whole: list[str] = []
    for author in authors:
        before = whole[-1] if whole else ""
        lacks_given = before and "," not in before and not _ENDS_IN_INITIALS.search(before)
        if lacks_given and _is_initials(author) and not _is_initials(before):
            whole[-1] = f"{before}, {author}"
        else:
            whole.append(author)
    return tuple(whole)


def _is_initials(author: str) -> bool:
    return author.upper() == author and _INITIALS_ONLY.fullmatch(author) is not None
