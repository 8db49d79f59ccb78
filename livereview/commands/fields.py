"""Kinds of field that several commands and the HTTP API share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Stage = Literal["title_abstract", "full_text"]
"""Where a report is judged."""

DecisionVerdict = Literal["include", "exclude", "maybe", "not_retrieved", "withdrawn"]
"""`not_retrieved`: the full text can't be had; `withdrawn`: a decision is taken back."""

PairVerdict = Literal["same", "linked", "different"]
"""`linked`: two reports of one work, such as a preprint and its article."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
"""An id, or the name of a person or thing."""

Sentences = Annotated[str, Field(max_length=5_000)]
"""A page of them."""
