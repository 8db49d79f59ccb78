"""What two reports that belong together are to each other.

The one home of these kinds: sources say them, the rules of deduplication give them, people choose
among them, and pages name them. Linked reports stay two reports, of one study.
"""

from __future__ import annotations

from enum import StrEnum


class LinkKind(StrEnum):
    """What the lesser of two linked reports is to the other; the value is what is stored."""

    PREPRINT = "preprint"
    ACCEPTED_MANUSCRIPT = "accepted-manuscript"
    VERSION = "version"
    CORRECTION = "correction"
    RETRACTION = "retraction"
    CONCERN = "expression-of-concern"
    REPLY = "reply"
    PROTOCOL = "protocol"
    REGISTRATION = "registration"
    REGISTERED_TWICE = "registered-twice"
    THESIS = "thesis"
    CONFERENCE_ABSTRACT = "conference-abstract"
    SUMMARY = "summary"
    REPRINT = "reprint"
    SAME_STUDY = "same-study"


# What a person reads of a link, whichever side is looked at.
WORDS: dict[LinkKind, str] = {
    LinkKind.PREPRINT: "a preprint and its published version",
    LinkKind.ACCEPTED_MANUSCRIPT: "an accepted manuscript and its published version",
    LinkKind.VERSION: "two versions or editions",
    LinkKind.CORRECTION: "a correction and its article",
    LinkKind.RETRACTION: "a retraction and its article",
    LinkKind.CONCERN: "an expression of concern and its article",
    LinkKind.REPLY: "a comment or reply and its article",
    LinkKind.PROTOCOL: "a protocol and its results",
    LinkKind.REGISTRATION: "a trial's registration and its report",
    LinkKind.REGISTERED_TWICE: "one trial in two registers",
    LinkKind.THESIS: "a thesis and what was published of it",
    LinkKind.CONFERENCE_ABSTRACT: "a conference abstract and its paper",
    LinkKind.SUMMARY: "a report and its summary",
    LinkKind.REPRINT: "one text in two places",
    LinkKind.SAME_STUDY: "two reports of one study",
}
