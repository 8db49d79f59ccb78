"""What studies say beside their figures, grouped by the protocol's codes: who says it, where, and
in which words.

A coded finding is one code with one polarity under one question of EMMIE: "staff left (in the way),
under implementation". It counts studies, never quotations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from livereview.evidence.certainty import Rating, holds
from livereview.evidence.forms import EmmieFinding, Extraction
from livereview.messages import mark, say
from livereview.review import Review

POLARITY = ("barrier", "enabler")


@dataclass(frozen=True, slots=True)
class Said:
    """One study's words on a code."""

    study: str
    label: str
    finding: EmmieFinding


@dataclass(frozen=True, slots=True)
class CodedFinding:
    """One code under one question.

    Attributes:
        id: Permanent: dimension/code, with /barrier or /enabler where it has a side.
        studies: Ids of those that say it, each once, sorted.
        of: All extracted studies.
        sites: How many places each of these studies covers, in the same order; None: it does not
            say.
        said: Their words, study by study.
    """

    id: str
    dimension: str
    code: str
    label: str
    polarity: str | None
    studies: tuple[str, ...]
    of: int
    sites: tuple[int | None, ...]
    said: tuple[Said, ...]


def coded(review: Review, forms: Iterable[Extraction], dimension: str) -> tuple[CodedFinding, ...]:
    """The coded findings of one question, most reported first.

    Codes that no study reports are left out.
    """
    ordered = sorted(forms, key=lambda form: form.study)
    rows: list[CodedFinding] = []
    for code in review.codes:
        for polarity in (*POLARITY, None):
            told = _said(ordered, (dimension, code.id, polarity))
            if not told:
                continue
            names = tuple(dict.fromkeys(one.study for one in told))
            sites = {form.study: form.sites for form in ordered}
            rows.append(
                CodedFinding(
                    id="/".join(filter(None, (dimension, code.id, polarity))),
                    dimension=dimension,
                    code=code.id,
                    label=code.label,
                    polarity=polarity,
                    studies=names,
                    of=len(ordered),
                    sites=tuple(sites[name] for name in names),
                    said=told,
                )
            )
    return tuple(sorted(rows, key=lambda row: (-len(row.studies), row.label, row.id)))


def _said(forms: Sequence[Extraction], wanted: tuple[str, str, str | None]) -> tuple[Said, ...]:
    return tuple(
        Said(form.study, form.label, finding)
        for form in forms
        for finding in form.findings
        if (finding.dimension, finding.code, finding.polarity) == wanted
    )


def reports_on(review: Review, form: Extraction, dimension: str) -> bool:
    """Whether a study reports on a question of EMMIE: in words, by a cost, or by results of its own
    kind.

    A result that counts costs is about what it costs, and one for a part of the people about for
    whom
    it works: a page that shows them never says that no study reports on it.
    """
    if any(finding.dimension == dimension for finding in form.findings):
        return True
    if dimension == "economics":
        return bool(form.costs) or any(
            _kind(review, form, n) == "cost" for n in range(len(form.results))
        )
    if dimension == "moderators":
        return any(result.subgroup or result.subgroup_is for result in form.results)
    return dimension == "effect" and bool(form.results)


def _kind(review: Review, form: Extraction, place: int) -> str | None:
    """What a result is about: its own kind, else its outcome's."""
    result = form.results[place]
    outcome = next((outcome for outcome in review.outcomes if outcome.id == result.outcome), None)
    return result.kind or (outcome.kind if outcome else None)


def confidence(finding: CodedFinding, ratings: Iterable[Rating]) -> Rating | None:
    """The CERQual rating of a coded finding.

    None where there is none, or other studies say it now.
    """
    rated = next(
        (one for one in ratings if one.kind == "cerqual" and one.subject == finding.id), None
    )
    return rated if holds(rated, finding.studies) else None


def count_in_words(finding: CodedFinding) -> str:
    """ "4 of 7 studies say so"."""
    return say(mark("{n} of {all} studies"), n=len(finding.studies), all=finding.of)


def sites_in_words(finding: CodedFinding, word: str) -> str:
    """How many places these studies cover: "councils: 2 each"; empty where none of them says.

    Args:
        finding: what they say.
        word: what the protocol calls places: "councils".
    """
    known = [n for n in finding.sites if n is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    if low == high:
        spread = str(low)
    else:
        spread = say(mark("{low} to {high}"), low=low, high=high)
    if len(known) < len(finding.sites):
        return say(mark("{places}: {n} in each study that says how many"), places=word, n=spread)
    if len(known) == 1:
        return say(mark("{places}: {n}"), places=word, n=spread)
    return say(mark("{places}: {n} each"), places=word, n=spread)
