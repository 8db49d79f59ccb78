"""The text of a PDF and where its characters stand, read in a process with limits."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest

from livereview import parsing, pdf_text
from livereview.evidence.quotes import Place, find
from livereview.ops import page_texts
from livereview.parsing import Limits, ParseExceeded, ReadPdf, pdf
from livereview.pdf_text import PdfText
from tests import pdfs

LINES = ["The families who took part did not return", "to care as often (-0.45)."]
MORE = ["They stayed together for 12 months, and", "said that they felt heard in this time."]


def test_characters_have_their_page_and_their_place_on_it() -> None:
    text = parsing.read_pdf(ReadPdf(pdfs.pdf(LINES, MORE), "paper.pdf"))

    assert (text.state, text.active, len(text.pages)) == ("read", (), 2)
    place = find(text.text, "did not return to care as often")
    assert isinstance(place, Place)
    boxes = text.boxes(place.start, place.end)
    assert [page for page, _ in boxes] == [1, 1]
    (_, first), (_, second) = boxes
    assert 50 < first.left < first.right < 595
    assert 780 <= first.top <= 790
    assert second.left == pytest.approx(50, abs=2)
    assert second.top < first.bottom

    across = find(text.text, "as often (-0.45). They stayed together")
    assert isinstance(across, Place)
    assert [page for page, _ in text.boxes(across.start, across.end)] == [1, 2]
    assert (text.page_at(across.start), text.page_at(across.end)) == (1, 2)


def test_what_is_kept_is_read_back_and_an_older_readers_is_not() -> None:
    text = pdf.read(pdfs.pdf(LINES, MORE))
    kept = pdf_text.pack(text)

    assert pdf_text.unpack(kept) == text
    assert pdf_text.pack(text) == kept
    assert pdf_text.unpack(kept[:-20]) is None
    assert pdf_text.unpack(b"") is None
    assert pdf_text.unpack(zlib.compress(b"{}")) is None


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (pdfs.pdf([], []), "no text"),
        (pdfs.pdf(["Library"], [], []), "no text"),
        (pdfs.encrypted(), "encrypted"),
        (b"%PDF-1.7\n%%EOF", "damaged"),
        (b"", "damaged"),
        (pdfs.pdf(LINES)[:300], "damaged"),
    ],
)
def test_a_file_without_text_says_so(body: bytes, state: str) -> None:
    text = pdf.read(body)

    assert text.state == state
    assert text.pages == ()
    assert pdf_text.STATES[text.state]


def test_what_may_run_in_a_file_is_named() -> None:
    script = b"/OpenAction<</S/J#61vaScript/JS(app.alert\\(1\\))>>"
    launch = b"/OpenAction<</S/Launch/F(calc.exe)>>"
    packed = zlib.compress(b"7 0 <</S/JavaScript/JS(1)>>")
    hidden = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    picture = b"<</Length 8>>stream\n/JS /JS \nendstream"

    assert pdf.read(pdfs.pdf(LINES, catalog=script)).active == ("scripts",)
    assert pdf.read(pdfs.pdf(LINES, catalog=launch)).active == ("programs to start",)
    in_objects = pdfs.pdf(LINES, objects=[hidden + packed + b"\nendstream"])
    assert pdf.read(in_objects).active == ("scripts",)
    assert pdf.read(pdfs.pdf(LINES, objects=[picture])).active == ()


def test_a_file_that_takes_too_much_stops_nobody() -> None:
    body = pdfs.pdf(*([LINES * 20] * 400))
    limits = Limits(0.02, 20.0, 2_000_000_000, 50_000_000)

    with pytest.raises(ParseExceeded):
        parsing.read_pdf(ReadPdf(body, "paper.pdf"), limits)
    assert parsing.read_pdf(ReadPdf(pdfs.pdf(LINES), "paper.pdf")).state == "read"


def test_the_text_of_a_file_is_read_once_and_made_again_where_it_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "full-texts"
    folder.mkdir()
    body = pdfs.pdf(LINES, MORE)
    sha256 = hashlib.sha256(body).hexdigest()
    assert page_texts.text_of(folder, sha256) is None
    (folder / f"{sha256}.pdf").write_bytes(body)

    first = page_texts.text_of(folder, sha256)
    kept = tmp_path / page_texts.FOLDER / f"{sha256}.zip"
    assert first is not None
    assert pdf_text.unpack(kept.read_bytes()) == first
    kept.write_bytes(pdf_text.pack(PdfText("no text")))
    assert page_texts.text_of(folder, sha256) == PdfText("no text")
    kept.write_bytes(b"damaged")
    assert page_texts.text_of(folder, sha256) == first
