"""The rules by which a pair of records is judged: a table, read from the top, the first that holds
decides.

A chapter gathers the rules for one situation. Its last rule holds for every pair that gets there,
unless the chapter says that a pair may pass through. `says` is what a person reads beside a pair,
`name` is how a rule is cited, `why` is its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livereview.dedup.compare import (
    ALIKE,
    CLOSE,
    EQUAL,
    HALF_ALIKE,
    INSIDE,
    LIKE_IN_PLACE,
    ODD,
    other_letter,
)
from livereview.dedup.pair import BRIEF, Pair
from livereview.links import LinkKind

RULES_VERSION = "9"


@dataclass(frozen=True, slots=True)
class Rule:
    """A verdict, when it is given, and why; `link` says what two linked reports are to each other."""

    name: str
    verdict: str
    says: str
    when: Callable[[Pair], bool]
    why: str
    link: Callable[[Pair], LinkKind] | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """The rules for the pairs for which `when` holds; a pair for which none of them holds passes on
    to the next chapter.
    """

    when: Callable[[Pair], bool]
    rules: tuple[Rule, ...]


def always(_pair: Pair) -> bool:
    return True


def of_kind(kind: LinkKind) -> Callable[[Pair], LinkKind]:
    """A link of this kind, whatever the pair."""
    return lambda _pair: kind


UNLIKE = Rule(
    "titles-differ",
    "different",
    "the titles differ",
    always,
    "Nothing but an identifier, a place or authors in one issue could tie two unlike titles.",
)


# --- what keeps a pair with like titles apart


def _like(pair: Pair) -> bool:
    return pair.best_title >= CLOSE


def _another_parts(pair: Pair) -> bool:
    return _like(pair) and pair.two_parts


def _preprint(pair: Pair) -> bool:
    kinds_differ = pair.a.preprint != pair.b.preprint
    s = pair.scores
    return pair.one_title and s.authors != 0 and kinds_differ and s.doi != 1


def _cochrane(pair: Pair) -> bool:
    return _like(pair) and pair.cochrane_versions


def _two_trials(pair: Pair) -> bool:
    return _like(pair) and pair.two_trials


def _meeting_and_paper(pair: Pair) -> bool:
    s = pair.scores
    one_title = pair.one_title or pair.numbered_in_a_programme
    one_is_an_abstract = pair.a.meeting != pair.b.meeting or pair.numbered_in_a_programme
    kinds_differ = s.pages == 0 and one_is_an_abstract
    return one_title and kinds_differ and s.written_by and s.doi != 1


def _thesis(pair: Pair) -> bool:
    s = pair.scores
    return pair.one_title and pair.of_forms("thesis") and s.authors != 0 and s.doi != 1


def _registration(pair: Pair) -> bool:
    tied = pair.scores.written_by or pair.one_trial
    return _like(pair) and pair.of_forms("trial") and tied and pair.scores.doi != 1


def _one_page(pair: Pair) -> bool:
    return pair.other_notice and pair.notice_of and pair.one_page_twice


APART = (
    Rule(
        "retraction-on-one-page",
        "doubtful",
        "one page, one of the two is called a retraction",
        lambda pair: _one_page(pair) and "retraction" in (pair.a.notice, pair.b.notice),
        "One page holds one item; whether it is retracted or retracts must not rest on a rule.",
    ),
    Rule(
        "notice-on-one-page",
        "same",
        "one page of one issue, with and without the word of a notice",
        lambda pair: _one_page(pair) and pair.last_page_is_told,
        "One page of one issue cannot hold the article and the notice on it.",
    ),
    Rule(
        "notice-on-first-page",
        "doubtful",
        "one page of one issue, with and without the word of a notice",
        _one_page,
        "The article may have more pages than its record tells.",
    ),
    Rule(
        "notice-of",
        "linked",
        "one is a notice, protocol or reply to the other",
        lambda pair: pair.other_notice and pair.notice_of,
        "A correction, retraction, reply, protocol or summary is a report of its own, and belongs"
        " to its article.",
        lambda pair: pair.notice_kind,
    ),
    Rule(
        "notice-of-another",
        "different",
        "one is a notice, protocol or reply",
        lambda pair: pair.other_notice,
        "A notice on something else has nothing to do with this article.",
    ),
    Rule(
        "two-parts",
        "different",
        "different parts",
        _another_parts,
        "Part I and Part II of a series are two articles, however alike the rest is.",
    ),
    Rule(
        "preprint",
        "linked",
        "a preprint and its published version",
        _preprint,
        "Peer review may have changed the findings; both are reports of one study.",
        of_kind(LinkKind.PREPRINT),
    ),
    Rule(
        "thesis",
        "linked",
        "a thesis and what was published of it",
        _thesis,
        "A thesis holds more than its article; both are reports of one study.",
        of_kind(LinkKind.THESIS),
    ),
    Rule(
        "registration",
        "linked",
        "a trial's registration and its report",
        _registration,
        "A register says what was planned, a report what came of it.",
        of_kind(LinkKind.REGISTRATION),
    ),
    Rule(
        "cochrane-versions",
        "doubtful",
        "two versions of a Cochrane review",
        _cochrane,
        "An update keeps title and number; a person knows which one the review needs.",
    ),
    Rule(
        "two-trials",
        "doubtful",
        "two trial registrations",
        _two_trials,
        "One trial may be registered twice; two trials of one team may share a title.",
    ),
    Rule(
        "meeting-abstract",
        "linked",
        "a meeting abstract and its paper",
        _meeting_and_paper,
        "The abstract may report an interim result; both are reports of one study.",
        of_kind(LinkKind.CONFERENCE_ABSTRACT),
    ),
)


# --- a source says what the two are to each other, or a register's number does


def _stated(pair: Pair) -> bool:
    return pair.stated is not None and not pair.identified


def _stated_kind(pair: Pair) -> LinkKind:
    return pair.stated or LinkKind.SAME_STUDY


STATED = (
    Rule(
        "stated",
        "linked",
        "a source says that the two belong together",
        always,
        "Publishers, registers and databases know what a preprint became and what a notice is on.",
        _stated_kind,
    ),
)

REGISTERED = (
    Rule(
        "one-registration",
        "same",
        "one number of one register",
        lambda pair: pair.one_registration,
        "A register gives each trial a number of its own.",
    ),
    Rule(
        "registered-twice",
        "linked",
        "one trial in two registers",
        lambda pair: pair.registered_twice,
        "A register's entry names the trial's number in the other; they may say different things.",
        of_kind(LinkKind.REGISTERED_TWICE),
    ),
    Rule(
        "two-registrations",
        "doubtful",
        "two trial registrations",
        _like,
        "One trial may be registered twice; two trials of one team may share a title.",
    ),
    Rule(
        "two-registrations-unlike",
        "different",
        "two trial registrations",
        always,
        "Two numbers, and two titles.",
    ),
)

PREPRINT_RENAMED = (
    Rule(
        "preprint-renamed",
        "linked",
        "a preprint and its published version, under another title",
        always,
        "Authors change a title in peer review; the same team and a like title or abstract tell.",
        of_kind(LinkKind.PREPRINT),
    ),
)

NAMES_REGISTRATION = (
    Rule(
        "registration-named",
        "linked",
        "the report names the number of the trial's registration",
        always,
        "A register says what was planned, a report what came of it.",
        of_kind(LinkKind.REGISTRATION),
    ),
)


# --- two DOIs: never one record, an alias is for a person to see, as is a wrong DOI


def _two_texts(pair: Pair) -> bool:
    return pair.best_title < ALIKE or not pair.scores.written_by or pair.serial


def _doubly_against(pair: Pair) -> bool:
    if not pair.one_title:
        return True
    against = pair.scores.against
    brief = len(pair.a.title) < BRIEF
    return (against > 1 and not pair.same_abstract) or (against > 0 and brief)


TWO_DOIS = (
    Rule(
        "two-dois",
        "different",
        "two DOIs",
        _two_texts,
        "Each DOI names one thing, and the titles or authors differ too.",
    ),
    *APART,
    Rule(
        "two-dois-two-journals",
        "linked",
        "one title by the same authors in two journals",
        lambda pair: pair.one_title and pair.two_places,
        "A text that two journals printed: two reports of one study.",
        of_kind(LinkKind.REPRINT),
    ),
    Rule(
        "two-dois-against",
        "different",
        "two DOIs",
        _doubly_against,
        "Place or abstract contradict besides the DOI.",
    ),
    Rule(
        "two-dois-one-title",
        "doubtful",
        "two DOIs, one title",
        always,
        "One of the DOIs may be an alias or wrong: decision 8 leaves that to a person.",
    ),
)


# --- an identifier agrees


def _untitled_contradicted(pair: Pair) -> bool:
    return pair.a_title_is_missing and (pair.scores.pages == 0 or pair.scores.authors == 0)


def _like_or_inside(pair: Pair) -> bool:
    return pair.scores.title >= CLOSE or pair.scores.inside >= INSIDE


def _like_but_contradicted(pair: Pair) -> bool:
    contradicted = pair.scores.authors == 0 or pair.other_word
    return _like_or_inside(pair) and pair.scores.pages == 0 and contradicted


def _same_people_and_place(pair: Pair) -> bool:
    s = pair.scores
    return s.written_by and s.pages != 0 and pair.like_by_place


def _same_issue_and_team(pair: Pair) -> bool:
    team = pair.scores.number and pair.one_team(2) and not pair.meeting
    return team and pair.scores.abstract in (None, 1)


def _identifier_alone(pair: Pair) -> bool:
    s = pair.scores
    many_items = s.pages == 0 and pair.other_abstract
    unsigned = s.authors is None and s.pages != 0
    return not many_items and (s.written_by or s.title >= HALF_ALIKE or unsigned)


IDENTIFIER = (
    Rule(
        "identifier-untitled-against",
        "doubtful",
        "an identifier agrees",
        _untitled_contradicted,
        "Without titles, pages or authors that contradict outweigh a copied identifier.",
    ),
    Rule(
        "identifier-untitled",
        "same",
        "an identifier agrees",
        lambda pair: pair.a_title_is_missing,
        "Nothing contradicts the identifier.",
    ),
    Rule(
        "identifier-against",
        "doubtful",
        "an identifier agrees",
        _like_but_contradicted,
        "Like titles on other pages under one identifier: one of the two identifiers is wrong.",
    ),
    Rule(
        "identifier-and-title",
        "same",
        "an identifier agrees",
        _like_or_inside,
        "Identifier and title agree.",
    ),
    Rule(
        "identifier-and-place",
        "same",
        "an identifier agrees",
        _same_people_and_place,
        "Identifier, authors and place agree: the title was translated or cut.",
    ),
    Rule(
        "identifier-issue-team",
        "same",
        "an identifier, the issue and all authors agree",
        _same_issue_and_team,
        "A title read badly, under one identifier in one issue.",
    ),
    Rule(
        "identifier-other-title",
        "doubtful",
        "an identifier agrees, the title does not",
        _identifier_alone,
        "A translated title or a wrong identifier: only a person can tell.",
    ),
    Rule(
        "identifier-shared",
        "different",
        "a DOI that many items share",
        always,
        "Meetings give all their abstracts the DOI of the supplement.",
    ),
)


# --- a title is missing

UNTITLED = (
    Rule(
        "untitled-team-issue",
        "same",
        "no title, the same people in the same issue",
        lambda pair: pair.title_was_lost and pair.place_of_the_untitled,
        "They may have written two articles there: of what a record without a title is tied to"
        " twice, `clusters` joins none.",
    ),
    Rule(
        "untitled-place",
        "doubtful",
        "no title, the same place",
        lambda pair: pair.scores.spot and pair.scores.authors == 1,
        "One page may hold two short items.",
    ),
    Rule("untitled", "different", "no title to compare", always, "Too little is known."),
)


# --- an issue has one column of its editor, whatever it is called


def _columns_of_one_issue(pair: Pair) -> bool:
    return pair.both_columns and pair.serial and pair.scores.number


def _unsigned_column(pair: Pair) -> bool:
    """An unsigned "Editorial" may be somebody else's."""
    plain = any(side.title.startswith("editorial") for side in (pair.a, pair.b))
    return pair.no_author_compared and not plain


COLUMN = (
    Rule(
        "column-with-subject",
        "doubtful",
        "the editor's column of one issue, one with its subject",
        lambda pair: not pair.both_serial and pair.signed,
        "An issue has one column of its editor, but an editor may write an article there too.",
    ),
    Rule(
        "column",
        "same",
        "the editor's column of one issue",
        lambda pair: pair.both_serial and (pair.signed or _unsigned_column(pair)),
        "An issue has one column of its editor.",
    ),
)


# --- "Editorial" is one item only in one place


def _standing(pair: Pair) -> bool:
    least = HALF_ALIKE if pair.both_serial else ALIKE
    return pair.standing_place and pair.scores.title >= least


SERIAL = (
    Rule(
        "standing-title",
        "same",
        "a standing title in the same place",
        _standing,
        "One page of one volume holds one editorial.",
    ),
    Rule(
        "standing-title-and-more",
        "doubtful",
        "a standing title in the same place, more in the other",
        lambda pair: pair.standing_place and pair.scores.inside >= INSIDE,
        "The longer title may be the editorial's own.",
    ),
    Rule(
        "standing-title-elsewhere",
        "different",
        "a standing title",
        always,
        "Every issue has one.",
    ),
)

RUNS_ON = (
    Rule(
        "runs-on",
        "same",
        "one title goes on with the other's authors, in the same issue",
        lambda pair: pair.runs_on,
        "A page read badly: the line of authors was taken for the title's end.",
    ),
)


# --- the titles agree: authors and place decide


def _authors_written_otherwise(pair: Pair) -> bool:
    s = pair.scores
    in_issue = s.number and len(pair.a.title) >= 2 * BRIEF
    return pair.other_authors and s.title >= EQUAL and (s.spot or in_issue)


def _brief_title(pair: Pair) -> bool:
    in_issue = pair.scores.number and (pair.scores.authors or pair.same_abstract)
    return pair.brief and not pair.scores.spot and not in_issue


def _brief_but_tied(pair: Pair) -> bool:
    s = pair.scores
    tied = s.written_by and s.year == 1 and pair.same_journal
    return _brief_title(pair) and tied and not s.against


def _brief_and_like(pair: Pair) -> bool:
    return _brief_title(pair) and pair.scores.written_by and pair.scores.against < 2


def _title_and_place(pair: Pair) -> bool:
    s = pair.scores
    return s.signs >= 2 and s.against <= 1 and not pair.page_by_chance


ONE_TITLE = (
    Rule(
        "another-of-a-series",
        "different",
        "the titles differ in a word or number",
        lambda pair: pair.other_subject and pair.of_a_series,
        "Another drug, sex or phase, and other authors, place or number.",
    ),
    Rule(
        "another-word",
        "doubtful",
        "the titles differ in a word or number",
        lambda pair: pair.other_subject,
        "A misprint or another of a series: only a person can tell.",
    ),
    Rule(
        "one-names-a-part",
        "doubtful",
        "one title names a part",
        lambda pair: pair.parts_differ and not pair.scores.spot,
        "The other may be another part, or the whole.",
    ),
    Rule(
        "one-is-counted",
        "doubtful",
        "one title has a number more",
        lambda pair: pair.counted_once,
        "The first and the second of a series, of which only the second is counted.",
    ),
    Rule(
        "number-in-a-programme",
        "doubtful",
        "one title has a number of a meeting's programme before it",
        lambda pair: pair.numbered_in_a_programme,
        "A journal may print a meeting's abstract and, later, the paper; without pages nothing tells"
        " whether the two are one.",
    ),
    Rule(
        "another-on-the-page",
        "doubtful",
        "the titles differ in a word or number",
        lambda pair: pair.another_on_the_page,
        "A page may hold the abstracts or letters of a series.",
    ),
    Rule(
        "two-ranges",
        "doubtful",
        "two ranges of pages in two issues",
        lambda pair: pair.two_ranges and pair.two_issues,
        "A notice under its article's title, a part of a series, or an error in one database.",
    ),
    Rule(
        "heading-only",
        "doubtful",
        "a heading that comes again and again",
        lambda pair: pair.nothing_but_a_name and pair.scores.written_by,
        "Nothing tells one column of an author from the next.",
    ),
    Rule(
        "heading-in-two-issues",
        "doubtful",
        "a heading in two issues",
        lambda pair: pair.heading_in_two_issues and pair.scores.signs >= 1,
        "A column has one in each issue, by the same editor and often on the same page.",
    ),
    Rule(
        "unsigned-one-address",
        "same",
        "title, year and address agree",
        lambda pair: pair.unsigned_report and pair.one_address,
        "A report of a body has no authors; its address is its identifier.",
    ),
    Rule(
        "unsigned-one-body",
        "same",
        "title, year and body or journal agree",
        lambda pair: pair.unsigned_report and pair.one_body and not pair.signed_by_one_side,
        "A report of a body has no authors; a body does not publish two under one title a year.",
    ),
    Rule(
        "unsigned",
        "doubtful",
        "title and year agree, a side names no author",
        lambda pair: pair.unsigned_report and pair.scores.signs < 2,
        "A report of which one database names the body and the other does not.",
    ),
    Rule(
        "authors-otherwise",
        "same",
        "title and place agree, authors are written differently",
        _authors_written_otherwise,
        "Names in another script or order, under one title in one place.",
    ),
    Rule(
        "other-authors",
        "different",
        "other authors",
        lambda pair: pair.other_authors,
        "Two teams may choose one title.",
    ),
    Rule(
        "brief-title-tied",
        "same",
        "title and authors agree, nothing contradicts",
        _brief_but_tied,
        "A brief title by the same authors in the same journal and year.",
    ),
    Rule(
        "brief-title-like",
        "doubtful",
        "a short title",
        _brief_and_like,
        "A brief title is not rare enough to speak for itself.",
    ),
    Rule("brief-title", "different", "a short title", _brief_title, "Nothing ties the two."),
    Rule(
        "title-and-place",
        "same",
        "title and place agree",
        _title_and_place,
        "Two facts of place agree and at most one contradicts.",
    ),
    Rule(
        "title-only",
        "different",
        "only the title agrees",
        lambda pair: not pair.scores.written_by,
        "A title alone is never enough.",
    ),
    Rule(
        "two-journals",
        "linked",
        "one title by the same authors in two journals",
        lambda pair: pair.two_places,
        "A text that two journals printed: two reports of one study.",
        of_kind(LinkKind.REPRINT),
    ),
    Rule(
        "renamed-place",
        "same",
        "title, all authors and year agree, the place is named otherwise",
        lambda pair: pair.renamed_place,
        "One report under the names of its series and of its publisher.",
    ),
    Rule(
        "place-against",
        "doubtful",
        "the title agrees, the place does not",
        lambda pair: pair.scores.against > 0 or not pair.placed,
        "Another edition, another report of the study, or an error in one database.",
    ),
    Rule(
        "title-and-authors",
        "same",
        "title and authors agree, nothing contradicts",
        always,
        "A title that is not brief, its authors, and a journal or year.",
    ),
)


# --- the titles differ: a subtitle more, a translation, a misprint; one place and one author tie them

WITHIN = "one title within the other, in the same place"


def _within(pair: Pair) -> bool:
    return pair.scores.written_by and pair.scores.inside >= INSIDE


def _within_in_place(pair: Pair) -> bool:
    s = pair.scores
    renamed = s.spot and pair.other_journal
    excused = 1 if renamed or pair.year_in_title else 0
    return (s.spot or s.number) and s.against <= excused


def _within_series(pair: Pair) -> bool:
    differ = pair.other_number or other_letter(pair.a.title, pair.b.title)
    return differ and not (pair.scores.spot and pair.scores.span)


WITHIN_RULES = (
    Rule(
        "within-of-a-series",
        "doubtful",
        "the titles differ in a word or number",
        _within_series,
        "One title fits into the other but for the number that tells them apart.",
    ),
    Rule(
        "within-names-a-part",
        "doubtful",
        "one title names a part",
        lambda pair: pair.parts_differ and not pair.scores.spot,
        "The other may be another part, or the whole.",
    ),
    Rule(
        "within-in-place",
        "same",
        WITHIN,
        _within_in_place,
        "A subtitle was left out. A year read out of a title is none.",
    ),
    Rule(
        "within-in-volume",
        "same",
        "one title within the other, in the same volume by the same people",
        lambda pair: pair.same_volume and pair.nearly_one_team and pair.long_titles,
        "Three authors and a long title do not meet twice in one volume by chance.",
    ),
    Rule(
        "within-like",
        "doubtful",
        "one title within the other",
        lambda pair: pair.scores.against < 2 and pair.same_journal,
        "A subtitle was left out, or an article and its series.",
    ),
    Rule("within", "different", "one title within the other", always, "Nothing else ties the two."),
)


def _within_unsigned(pair: Pair) -> bool:
    s = pair.scores
    place = (s.spot or s.number) and s.against == 0
    return pair.no_author_compared and s.inside >= EQUAL and place and not pair.brief


def _one_spot(pair: Pair) -> bool:
    return pair.scores.spot and pair.scores.against == 0 and not pair.meeting


def _spot_by_authors(pair: Pair) -> bool:
    proved = pair.scores.title >= HALF_ALIKE or pair.whole_article
    return pair.scores.written_by and proved


def _spot_unsigned(pair: Pair) -> bool:
    like = pair.scores.title >= HALF_ALIKE
    return pair.no_author_compared and pair.same_journal and like


SPOT_RULES = (
    Rule(
        "same-pages",
        "same",
        "the same pages by the same authors",
        _spot_by_authors,
        "The same pages of the same volume hold one article, whatever its title was translated to.",
    ),
    Rule(
        "same-pages-like",
        "doubtful",
        "the same pages by the same authors",
        lambda pair: pair.scores.written_by and pair.scores.title >= ODD,
        "The title may be a translation, or a second item on the page.",
    ),
    Rule(
        "same-pages-unlike",
        "different",
        "the same pages by the same authors",
        lambda pair: pair.scores.written_by,
        "Two short items by one author on one page.",
    ),
    Rule(
        "same-pages-unsigned",
        "same",
        "a like title on the same pages",
        lambda pair: _spot_unsigned(pair) and pair.scores.title >= LIKE_IN_PLACE,
        "Pages, journal and most of the title agree.",
    ),
    Rule(
        "same-pages-unsigned-like",
        "doubtful",
        "a like title on the same pages",
        _spot_unsigned,
        "Pages and journal agree, and half of the title.",
    ),
    Rule("same-pages-other", "different", "too little agrees", always, "Only a page agrees."),
)


def _in_issue(pair: Pair) -> bool:
    return pair.scores.number and pair.scores.against == 0


def _changed(pair: Pair) -> bool:
    s = pair.scores
    return s.written_by and s.against == 0 and s.title >= CLOSE


TWO_TITLES = (
    Rule(
        "torn",
        "same",
        "torn titles in the same issue",
        lambda pair: _in_issue(pair) and pair.torn,
        "A page read badly: one title lost its beginning, the other its end.",
    ),
    Rule(
        "running-head",
        "same",
        "a running head in the same issue",
        lambda pair: _in_issue(pair) and pair.under_running_head,
        "A page read badly: the line above the text was taken for the title.",
    ),
    Rule(
        "changed-word-in-issue",
        "doubtful",
        "a changed title in the same issue",
        lambda pair: _changed(pair) and pair.scores.number and pair.other_word,
        "A misprint or another article of the issue.",
    ),
    Rule(
        "changed-in-issue",
        "same",
        "a changed title in the same issue",
        lambda pair: _changed(pair) and pair.scores.number,
        "Misprints only, in one issue by the same authors.",
    ),
    Rule(
        "changed-in-place",
        "doubtful",
        "a changed title in the same place",
        lambda pair: _changed(pair) and pair.scores.signs >= 2,
        "A later title of the same work, or another work.",
    ),
    Rule("too-little", "different", "too little agrees", always, "Too little agrees."),
)

CHAPTERS = (
    Chapter(_stated, STATED),
    Chapter(lambda pair: pair.both_registered, REGISTERED),
    Chapter(lambda pair: pair.names_registration and not pair.identified, NAMES_REGISTRATION),
    Chapter(lambda pair: pair.preprint_renamed and not pair.one_title, PREPRINT_RENAMED),
    Chapter(lambda pair: pair.scores.doi == 0, TWO_DOIS),
    Chapter(always, APART),
    Chapter(lambda pair: pair.identified, IDENTIFIER),
    Chapter(lambda pair: pair.a_title_is_missing, UNTITLED),
    Chapter(_columns_of_one_issue, COLUMN),
    Chapter(lambda pair: pair.serial, SERIAL),
    Chapter(lambda pair: pair.scores.number, RUNS_ON),
    Chapter(lambda pair: pair.one_title, ONE_TITLE),
    Chapter(_within, WITHIN_RULES),
    Chapter(
        _within_unsigned,
        (
            Rule(
                "within-unsigned",
                "same",
                WITHIN,
                always,
                "A subtitle was left out, in one place, and nothing contradicts.",
            ),
        ),
    ),
    Chapter(_one_spot, SPOT_RULES),
    Chapter(always, TWO_TITLES),
)


def every_rule() -> list[Rule]:
    """All rules in the order in which they are tried, each once."""
    listed = [rule for chapter in CHAPTERS for rule in chapter.rules]
    return list(dict.fromkeys((UNLIKE, *listed)))


def decide(pair: Pair) -> Rule:
    """The rule that decides this pair: the first that holds."""
    for chapter in CHAPTERS:
        if not chapter.when(pair):
            continue
        for rule in chapter.rules:
            if rule.when(pair):
                return rule
    raise AssertionError("the last chapter has a rule for every pair")
