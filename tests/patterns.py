"""Every regular expression of the tree, the texts that could pump it, and how its work grows with
them.

A pattern that looks again and again at what it has seen already takes the square of a text's
length, or worse. Python's `re` holds the interpreter's lock meanwhile, so one title can stop
everybody. Growth is judged by the ratio of CPU times at lengths that double, never by a time
itself.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
COMPILED = ("search", "match")  # what is tried where no call of a method is seen
SCANNING = ("search", "sub", "split", "findall", "finditer")

# letters: where the square of the length shows for every pattern, and a line does not
PUMPED = 4_000
QUIET = 0.001  # seconds of CPU below which a text of PUMPED letters is not looked at again
LINEAR = 8.0  # times the CPU for four times the text: a line takes 4, a square 16
HEAVY = 0.02  # seconds of CPU that one text may take before its other ends are left out
HOPELESS = 0.3  # seconds of CPU after which a text is not made longer

LETTERS = " \n\ta1A(<[{,.:;-–=&\"'\\/_|%@é"
GENERIC = (
    "<p ", "<a b=", "<!--", "<?xml ", "</", "(a", "[a", "{a", "a.", "a,", "A.", "1-", "1,", " a", " 1", "- ", "a b ",
    " and ", "and ", "\n\n", "\r\n", "a=", '"a', "\\a", "\\a{", "$a", "&amp;", "&#1;", "10.1234/", "doi:", "p. 1", ":a",
    "vol 1", "jr ", ", jr", "a@", "http://a", "S1", "1990", "PMC1", "RAYYAN-A: ", '"a"=>"', "a'", "A", "retracted",
)  # fmt: skip
ENDS = ("", "\x00", "a")
# Letters: each a third more than the last, so that a pattern that doubles its work with some
# letters is seen in time.
FIRST_SIZES = (10, 13, 17, 22, 28, 36, 47, 61, 80, 104, 135, 176, 230, 700)


@dataclass(frozen=True)
class Found:
    """One regular expression: where it stands, its name or its text, and the methods that are
    called on it.
    """

    place: str
    name: str
    pattern: re.Pattern[Any]
    methods: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place} {self.name}"


def modules() -> Iterator[tuple[Path, ModuleType]]:
    """The project's modules and the files they are in."""
    for folder in ("livereview", "flows"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if not name.endswith("__main__"):
                yield path, importlib.import_module(name)


def everything(dynamic: Mapping[str, tuple[str, ...]]) -> list[Found]:
    """All patterns of the tree; `dynamic` has examples of those that are put together when they are
    used.

    Raises LookupError for an expression that can be read neither from the module nor from
    `dynamic`, so that a new one can't hide.
    """
    found: list[Found] = []
    for path, module in modules():
        place = str(path.relative_to(ROOT))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = _calls(tree)
        held = set()
        for name, pattern in _held(module):
            held.add((pattern.pattern, pattern.flags))
            methods = calls.get(name.partition("[")[0]) or ("search", "match")
            found.append(Found(place, name, pattern, tuple(sorted(methods))))
        found += [
            one
            for one in _written(tree, module, place, dynamic)
            if one.methods != COMPILED or (one.pattern.pattern, one.pattern.flags) not in held
        ]
    return list({(one.pattern, one.methods): one for one in reversed(found)}.values())


def _held(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Compiled patterns that the module itself holds, in tables too."""

    def walk(name: str, value: object, depth: int) -> Iterator[tuple[str, re.Pattern[Any]]]:
        if isinstance(value, re.Pattern):
            yield name, value
        elif isinstance(value, Mapping) and depth:
            for key, part in value.items():
                yield from walk(f"{name}[{key!r}]", part, depth - 1)
        elif isinstance(value, (tuple, list, frozenset, set)) and depth:
            for number, part in enumerate(value):
                yield from walk(f"{name}[{number}]", part, depth - 1)

    for name, value in vars(module).items():
        if not name.startswith("__") and not isinstance(value, ModuleType):
            yield from walk(name, value, 3)


def _calls(tree: ast.Module) -> dict[str, set[str]]:
    """Which methods are called on each name, straight or as `re.sub(NAME, …)`."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr not in METHODS:
            continue
        if isinstance(node.value, ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    for node in ast.walk(tree):
        method = _re_call(node)
        if (
            method
            and isinstance(node, ast.Call)
            and node.args
            and isinstance(node.args[0], ast.Name)
        ):
            found.setdefault(node.args[0].id, set()).add(method)
    return found


def _re_call(node: ast.AST) -> str | None:
    """The function of `re` that a node calls, if it calls one."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    owner = node.func.value
    known = isinstance(owner, ast.Name) and owner.id == "re"
    return node.func.attr if known and node.func.attr in (*METHODS, "compile") else None


def _written(
    tree: ast.Module, module: ModuleType, place: str, dynamic: Mapping[str, tuple[str, ...]]
) -> list[Found]:
    """Patterns written where they are used, inside functions."""
    found = []
    for node in ast.walk(tree):
        method = _re_call(node)
        if method is None or not isinstance(node, ast.Call):
            continue
        words = ast.unparse(node.args[0])
        flags = _flags(node, method, module)
        if (key := f"{place}: {words}") in dynamic:
            patterns: tuple[Any, ...] = dynamic[key]
        else:
            try:
                code = compile(ast.Expression(node.args[0]), place, "eval")
                patterns = (eval(code, dict(vars(module))),)
            except NameError:
                raise LookupError(
                    f"line {node.lineno} of {place} makes a pattern of {words}: give examples"
                ) from None
        for pattern in patterns:
            ready = pattern if isinstance(pattern, re.Pattern) else re.compile(pattern, flags)
            methods = COMPILED if method == "compile" else (method,)
            found.append(Found(place, words, ready, methods))
    return found


def _flags(node: ast.Call, method: str, module: ModuleType) -> int:
    position = {
        "compile": 1,
        "match": 2,
        "fullmatch": 2,
        "search": 2,
        "findall": 2,
        "finditer": 2,
    }.get(method)
    given = [word.value for word in node.keywords if word.arg == "flags"]
    if position is not None:
        given += node.args[position : position + 1]
    flags = 0
    for value in given:
        flags |= int(eval(compile(ast.Expression(value), "flags", "eval"), dict(vars(module))))
    return flags


def pumps(pattern: re.Pattern[Any]) -> list[tuple[str, str, str]]:
    """(what comes before, what comes again and again, what comes last) of the texts that may pump a
    pattern.
    """
    source = pattern.pattern
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    flags = pattern.flags & ~re.UNICODE if isinstance(source, bytes) else pattern.flags
    tree = parser.parse(text, flags & ~re.LOCALE)
    made: dict[tuple[str, str], None] = {}
    for before, body in _repeats(tree, ""):
        for piece in body:
            made[before, piece] = None
            made["", before + piece] = None
    for whole in _samples(tree):
        for cut in (whole, whole[:-1], whole[:-2]):
            made["", cut] = None
    for piece in (*LETTERS, *GENERIC):
        made["", piece] = None
    return [(before, piece, end) for before, piece in made if piece for end in ENDS]


def _repeats(tree: Any, before: str) -> Iterator[tuple[str, list[str]]]:
    """Each repetition in a parsed pattern: a text that leads up to it, and texts that it repeats."""
    lead = before
    for operation, argument in tree:
        if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            _, most, body = argument
            samples = _samples(body)
            if most > 1:
                yield lead, samples
            yield from _repeats(body, lead)
        elif operation is codes.SUBPATTERN:
            yield from _repeats(argument[-1], lead)
        elif operation is codes.ATOMIC_GROUP:
            yield from _repeats(argument, lead)
        elif operation is codes.BRANCH:
            for branch in argument[1]:
                yield from _repeats(branch, lead)
        elif operation in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(argument[1], lead)
        lead += next(iter(_sample(operation, argument)), "")


def _samples(tree: Any) -> list[str]:
    """A few texts that a parsed pattern takes."""
    texts = [""]
    for operation, argument in tree:
        parts = _sample(operation, argument) or [""]
        texts = list(
            dict.fromkeys([texts[0] + part for part in parts] + [text + parts[0] for text in texts])
        )[:12]
    return texts


def _sample(operation: Any, argument: Any) -> list[str]:
    if operation is codes.LITERAL:
        return [chr(argument)]
    if operation in (codes.NOT_LITERAL, codes.ANY, codes.IN, codes.CATEGORY):
        one = re.compile(_as_class(operation, argument))
        return [letter for letter in LETTERS if one.fullmatch(letter)] or _first(argument)
    if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, most, body = argument
        return [sample * max(least, min(1, most)) for sample in _samples(body)]
    if operation is codes.SUBPATTERN:
        return _samples(argument[-1])
    if operation is codes.ATOMIC_GROUP:
        return _samples(argument)
    if operation is codes.BRANCH:
        return [text for branch in argument[1] for text in _samples(branch)[:2]][:12]
    return []


def _first(argument: Any) -> list[str]:
    """The first letters of a class of unusual ones."""
    if not isinstance(argument, list):
        return ["z"]
    kinds = {codes.LITERAL: lambda value: chr(value), codes.RANGE: lambda value: chr(value[0])}
    return [kinds[kind](value) for kind, value in argument if kind in kinds][:3] or ["z"]


_CLASSES = {
    codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _as_class(operation: Any, argument: Any) -> str:
    """A parsed single character as a pattern again."""
    if operation is codes.ANY:
        return r"[^\n]"
    if operation is codes.CATEGORY:
        return _CLASSES[argument]
    if operation is codes.NOT_LITERAL:
        return f"[^{re.escape(chr(argument))}]"
    parts = []
    for kind, value in argument:
        if kind is codes.NEGATE:
            parts.insert(0, "^")
        elif kind is codes.LITERAL:
            parts.append(re.escape(chr(value)))
        elif kind is codes.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif kind is codes.CATEGORY:
            parts.append(_CLASSES[value])
    return f"[{''.join(parts)}]"


def uses(pattern: re.Pattern[Any], methods: tuple[str, ...]) -> list[Callable[[Any], object]]:
    """The pattern as it is used: from one place (match), or from everywhere."""
    ways: list[Callable[[Any], object]] = []
    if set(methods) & set(SCANNING):
        ways.append(lambda text: sum(1 for _ in pattern.finditer(text)))
    if "match" in methods:
        ways.append(pattern.match)
    if "fullmatch" in methods:
        ways.append(pattern.fullmatch)
    return ways


def seconds(use: Callable[[Any], object], text: Any, times: int = 1) -> float:
    """CPU seconds of this thread for one use: the least of several, as others disturb only upwards."""
    least = float("inf")
    for _ in range(times):
        begun = time.thread_time()
        use(text)
        least = min(least, time.thread_time() - begun)
    return least


def pumped_by(found: Found, most: int = PUMPED) -> str | None:
    """The first text that makes a pattern's work grow faster than itself, with the figures.

    None if none does.

    most  how many letters it can meet, where that is less than PUMPED
    """
    as_bytes = isinstance(found.pattern.pattern, bytes)
    for use in uses(found.pattern, found.methods):
        heavy: set[tuple[str, str]] = set()
        for before, piece, end in pumps(found.pattern):
            if (
                before,
                piece,
            ) in heavy:  # much work for each letter, but in a line, whatever comes last
                continue

            def text(size: int, before: str = before, piece: str = piece, end: str = end) -> Any:
                whole = before + piece * (size // len(piece) + 1) + end
                return whole.encode("utf-8", "replace") if as_bytes else whole

            begun = time.thread_time()
            if growth := superlinear(use, text, most):
                return f"{before!r} + {piece!r} * n + {end!r}: {growth}"
            if time.thread_time() - begun > HEAVY:
                heavy.add((before, piece))
    return None


def superlinear(
    use: Callable[[Any], object], text: Callable[[int], Any], most: int = PUMPED
) -> str | None:
    """Figures that show that `use` grows faster than its text, or None.

    Lengths grow slowly at first, so that even a pattern that doubles its work with each letter is
    seen in time.
    """
    before = 0.0
    for size in FIRST_SIZES:
        if size > most:
            return None
        took = seconds(use, text(size))
        if took > HOPELESS:
            return f"{before:.4f} s, then {took:.4f} s of CPU at only {size} letters"
        before = took
    whole = seconds(use, text(most))
    if whole < QUIET or whole < LINEAR * seconds(use, text(most // 4)):
        return None
    for _ in range(3):  # noise would have to agree with itself three times
        short, long = seconds(use, text(most), 3), seconds(use, text(4 * most))
        if long < LINEAR * short:
            return None
    return f"{short:.4f} s of CPU for {most:,} letters, {long:.4f} s for {4 * most:,}"
