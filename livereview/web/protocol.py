"""Writing a protocol in the browser: a new review in steps, each of them kept, and the protocol of
a review that is there, with what a change would do, who changed it and why.

A draft of a new review stands at /new/…, one that changes a review under that review's address;
both are the same pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, File, Form, HTTPException, UploadFile
from fastapi.responses import RedirectResponse, Response

from livereview import decoding, ops, review_toml, trying
from livereview.errors import Refused
from livereview.ops.acts import EffectChanged
from livereview.ops.protocol_drafts import Outdated
from livereview.ops.protocols import protocols
from livereview.review_toml import Mistake
from livereview.sources import SOURCES, citations
from livereview.store import known, protocol_drafts
from livereview.store.protocol_drafts import ProtocolDraft
from livereview.trying import Asked
from livereview.web import guard, pages
from livereview.web import protocol_fields as fields
from livereview.web.acts import FormId, Sent
from livereview.web.guard import RequestUser, ReviewContext
from livereview.web.protocol_fields import Step
from livereview.web.trials import Trial

TEXT, CHECK = "text", "check"  # the two pages that have no boxes
NO_DRAFT = "There is no such draft of yours: it is in force by now, or was given up."
MISSED_SHOWN = 20  # included reports that a query would not find, by title
LONGEST_REASON = ops.acts.LONGEST_REASON


@dataclass(frozen=True, slots=True)
class Editor:
    """A draft on a page.

    Attributes:
        base: Address of its steps, without the step.
        context: The review that it changes; None for one that is being made.
    """

    user: RequestUser
    draft: ProtocolDraft
    base: str
    context: ReviewContext | None = None

    @property
    def check(self) -> str:
        """Address of the page that puts it in force."""
        return f"{self.base.removesuffix('/edit')}/check"

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page of this draft."""
        mistakes = review_toml.mistakes(self.draft.text)
        shown = {
            "editor": self,
            "draft": self.draft,
            "steps": _progress(mistakes),
            "mistakes": mistakes,
            **values,
        }
        if self.context is not None:
            return pages.show(template, self.context, status, **shown)
        return pages.render(template, self.user, status, **shown)


@dataclass(frozen=True, slots=True)
class Progress:
    """A step in the list of steps: how many things are to be mended there."""

    name: str
    title: str
    wrong: int


def _progress(mistakes: Sequence[Mistake]) -> list[Progress]:
    listed = [
        Progress(step.name, step.title, len(fields.on(step, mistakes))) for step in fields.STEPS
    ]
    elsewhere = len(mistakes) - sum(step.wrong for step in listed)
    return [*listed, Progress(TEXT, "The text", elsewhere), Progress(CHECK, "Check", 0)]


# A new review


def new_page(user: guard.Visitor) -> Response:
    """How to begin a review; drafts that were begun stand here too."""
    return _new(user)


def _new(user: RequestUser, status: int = 200, *, problem: str = "", **typed: str) -> Response:
    with user.shared.store.read() as con:
        reviews = protocols(con)
        drafts = [one for one in protocol_drafts.of_person(con, user.name) if not one.review]
    begun = [(draft, _title_of(draft.text)) for draft in drafts]
    shown = {"title": "", "review": "", "beginning": "empty", "copied": "", **typed}
    return pages.render(
        "protocol_new.html",
        user,
        status,
        reviews=reviews,
        begun=begun,
        typed=shown,
        problem=problem,
    )


def _title_of(text: str) -> str:
    """The title in a text, which may be no TOML by now."""
    try:
        return str(review_toml.edit.document(text).get("title") or "Without a title")
    except Refused:
        return "Without a title"


def begin(
    user: guard.Visitor,
    form: FormId,
    title: Annotated[str, Form()] = "",
    review: Annotated[str, Form()] = "",
    beginning: Annotated[str, Form()] = "empty",
    copied: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Begin the draft of a new review, and go on to its first step."""
    try:
        draft = ops.protocol_drafts.begin_review(
            user.shared.store,
            id=form,
            person=user.name,
            title=title,
            review=review,
            beginning=beginning,
            copied=copied,
            text=_text_of(file),
            now=user.shared.clock(),
        )
    except Refused as refusal:
        typed = {"title": title, "review": review, "beginning": beginning, "copied": copied}
        return _new(user, 422, problem=f"{refusal.message}.", **typed)
    return RedirectResponse(f"/new/{draft.id}/{fields.STEPS[0].name}", 303)


def _text_of(file: UploadFile | None) -> str:
    if file is not None and file.filename:
        return decoding.decode(file.file.read()).text
    return ""


def _of_new(user: guard.Visitor, draft: str) -> Editor:
    """The draft of a new review; 404 for one that is not this person's."""
    with user.shared.store.read() as con:
        kept = protocol_drafts.of(con, draft, user.name)
    if kept is None or kept.review:
        raise HTTPException(404, NO_DRAFT)
    return Editor(user, kept, f"/new/{kept.id}")


OfNew = Annotated[Editor, Depends(_of_new)]


def new_step(editor: OfNew, step: str, all: str = "") -> Response:
    """One step of a new review; `all` also shows what is missing."""
    return _step(editor, step, all=bool(all))


def new_save(editor: OfNew, step: str, sent: Sent) -> Response:
    """Keep one step of a new review."""
    return _save(editor, step, sent)


def new_check(editor: OfNew) -> Response:
    """What is to be mended, or the button that makes the review."""
    return _check(editor)


def make(
    editor: OfNew, form: FormId, act: Annotated[str, Form()], reason: Annotated[str, Form()] = ""
) -> Response:
    """Put the first protocol of a new review in force, or give the draft up."""
    if act == "give up":
        ops.protocol_drafts.give_up(editor.user.shared.store, draft=editor.draft)
        return RedirectResponse("/", 303)
    why = " ".join(reason.split())[:LONGEST_REASON]
    try:
        made = ops.protocol_drafts.make_review(
            editor.user.shared.store,
            id=f"{editor.user.name}-{form}",
            draft=editor.draft,
            reason=why,
            now=editor.user.shared.clock(),
        )
    except Refused as refusal:
        return _check(editor, 422, problem=f"{refusal.message}.")
    return RedirectResponse(f"/r/{made.id}/protocol?done=made", 303)


# The protocol of a review


def page(context: guard.InReview, done: str = "") -> Response:
    """The protocol in force, what was in force before, and drafts that change it."""
    with context.shared.store.read() as con:
        past = ops.protocol_drafts.history(con, context.review.id)
        drafts = protocol_drafts.on_review(con, context.review.id)
    mine = [draft for draft in drafts if draft.person == context.me]
    others = [draft for draft in drafts if draft.person != context.me]
    return pages.show("protocol.html", context, past=past, mine=mine, others=others, done=done)


def compare(context: guard.InReview, old: str, new: str) -> Response:
    """Two protocols of a review, line by line."""
    with context.shared.store.read() as con:
        past = {one.hash: one for one in ops.protocol_drafts.history(con, context.review.id)}
    if old not in past or new not in past:
        raise HTTPException(404, "This review never had that protocol.")
    lines = ops.protocol_drafts.difference(past[old].text, past[new].text)
    return pages.show("protocol_compare.html", context, old=past[old], new=past[new], lines=lines)


def begin_change(
    context: guard.InReview, form: FormId, back_to: Annotated[str, Form()] = ""
) -> Response:
    """Go on with my draft of a change, or begin one; `back_to` begins with an earlier protocol."""
    draft = ops.protocol_drafts.begin_change(
        context.shared.store,
        id=form,
        person=context.me,
        review=context.review.id,
        now=context.shared.clock(),
        back_to=back_to,
    )
    base = f"/r/{context.review.id}/protocol"
    first = f"{base}/check" if back_to else f"{base}/edit/{fields.STEPS[0].name}"
    return RedirectResponse(first if draft else base, 303)


def _of_review(context: guard.InReview) -> Editor:
    """My draft of a change of this review; 404 where I have none."""
    with context.shared.store.read() as con:
        drafts = protocol_drafts.on_review(con, context.review.id)
    mine = next((draft for draft in drafts if draft.person == context.me), None)
    if mine is None:
        raise HTTPException(404, NO_DRAFT)
    return Editor(context.user, mine, f"/r/{context.review.id}/protocol/edit", context)


OfReview = Annotated[Editor, Depends(_of_review)]


def step(editor: OfReview, step: str, all: str = "") -> Response:
    """One step of a change; `all` also shows what is missing."""
    return _step(editor, step, all=bool(all))


def save(editor: OfReview, step: str, sent: Sent) -> Response:
    """Keep one step of a change."""
    return _save(editor, step, sent)


def check(context: guard.InReview, editor: OfReview) -> Response:
    """What a change would do, with the button that puts it in force."""
    return _check(editor)


def put_in_force(
    context: guard.InReview,
    editor: OfReview,
    form: FormId,
    act: Annotated[str, Form()],
    version: Annotated[int, Form()] = 0,
    shown: Annotated[str, Form()] = "",
    before: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Put the draft in force if it would do what the page said; raise the version of its criteria;
    or give it up.
    """
    base = f"/r/{context.review.id}/protocol"
    if act == "give up":
        ops.protocol_drafts.give_up(context.shared.store, draft=editor.draft)
        return RedirectResponse(f"{base}?done=given-up", 303)
    if act == "raise":
        return _raise_version(editor, version)
    why = " ".join(reason.split())
    if not why:
        return _check(editor, 422, problem="Say why: the reason stands in the history.")
    if version != editor.draft.version:
        return _check(editor, 409, problem="The draft was saved elsewhere since; look again.")
    try:
        ops.acts.carry_out(
            context.shared.store,
            id=f"{context.me}-{form}",
            kind="protocol",
            review=context.review.id,
            given={"text": editor.draft.text, "before": before},
            shown=shown,
            reason=why,
            author=context.me,
            by=context.user.principal,
            now=context.shared.clock(),
        )
    except EffectChanged as change:
        return _check(editor, 409, problem=f"{change.message}.", reason=why)
    except Refused as refusal:
        return _check(editor, 422, problem=f"{refusal.message}.", reason=why)
    ops.protocol_drafts.give_up(context.shared.store, draft=editor.draft)
    return RedirectResponse(f"{base}?done=changed", 303)


def _raise_version(editor: Editor, version: int) -> Response:
    """The next version of the criteria, where they change."""
    where = ("criteria", "version")
    values = review_toml.edit.document(editor.draft.text)
    raised = ops.protocol_drafts.next_version(str(review_toml.edit.value_at(values, where)))
    text = review_toml.edit.with_values(editor.draft.text, {where: raised})
    try:
        _keep(editor, text, version)
    except Outdated as refusal:
        return _check(editor, 409, problem=f"{refusal.message}.")
    return RedirectResponse(editor.check, 303)


# Trying a query


def _try(editor: Editor, number: str, form: str) -> Response:
    """Ask the source of a search what its query would find; the answer has a page of its own."""
    place = f"{editor.base}/searches"
    searches = review_toml.edit.document(editor.draft.text).get("searches", [])
    if not number.isdecimal() or int(number) >= len(searches):
        raise HTTPException(404, "There is no such search in this draft.")
    search = searches[int(number)]
    wrong = fields.on(fields.SEARCHES, review_toml.mistakes(editor.draft.text))
    if any(mistake.where[:2] == ("searches", int(number)) for mistake in wrong):
        return RedirectResponse(f"{place}?all=1#problems", 303)
    if search["source"] not in review_toml.SOURCES or search["source"] == citations.NAME:
        step = fields.SEARCHES
        problem = "The draft is kept. A search of this source can’t be tried, only run."
        values = fields.stands(editor.draft.text, step)
        return _boxes(editor, step, values, 422, all=True, problem=problem)
    asked = Asked(
        source=search["source"],
        query=search.get("query", ""),
        filters=review_toml.values.filters(search.get("filters", {})),
        url=search.get("url"),
        start=review_toml.values.day(search["start"]) if "start" in search else None,
        via=editor.user.shared.trials.via,
    )
    trials = editor.user.shared.trials
    trials.begin(
        form,
        Trial(editor.user.name, place, int(number), search["name"], asked, trials.clock()),
    )
    return RedirectResponse(f"{editor.base.removesuffix('/edit')}/try/{form}", 303)


def new_trial(editor: OfNew, trial: str) -> Response:
    """What a query of a new review would find."""
    return _trial(editor, trial)


def trial(context: guard.InReview, editor: OfReview, trial: str) -> Response:
    """What a query of a changed protocol would find."""
    return _trial(editor, trial)


def _trial(editor: Editor, id: str) -> Response:
    trial = editor.user.shared.trials.of(id, editor.user.name)
    found = trial.found
    values: dict[str, Any] = {
        "trial": trial,
        "address": f"{editor.base.removesuffix('/edit')}/try/{id}",
        "found": found,
        "source": SOURCES[trial.asked.source].title,
        "known": {},
        "new": None,
        "included": None,
        "shown": trying.SHOWN,
    }
    if found is not None and editor.context is not None:
        review = editor.context.review.id
        identities = [known.Identity(hit.record_id, hit.doi, hit.pmid) for hit in found.hits]
        with editor.user.shared.store.read() as con:
            values["known"] = known.records_of(con, review, identities)
            if found.whole:
                seen = list(values["known"].values())
                values["included"] = known.included_without(con, review, seen, MISSED_SHOWN)
        values["new"] = len(found.hits) - len(values["known"])
    return editor.show("protocol_try.html", **values)


# The pages of a draft


def _step(editor: Editor, name: str, *, all: bool) -> Response:
    if name == TEXT:
        return _text(editor, editor.draft.text)
    step = _known(name)
    try:
        values = fields.stands(editor.draft.text, step)
    except Refused:
        return RedirectResponse(f"{editor.base}/{TEXT}", 303)
    return _boxes(editor, step, values, all=all)


def _known(name: str) -> Step:
    if name not in fields.BY_NAME:
        raise HTTPException(404, "There is no such step.")
    return fields.BY_NAME[name]


def _boxes(
    editor: Editor,
    step: Step,
    values: Mapping[str, str],
    status: int = 200,
    *,
    all: bool,
    problem: str = "",
) -> Response:
    """A step with these values in its boxes. What is only missing is said when it was saved once,
    and not before somebody had a chance to write it.
    """
    wrong = fields.on(step, review_toml.mistakes(editor.draft.text))
    told = [mistake for mistake in wrong if all or not _is_missing(mistake)]
    sections = fields.sections(editor.draft.text, step, values, told)
    return editor.show(
        "protocol_step.html",
        status,
        step=step,
        sections=sections,
        told=told,
        following=_following(step.name),
        problem=problem,
        all=all,
    )


def _is_missing(mistake: Mistake) -> bool:
    return fields.plain(mistake.what) == fields.NEEDED


def _following(name: str) -> str:
    names = [*(step.name for step in fields.STEPS), CHECK]
    return names[names.index(name) + 1]


def _text(editor: Editor, text: str, status: int = 200, *, problem: str = "") -> Response:
    return editor.show("protocol_text.html", status, text=text, problem=problem)


def _save(editor: Editor, name: str, sent: Mapping[str, str]) -> Response:
    """Keep what was typed; then the next step, or this one where something is to be mended."""
    version = int(sent["version"]) if sent.get("version", "").isdecimal() else 0
    if name == TEXT:
        return _save_text(editor, sent.get("text", ""), version)
    step = _known(name)
    try:
        text = fields.written(editor.draft.text, step, sent)
        saved = _keep(editor, text, version)
    except Outdated as refusal:
        problem = f"{refusal.message}. What you typed stands below: save it once more to keep it."
        return _boxes(editor, step, sent, 409, all=True, problem=problem)
    except Refused as refusal:
        return _boxes(editor, step, sent, 422, all=True, problem=f"{refusal.message}.")
    wrong = fields.on(step, review_toml.mistakes(saved.text))
    if sent.get("go", "").startswith("try."):
        number, form = sent["go"].removeprefix("try."), guard.form_id(sent.get("form", ""))
        return _try(replace(editor, draft=saved), number, form)
    if sent.get("go") == "stay":
        return RedirectResponse(f"{editor.base}/{name}?all=1", 303)
    if wrong:
        return RedirectResponse(f"{editor.base}/{name}?all=1#problems", 303)
    following = _following(name)
    return RedirectResponse(
        editor.check if following == CHECK else f"{editor.base}/{following}", 303
    )


def _save_text(editor: Editor, text: str, version: int) -> Response:
    plain = text.replace("\r\n", "\n")
    try:
        saved = _keep(editor, plain, version)
    except Refused as refusal:
        problem = f"{refusal.message}. What you typed stands below: save it once more to keep it."
        return _text(editor, plain, 409, problem=problem)
    if review_toml.mistakes(saved.text):
        return RedirectResponse(f"{editor.base}/{TEXT}#problems", 303)
    return RedirectResponse(editor.check, 303)


def _keep(editor: Editor, text: str, version: int) -> ProtocolDraft:
    """Save the draft; raises Refused for a text that would give the review another name."""
    if editor.context is not None:
        _same_id(text, editor.context.review.id)
    return ops.protocol_drafts.save(
        editor.user.shared.store,
        draft=editor.draft,
        text=text,
        version=version,
        now=editor.user.shared.clock(),
    )


def _same_id(text: str, review: str) -> None:
    try:
        id = review_toml.edit.document(text).get("id")
    except Refused:
        return  # it is no TOML yet, which its page says
    if id != review:
        raise Refused(f"the id of this review is {review!r}, and never changes")


def _check(editor: Editor, status: int = 200, *, problem: str = "", reason: str = "") -> Response:
    """All mistakes with the way to each; else what the draft changes and does."""
    mistakes = review_toml.mistakes(editor.draft.text)
    values: dict[str, Any] = {
        "wrong": [(mistake, fields.step_of(mistake.where)) for mistake in mistakes],
        "plain": fields.plain,
        "told": None,
        "before": None,
        "lines": [],
        "cautions": [],
        "outgrew": "",
        "problem": problem,
        "reason": reason,
        "longest": LONGEST_REASON,
        "same": False,
    }
    if mistakes:
        return editor.show("protocol_check.html", status, **values)
    values["review"] = after = review_toml.parse(editor.draft.text)
    if editor.context is None:
        return editor.show("protocol_check.html", status, **values)
    with editor.user.shared.store.read() as con:
        before = ops.protocol_drafts.in_force(con, editor.draft)
    assert before is not None
    values["before"] = before
    values["same"] = before.text == after.text
    values["lines"] = ops.protocol_drafts.difference(before.text, after.text)
    values["cautions"] = ops.protocol_drafts.cautions(before, editor.draft)
    if ops.protocol_drafts.criteria_outgrew_version(before, after):
        values["outgrew"] = ops.protocol_drafts.next_version(after.criteria_version)
    if not values["same"]:
        try:
            values["told"] = _effect(editor, before.hash)
        except Refused as refusal:
            values["problem"] = problem or f"{refusal.message}."
    return editor.show("protocol_check.html", status, **values)


def _effect(editor: Editor, before: str) -> dict[str, Any]:
    """What putting the draft in force would do."""
    assert editor.context is not None
    return ops.acts.preview(
        editor.user.shared.store,
        kind="protocol",
        review=editor.context.review.id,
        given={"text": editor.draft.text, "before": before},
        now=editor.user.shared.clock(),
        author=editor.user.name,
        by=editor.user.principal,
    )
