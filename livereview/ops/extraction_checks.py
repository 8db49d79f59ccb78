"""A study that one person extracted is held against its reports by another."""

from __future__ import annotations

from datetime import datetime

from livereview.errors import Refused
from livereview.ops.protocols import protocol
from livereview.store import extraction_checks, versions
from livereview.store.extraction_checks import Standing
from livereview.store.open import Connection, Store


def asked_for(con: Connection, review: str) -> bool:
    """Whether studies are extracted by one person, so that another's check is worth noting."""
    return protocol(con, review).extractors == 1


def check(
    store: Store,
    *,
    id: str,
    review: str,
    study: str,
    extraction: str,
    by: str,
    now: datetime,
    stands: bool = True,
) -> Standing:
    """Note that a person checked the extraction in force of a study, or takes their check back.

    The same id again changes nothing.

    Args:
        store: The store.
        id: Of this event.
        review: Its id.
        study: Its id.
        extraction: The extraction that the person looked at.
        by: Who checked it.
        now: When.
        stands: False takes the check back.

    Returns:
        Where the extraction stands now.

    Raises:
        Refused: two people extract each study in this review; the study has no extraction; another
            extraction holds by now; nobody but this person has extracted the study; or there is
            no check of theirs to take back.
    """

    def job(con: Connection) -> Standing:
        if not asked_for(con, review):
            raise Refused(
                "two people extract each study in this review, and their consensus is the check"
            )
        standing = _standing(con, review, study)
        if standing.extraction != extraction:
            raise Refused(
                f"{standing.extractor} has saved {study} again since you opened it; look at what changed,"
                " then check that"
            )
        if stands and not standing.may_be_checked_by(by):
            raise Refused(f"you extracted {study} yourself; a check is somebody else's")
        if not stands and standing.checker != by:
            raise Refused(f"no check of yours stands on {study}, so there is nothing to take back")
        if extraction_checks.append(con, id, review, standing, by, stands, now):
            what = "was checked" if stands else "is unchecked again"
            versions.ask(con, review, f"the extraction of {study} {what}", now)
        return _standing(con, review, study)

    return store.write(job)


def _standing(con: Connection, review: str, study: str) -> Standing:
    standing = extraction_checks.standings(con, review).get(study)
    if standing is None:
        raise Refused(f"{study} has not been extracted yet, so there is nothing to check")
    return standing
