"""Where what a summary rests on came from: for each report its records with the first answer that
held them, and votes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from livereview.store import standings
from livereview.store.open import Connection

# report, source, key, search, query, sha256 of the bytes, when
Found = tuple[str, str, str, str, str, str, datetime]


def found(con: Connection, review: str, reports: Sequence[str]) -> list[Found]:
    """Each record of these reports: by which search, with which query, it was first found, and in
    which bytes.
    """
    where, values = standings.chosen(reports)
    return con.execute(
        f"""WITH mine AS (SELECT record_id, report_id FROM report WHERE report_id {where}
            UNION SELECT record_id, record_id FROM record WHERE record_id {where}
                AND record_id NOT IN (SELECT record_id FROM report)),
        first_hit AS (SELECT record_id, arg_min(search, seq) AS search, min(made) AS made FROM standing_hit
            WHERE review = ? AND times > 0 GROUP BY record_id)
        SELECT m.report_id, r.source, r.source_key, s.name, s.query, r.sha256, h.made FROM mine m
        JOIN first_hit h USING (record_id) JOIN search s USING (search)
        JOIN (SELECT record_id, min(version) AS version FROM record GROUP BY record_id) f USING (record_id)
        JOIN record r ON r.record_id = f.record_id AND r.version = f.version
        ORDER BY m.report_id, h.made, r.source, r.source_key""",  # noqa: S608
        [*values, *values, review],
    ).fetchall()


def decided(
    con: Connection, review: str, reports: Sequence[str]
) -> list[tuple[str, str, str, str, datetime, str]]:
    """(report, stage, role, verdict, when, version of the criteria) of each decision in force on
    these reports.
    """
    where, values = standings.chosen(reports)
    return con.execute(
        f"""SELECT report_id, stage, role, verdict, made, criteria_version FROM current_decision
        WHERE review = ? AND report_id {where} ORDER BY report_id, seq""",  # noqa: S608
        [review, *values],
    ).fetchall()


def extracted(con: Connection, review: str) -> dict[str, tuple[str, int, datetime]]:
    """(version of the form, how many people extracted or checked it, when what holds was made) of
    each study.
    """
    rows = con.execute(
        """WITH at_work AS (
            SELECT study, extractor AS person FROM extraction WHERE review = $review
            UNION ALL
            SELECT c.study, arg_max(k.person, k.seq)
            FROM extraction_check k JOIN current_extraction c ON c.id = k.extraction_id
            WHERE k.review = $review GROUP BY c.study, c.id HAVING arg_max(k.stands, k.seq)
        )
        SELECT c.study, c.form_version, count(DISTINCT w.person), c.made
        FROM current_extraction c JOIN at_work w USING (study)
        WHERE c.review = $review GROUP BY ALL ORDER BY c.study""",
        {"review": review},
    ).fetchall()
    return {study: (version, people, made) for study, version, people, made in rows}
