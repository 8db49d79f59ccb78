"""The published pictures as PNG, for where an SVG can't go: slides, mails, word processors.

The letters are those of Source Sans, which comes with the program: the same picture is the same bytes on every machine
with the same version of resvg. Letters that this font lacks, such as Chinese and Arabic ones, are empty boxes; the SVG
of the same name has them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import sqrt

import font_source_sans_pro
import resvg_py

WIDTH = 1200  # pixels
MOST = 16_000_000  # pixels of a picture; a longer one gets narrower
FAMILY, FONTS = "Source Sans Pro", [font_source_sans_pro.SourceSansPro, font_source_sans_pro.SourceSansProSemibold]
INK, PAPER = "#1c2430", "#ffffff"
_SIZE = re.compile(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"')


@lru_cache(maxsize=32)
def png(svg: str, width: int = WIDTH) -> bytes:
    """The picture in dark ink on white, `width` pixels wide; less where it would have more than MOST pixels.

    svg   with a viewBox of its own, as `drawing` makes them. Raises ValueError for what is no SVG.
    """
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=_fitting(svg, width),
            background=PAPER,
            style_sheet=f"svg {{ color: {INK} }}",
            skip_system_fonts=True,
            font_files=FONTS,
            font_family=FAMILY,
            sans_serif_family=FAMILY,
        )
    )


def _fitting(svg: str, width: int) -> int:
    size = _SIZE.search(svg)
    across, down = map(float, size.groups()) if size else (1.0, 1.0)
    return max(1, min(width, int(sqrt(MOST * across / down))))
