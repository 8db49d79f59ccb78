"""As much of PromQL as our alert rules use, over scraped texts.

    Scraped(before, after, seconds).holds('livereview_measured == 0')

Where `promtool` is installed, the tests ask that too.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
TOKEN = re.compile(r'\s*(\d+(?:\.\d+)?|[a-zA-Z_]\w*|"[^"]*"|==|!=|>=|<=|=~|[-+*/(){}\[\],=<>])')
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
    ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
NO_LABELS: Labels = frozenset()


def series(text: str) -> dict[str, Vector]:
    """The samples of a scraped text, by name."""
    names: dict[str, Vector] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            names.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return names


@dataclass
class Scraped:
    """Two scrapes of one owner, so many seconds apart."""

    before: str
    after: str
    seconds: float = 600.0

    def __post_init__(self) -> None:
        self._before, self._now = series(self.before), series(self.after)

    def holds(self, expression: str) -> Vector:
        """The series for which it holds, with their values; an alert fires for each."""
        self._tokens = TOKEN.findall(expression)
        assert "".join(self._tokens) == expression.replace(" ", ""), expression
        answer = self._comparison()
        assert not self._tokens, self._tokens
        return answer

    def _comparison(self) -> Vector:
        left = self._product()
        compare = COMPARE[self._tokens.pop(0)]
        shared = None
        if self._takes("on"):
            shared = self._names()
            self._tokens.remove("group_left")
        right = self._product()
        others = {_only(labels, shared): value for labels, value in right.items()}
        kept = {}
        for labels, value in left.items():
            other = others.get(_only(labels, shared), others.get(NO_LABELS))
            if other is not None and compare(value, other):
                kept[labels] = value
        return kept

    def _product(self) -> Vector:
        value = self._term()
        while self._tokens and self._tokens[0] in "*/":
            sign, other = self._tokens.pop(0), self._term()
            value = _each(value, other, operator.mul if sign == "*" else _divided)
        return value

    def _term(self) -> Vector:
        word = self._tokens.pop(0)
        if re.fullmatch(r"\d.*", word):
            return {NO_LABELS: float(word)}
        if word == "sum":
            self._takes("(")
            inner = self._product()
            self._takes(")")
            return {NO_LABELS: sum(inner.values())} if inner else {}
        if word == "rate":
            self._takes("(")
            name, wanted = self._selector(self._tokens.pop(0))
            del self._tokens[:4]  # [10m]
            self._takes(")")
            now, before = _chosen(self._now, name, wanted), _chosen(self._before, name, wanted)
            return {
                labels: (value - before.get(labels, 0)) / self.seconds
                for labels, value in now.items()
            }
        return _chosen(self._now, *self._selector(word))

    def _selector(self, name: str) -> tuple[str, dict[str, str]]:
        wanted: dict[str, str] = {}
        if self._takes("{"):
            while not self._takes("}"):
                label, equal, text = self._tokens.pop(0), self._tokens.pop(0), self._tokens.pop(0)
                assert equal == "="
                wanted[label] = text.strip('"')
                self._takes(",")
        return name, wanted

    def _names(self) -> set[str]:
        self._takes("(")
        names = set()
        while not self._takes(")"):
            names.add(self._tokens.pop(0))
            self._takes(",")
        return names

    def _takes(self, word: str) -> bool:
        if self._tokens and self._tokens[0] == word:
            self._tokens.pop(0)
            return True
        return False


def _chosen(names: dict[str, Vector], name: str, wanted: dict[str, str]) -> Vector:
    matching = wanted.items()
    return {labels: value for labels, value in names.get(name, {}).items() if matching <= labels}


def _only(labels: Labels, names: set[str] | None) -> Labels:
    if names is None:
        return labels
    return frozenset((name, value) for name, value in labels if name in names)


def _each(left: Vector, right: Vector, act: Callable[[float, float], float]) -> Vector:
    values = {}
    for labels, value in left.items():
        other = right.get(labels, right.get(NO_LABELS))
        if other is not None:
            values[labels] = act(value, other)
    return values


def _divided(left: float, right: float) -> float:
    return left / right if right else float("nan")
