"""One catalogue of messages: complete for the published page, never stale, and English as it always
was.
"""

from __future__ import annotations

import io
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from livereview import messages, review_toml
from livereview.errors import Refused
from livereview.summary import site
from livereview.summary.snapshot import Snapshot
from tests.snapshots import snapshot
from tests.test_summary_raster import rich
from tests.test_summary_site import full

# What the pages below hold that nobody translates: what people wrote, names, units and kinds of
# files.
WRITTEN = """lead mentoring for children in care wellbeing entering a scale smd api openalex crossref and any country
does help usual services school attendance weekly monthly none newly included study an extraction when new evidence is
accepted report rob svg png csv dear staff left they trust grows take it may be poorly evaluated we can say yet ode
wrong design reml"""
DATA = set(WRITTEN.split())
SAME_IN_FRENCH = {  # words that both languages share, and keys of data that are told as they are
    "version {number}, {date}",
    "version {number}",
    "Type",
    "Version {number}, {date}.",
    '<a href="{home}v/{number}/">version {number}</a>',
    "Version {number}",
    '<a href="{name}.csv">{name}.csv</a>',
    "Intervention",
    "<strong>{rule}, version {version}.</strong>",
    "Source",
    "Extraction",
    "Publication",
    "(p. {page})",
    "plausible",
    "Version {number}, {date}",
}


def texts(message: Message, found: str) -> list[str]:
    """The English texts of a message, or what they became."""
    told = message.id if found == "id" else message.string
    return list(told) if isinstance(told, tuple | list) else [told]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def catalogues() -> list[Path]:
    return sorted(messages.LOCALE.glob("*.po"))


class Visible(HTMLParser):
    """The words that a reader sees or hears, outside pictures."""

    def __init__(self, page: str):
        super().__init__()
        self.texts: list[str] = []
        self.hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("svg", "style", "script")
        if not self.hidden:
            self.texts += [
                value for name, value in attrs if name in ("aria-label", "title", "alt") and value
            ]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("svg", "style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append(data)


def page(snap: Snapshot, language: str, name: str = "index.html") -> str:
    """In this language.

    By rule, since what waits for a name keeps the language it was signed in.
    """
    unsigned = replace(snap.review.living, sign_off=False)
    told = replace(snap, review=replace(snap.review, language=language, living=unsigned))
    return site.build(told, len(told.history) + 1, "an extraction").files[name].decode()


def bare(text: str) -> str:
    """A message without its placeholders and the marks of HTML."""
    return re.sub(r"<[^>]*>|{[^}]*}", "", text)


def unwrapped(told: str) -> set[str]:
    """The words of a page that are in no message and that no person wrote."""
    text = " ".join(Visible(told).texts)
    while (inner := re.sub("⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = inner
    return {word.lower() for word in re.findall(r"[A-Za-z]{2,}", text)} - DATA


@pytest.fixture
def wrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language "de" in which each message is itself between ⟦ and ⟧."""
    made = Catalog(locale="de")
    for message in messages.template():
        if message.id:
            told = tuple(f"⟦{text}⟧" for text in texts(message, "id"))
            made.add(message.id, told if len(told) > 1 else told[0])
    out = io.BytesIO()
    write_po(out, made)
    (tmp_path / "de.po").write_bytes(out.getvalue())
    monkeypatch.setattr(messages, "LOCALE", tmp_path)
    yield


@pytest.mark.parametrize("snap", [rich, full, snapshot], ids=["rich", "full", "empty"])
def test_every_word_of_the_page_is_a_message_or_what_people_wrote(wrapped: None, snap) -> None:
    told = page(snap(), "de")
    assert told.count("⟦") > 100
    left = unwrapped(told)
    assert left <= {"märz", "rz"}, left  # of the date


@pytest.mark.parametrize(
    "name", ["searches.html", "embed.html", "analysis.html", "studies.html", "finding-well.html"]
)
def test_every_word_beside_the_page_is_a_message_too(wrapped: None, name: str) -> None:
    left = unwrapped(page(full(), "de", name))
    assert left <= {"märz", "rz"}, left  # of the date


PICTURES = ("cumulative", "effect_direction", "forest", "funnel", "over-time", "prisma")
BETWEEN_TAGS = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)


def test_pictures_are_in_the_reviews_language_too(wrapped: None) -> None:
    snap = rich()
    unsigned = replace(snap.review.living, sign_off=False)
    told = replace(snap, review=replace(snap.review, language="de", living=unsigned))
    files = site.build(told, len(told.history) + 1, "an extraction").files
    drawn = [name for name in files if name.endswith(".svg") and name.startswith(PICTURES)]
    assert len(drawn) >= len(PICTURES)
    for name in drawn:
        text = BETWEEN_TAGS.sub(" ", files[name].decode())
        assert "⟦" in text, name
        while (inner := re.sub("⟦[^⟦⟧]*⟧", " ", text)) != text:
            text = inner
        left = {word.lower() for word in re.findall(r"[A-Za-z]{2,}", text)} - DATA
        assert left <= {"märz", "rz", "worse", "results"}, (name, left)  # earlier versions' words


def test_each_question_of_the_checklist_is_a_message(wrapped: None) -> None:
    asks = re.findall(r'<td data-label="⟦Asks⟧">(.*?)</td>', page(full(), "de", "checklist.html"))
    assert len(asks) > 60
    assert [text for text in asks if not text.startswith("⟦")] == []


def test_the_template_of_catalogues_has_every_message_of_the_code() -> None:
    kept = (messages.LOCALE / messages.TEMPLATE).read_bytes()
    assert kept == messages.written(), "run python -m livereview.messages"


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_a_catalogue_fits_its_messages(path: Path) -> None:
    known = {str(texts(message, "id")) for message in messages.template() if message.id}
    with path.open("rb") as file:
        told = [message for message in read_po(file, locale=path.stem) if message.id]
    assert len(told) > 50
    for message in told:
        assert str(texts(message, "id")) in known, "no message of the code any more"
        english = set().union(*map(placeholders, texts(message, "id")))
        for text in texts(message, "string"):
            assert placeholders(text) <= english, (message.id, text)


def test_a_page_in_french_says_so_and_has_french_dates_and_figures() -> None:
    text = page(full(), "fr")
    assert (
        '<html lang="fr"' in text
        and "Résumé des résultats" in text
        and "Comment cela pourrait-il" in text
    )
    assert "3 mars 2026" in text and "1\u202f200" in text
    methods = page(full(), "fr", "methods.html")
    assert "Texte intégral cherché" in methods
    columns = page(full(), "fr", "data.html")
    assert "Noms, séparés par |." in columns
    assert "Notices identifiées" in page(full(), "fr", "prisma.svg")
    frame = page(full(), "fr", "embed.html")
    assert '<html lang="fr"' in frame and "Recherches complètes jusqu’au" in frame


def test_french_tells_every_message() -> None:
    french = messages.catalogue("fr").texts
    english = [texts(message, "id") for message in messages.template() if message.id]
    lacking = [forms[0] for forms in english if forms[0] not in french]
    assert lacking == [], "translate these in livereview/locale/fr.po"
    same = {forms[0] for forms in english if forms[0] == french[forms[0]][0]}
    assert {text for text in same if re.search("[A-Za-z]", bare(text))} == SAME_IN_FRENCH


def test_a_message_that_a_catalogue_lacks_is_told_in_english() -> None:
    with messages.language("fr"):
        assert messages.say("No catalogue has this.") == "No catalogue has this."


def test_english_is_told_without_a_catalogue_and_a_language_ends_with_its_block() -> None:
    assert messages.say("{n:,} of {all}", n=1200, all=3) == "1,200 of 3"
    assert messages.many("{n} study", "{n} studies", 2) == "2 studies"
    with messages.language("fr"):
        assert messages.say("What changed") == "Ce qui a changé" and messages.in_force() == "fr"
    assert messages.say("What changed") == "What changed"


def test_an_unknown_language_is_refused_with_those_there_are(protocol: str) -> None:
    with pytest.raises(Refused, match="en-GB, fr"), messages.language("tlh"):
        pass
    with pytest.raises(Refused, match="language"):
        review_toml.parse('language = "tlh"\n' + protocol)
    assert review_toml.parse('language = "fr"\n' + protocol).language == "fr"
