"""What a decision must be to count: the rules of the screening room, kept on the server and nowhere
else.
"""

from __future__ import annotations

from collections.abc import Collection

from livereview.errors import Refused
from livereview.review import Review

VERDICTS = ("include", "exclude", "maybe", "not_retrieved", "withdrawn")
ROLES = ("vote", "adjudication")


class BadField(Refused):
    """One field of a decision is wrong; `field` is its name, such as "reason"."""

    def __init__(self, message: str, *, field: str = "", **place: str | None):
        super().__init__(message, **place)
        self.field = field


def check(
    review: Review,
    *,
    stage: str,
    verdict: str,
    role: str,
    reason: str | None,
    reviewer: str,
    reached: str,
    state: str,
    voters: Collection[str],
    adjudicated: bool,
) -> None:
    """Raise Refused unless the decision may be written.

    Args:
        reached: The stage the report stands at.
        state: Its state at `stage`.
        adjudicated: A third person has settled it there.
        voters: Who has a vote in force on this report at this stage.
    """
    _known(review, stage, verdict, role, reason)
    is_later = review.screening.stages.index(stage) > review.screening.stages.index(reached)
    if is_later and verdict != "withdrawn":  # a word that waits for its stage can be taken back
        raise Refused(f"this report is still at {reached}; it can't be decided at {stage} yet")
    if stage == "full_text" and verdict == "exclude" and not reason:
        needs = f"a full-text exclusion needs a reason; choose one of {_choices(review)}"
        raise BadField(needs, field="reason")
    if reason and verdict != "exclude":
        raise BadField("a reason belongs to an exclusion; leave it out, or exclude", field="reason")
    if stage == "title_abstract" and verdict == "not_retrieved":
        raise Refused(
            "not_retrieved is a full-text verdict; at title_abstract choose include, exclude or maybe"
        )
    if role == "adjudication":
        _may_adjudicate(review, verdict, reviewer, state, voters)
    else:
        _may_vote(verdict, reviewer, state, voters, adjudicated)
        if verdict not in ("withdrawn", "not_retrieved"):
            _core(review, reviewer, voters)


def _core(review: Review, reviewer: str, voters: Collection[str]) -> None:
    """Two novices never make a pair: where the protocol names core reviewers, one of the votes is
    theirs.
    """
    core, others = review.screening.core, set(voters) - {reviewer}
    if (
        core
        and reviewer not in core
        and not others & set(core)
        and len(others) + 1 >= review.screening.votes
    ):
        raise Refused(f"the last vote on this report must be a core reviewer's: {', '.join(core)}")


def _known(review: Review, stage: str, verdict: str, role: str, reason: str | None) -> None:
    for what, value, choices in (
        ("stage", stage, review.screening.stages),
        ("verdict", verdict, VERDICTS),
        ("role", role, ROLES),
    ):
        if value not in choices:
            raise Refused(f"{what} must be one of {', '.join(choices)}; it was {value!r}")
    if reason is not None and reason not in {r.id for r in review.reasons if not r.retired}:
        unknown = f"unknown reason {reason!r}; choose one of {_choices(review)}"
        raise BadField(unknown, field="reason")


def _may_vote(
    verdict: str, reviewer: str, state: str, voters: Collection[str], adjudicated: bool
) -> None:
    if adjudicated:
        raise Refused("a third person has settled this report; only they can take that back")
    if (
        reviewer not in voters
        and state in ("included", "excluded", "conflict")
        and verdict != "withdrawn"
    ):
        raise Refused(
            f"this report has all its votes and is {state}; a further vote would not count"
        )


def _may_adjudicate(
    review: Review, verdict: str, reviewer: str, state: str, voters: Collection[str]
) -> None:
    if reviewer in voters:
        raise Refused(f"{reviewer} voted on this report; a third person must settle it")
    if review.screening.adjudicators and reviewer not in review.screening.adjudicators:
        raise Refused(
            f"{reviewer} may not adjudicate; review.toml names {', '.join(review.screening.adjudicators)}"
        )
    if verdict not in ("include", "exclude", "withdrawn"):
        raise Refused("an adjudication must be include or exclude")
    if state != "conflict" and verdict != "withdrawn":
        raise Refused(f"there is no conflict to settle here; the report is {state}")


def _choices(review: Review) -> str:
    return ", ".join(reason.id for reason in review.reasons if not reason.retired)
