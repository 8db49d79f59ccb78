"""What people have typed in a study's form and not saved yet.

Every question names the person: a draft is never read for anybody else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import one_row


@dataclass(frozen=True, slots=True)
class Subject:
    """What a draft is about, and whose it is.

    Attributes:
        review: The id of the review.
        person: Who typed it.
        study: The study's id, or "new".
        report: The report that a new study began with; "" for a study that has an id.
    """

    review: str
    person: str
    study: str
    report: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft as it is kept.

    Attributes:
        id: Tells the drafts of one subject apart.
        subject: What it is about, and whose it is.
        version: How often it was saved.
        page: The page that saved it last.
        basis: The extraction that held when it was begun; "" for none.
        fields: What stands in each box that is not empty, by the name of the box.
        saved: When it was saved last.
    """

    id: str
    subject: Subject
    version: int
    page: str
    basis: str
    fields: Mapping[str, str]
    saved: datetime


_COLUMNS = "id, review, person, study, report, version, page, basis, fields, saved"


def write(con: Connection, draft: Draft) -> None:
    """Keep a draft, in the place of what was kept under its id."""
    subject = draft.subject
    con.execute(
        """INSERT INTO extraction_draft
            (id, review, person, study, report, version, page, basis, fields, saved)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (review, person, study, report, id) DO UPDATE SET
            version = excluded.version, page = excluded.page, fields = excluded.fields,
            saved = excluded.saved""",
        [
            draft.id,
            subject.review,
            subject.person,
            subject.study,
            subject.report,
            draft.version,
            draft.page,
            draft.basis,
            json.dumps(dict(draft.fields), ensure_ascii=False),
            draft.saved,
        ],
    )


def remove(con: Connection, subject: Subject, id: str) -> None:
    """Keep a person's draft no more."""
    con.execute(
        """DELETE FROM extraction_draft
        WHERE review = ? AND person = ? AND study = ? AND report = ? AND id = ?""",
        [subject.review, subject.person, subject.study, subject.report, id],
    )


def of_subject(con: Connection, subject: Subject) -> list[Draft]:
    """A person's drafts of one form, last saved first."""
    rows = con.execute(
        f"""SELECT {_COLUMNS} FROM extraction_draft
        WHERE review = ? AND person = ? AND study = ? AND report = ?
        ORDER BY saved DESC, id""",  # noqa: S608
        [subject.review, subject.person, subject.study, subject.report],
    ).fetchall()
    return [_draft(row) for row in rows]


def of_person(con: Connection, review: str, person: str) -> list[Draft]:
    """All of a person's drafts in a review, last saved first."""
    rows = con.execute(
        f"""SELECT {_COLUMNS} FROM extraction_draft
        WHERE review = ? AND person = ? ORDER BY saved DESC, id""",  # noqa: S608
        [review, person],
    ).fetchall()
    return [_draft(row) for row in rows]


def basis(con: Connection, subject: Subject) -> str:
    """The id of the extraction that this person's form begins with; "" for none.

    It is their own last one where they have one, else the one in force. What another extractor has
    said and is not in force is never looked at.
    """
    row = one_row(
        con,
        """SELECT id FROM (
            SELECT id, seq FROM extraction
            WHERE review = $review AND study = $study AND role = 'single' AND extractor = $person
            UNION SELECT id, seq FROM current_extraction WHERE review = $review AND study = $study
        ) ORDER BY seq DESC LIMIT 1""",
        {"review": subject.review, "study": subject.study, "person": subject.person},
    )
    return str(row[0]) if row else ""


def _draft(row: tuple[object, ...]) -> Draft:
    id, review, person, study, report, version, page, basis, fields, saved = row
    subject = Subject(str(review), str(person), str(study), str(report))
    assert isinstance(version, int)
    assert isinstance(saved, datetime)
    return Draft(
        str(id),
        subject,
        version,
        str(page),
        str(basis),
        json.loads(str(fields)),
        saved,
    )
