"""How sure the team is of what studies say in words: GRADE-CERQual, for codes and statements.

A form each in the room of evidence, below those of GRADE; what is typed there is an `ops` rating.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.errors import Refused
from livereview.web import evidence, guard
from livereview.web.evidence import Unjudged


def rate(
    context: guard.InReview,
    form: Annotated[str, Depends(guard.form_id)],
    kind: Annotated[str, Form()],
    subject: Annotated[str, Form()],
    level: Annotated[str, Form()],
    domain: Annotated[list[str], Form()],
    concern: Annotated[list[str], Form()],
    why: Annotated[list[str], Form()],
) -> Response:
    """Rate a code or a statement; a domain without a concern and without words is left out."""
    typed = dict(zip(domain, zip(concern, why, strict=False), strict=False))
    reasons = [
        {"domain": name, "concern": how, "why": words}
        for name, (how, words) in typed.items()
        if how or words.strip()
    ]
    data = {
        "kind": "cerqual",
        "code" if kind == "code" else "statement": subject,
        "level": level,
        "reasons": reasons,
    }
    try:
        ops.evidence.rate(
            context.shared.store,
            id=form,
            review=context.review.id,
            data=data,
            by=context.me,
            now=context.shared.clock(),
        )
    except Refused as refusal:
        unjudged = Unjudged(subject, refusal.message, level, typed)
        return evidence.shown_again(context, unjudged)
    return RedirectResponse(f"/r/{context.review.id}/evidence#confidence", 303)
