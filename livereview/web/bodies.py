"""How much may be sent to a route: too much is refused before it comes where it says so, else while
it comes.
"""

from __future__ import annotations

from fastapi import HTTPException, Request
from starlette.types import Message, Receive

SECRET = 16_000  # bytes: a sign-in
# what strangers type: its texts end at 5,000 characters, of up to 12 bytes in a form
PUBLIC_FORM = 128_000
FORM = 256_000  # what people type, and the choices that a page of fifty lines carries along
LONG_FORM = 2_000_000  # an extraction of many outcomes with its quotations
FILE = 21_000_000  # a PDF or an export of 20 MB, and the form around it
FILES = 400_000_000  # fifty PDFs; most have less than 3 MB, and each is kept apart on the disk
EXPORTS = 101_000_000  # fifty exports of records, 100 MB together, and the form around them
PAGE = 70_000_000  # the largest answer of a source, 50 MB, as base64 in JSON


def limited(request: Request, largest: int) -> Request:
    """The request, of whose body no more than `largest` bytes are received.

    Raises:
        HTTPException: 413, at once where the length stated is too much, else from whoever reads on.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > largest:
        raise _too_much(largest)
    return Request(request.scope, _counted(request.receive, largest), request._send)


def _counted(receive: Receive, largest: int) -> Receive:
    """Stop receiving a body that grows too large, whatever was said of its length."""
    size = 0

    async def read() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            raise _too_much(largest)
        return message

    return read


def _too_much(largest: int) -> HTTPException:
    if largest >= 1_000_000:
        limit = f"{largest // 1_000_000} MB"
    else:
        limit = f"{largest // 1_000} kB"
    return HTTPException(
        413, f"That is too much at once; the limit is {limit}. Nothing was saved: send less."
    )
