"""The prompts, as files with a version each: a changed prompt is a new file.

What was asked with one is kept with its name and the hash of its bytes, so that an answer can be
told from those to another wording.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

CRITERIA = "criteria-1"  # in use for answers per criterion
NAMES = (CRITERIA,)  # all that were ever in use: answers to them are still read


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt: its name with its version, its text with places to fill in, and the sha256 of it."""

    name: str
    text: str
    sha256: str


@cache
def prompt(name: str) -> Prompt:
    """The prompt of this name; KeyError where there is none."""
    if name not in NAMES:
        raise KeyError(name)
    file = resources.files("livereview.assistant").joinpath("prompts", f"{name}.txt")
    body = file.read_bytes()
    return Prompt(name, body.decode("utf-8"), hashlib.sha256(body).hexdigest())
