"""A copy of a PDF in which nothing can run, by qpdf: what people open in a viewer of their own.

The pages stay as they are, so the place of a quote is the same in both.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from livereview.parsing import pdf as pdf_reader

# Entries that hold scripts, start something by themselves, or carry other files.
ENTRIES = (
    "/AA",
    "/EF",
    "/EmbeddedFiles",
    "/JS",
    "/JavaScript",
    "/OpenAction",
    "/RichMediaContent",
    "/XFA",
)
# Kinds of actions that do more than turn to a place of the document or to a web page.
ACTIONS = frozenset(
    {
        "/GoToE",
        "/GoToR",
        "/ImportData",
        "/JavaScript",
        "/Launch",
        "/Movie",
        "/Rendition",
        "/RichMediaExecute",
        "/Sound",
        "/SubmitForm",
    }
)
MOST_DEPTH = 100  # of containers in each other; real documents have ten


def copy(body: bytes) -> bytes | None:
    """The PDF without what may run in it, and without a password that only limits its use.

    None where it opens with a password only, is damaged, or still holds something that may run.
    """
    try:
        with Pdf.open(io.BytesIO(body)) as document:
            for container in _containers(document):
                _disarm(container)
            target = io.BytesIO()
            document.save(target, encryption=False, linearize=True)
    except (pikepdf.PdfError, pikepdf.PasswordError):
        return None
    safe = target.getvalue()
    return None if pdf_reader.active(safe) else safe


def _containers(document: Pdf) -> Iterator[Dictionary | Stream]:
    """Every dictionary of the document, also those inside others."""
    for top in document.objects:
        yield from _inside(top, 0)
    yield from _inside(document.trailer, 0)


def _inside(value: Object, depth: int) -> Iterator[Dictionary | Stream]:
    """The dictionaries in one object; what it only refers to is an object of its own."""
    if depth > MOST_DEPTH:
        return
    if isinstance(value, Dictionary | Stream):
        yield value
        children = [child for _, child in value.items()]
    elif isinstance(value, Array):
        children = list(value)
    else:
        return
    for child in children:
        if isinstance(child, Object) and not child.is_indirect:
            yield from _inside(child, depth + 1)


def _disarm(container: Dictionary | Stream) -> None:
    for entry in ENTRIES:
        if entry in container:
            del container[entry]
    kind = container.get("/S")
    if isinstance(kind, Name) and str(kind) in ACTIONS:
        for entry in list(container.keys()):
            del container[entry]
