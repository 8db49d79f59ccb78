"""Who extracted the form in force of each study, and who held it against the reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from livereview.store.open import Connection
from livereview.store.rows import read_as


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a study's extraction in force stands.

    Attributes:
        study: Its id.
        extraction: The id of the extraction in force.
        extractor: Whose it is.
        made: When it was saved.
        earlier: Others who extracted the study before, by name.
        checker: Who checked it last, where that check stands; None: nobody.
        checked: When.
    """

    study: str
    extraction: str
    extractor: str
    made: datetime
    earlier: tuple[str, ...]
    checker: str | None
    checked: datetime | None

    def may_be_checked_by(self, person: str) -> bool:
        """Whether another than this person has extracted the study, now or before."""
        return self.extractor != person or bool(self.earlier)


def append(
    con: Connection, id: str, review: str, of: Standing, person: str, stands: bool, now: datetime
) -> bool:
    """Write that a person checked the extraction in force, or takes that back; False if known."""
    rows = con.execute(
        """INSERT INTO extraction_check (id, review, study, extraction_id, person, stands, made)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id""",
        [id, review, of.study, of.extraction, person, stands, now],
    ).fetchall()
    return bool(rows)


def standings(con: Connection, review: str) -> dict[str, Standing]:
    """Where the extraction in force of each study stands; studies without one are left out."""
    rows = read_as(
        con,
        _standing,
        """WITH last_check AS (
            SELECT extraction_id, arg_max(person, seq) AS person, arg_max(stands, seq) AS stands,
                max(made) AS made
            FROM extraction_check WHERE review = $review GROUP BY extraction_id
        ), extractors AS (
            SELECT study, list_sort(list(DISTINCT extractor)) AS everybody
            FROM extraction WHERE review = $review GROUP BY study
        )
        SELECT c.study, c.id AS extraction, c.extractor, c.made, e.everybody,
            CASE WHEN k.stands THEN k.person END AS checker,
            CASE WHEN k.stands THEN k.made END AS checked
        FROM current_extraction c JOIN extractors e USING (study)
        LEFT JOIN last_check k ON k.extraction_id = c.id
        WHERE c.review = $review ORDER BY c.study""",
        {"review": review},
    )
    return {standing.study: standing for standing in rows}


def _standing(
    study: str,
    extraction: str,
    extractor: str,
    made: datetime,
    everybody: list[str],
    checker: str | None,
    checked: datetime | None,
) -> Standing:
    earlier = tuple(person for person in everybody if person != extractor)
    return Standing(study, extraction, extractor, made, earlier, checker, checked)
