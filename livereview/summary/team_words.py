"""The team's own words as they are published, with whether the evidence has moved on since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from livereview.evidence import certainty
from livereview.evidence.certainty import Rating
from livereview.messages import mark, say
from livereview.review import Statement as WrittenStatement
from livereview.summary import statements, words
from livereview.summary.model.team import Confidence, Configuration, Statement
from livereview.summary.statements import Ground, Marked, MarkedConfiguration


def statement(ground: Ground, ratings: Sequence[Rating], marked: Marked) -> Statement:
    """A sentence of the team with what CERQual says of it."""
    written = marked.statement
    rating = _rating(written, ratings)
    return Statement(
        **asdict(written),
        confidence=confidence(rating),
        standing_display=_standing(written),
        supports_display=statements.cited_in_words(ground, written.supports),
        against_display=statements.cited_in_words(ground, written.against),
        read=words.iso(marked.read),
        read_display=words.day(marked.read),
        outdated_display=marked.outdated,
    )


def configuration(ground: Ground, marked: MarkedConfiguration) -> Configuration:
    """A context-mechanism-outcome configuration with its evidence."""
    written = marked.configuration
    return Configuration(
        **asdict(written),
        supports_display=statements.cited_in_words(ground, written.supports),
        against_display=statements.cited_in_words(ground, written.against),
        read=words.iso(marked.read),
        read_display=words.day(marked.read),
        outdated_display=marked.outdated,
    )


def confidence(rating: Rating | None) -> Confidence | None:
    """What CERQual says of a finding; None where nobody rated it, or other studies have come."""
    if rating is None:
        return None
    level = say(certainty.CERQUAL_WORDS[rating.level])
    return Confidence(level=rating.level, display=f"{level}. {certainty.describe(rating)}")


def _rating(written: WrittenStatement, ratings: Sequence[Rating]) -> Rating | None:
    """The rating of a statement, where it still holds for its studies."""
    for rating in ratings:
        if rating.kind == "cerqual" and rating.subject == written.id:
            if certainty.holds(rating, written.studies):
                return rating
            return None
    return None


def _standing(written: WrittenStatement) -> str | None:
    """How an explanation stands, in words; None for what is no explanation."""
    if written.under != "explanations":
        return None
    if written.standing is None:
        return say(mark("not weighed yet"))
    standing = say(statements.STANDING_WORDS[written.standing])
    if written.standing == "ruled_out" and not written.against:
        return say(mark("{standing}, though no study is named against it"), standing=standing)
    return standing
