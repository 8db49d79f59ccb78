"""What the sources that answer in JSON have in common: reading a body, saying what is wrong with
it, and reaching into it without trusting its shape (a publisher sends null, a string or a list of
one where the manual promises an object).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.records import Record
from livereview.sources.protocol import Query, Reject
from livereview.sources.text import plain, reject

RETRACTIONS = ("retracted", "expression-of-concern", "corrected")  # the most severe first
_BUSY = re.compile(
    r"too many requests|rate limit|rate exceeded|budget|temporarily|unavailable|bad gateway|time-?out|timed out"
    r"|internal server error|try again|maintenance|overloaded",
    re.IGNORECASE,
)
# controls and half characters, as in "\ud83d"
_DIRT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_STATUS = re.compile(r"\b(?:429|50[0234])\b")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_ISO = re.compile(r"\s*(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?(?![\d-])")
_MARKED = re.compile(
    r"\W*(?:RETRACTED|WITHDRAWN|Retracted)(?: (?:ARTICLE|CHAPTER|PAPER|Article|Chapter|Paper))?\W*[:\]]"
)


def read_json(body: bytes, source: str, title: str) -> Any:
    """The JSON value in `body`.

    Retry for an empty or truncated one, SourceBroken for all else that is not JSON.
    """
    text = body.decode(json.detect_encoding(body), "replace").strip()
    if not text:
        raise Retry(f"{title} sent an empty answer; the same call may work later", source=source)
    if text[0] not in "{[":
        raise not_an_answer(text, source, title)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise _damaged(error, text, source, title) from None


def _damaged(error: Exception, text: str, source: str, title: str) -> LivereviewError:
    if isinstance(error, json.JSONDecodeError) and "Extra data" not in error.msg:
        at_the_end = error.pos >= len(text) - 6  # room for "fals", "nul" and "\u00e"
        if at_the_end or "Unterminated" in error.msg:
            return Retry(
                f"{title}'s answer is truncated after {len(text)} characters", source=source
            )
    return SourceBroken(
        f"this is not {title}'s answer: not valid JSON, {error}"[:300], source=source
    )


def not_an_answer(text: str, source: str, title: str) -> LivereviewError:
    """The error for a body in another format: Retry where its words say "busy" or "down", else
    SourceBroken.
    """
    page = _HTML.search(text[:500])
    said = _headline(text) if page else plain(text[:200], 200) or ""
    if text.startswith("<"):
        root = re.search(r"<([A-Za-z][\w:.-]*)", text[:2_000])
    else:
        root = None
    if page:
        kind = "an HTML page"
    elif root:
        kind = f"XML of the kind <{root.group(1)}>"
    else:
        kind = "plain text, not JSON"
    if text.lstrip().startswith("@"):
        kind = "BibTeX, which can be imported as a file"
    if (page or len(text) < 2_000) and (busy(said) or _STATUS.search(said)):
        return Retry(f"{title} is busy or down: it sent {kind} ({said!r})", source=source)
    return SourceBroken(f"this is not {title}'s answer: {kind} ({said!r})", source=source)


def _headline(page: str) -> str:
    parts = re.findall(
        r"<(title|h1)\b[^<>]{0,200}>(.{0,500}?)</\1", page[:20_000], re.IGNORECASE | re.DOTALL
    )
    return plain(" - ".join(part for _, part in parts) or page[:2_000], 200) or ""


def refusal(data: Any, source: str, title: str) -> LivereviewError | None:
    """The error in {"error": …}, {"errors": [{"title", …}]}, {"message": …, "status": 429} and the
    like, or None.

    Retry where its words or its status say "later".
    """
    known = mapping(data)
    parts = [
        part
        for name in ("errors", "error", "message", "detail")
        for part in sequence(known.get(name))
    ]
    said = "; ".join(filter(None, (_error_words(part) for part in parts)))[:300]
    code = (
        string(known.get("status_code"))
        or string(known.get("code"))
        or string(known.get("status"))
        or ""
    )
    if not said and not re.fullmatch(r"[45]\d\d", code):
        return None
    words = f"{said or 'no message'}{f' ({code})' if code else ''}"
    if busy(said) or code in ("429", "500", "502", "503", "504"):
        return Retry(f"{title} can't answer now: {words}", source=source)
    return SourceBroken(f"{title} refused: {words}", source=source)


def _error_words(part: object) -> str | None:
    told = mapping(part)
    return ": ".join(
        filter(None, (string(told.get(name)) for name in ("title", "message", "detail")))
    ) or string(part)


def busy(words: object) -> bool:
    """Whether an error's words say that the same call may work later."""
    return bool(_BUSY.search(str(words)))


def foreign(data: Any, source: str, title: str, expected: str) -> LivereviewError:
    """The error for valid JSON which is something else; `expected` names what the source reads.

    Retry for the few words of a gateway, such as {"message": "Service Unavailable"}.
    """
    words = "; ".join(filter(None, map(string, mapping(data).values())))
    if (
        len(words) < 300
        and busy(words)
        and not any(isinstance(value, dict | list) for value in data.values())
    ):
        return Retry(f"{title} is busy or down: {words}", source=source)
    shape = f"a list of {len(data)}" if isinstance(data, list) else type(data).__name__
    if isinstance(data, dict):
        shape = "an object with " + (", ".join(sorted(map(str, data))[:8]) or "nothing in it")
    return SourceBroken(
        f"this is not {title}'s answer: {shape}; expected {expected}", source=source
    )


def read_items(
    items: Iterable[Any], read: Callable[[dict[str, Any]], Record | str], where: str
) -> tuple[tuple[Record, ...], tuple[Reject, ...]]:
    """Each item as a record or a reject, so that none is lost; `read` gives the record or the
    reason for the reject.
    """
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, item in enumerate(items):
        if isinstance(item, dict):
            made = read(item)
        else:
            made = f"not an object but {type(item).__name__}"
        if isinstance(made, Record):
            records.append(made)
        else:
            raw = _DIRT.sub("", json.dumps(item, ensure_ascii=False))
            rejects.append(reject(made, f"{where}[{number}]", raw))
    return tuple(records), tuple(rejects)


def next_place(
    start: int, count: int, total: int | None, source: str, title: str, reach: int | None = None
) -> int | None:
    """Where the page after one of `count` items that begins at `start` begins.

    None at the end of the list.

    An end must be told, never guessed: SourceBroken where the list does not say how many items
    there are, Retry for an empty page before the last of them (or of `reach`, where no more are
    handed out).
    """
    if total is None:
        raise SourceBroken(
            f"{title} no longer says how many there are: has its interface changed?", source=source
        )
    end = min(total, reach or total)
    if count == 0 and start < end:
        raise Retry(f"{title} sent an empty page at {start:,} of {total:,}", source=source)
    return start + count if start + count < end else None


def mapping(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """`value` as a list: itself, nothing for null and "", or a list of one."""
    if isinstance(value, list):
        return value
    if value is None or value == "":
        return []
    return [value]


def string(value: object) -> str | None:
    """Text or a number as text, without outer spaces and dirt.

    None for everything else and for nothing.
    """
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return _DIRT.sub("", str(value)).strip() or None
    return None


def first(value: object) -> str | None:
    """The first text that is there in a list, or `value` itself if it is text."""
    return next((text for item in sequence(value) if (text := string(item))), None)


def whole(value: object) -> int | None:
    """A count, from a number or digits; None for everything else."""
    text = string(value)
    if text and re.fullmatch(r"[0-9]{1,18}", text):
        return int(text)
    return None


def iso(*parts: object) -> str | None:
    """An ISO date as exact as year, month and day allow: a part that is no number or not in the
    calendar ends it.
    """
    numbers: list[int] = []
    for part in parts[:3]:
        if (number := whole(part)) is None:
            break
        numbers.append(number)
    for length in range(len(numbers), 0, -1):
        try:
            day = date(*[*numbers[:length], 1, 1][:3])
        except (ValueError, OverflowError):
            continue
        if day.year >= 1000:
            return day.isoformat()[: (4, 7, 10)[length - 1]]
        return None
    return None


def iso_date(text: object) -> str | None:
    """The ISO date that `text` begins with ("2021", "2021-03", "2021-03-07T09:00:00Z"), checked.

    None without one.
    """
    match = _ISO.match(string(text) or "")
    return iso(*match.groups()) if match else None


def day(moment: datetime) -> str:
    """The day of an aware time in UTC, as sources want it."""
    return moment.astimezone(UTC).date().isoformat()


def marked_retracted(title: str | None) -> bool:
    """Whether the publisher wrote "RETRACTED:" before the title: databases often lag behind that
    mark.
    """
    return bool(title and _MARKED.match(title))


def search_text(query: Query, own: tuple[str, ...], title: str) -> str:
    """The query on one line, as protocols wrap long ones.

    Refused without it and any filter but those in `own`.
    """
    text = " ".join(query.text.split())
    if not text and {name for name, _ in query.filters} <= set(own):
        raise Refused(f"a search of {title} needs a query or a filter: give one in review.toml")
    return text


def api_filters(query: Query, own: tuple[str, ...], title: str) -> list[str]:
    """The filters as "name:value", but for the names in `own`.

    Refused for a comma, which would split the filter.
    """
    chosen = [(name, value) for name, value in query.filters if name not in own]
    for name, value in chosen:
        if "," in value:
            raise Refused(
                f"{title} splits filters at commas; give the filter {name} once per value, not {value!r}"
            )
    return [f"{name}:{value}" for name, value in chosen]
