"""Commands of extraction: forms of studies, ratings of certainty, and what either would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from livereview.commands.base import Answer, Command


class Extracted(Answer):
    """What became of a form."""

    study: str
    reports: int
    """How many reports it ties to the study."""
    results: int
    known: bool
    """This person gave the same form last, and nothing was written."""
    questions: Sequence[str] = ()
    """What must be asked of a person before a result can count."""
    waits: str | None = None
    """What else it needs before it counts."""


class Extract(Command[Extracted]):
    """Write one extraction of one study and tie its reports to the study."""

    operation = "extract"

    id: str
    review: str
    data: Any
    """The form as `livereview.evidence.forms` describes it."""
    extractor: str
    name: str = "extraction"
    """What messages call the form: the name of its file, say."""
    role: str = "single"
    """`single`, or `consensus` of two people."""


class Rated(Answer):
    """A rating as it holds."""

    subject: str
    level: str
    studies: Sequence[str]
    """Those that it rests on."""
    known: bool


class Rate(Command[Rated]):
    """Write how sure a finding is, for the numbers that it rests on now."""

    operation = "rate"

    id: str
    review: str
    data: Any
    """The rating as `livereview.evidence.certainty` describes it."""
    by: str


class Grouped(Answer):
    """The study that a report belongs to now."""

    record: str
    study: str | None


class Group(Command[Grouped]):
    """Say that the report of a record belongs to a study, or to none."""

    operation = "group"

    id: str
    review: str
    record: str
    study: str | None
    by: str


class Coded(Answer):
    """What a report is about now."""

    record: str
    codes: Mapping[str, Any]
    """As `livereview.evidence.map_codes` describes them."""
    known: bool
    """These codes hold already, and nothing was written."""


class Code(Command[Coded]):
    """Say what a report is about, for the evidence and gap map."""

    operation = "code"

    id: str
    review: str
    record: str
    """An id, a DOI, "pmid:…" or the exact title."""
    codes: Any
    """As `livereview.evidence.map_codes` describes them."""
    by: str
    also: Sequence[str] = ()
    """What else tells the report, each as `record` may be, the surest first."""
    year: int | None = None
    """Of the report; it tells reports of one title apart."""


class ChangedSentence(Answer):
    """A public sentence before and after."""

    claim: str
    kind: str = Field(alias="class")
    """Its class of change, in words."""
    why: str
    before: str | None
    after: str | None


class WouldChange(Answer):
    """What the public page would say."""

    change: str
    """The class of the most serious change."""
    sentences: Sequence[ChangedSentence]


class PreviewForm(Command[WouldChange]):
    """The public sentences that a form would change; nothing is written."""

    operation = "preview"

    review: str
    form: Any
    name: str = "extraction"


class PreviewWithout(Command[WouldChange]):
    """The public sentences that would change if a study were removed."""

    operation = "without"

    review: str
    study: str


class SheetForms(Answer):
    """The forms that a sheet holds."""

    forms: Sequence[dict[str, Any]]


class ReadSheet(Command[SheetForms]):
    """The forms in a CSV sheet, checked against the protocol; nothing is written."""

    operation = "read_sheet"

    review: str
    text: str
