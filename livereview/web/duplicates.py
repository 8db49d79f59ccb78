"""Pairs of records that the rules could not tell apart or together, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops, rights
from livereview.dedup.match import RULES_VERSION
from livereview.errors import Refused
from livereview.records import Record
from livereview.store import matches, records, standings
from livereview.store.open import Connection
from livereview.web import acts, guard, pages
from livereview.web.guard import ReviewContext

FIELDS = (
    ("title", "Title"),
    ("authors", "Authors"),
    ("year", "Year"),
    ("container_title", "Published in"),
    ("volume", "Volume"),
    ("issue", "Issue"),
    ("pages", "Pages"),
    ("doi", "DOI"),
    ("pmid", "PMID"),
    ("type", "Type"),
    ("language", "Language"),
    ("source", "Source"),
    ("abstract", "Abstract"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the comparison; `state` is "same", "differs" or "only one has it"."""

    label: str
    left: str
    right: str
    state: str


def page(context: guard.InReview, at: int = 0, left: str = "", right: str = "") -> Response:
    """One doubtful pair; `at` counts them, `left` and `right` name the pair that I judged last."""
    with context.shared.store.read() as con:
        return _show(con, context, at, _line(con, context, left, right))


def _show(
    con: Connection,
    context: ReviewContext,
    at: int,
    line: dict[str, str] | None = None,
    notice: str = "",
    status: int = 200,
) -> Response:
    """The pair at this place, under what became of the last one; `notice`: why nothing was changed."""
    count = matches.doubtful_count(con, context.review.id)
    at = at if 0 <= at < count else 0
    found = matches.doubtful(con, context.review.id, at + 1)
    pair = found[at] if found else None
    both = records.current(con, [pair["left"], pair["right"]]) if pair else {}
    rows = compare(both[pair["left"]], both[pair["right"]]) if pair else ()
    values = {"pair": pair, "rows": rows, "at": at, "count": count, "line": line, "notice": notice}
    values["may_judge_again"] = context.may(rights.MAKE_REVIEW)
    values["rules_version"] = RULES_VERSION
    return pages.show("duplicates.html", context, status, **values)


def compare(left: Record, right: Record) -> tuple[Field, ...]:
    """Each field that at least one of two records has."""
    rows = (
        (label, _text(getattr(left, name)), _text(getattr(right, name))) for name, label in FIELDS
    )
    return tuple(Field(label, a, b, _state(a, b)) for label, a, b in rows if a or b)


def _state(left: str, right: str) -> str:
    if not left or not right:
        return "only one has it"
    if left.casefold() == right.casefold():
        return "same"
    return "differs"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(value)
    return str(value or "")


def _line(con: Connection, context: ReviewContext, left: str, right: str) -> dict[str, str] | None:
    """What I said of a pair, while it is my word that counts."""
    if not all(records.in_review(con, context.review.id, one) for one in (left, right)):
        return None
    verdict, author = matches.in_force(con, left, right) or ("", "")
    if author == context.me:
        return {"verdict": verdict, "left": left, "right": right}
    return None


def judge(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    left: Annotated[str, Form()],
    right: Annotated[str, Form()],
    verdict: Annotated[str, Form()],
    link: Annotated[str, Form()] = "",
    at: Annotated[int, Form()] = 0,
    shown: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say what a pair is, or take back what I said.

    A pair that someone else has judged since is left alone.

    What moves reports that people have decided on is told first, and done when `shown` says that it
    was.
    """
    id = f"{context.me}-{form}"
    after = f"/r/{context.review.id}/duplicates?left={left}&right={right}"
    given = {"left": left, "right": right, "verdict": verdict}
    if link and verdict == "linked":
        given["link"] = link
    with context.shared.turns["duplicates"]:
        with context.shared.store.read() as con:
            guard.recorded(con, context, left)
            guard.recorded(con, context, right)
            notice = _arrived(con, id, verdict) or _taken(con, context, left, right)
            if notice:
                return _show(con, context, at, _line(con, context, left, right), notice, 409)
        try:
            if _decided_on(context, left, right):
                if not shown and acts.preview(context, "judge", given)["undoes_work"]:
                    return acts.confirm(context, "judge", given)
                if acts.must_ask(context, "judge", given):
                    return acts.confirm(context, "judge", given)
                if shown:
                    return acts.carry_out(
                        context, form, "judge", given, shown=shown, reason=reason, after=after
                    )
            ops.screen.judge(
                context.shared.store,
                id=id,
                person=context.me,
                now=context.shared.clock(),
                **given,
            )
        except Refused as refusal:
            with context.shared.store.read() as con:
                return _show(con, context, at, None, f"Not saved: {refusal.message}.", 422)
    return RedirectResponse(after, 303)


def _decided_on(context: ReviewContext, left: str, right: str) -> bool:
    """Whether anybody's decision stands on one of these reports, in any review."""
    with context.shared.store.read() as con:
        reports = records.report_of(con, [left, right])
        members = standings.members(con, [reports.get(left, left), reports.get(right, right)])
        return bool(standings.in_force(con, members))


def _arrived(con: Connection, id: str, verdict: str) -> str | None:
    """That this form had arrived with another answer, in words; None where it had not."""
    before = matches.verdict_of(con, id)
    if before in (None, verdict):
        return None
    said = pages.VERDICTS.get(before or "", "Undo")
    return f"Your {said} had arrived and stands; your later answer changed nothing. Undo it to judge the pair again."


def _taken(con: Connection, context: ReviewContext, left: str, right: str) -> str | None:
    """Who else judged this pair, in words; None if nobody did."""
    known, author = matches.in_force(con, left, right) or ("", "rule")
    if author in ("rule", context.me):
        return None
    return f"{author} judged the last pair in the meantime: {pages.VERDICTS[known]}. Your answer changed nothing."
