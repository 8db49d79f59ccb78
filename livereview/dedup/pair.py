"""Two records side by side, and what can be asked of the two: the facts that the rules are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from livereview.dedup.compare import (
    ALIKE,
    CLOSE,
    EQUAL,
    HALF_ALIKE,
    INSIDE,
    LONG,
    NAMED_THERE,
    OTHER_ABSTRACT,
    OTHER_JOURNAL,
    SAME_ABSTRACT,
    SAME_JOURNAL,
    Scores,
    counted_once,
    names_without_number,
    other_letter,
    other_number,
    other_word,
    programme_number,
    running_head,
    torn,
)
from livereview.dedup.text import MOST_TRIALS, Features
from livereview.links import LinkKind

BRIEF = 25  # letters: a title shorter than this is not rare enough to speak for itself
HEADING_BLANKS = 3  # a brief title of four words has a subject
BRIEF_BLANKS = 2  # a title of fewer than three words is brief too, however long the words
MISPRINT_IN_ISSUE = 45  # of 100: misprints are likelier in one issue than two of a series
MISPRINT = 70  # of 100: how much a word must resemble another to be its misprint
MISPRINT_ELSEWHERE = 92  # of 100: where pages differ, nearly any other word counts
YEARS_OF_VERSIONS = 0.6  # of the year's score: two years or more lie between the two
WITHIN_A_NAME = 0.80  # of the journal's score: all words of one name are in the other
_JOURNAL = re.compile(
    r"\b(?:journal|annals|archives?|transactions|quarterly|revue|revista|rivista|zeitschrift|tijdschrift|j|ann|arch|trans)\b"
)
_ANSWERS = frozenset(
    ("comment", "comments", "commentary", "reply", "response", "rejoinder", "debate", "addendum")
)


# What a notice is to its article, the gravest first.
NOTICES = {
    "retraction": LinkKind.RETRACTION,
    "correction": LinkKind.CORRECTION,
    "reply": LinkKind.REPLY,
    "protocol": LinkKind.PROTOCOL,
    "summary": LinkKind.SUMMARY,
    "reprint": LinkKind.REPRINT,
}


@dataclass(frozen=True)
class Pair:
    """Two records, made ready, and the scores of their fields.

    Every fact is the same whichever record is `a`.
    """

    a: Features
    b: Features
    scores: Scores

    @cached_property
    def best_title(self) -> float:
        """How alike the titles are, whole or the one as a piece of the other."""
        return max(self.scores.title, self.scores.inside)

    @property
    def one_title(self) -> bool:
        return self.scores.title >= ALIKE

    @cached_property
    def identified(self) -> bool:
        return identified(self.a, self.b)

    @property
    def a_title_is_missing(self) -> bool:
        return not self.a.title or not self.b.title

    @property
    def serial(self) -> bool:
        """At least one title is a standing one."""
        return self.a.serial or self.b.serial

    @property
    def both_serial(self) -> bool:
        return self.a.serial and self.b.serial

    @property
    def both_columns(self) -> bool:
        return self.a.column and self.b.column

    @property
    def meeting(self) -> bool:
        """At least one is a meeting's abstract; a page of those holds several."""
        return self.a.meeting or self.b.meeting

    @property
    def parts_differ(self) -> bool:
        """The titles name different parts, or one names a part and the other none."""
        return self.a.part != self.b.part

    @property
    def two_parts(self) -> bool:
        return bool(self.a.part and self.b.part and self.parts_differ)

    @cached_property
    def brief(self) -> bool:
        letters = min(len(self.a.title), len(self.b.title))
        blanks = min(self.a.title.count(" "), self.b.title.count(" "))
        return letters < BRIEF or blanks < BRIEF_BLANKS

    # --- authors

    @property
    def no_author_compared(self) -> bool:
        return self.scores.authors is None

    @property
    def other_authors(self) -> bool:
        return self.scores.authors is not None and not self.scores.written_by

    @property
    def signed(self) -> bool:
        """The first author of one is among the other's."""
        return (self.scores.authors or 0) >= NAMED_THERE

    def one_team(self, least: int) -> bool:
        """The same people in the same order, at least so many.

        A page read badly names some more than once.
        """
        left, right = self.a.names, self.b.names
        if len(left) != len(right):
            left, right = tuple(dict.fromkeys(left)), tuple(dict.fromkeys(right))
        return left == right and len(left) >= least

    @property
    def nearly_one_team(self) -> bool:
        """Three or more, of whom one side may lack one."""
        left, right = set(self.a.names), set(self.b.names)
        return len(left ^ right) < 2 and len(left & right) > 2

    # --- place

    @property
    def no_volume_or_page(self) -> bool:
        a, b = self.a, self.b
        return not any((a.volume, b.volume, a.pages[0], b.pages[0]))

    @property
    def same_journal(self) -> bool:
        return (self.scores.journal or 0) >= SAME_JOURNAL

    @property
    def other_journal(self) -> bool:
        return self.scores.journal is not None and self.scores.journal < OTHER_JOURNAL

    @property
    def same_abstract(self) -> bool:
        return (self.scores.abstract or 0) >= SAME_ABSTRACT

    @property
    def other_abstract(self) -> bool:
        return self.scores.abstract is not None and self.scores.abstract < OTHER_ABSTRACT

    @property
    def elsewhere(self) -> bool:
        """Other pages of another volume."""
        return self.scores.pages == 0 and self.scores.volume == 0

    @property
    def same_volume(self) -> bool:
        """The same volume of the same journal, and nothing of the place contradicts."""
        s = self.scores
        return s.volume == 1 and s.journal == 1 and s.issue != 0 and s.against == 0

    @cached_property
    def placed(self) -> bool:
        """Something besides title and authors ties the two: a journal, or, for reports that have
        none, the very year.
        """
        year = self.scores.year
        if self.no_volume_or_page and year is not None and year < 1:
            return False  # what comes out every year under one title
        if self.scores.journal is not None:
            return self.same_journal
        return year == 1 or bool(self.a.journal or self.b.journal)

    @cached_property
    def two_places(self) -> bool:
        """Another volume of another journal: a meeting's abstract and the paper, or a text that two
        journals printed.
        """
        elsewhere = self.scores.volume == 0 and self.scores.pages != 1 and self.other_journal
        wary = self.brief or other_word(self.a.title, self.b.title)
        return elsewhere and self.signed and not wary

    @property
    def page_by_chance(self) -> bool:
        """A page that agrees in another volume and issue, without an abstract that agrees too."""
        s = self.scores
        return s.volume == 0 and s.issue == 0 and not self.same_abstract

    @property
    def standing_place(self) -> bool:
        """Where a standing title is one item: one page of one volume, or one issue and its author."""
        s = self.scores
        by_issue = s.issue == 1 and s.pages is None and s.authors == 1
        place = s.volume == 1 and s.issue != 0 and (s.pages == 1 or by_issue)
        return place and s.authors in (None, 1.0) and s.journal in (None, 1.0)

    # --- titles

    @cached_property
    def other_word(self) -> bool:
        return other_word(self.a.title, self.b.title)

    @cached_property
    def other_subject(self) -> bool:
        """Titles of one series differ in a word: another drug, sex or phase.

        Where pages differ, any word counts; in one issue, only words that have next to nothing in
        common: misprints are likelier there than two of a series.
        """
        if self.scores.spot and not self.meeting:
            return False
        least = MISPRINT_IN_ISSUE if self.scores.number else MISPRINT
        if self.scores.pages == 0:
            least = MISPRINT_ELSEWHERE
        return other_word(self.a.title, self.b.title, least)

    @property
    def of_a_series(self) -> bool:
        """Where titles differ in a word, what speaks for two of a series and not for a misprint."""
        s = self.scores
        numbered = not s.number and other_number(self.a.title, self.b.title)
        return not s.written_by or s.against > 1 or numbered

    @cached_property
    def torn(self) -> bool:
        """The end of one title is the beginning of the other, by the same people."""
        like = not self.parts_differ and self.one_team(2)
        return like and torn(self.a.title, self.b.title)

    @cached_property
    def under_running_head(self) -> bool:
        """One title is the line above the pages of the other."""
        if self.scores.authors != 1:
            return False
        sides = ((self.a, self.b), (self.b, self.a))
        return any(running_head(x.title, y.title, x.names[0]) for x, y in sides)

    @cached_property
    def runs_on(self) -> bool:
        """The longer title goes on with what stands, or should stand, in the other's field of
        authors.
        """
        short, long = sorted((self.a, self.b), key=lambda f: len(f.title))
        if len(short.title) < BRIEF or not long.title.startswith(f"{short.title} "):
            return False
        rest = long.title[len(short.title) :].split()
        more = {word for word in rest if not word.isdigit()}
        return bool(more) and more <= short.given

    @property
    def year_in_title(self) -> bool:
        """The years contradict in one issue, and one of them stands in a title: it was read there."""
        if self.scores.year != 0 or not self.scores.number:
            return False
        return any(str(side.year) in side.title.split() for side in (self.a, self.b))

    # --- notices and versions

    @cached_property
    def other_notice(self) -> bool:
        """One is a notice and the other is not, or is of another kind.

        A notice does not fill the pages of its article: where all pages agree, the mark is a word.
        """
        if self.a.notice == self.b.notice or self.identified:
            return False
        whole = self.scores.spot and self.scores.span and self.scores.authors == 1
        return not whole

    @cached_property
    def notice_of(self) -> bool:
        """The notice is on the other: a reply names other authors than its article.

        A correction, a protocol and a reprint do not.
        """
        s = self.scores
        near = s.title >= ALIKE or s.inside >= INSIDE
        if self.notice_on_the_paper_of_an_abstract:
            return False
        reply = "reply" in (self.a.notice, self.b.notice)
        tied = near and (s.authors is None or reply)
        return tied or (s.written_by and (near or s.title >= CLOSE))

    @property
    def notice_on_the_paper_of_an_abstract(self) -> bool:
        """The notice names the title without the number that a meeting's programme gave the other."""
        notice, other = (self.a, self.b) if self.a.notice else (self.b, self.a)
        return not other.notice and names_without_number(notice.title, other.title)

    @cached_property
    def stated(self) -> LinkKind | None:
        """What the source of one says the other is to it."""
        return stated(self.a, self.b)

    @property
    def preprint_renamed(self) -> bool:
        """A preprint and an article by the same people under another title, which peer review may
        bring: the titles are near, or half alike over the same abstract.
        """
        if self.a.preprint == self.b.preprint:
            return False
        team = self.nearly_one_team or self.one_team(2)
        near = self.scores.title >= CLOSE or (
            self.scores.title >= HALF_ALIKE and self.same_abstract
        )
        of_a_series = self.two_parts or self.other_number or self.a.notice != self.b.notice
        return team and near and not (of_a_series or self.identified)

    @property
    def both_registered(self) -> bool:
        return bool(self.a.registration and self.b.registration)

    @property
    def one_registration(self) -> bool:
        return self.a.registration == self.b.registration

    @property
    def registered_twice(self) -> bool:
        """One entry names the other's number, or both the same third one."""
        return registered_twice(self.a, self.b)

    @property
    def names_registration(self) -> bool:
        """One is a register's entry, the other a report that names its number and hardly another."""
        return names_registration(self.a, self.b)

    @property
    def notice_kind(self) -> LinkKind:
        """What kind of notice one of the two is, the gravest where both are notices."""
        notices = (self.a.notice, self.b.notice)
        return next(kind for notice, kind in NOTICES.items() if notice in notices)

    def of_forms(self, form: str) -> bool:
        """One is of this form, the other of another that is known."""
        forms = {self.a.form, self.b.form}
        return form in forms and len(forms) == 2 and "" not in forms

    @property
    def one_trial(self) -> bool:
        return not self.a.trial.isdisjoint(self.b.trial)

    @property
    def cochrane_versions(self) -> bool:
        s = self.scores
        later = s.year is not None and s.year < YEARS_OF_VERSIONS
        return s.pages == 1 and self.a.pages[0].startswith("cd0") and later

    @property
    def two_trials(self) -> bool:
        return bool(self.a.trial and self.b.trial and self.a.trial.isdisjoint(self.b.trial))

    # --- a record without a title

    @property
    def title_was_lost(self) -> bool:
        """A record without a title may be one that has a title, by the same people in the same
        issue: where no identifier would tell better, and the title is not one of several like it.
        """
        plain = not (self.both_serial or self.a.part or self.b.part)  # no title counts as serial
        untitled = [side for side in (self.a, self.b) if not side.title]
        telling = any(side.doi or side.pmid or side.pmcid for side in untitled)
        return plain and not telling and not _answers(self.a.title + self.b.title)

    @property
    def place_of_the_untitled(self) -> bool:
        """The same volume and year, and a team of two where the issue is known, else of three."""
        team = self.one_team(2 if self.scores.issue == 1 else 3)
        return self.same_volume and self.scores.year in (None, 1) and team

    # --- the same pages, another title

    @property
    def whole_article(self) -> bool:
        """First and last page, first author, journal and issue agree."""
        s = self.scores
        return s.span and s.authors == 1 and self.same_journal and s.issue != 0

    @property
    def long_titles(self) -> bool:
        return min(len(self.a.title), len(self.b.title)) >= LONG

    @cached_property
    def two_ranges(self) -> bool:
        """Two full ranges of pages, or a page and a range, that do not meet, in one volume."""
        if self.scores.volume != 1 or self.scores.pages == 1:
            return False
        one, two = _range(self.a.pages), _range(self.b.pages)
        if one is None or two is None:
            return False
        return one[1] < two[0] or two[1] < one[0]

    @property
    def two_issues(self) -> bool:
        return self.scores.issue == 0

    @property
    def one_page_twice(self) -> bool:
        """Both are on one page and, as far as the databases say, no other: the same page of the
        same volume and issue, by the same author.
        """
        s = self.scores
        single = _single(self.a.pages) and _single(self.b.pages)
        return single and s.spot and s.issue != 0 and s.authors in (None, 1.0)

    @property
    def last_page_is_told(self) -> bool:
        return bool(self.a.pages[1] and self.b.pages[1])

    # --- what only one title counts

    @cached_property
    def counted_once(self) -> bool:
        """One title has a number more, and neither page nor issue speaks for a footnote's mark."""
        in_place = self.scores.spot or self.scores.number
        return not in_place and counted_once(self.a.title, self.b.title)

    @cached_property
    def numbered_in_a_programme(self) -> bool:
        """One title is the other with a number before it, as programmes of meetings have them; they
        do not stand on one page or in one issue.
        """
        in_place = self.scores.spot or self.scores.number
        return not in_place and programme_number(self.a.title, self.b.title)

    @cached_property
    def other_number(self) -> bool:
        return other_number(self.a.title, self.b.title)

    @cached_property
    def another_on_the_page(self) -> bool:
        """One first page, and titles that count differently or differ in a letter of a script in
        which that may be a word; the last pages do not agree.
        """
        differ = self.other_number or other_letter(self.a.title, self.b.title)
        return self.scores.spot and not self.scores.span and differ

    # --- reports without a journal

    @property
    def nothing_but_a_name(self) -> bool:
        """A heading or a brief title, and no volume, page or abstract that could tell two apart."""
        blanks = min(self.a.title.count(" "), self.b.title.count(" "))
        brief = self.brief and blanks < HEADING_BLANKS and len(self.a.names) < 2
        untold = self.no_volume_or_page and not self.same_abstract
        return untold and (brief or self.a.recurring or self.b.recurring)

    @property
    def heading_in_two_issues(self) -> bool:
        """A heading, or so brief a title by one author, in two issues: a column has one in each, often
        on the same page.
        """
        blanks = min(self.a.title.count(" "), self.b.title.count(" "))
        by_one = max(len(self.a.names), len(self.b.names)) < 2
        heading = (blanks < HEADING_BLANKS and by_one) or self.a.recurring or self.b.recurring
        return heading and self.two_issues and not self.same_abstract

    @property
    def two_journals(self) -> bool:
        """The places are journals by their names, which are not one: journals print one guideline
        side by side.

        "Care Quarterly" says it; "Diabetes" and "Diabetes Care" are such, as any name that another
        begins with, while "ACM SIGMOD Record" is "SIGMOD Record" with its publisher's name.
        """
        if self.same_journal:
            return False
        named = _JOURNAL.search(self.a.journal) or _JOURNAL.search(self.b.journal)
        if named and (self.scores.journal or 0) < WITHIN_A_NAME:
            return True
        short, long = sorted((self.a.journal, self.b.journal), key=len)
        begins = long.startswith(f"{short} ")
        single_word = " " not in short and short in long.split()
        return bool(short) and (begins or single_word)

    @cached_property
    def renamed_place(self) -> bool:
        """The same title, all authors and the year; no volume, issue or page on either side; the
        names of the place differ, and neither names a kind of its own.
        """
        s = self.scores
        team = self.one_team(2) or (self.one_team(1) and self.long_titles)
        no_place = self.no_volume_or_page and not (self.a.issue or self.b.issue)
        telling = not (self.brief or self.a.recurring or self.b.recurring or self.meeting)
        like = s.title >= EQUAL and s.year == 1 and not self.other_abstract
        if self.two_journals:
            return False
        return like and team and no_place and telling

    @property
    def unsigned_report(self) -> bool:
        """The same title and year, not brief, no author to compare, and nothing contradicts."""
        s = self.scores
        telling = not (self.brief or self.serial or self.a.recurring or self.b.recurring)
        like = s.title >= EQUAL and s.year == 1 and telling
        return like and self.no_author_compared and not self.contradicted

    @property
    def contradicted(self) -> bool:
        """A fact of place contradicts; of two unsigned reports a differing name of the place does
        not.
        """
        allowed = 1 if self.other_journal else 0
        return self.scores.against > allowed or self.scores.pages == 0

    @property
    def one_address(self) -> bool:
        return bool(self.a.address) and self.a.address == self.b.address

    @property
    def one_body(self) -> bool:
        """A body that is the author or the publisher of both, or the same journal."""
        return self.same_journal or not self.a.bodies.isdisjoint(self.b.bodies)

    @property
    def signed_by_one_side(self) -> bool:
        """One side names persons as authors, the other nobody."""
        return any(set(side.names) - side.bodies for side in (self.a, self.b))

    @property
    def like_by_place(self) -> bool:
        """The title is half alike, or the page agrees (a page of a meeting holds several items)."""
        paged = self.scores.pages == 1 and not self.meeting
        return self.scores.title >= HALF_ALIKE or paged


def _range(pages: tuple[str, str]) -> tuple[int, int] | None:
    """First and last page as numbers, of a single page twice; None where one has a letter."""
    first, last = pages[0], pages[1] or pages[0]
    if not (first.isdigit() and last.isdigit()):
        return None
    return int(first), int(last)


def _single(pages: tuple[str, str]) -> bool:
    return pages[0] != "" and pages[1] in ("", pages[0])


def identified(a: Features, b: Features) -> bool:
    """An identifier agrees."""
    doi = a.doi and a.doi == b.doi
    pmid = a.pmid and a.pmid == b.pmid
    pmcid = a.pmcid and a.pmcid == b.pmcid
    return bool(doi or pmid or pmcid)


def stated(a: Features, b: Features) -> LinkKind | None:
    """What the source of one says the other is to it; None where neither says anything.

    Where they say different things, the first of the kinds, so that the order of the two is nothing.
    """
    if not (a.related or b.related):
        return None
    kinds = [other.kind for other in a.related if other.id in b.ids]
    kinds += [other.kind for other in b.related if other.id in a.ids]
    return min(kinds, key=list(LinkKind).index) if kinds else None


def registered_twice(a: Features, b: Features) -> bool:
    """Two entries of registers of which one names the other's number, or both the same third one."""
    if not (a.registration and b.registration) or a.registration == b.registration:
        return False
    one, two = a.also | {a.registration}, b.also | {b.registration}
    return not one.isdisjoint(two)


def names_registration(a: Features, b: Features) -> bool:
    """One is a register's entry, the other a report that names its number and hardly another."""
    if bool(a.registration) == bool(b.registration):
        return False
    entry, report = (a, b) if a.registration else (b, a)
    return entry.registration in report.trial and len(report.trial) <= MOST_TRIALS


def tied(a: Features, b: Features) -> bool:
    """A source, a register or a report says that the two belong together."""
    if stated(a, b) is not None:
        return True
    if not (a.registration or b.registration):
        return False
    one = a.registration == b.registration
    return one or registered_twice(a, b) or names_registration(a, b)


def _answers(title: str) -> bool:
    """One of several items by the same people: it answers somebody, or a letter or number at its
    end counts it.
    """
    return not _ANSWERS.isdisjoint(title.split()) or title[-2:-1] == " "
