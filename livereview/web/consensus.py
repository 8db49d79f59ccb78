"""Two people's extractions of one study side by side: for each field in which they differ a person
takes the one, the other, or writes what is right, and saves it as the consensus.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.evidence import consensus
from livereview.evidence.places import Standing
from livereview.ops.drafts import Typed
from livereview.ops.evidence import TwoExtractions
from livereview.review import Review
from livereview.store import drafts as stored_drafts
from livereview.store import evidence as stored
from livereview.store.open import Connection
from livereview.web import drafts, evidence, extraction_form, form_sections, guard, pages
from livereview.web.drafts import Sent
from livereview.web.extraction_form import Box
from livereview.web.guard import ReviewContext
from livereview.web.reader import Reader, marks, terms

LEFT, RIGHT, OWN = "left", "right", "own"
KEEP, LEAVE_OUT = "keep", "leave out"
TAKE, WRITTEN, ROW = "take-", "own-", "row-"  # before the name of a box or a row
LONGEST_BASIS = 64
NAMING_FIELDS = 3  # of a row, by which a person knows it


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row that both have.

    Attributes:
        box: The box as the consensus will have it, by its name there.
        left, right: What each person typed.
        taken: LEFT, RIGHT or OWN; "" where nothing was chosen yet.
        written: What was written instead of both.
    """

    box: Box
    left: Box
    right: Box
    taken: str = ""
    written: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both typed the same."""
        return self.left.value == self.right.value

    @property
    def value(self) -> str:
        """What the consensus says; "" where nothing was chosen."""
        if self.agrees or self.taken == LEFT:
            return self.left.value
        if self.taken == RIGHT:
            return self.right.value
        return self.written if self.taken == OWN else ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the consensus.

    Attributes:
        key: "study", or its list and number, such as "results-0".
        title: What a person calls it.
        fields: Its fields; of a row that one person has alone, both sides are that person's.
        only: The person who alone has it; "" where both have it.
        kept: KEEP or LEAVE_OUT for a row that one person has; "" where nothing was chosen yet.
    """

    key: str
    title: str
    fields: tuple[Field, ...]
    only: str = ""
    kept: str = ""

    @property
    def differing(self) -> tuple[Field, ...]:
        """The fields for which a person must choose."""
        return tuple(field for field in self.fields if not field.agrees)

    @property
    def agreeing(self) -> tuple[Field, ...]:
        """The fields in which both say the same, and say something."""
        return tuple(field for field in self.fields if field.agrees and field.left.value)

    @property
    def open(self) -> tuple[tuple[str, str], ...]:
        """(id on the page, label) of what is not chosen yet."""
        if self.only:
            if self.kept:
                return ()
            return ((ROW + self.key, self.title),)
        undecided = []
        for field in self.differing:
            if not field.taken:
                label = extraction_form.label_of_box(field.box.name)
                undecided.append((TAKE + field.box.name, label))
        return tuple(undecided)


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the form, with the rows of the consensus."""

    key: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """What is shown: the parts, and whose the two sides are."""

    two: TwoExtractions
    parts: tuple[Part, ...]

    @property
    def rows(self) -> Iterator[Row]:
        """Every row of every part."""
        for part in self.parts:
            yield from part.rows

    @property
    def agreeing(self) -> int:
        """In how many fields both say the same."""
        return sum(len(row.agreeing) for row in self.rows if not row.only)

    @property
    def to_settle(self) -> int:
        """For how many fields and rows a person must choose."""
        return sum(1 if row.only else len(row.differing) for row in self.rows)

    @property
    def open(self) -> tuple[tuple[str, str], ...]:
        """(id on the page, label) of what is not chosen yet."""
        return tuple(entry for row in self.rows for entry in row.open)

    @property
    def typed(self) -> dict[str, str]:
        """The consensus as it would be typed into the form, by the names of its boxes."""
        typed: dict[str, str] = {}
        for row in self.rows:
            if row.only and row.kept != KEEP:
                continue
            for field in row.fields:
                if field.value.strip():
                    typed[field.box.name] = field.value
        return extraction_form.without_gaps(typed)

    @property
    def basis(self) -> str:
        """What changes when one of the two extracts the study again."""
        text = json.dumps([self.two.left, self.two.right], sort_keys=True)
        return sha256(text.encode()).hexdigest()


def sides(
    review: Review,
    two: TwoExtractions,
    quoted: Mapping[str, Standing],
    chosen: Mapping[str, str],
) -> Sides:
    """The two extractions, row beside row, with what was chosen so far.

    Args:
        review: The protocol.
        two: The extractions.
        quoted: How it stands with each quote, by the quote.
        chosen: What was sent: by TAKE, WRITTEN or ROW and the name of a box or a row.
    """
    left = extraction_form.parts(review, two.left, quoted)
    right = extraction_form.parts(review, two.right, quoted)
    parts = []
    for mine, theirs in zip(left, right, strict=True):
        if mine.key == "study":
            names = [box.name for box in mine.rows[0]]
            fields = _fields(mine.rows[0], theirs.rows[0], names, chosen)
            parts.append(Part(mine.key, mine.title, (Row("study", mine.title, fields),)))
            continue
        rows = []
        pairs = consensus.pair_rows(
            mine.key, two.left.get(mine.key) or (), two.right.get(mine.key) or ()
        )
        for number, pair in enumerate(pairs):
            here = mine.rows[pair.left] if pair.left is not None else None
            there = theirs.rows[pair.right] if pair.right is not None else None
            only = ""
            if here is None or there is None:
                only = two.left_person if there is None else two.right_person
            present = here or there or ()
            key = f"{mine.key}-{number}"
            fields = _fields(here or present, there or present, _renamed(present, key), chosen)
            kept = _choice(chosen, ROW + key, (KEEP, LEAVE_OUT))
            rows.append(Row(key, _title(mine.title, number, present), fields, only, kept))
        parts.append(Part(mine.key, mine.title, tuple(rows)))
    return Sides(two, tuple(parts))


def _title(part: str, number: int, boxes: Sequence[Box]) -> str:
    """What a person calls a row: "Results 2: care, SDQ, 12"."""
    telling = [box.value for box in boxes if box.value][:NAMING_FIELDS]
    return f"{part} {number + 1}: {', '.join(telling)}"


def _renamed(boxes: Sequence[Box], key: str) -> tuple[str, ...]:
    """The names that the boxes of a row have where it is the row `key`."""
    return tuple(f"{key}-{box.name.split('-', 2)[2]}" for box in boxes)


def _fields(
    left: Sequence[Box],
    right: Sequence[Box],
    names: Sequence[str],
    chosen: Mapping[str, str],
) -> tuple[Field, ...]:
    fields = []
    for mine, theirs, name in zip(left, right, names, strict=True):
        taken = _choice(chosen, TAKE + name, (LEFT, RIGHT, OWN))
        written = chosen.get(WRITTEN + name, "")
        box = Box(name, mine.label, mine.kind, written, mine.choices, mine.hint)
        fields.append(Field(box, mine, theirs, taken, written))
    return tuple(fields)


def _choice(chosen: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    value = chosen.get(name, "")
    return value if value in choices else ""


def page(context: guard.InReview, study: str) -> Response:
    """The two extractions side by side."""
    return _show(context, study, {})


async def picked(request: Request) -> Mapping[str, str]:
    """What was chosen, by the names of the page's inputs."""
    return {
        name: text
        for name, text in (await request.form()).multi_items()
        if isinstance(text, str) and name.startswith((TAKE, WRITTEN, ROW))
    }


def settle(
    context: guard.InReview,
    study: str,
    form: Annotated[str, Depends(guard.form_id)],
    chosen: Annotated[Mapping[str, str], Depends(picked)],
    act: Annotated[str, Form()],
    basis: Annotated[str, Form(max_length=LONGEST_BASIS)] = "",
) -> Response:
    """Save what was chosen as the consensus, or go on with it in the form.

    Where something is not chosen yet, or one of the two has extracted again since, the page comes
    back with everything that was chosen.
    """
    if act not in ("consensus", "form"):
        raise HTTPException(422, "act must be one of consensus, form")
    with context.shared.store.read() as con:
        two = _two(con, context, study)
        subject = drafts.subject_of(context, study, "")
        began_with = stored_drafts.basis(con, subject)
    now = sides(context.review, two, {}, chosen)
    if basis != now.basis:
        return _show(context, study, chosen, 409, changed=True)
    sent = Sent(subject, Typed(form, "", 0, began_with, now.typed))
    if act == "form":
        kept = drafts.keep(context, sent, now.typed)
        return RedirectResponse(drafts.address(subject, kept.draft.id if kept.draft else ""), 303)
    if now.open:
        return _show(context, study, chosen, 422, asked=True)
    filled = extraction_form.read(now.typed.items())
    try:
        _save(context, form, filled)
    except Refused as refusal:
        return evidence.show_again(context, study, filled, sent, 422, problem=refusal.message)
    evidence.look_up_quotes(context)
    return RedirectResponse(f"/r/{context.review.id}/evidence#{study}", 303)


def _save(context: ReviewContext, form: str, filled: dict[str, Any]) -> None:
    review = context.review.id
    with context.shared.store.read() as con:
        ops.evidence.check_takes_from_none(con, review, filled)
    ops.evidence.extract(
        context.shared.store,
        id=form,
        review=review,
        data=filled,
        extractor=context.me,
        now=context.shared.clock(),
        name="The consensus",
        role="consensus",
    )


def _two(con: Connection, context: ReviewContext, study: str) -> TwoExtractions:
    """The two extractions; 404 where whoever asks may not see them, or there are none."""
    two = evidence.extractions_of_two(con, context, study)
    if two is None:
        raise HTTPException(
            404,
            "There are no two extractions of this study to compare, or yours is not among them yet.",
        )
    return two


def _show(
    context: ReviewContext,
    study: str,
    chosen: Mapping[str, str],
    status: int = 200,
    *,
    changed: bool = False,
    asked: bool = False,
) -> Response:
    """The page; `asked`: what is not chosen is told; `changed`: an extraction came meanwhile."""
    review = context.review.id
    with context.shared.store.read() as con:
        two = _two(con, context, study)
        shown = [dict(two.left), dict(two.right)]
        quoted = ops.quotes.standings_of(con, review, study, shown)
        sources = form_sections.sources(con, context, study, "")
        holds = study in stored.extractions(con, review)
    values = {
        "study": study,
        "sides": sides(context.review, two, quoted, chosen),
        "quoted": quoted,
        "reader": Reader(
            base=f"/r/{review}",
            files=evidence.files_of(sources),
            marks=marks(shown, quoted),
            terms=terms(context.review.highlights),
        ),
        "holds": holds,
        "changed": changed,
        "asked": asked,
    }
    return pages.show("consensus.html", context, status, **values)
