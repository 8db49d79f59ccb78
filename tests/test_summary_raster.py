"""The published pictures as files: whole, legible on light and dark screens, and the same bytes
everywhere.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from livereview.evidence.forms import Extraction, Judgement
from livereview.ops import renditions
from livereview.summary import drawing, raster, site
from livereview.summary.snapshot import Snapshot
from tests.snapshots import CARE, WELL, published, result, review, snapshot, study
from tests.test_summary_pictures import ALL, EVIL, LONG, cumulative_of, texts

WHITE, NIGHT = (255, 255, 255), (0x14, 0x18, 0x1D)
KINDS = {
    "prisma",
    "effect_direction",
    "summary-of-findings-main",
    "risk-of-bias",
    "forest-well",
    "cumulative-well",
    "funnel-well",
}
TITLES = {
    *(
        "PRISMA flow diagram",
        "Summary of findings: The intervention against the comparison",
        "Effect direction plot",
        "Risk of bias: each study",
        "Forest plot: Wellbeing",
    ),
    *("Cumulative plot: Wellbeing", "Funnel plot: Wellbeing", "Version by version: Wellbeing"),
}
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
Pixels = list[list[tuple[int, int, int]]]


def pixels(png: bytes) -> Pixels:
    """Rows of (red, green, blue) of a PNG of 8 bits a channel.

    Filters by the PNG specification, 3rd edition, 9.2.
    """
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks = dict[bytes, bytes]()
    at = 8
    while at < len(png):
        (length,), kind = struct.unpack_from(">I", png, at), png[at + 4 : at + 8]
        chunks[kind] = chunks.get(kind, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    step = {2: 3, 6: 4}[colour]
    assert depth == 8
    raw, stride, before = zlib.decompress(chunks[b"IDAT"]), width * step, bytearray(width * step)
    rows: Pixels = []
    for y in range(height):
        filtered = raw[y * (stride + 1) : (y + 1) * (stride + 1)]
        before = _unfiltered(filtered[0], filtered[1:], before, step)
        rows.append([(before[x], before[x + 1], before[x + 2]) for x in range(0, stride, step)])
    return rows


def _unfiltered(kind: int, line: bytes, up: bytearray, step: int) -> bytearray:
    out = bytearray(line)
    for x in range(len(out)):
        a, b, c = (out[x - step] if x >= step else 0), up[x], (up[x - step] if x >= step else 0)
        near = min((a, b, c), key=lambda value: abs(a + b - c - value))
        out[x] = (out[x] + (0, a, b, (a + b) // 2, near)[kind]) & 255
    return out


def ink(rows: Pixels) -> int:
    return sum(sum(pixel) < 500 for row in rows for pixel in row)


def told(svg: str) -> str:
    return str(ElementTree.fromstring(svg)[0].text)


def edges(rows: Pixels, wide: int) -> Iterator[tuple[int, int, int]]:
    """The pixels of a band around a picture."""
    for y, row in enumerate(rows):
        yield from row if y < wide or y >= len(rows) - wide else row[:wide] + row[-wide:]


def alone(kind: str, n: int = 12, label: str = "Study") -> str:
    return str(drawing.alone(ALL[kind](n, label)[0]))


def rich() -> Snapshot:
    """Twelve studies that are pooled and judged, in a second version: every kind of picture is
    there.
    """
    living = replace(review().living, sign_off=False)
    known = review(outcomes=(CARE, replace(WELL, pool=True)), living=living)
    first = site.build(snapshot(*map(form, range(3)), review=known), 1, "an extraction")
    return snapshot(*map(form, range(12)), review=known, history=(published(first),))


def form(n: int) -> Extraction:
    low = 0.1 * n - 0.6
    sized = result(n=40 + n, measure="SMD", effect=low + 0.3, ci_low=low, ci_high=low + 0.6)
    judged = (Judgement("randomisation", "low"), Judgement("missing", "high"))
    return study(
        f"s{n}",
        sized,
        year=2005 + n,
        risk_of_bias="high",
        risk_of_bias_tool="RoB 2",
        appraisal=judged,
    )


def test_every_picture_of_a_version_is_an_svg_a_png_and_a_table_and_the_page_links_all() -> None:
    files = site.build(rich(), 2, "an extraction").files
    drawn = {name.removesuffix(".svg") for name in files if name.endswith(".svg")}
    names = drawn - {"badge"}  # a label for other sites, and no picture of figures
    assert names == KINDS | {"over-time-well"}
    behind = ("index.html", "studies.html", "methods.html")
    page = "".join(files[name].decode() for name in behind)
    assert {told(files[f"{name}.svg"].decode()) for name in names} == TITLES
    for name in names:
        assert files[f"{name}.png"] == raster.png(files[f"{name}.svg"].decode())
        for end in ("svg", "png", "csv"):
            assert f'<a href="{name}.{end}">{end.upper()}</a>' in page
            assert f"  {name}.{end}\n" in files["SHA256SUMS"].decode()


@pytest.mark.parametrize("kind", ALL)
def test_nothing_of_a_picture_reaches_its_edge(kind: str) -> None:
    for label in ("Study", LONG):
        rows = pixels(raster.png(alone(kind, label=label), 400))
        assert len(rows[0]) == 400
        assert ink(rows) > 500
        assert set(edges(rows, 4)) == {WHITE}


@pytest.mark.parametrize("kind", ALL)
def test_its_words_are_drawn(kind: str) -> None:
    svg = alone(kind)
    mute = re.sub(r"<text[^>]*>[^<]*</text>", "", svg)
    assert ink(pixels(raster.png(svg, 400))) > ink(pixels(raster.png(mute, 400))) + 400


def test_bold_is_drawn_bold() -> None:
    bold = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 20">'
        '<text y="15" font-weight="{}">Pooled</text></svg>'
    )
    thin, thick = (ink(pixels(raster.png(bold.format(weight), 300))) for weight in (400, 600))
    assert thick > thin * 1.1


def test_letters_that_the_font_lacks_leave_a_mark_and_break_nothing() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 20"><text y="15">{}</text></svg>'
    )
    empty = ink(pixels(raster.png(svg.format(""), 300)))
    assert empty == 0
    for text in ("研究", "دراسة", "\U0001f600", "Čapek ‼ ≥ −"):
        assert ink(pixels(raster.png(svg.format(text), 300))) > 20
    assert raster.png(str(drawing.alone(cumulative_of(3, label=EVIL)[0])))


def test_the_same_picture_is_the_same_bytes_in_another_process() -> None:
    svg = alone("bias-grid")
    asked = "import sys, hashlib; from livereview.summary import raster; "
    asked += "print(hashlib.sha256(raster.png(sys.stdin.read())).hexdigest())"
    here = hashlib.sha256(raster.png(svg)).hexdigest()
    assert hashlib.sha256(raster.png(svg)).hexdigest() == here
    told = subprocess.run(
        [sys.executable, "-c", asked], input=svg, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == here


def test_pictures_are_drawn_by_another_process_once_however_often_they_are_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    apart = renditions._apart
    monkeypatch.setattr(renditions, "_apart", lambda svgs: asked.append(len(svgs)) or apart(svgs))
    svgs = [alone("cumulative", rows, label="drawn once") for rows in (3, 4, 3)]
    assert renditions.draw(svgs) == [raster.png(svg) for svg in svgs]
    assert renditions.draw([*svgs, alone("bias-grid", 5, label="drawn once")])[
        :3
    ] == renditions.draw(svgs)
    assert asked == [2, 1]


def test_the_png_of_a_long_picture_has_its_first_studies_and_the_svg_all() -> None:
    drawn: list[str] = []

    def draw(svgs: Sequence[str]) -> list[bytes]:
        drawn.extend(svgs)
        return [b""] * len(svgs)

    made = site.draft(
        snapshot(*map(form, range(80)), review=review(outcomes=(replace(WELL, pool=True),))), 1, "x"
    )
    (files,) = site.files(made, "../", draw=draw)
    (short,) = [svg for svg in drawn if "studies of less weight" in svg]
    assert "and 30 studies of less weight" in short
    assert b"less weight" not in files["forest-well.svg"]


def test_a_very_long_picture_gets_narrower_instead_of_huge() -> None:
    width, height = struct.unpack_from(">II", raster.png(alone("cumulative", 250)), 16)
    assert width < raster.WIDTH and 0.95 * raster.MOST < width * height <= raster.MOST


def test_what_is_no_picture_is_a_bug() -> None:
    with pytest.raises(ValueError, match="unknown token"):
        raster.png("no picture")
    with pytest.raises(ValueError, match="not a picture of this program: Markup"):
        drawing.alone(Markup("<svg/>"))


@pytest.mark.parametrize("kind", ALL)
def test_a_picture_alone_is_the_same_picture_with_its_title(kind: str) -> None:
    inside, outside = ALL[kind](12, EVIL)[0], drawing.alone(ALL[kind](12, EVIL)[0])
    tree, within = ElementTree.fromstring(outside), ElementTree.fromstring(inside)
    title = within[0].text or ""
    assert [*texts(inside), *texts(outside)[len(texts(inside)) :]] == texts(outside)
    assert " ".join(texts(outside)[len(texts(inside)) :]).replace("…", "")[:20] == title[:20]
    assert tree[0].text == title and tree.get("aria-labelledby") == within.get("aria-labelledby")
    left, top, wide, tall = map(int, (tree.get("viewBox") or "").split())
    _, _, width, height = map(int, (within.get("viewBox") or "").split())
    assert left < 0 and top < 0 and left + wide > width and top + tall > height
    assert (tree.get("width"), tree.get("height")) == (str(wide), str(tall))


@pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; Debian's package `chromium` brings one"
)
@pytest.mark.parametrize(
    ("scheme", "media", "paper"),
    [("light", "screen", WHITE), ("dark", "screen", NIGHT), ("dark", "print", WHITE)],
)
def test_a_picture_alone_is_legible_on_light_and_dark_screens_on_paper_and_on_a_phone(
    tmp_path: Path, scheme: str, media: str, paper: tuple[int, int, int]
) -> None:
    from playwright.sync_api import sync_playwright

    target = tmp_path / "funnel.svg"
    target.write_text(alone("funnel"), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 300})  # type: ignore[arg-type]
        page.emulate_media(media=media, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(target.as_uri())
        wide = page.evaluate("document.documentElement.getBoundingClientRect().width")
        rows = pixels(page.screenshot())
        browser.close()
    assert wide <= 390
    assert rows[2][2] == paper
    lit = sum(abs(sum(pixel) - sum(paper)) > 300 for row in rows for pixel in row)
    assert lit > 500
