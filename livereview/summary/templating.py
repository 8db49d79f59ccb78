"""The templates of the public pages: escaped, strict about names, and with the words of the
review's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from livereview import messages
from livereview.summary import evidence_map, words


def template(name: str) -> Template:
    """A template of the public pages, by its name."""
    return _ENVIRONMENT.get_template(name)


def _safe_text(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return words.tidy(value)
    return value


def _say(text: str, /, **values: Any) -> Markup:
    """A message of the templates, which may hold elements.

    Its values may not, unless they are Markup.
    """
    return _filled(messages.translated(text), values)


def _many(one: str, other: str, n: int, /, **values: Any) -> Markup:
    return _filled(messages.plural(one, other, n), {"n": n, **values})


def _filled(told: str, values: Mapping[str, Any]) -> Markup:
    if not values:
        return Markup(told)  # noqa: S704 - the catalogue's own words
    safe = {
        name: escape(_safe_text(one)) if isinstance(one, str) else one
        for name, one in values.items()
    }
    return Markup(told.format(**messages.local(safe)))  # noqa: S704 - its values were escaped


_ENVIRONMENT = Environment(
    loader=PackageLoader("livereview.summary"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_safe_text,
)
_ENVIRONMENT.globals.update(say=_say, many=_many, mark=messages.mark, words=words)
_ENVIRONMENT.globals.update(has_map=evidence_map.has_page)
