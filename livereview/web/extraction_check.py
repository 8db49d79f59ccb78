"""The press by which a person says that a study's form is as the reports have it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse, Response

from livereview import ops
from livereview.web import guard

LONGEST_ID = 200


def check(
    context: guard.InReview,
    study: str,
    form: Annotated[str, Depends(guard.form_id)],
    extraction: Annotated[str, Form(max_length=LONGEST_ID)],
    act: Annotated[str, Form()] = "check",
) -> Response:
    """Note the check, or (`act=take back`) take one's own back."""
    ops.extraction_checks.check(
        context.shared.store,
        id=form,
        review=context.review.id,
        study=study,
        extraction=extraction,
        by=context.me,
        now=context.shared.clock(),
        stands=act != "take back",
    )
    return RedirectResponse(f"/r/{context.review.id}/evidence#{study}", 303)
