"""The pictures beside the forest plot: each has a table that says the same, needs no colour and
holds any text.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import exp, log
from xml.etree import ElementTree

import pytest

from livereview.errors import Refused
from livereview.evidence.appraisal import TOOLS
from livereview.evidence.certainty import LEVELS
from livereview.summary import bias_grid, cumulative, drawing, funnel, gap_map, over_time
from livereview.summary.bias_grid import Judged
from livereview.summary.cumulative import Step
from livereview.summary.funnel import Part
from livereview.summary.gap_map import Cell
from livereview.summary.over_time import Version

SVG = "{http://www.w3.org/2000/svg}"
EVIL, LONG = "</text><script>alert(1)</script>&\x00\u202e", "A study of very many words indeed " * 9
STATE = "Points towards better results"
AREAS, OUTCOMES = (
    {"a": "Housing", "b": "Income"},
    {"x": "Wellbeing", "y": "Cost", "z": "Use of services"},
)


def steps(n, label="Study"):
    return [
        Step(f"{label} {i}", 0.8 + 0.2 / i, 0.8 - 0.7 / i, 0.8 + 1.5 / i, 1000 * i)
        for i in range(1, n + 1)
    ]


def versions(n, label="March"):
    empty = [
        Version(i, f"{i} {label} 2025", None, None, None, f"Too little {label}") for i in (1, 2)
    ]
    sized = [Version(i, f"{i} {label} 2025", 0.25, -1 / i, 1.5, STATE) for i in range(3, n + 1)]
    return [*empty, *sized][:n]


def parts(n, label="Study"):
    """Studies whose log ratio has the standard error 0.1, 0.2 ..., alternately above and below 0.8."""
    values = [(0.8 * exp((-1) ** i * 0.15 * i / n), 0.1 * i) for i in range(1, n + 1)]
    spread = funnel.Z
    return [
        Part(f"{label} {e:.1f}", v, v * exp(-spread * e), v * exp(spread * e)) for v, e in values
    ]


def judged(n, label="Study"):
    tool = TOOLS["ROBINS-I"]
    names = [name for name, _ in tool.domains]
    return [
        Judged(
            f"{label} {i}",
            tool.name,
            tuple((d, tool.judgements[(i + j) % 5]) for j, d in enumerate(names)),
            "low",
        )
        for i in range(n)
    ]


def areas(n, label="Area"):
    return {f"a{i}": f"{label} {i}" for i in range(n)}


def cells(n):
    return [Cell(f"a{i}", "x", i + 1, (*LEVELS, None)[i % 5]) for i in range(n)]


def cumulative_of(n, label="Study", id="one"):
    return cumulative.svg(id, label, steps(n, label), 1), cumulative.rows(steps(n, label))


def over_time_of(n, label="March", id="one"):
    return over_time.svg(id, label, versions(n, label), 0), over_time.rows(versions(n, label))


def funnel_of(n, label="Study", id="one"):
    made = parts(n, label)
    return funnel.svg(id, label, made, 0.8, 1), funnel.rows(made, 0.8, 1)


def bias_grid_of(n, label="Study", id="one"):
    return bias_grid.svg(id, label, judged(n, label)), bias_grid.rows(judged(n, label))


def gap_map_of(n, label="Area", id="one"):
    made = areas(n, label)
    return gap_map.svg(id, label, made, OUTCOMES, cells(n)), gap_map.rows(made, OUTCOMES, cells(n))


PICTURES = {
    "cumulative": cumulative_of,
    "over-time": over_time_of,
    "bias-grid": bias_grid_of,
    "gap-map": gap_map_of,
}
ALL = PICTURES | {"funnel": funnel_of}
all_of_them = pytest.mark.parametrize(("kind", "draw"), ALL.items(), ids=ALL)
all_but_the_funnel = pytest.mark.parametrize(("kind", "draw"), PICTURES.items(), ids=PICTURES)


def drawn(svg):
    return ElementTree.fromstring(str(svg))


def texts(svg):
    return [node.text for node in drawn(svg).iter(f"{SVG}text")]


def said(svg):
    return " ".join(
        node.text or ""
        for tag in ("text", "desc", "title")
        for node in drawn(svg).iter(f"{SVG}{tag}")
    )


@all_of_them
@pytest.mark.parametrize("n", [12, 60])
def test_every_picture_has_a_role_a_title_and_a_description_with_ids_of_its_own(kind, draw, n):
    for id in ("one", "two-2"):
        svg, _ = draw(n, id=id)
        root = drawn(svg)
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{kind}-{id}-t {kind}-{id}-d"
        assert [(node.tag, node.get("id")) for node in root[:2]] == [
            (f"{SVG}title", f"{kind}-{id}-t"),
            (f"{SVG}desc", f"{kind}-{id}-d"),
        ]
        assert root[0].text and len(root[1].text or "") > 40
        assert [node.get("id") for node in root.iter() if node.get("id")] == [
            f"{kind}-{id}-t",
            f"{kind}-{id}-d",
        ]


@all_of_them
def test_no_picture_has_a_colour_of_its_own_or_a_size_that_does_not_shrink(kind, draw):
    svg, _ = draw(60)
    root = drawn(svg)
    painted = {node.get(name) for node in root.iter() for name in ("fill", "stroke")}
    assert painted <= {None, "currentColor", "none"}
    assert not any(
        node.get(name)
        for node in root.iter()
        for name in ("style", "class", "color", "filter", "href")
    )
    assert root.get("width") is None and root.get("height") is None
    assert re.fullmatch(r"0 0 \d+ \d+", root.get("viewBox"))


@all_of_them
@pytest.mark.parametrize("n", [12, 60])
def test_all_stands_within_the_picture(kind, draw, n):
    root = drawn(draw(n)[0])
    _, _, width, height = map(int, root.get("viewBox").split())
    for node in root.iter():
        for name, end in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(node.get(name) or 0) <= end
    starts = [(float(x), float(y)) for x, y in re.findall(r"M([-\d.]+) ([-\d.]+)", str(draw(n)[0]))]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in starts)


@all_of_them
@pytest.mark.parametrize("n", [12, 60])
def test_the_table_and_the_picture_say_the_same_numbers(kind, draw, n):
    svg, table = draw(n)
    everything = said(svg)
    assert len({len(row) for row in table}) == 1
    assert len(table) == 1 + n * (len(OUTCOMES) if kind == "gap-map" else 1)
    for row in table[1:]:
        for value in row:
            if re.search(r"\d", value):
                assert value in everything
            assert isinstance(value, str)


@all_of_them
def test_the_same_input_gives_the_same_bytes(kind, draw):
    assert str(draw(60)[0]).encode() == str(draw(60)[0]).encode()


@all_of_them
def test_hostile_labels_are_text(kind, draw):
    svg, table = draw(12, label=EVIL)
    assert "<script" not in str(svg)
    assert not list(drawn(svg).iter(f"{SVG}script"))
    clean = "</text><script>alert(1)</script>&"
    assert clean in drawn(svg)[0].text
    assert clean[:14] in " ".join(node.text or "" for node in drawn(svg).iter())
    assert any(clean in cell for row in table for cell in row)
    assert not any(c in cell for row in table for cell in row for c in "\x00\u202e")


@all_but_the_funnel
def test_long_labels_are_cut_in_the_picture_and_whole_in_the_table(kind, draw):
    svg, table = draw(3, label=LONG)
    shown = texts(svg)
    assert any(text.endswith("…") for text in shown)
    assert not any(" ".join(LONG.split()) in text for text in shown)
    assert any(" ".join(LONG.split()) in cell for row in table for cell in row)


@all_but_the_funnel
def test_nothing_yet_is_a_sentence(kind, draw):
    svg, table = draw(0)
    [sentence] = texts(svg)
    assert sentence.endswith(" yet.")
    assert drawn(svg)[1].text == sentence
    assert len(table) == 1


@all_but_the_funnel
def test_one_is_enough(kind, draw):
    svg, table = draw(1)
    assert table[1][0] in texts(svg) or kind == "over-time"
    assert len(texts(svg)) > 3


@all_of_them
def test_an_id_that_would_break_the_reference_is_refused(kind, draw):
    for id in ("a b", "", 'x"y', "ü"):
        with pytest.raises(Refused, match="a picture's id has only letters"):
            draw(12, id=id)


def test_labels_are_cut_by_their_room_not_by_their_letters():
    assert drawing.cut("Smith  and\tLee", 200) == "Smith and Lee"
    assert drawing.cut("i" * 30, 200) == "i" * 30
    assert drawing.cut("W" * 30, 200) == "W" * 14 + "…"
    assert drawing.cut("研" * 30, 200) == "研" * 14 + "…"
    assert drawing.cut("", 200) == "" and drawing.lines(" ", 90, 3) == [""]
    wrapped = drawing.lines("word " * 60, 90, 3)
    assert len(wrapped) == 3 and wrapped[-1].endswith("…")
    assert all(cumulative.span(line) <= 90 * 1.15 for line in wrapped)


def boxes(svg):
    """Where the squares of a cumulative plot stand, from left to right as drawn."""
    return [float(x) for x in re.findall(r"M([\d.]+) \d+m-4 -4h8v8h-8z", str(svg))]


def test_ratios_stand_by_their_logs_and_differences_as_they_are():
    made = [Step(str(v), v, v * 0.99, v * 1.01, 2) for v in (0.5, 1.0, 2.0)]
    half, one, two = boxes(cumulative.svg("i", "t", made, 1))
    assert one - half == pytest.approx(two - one, abs=0.11)
    half, one, two = boxes(cumulative.svg("i", "t", made, 0))
    assert 2 * (one - half) == pytest.approx(two - one, abs=0.2)


def test_the_last_step_is_the_one_in_bold_and_in_the_description():
    svg = cumulative.svg("i", "t", steps(4), 1)
    bold = [node.text for node in drawn(svg).iter(f"{SVG}text") if node.get("font-weight")]
    assert bold[-3:] == ["Study 4", "4,000", "0.85 (0.62 to 1.18)"]
    assert "after the last, Study 4, 4,000 studies give 0.85" in drawn(svg)[1].text


def test_a_very_wide_interval_ends_in_an_arrow_and_leaves_the_others_readable():
    wide = [
        Step("first", 1.0, 0.001, 1000.0, 2),
        *(Step(str(n), 0.9, 0.7, 1.2, n) for n in range(3, 6)),
    ]
    svg = cumulative.svg("i", "t", wide, 1)
    assert str(svg).count("l-5 4l5 4") == 1 and str(svg).count("l5 4l-5 4") == 1
    assert "Arrow: the interval goes on beyond the plot." in said(svg)
    assert "1.00 (0.00 to 1,000.00)" in texts(svg)
    narrow = cumulative.svg("i", "t", wide[1:], 1)
    assert "Arrow" not in said(narrow) and "l5 4l-5 4" not in str(narrow)


@pytest.mark.parametrize(
    ("low", "high", "null", "ticks"),
    [
        (0.3, 1.3, 1, [0.5, 1.0]),
        (0.04, 30, 1, [0.1, 1, 10]),
        (0.4, 6, 1, [0.5, 1, 2, 5]),
        (0.91, 1.12, 1, [0.95, 1.0, 1.05, 1.1]),
        (-0.4, 1.1, 0, [0, 0.5, 1]),
        (5, 5, None, [3, 4, 5, 6, 7]),
    ],
)
def test_the_axis_has_round_figures(low, high, null, ticks):
    assert cumulative.axis([low, high], null, 0, 100).ticks() == pytest.approx(ticks)


@pytest.mark.parametrize("span", [1e-6, 0.003, 0.7, 1.0, 2.5, 9.0, 40.0, 650.0])
@pytest.mark.parametrize("null", [0, 1])
def test_the_axis_finds_round_figures_for_any_range(span, null):
    ends = [exp(-span / 2), exp(span / 2)] if null == 1 else [-span / 3, span]
    one = cumulative.axis(ends, null, 0, 100)
    assert 2 <= len(one.ticks()) <= 7
    assert all(0 <= one.at(tick) <= 100 for tick in one.ticks())


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.5, 0.6, 0.9, "within its interval"),
        (float("nan"), 0.6, 0.9, "within its interval"),
        (0.5, 0.1, float("inf"), "within its interval"),
        (0.5, 0.0, 0.9, "a ratio must be above 0"),
    ],
)
def test_figures_that_cannot_be_drawn_are_refused(value, low, high, words):
    with pytest.raises(Refused, match=words):
        cumulative.svg("i", "t", [Step("Lee", value, low, high, 2)], 1)
    with pytest.raises(Refused, match=f"version 4: .*{words}"):
        over_time.svg("i", "t", [Version(4, "1 May 2025", value, low, high, STATE)], 1)


def test_a_version_without_an_estimate_says_its_state_in_words():
    svg = over_time.svg("i", "t", versions(2))
    assert texts(svg).count("Too little March") == 2
    assert texts(svg).count("no estimate") == 2
    assert "version 2 of 2 March 2025: Too little March, no estimate" in drawn(svg)[1].text
    assert not list(drawn(svg).iter(f"{SVG}circle"))


def test_a_version_with_an_estimate_has_a_point_its_figures_and_its_state():
    lone = replace(versions(5)[-1], low=None, high=None)
    svg = over_time.svg("i", "t", [*versions(5), replace(lone, number=6)], 0)
    assert len(list(drawn(svg).iter(f"{SVG}circle"))) == 4
    assert texts(svg).count(STATE) == 4
    assert {"0.25 (−0.20 to 1.50)", "0.25 (no interval)"} <= set(texts(svg))
    assert over_time.rows([lone])[1] == ("5", "5 March 2025", STATE, "0.25", "", "")
    assert over_time.rows(versions(1))[1] == ("1", "1 March 2025", "Too little March", "", "", "")


def test_neighbours_are_joined_but_not_across_a_version_without_an_estimate():
    one, two, gap, three = *versions(4)[2:], versions(1)[0], versions(3)[-1]
    [joined] = re.findall(
        r'd="([^"]*L[^"]*)"', str(over_time.svg("i", "t", [one, two, gap, three]))
    )
    assert joined.count("M") == 1
    assert not re.findall(r'd="[^"]*L', str(over_time.svg("i", "t", [one, gap, three])))


def test_no_line_of_no_difference_without_a_null():
    assert "no difference (1)" in said(
        over_time.svg("i", "t", [Version(7, "7 March 2025", 0.8, 0.6, 1.1, STATE)], 1)
    )
    assert "no difference" not in said(over_time.svg("i", "t", versions(4)))


def test_a_funnel_needs_ten_studies():
    for ask in (
        lambda: funnel.svg("i", "t", parts(9), 0.8, 1),
        lambda: funnel.rows(parts(9), 0.8, 1),
    ):
        with pytest.raises(
            Refused, match="needs at least 10 studies to tell anything; there are 9"
        ):
            ask()
    assert len(funnel.rows(parts(10), 0.8, 1)) == 11


def test_the_funnel_stands_on_standard_errors_of_logs_with_limits_of_95_per_cent():
    made = parts(12)
    svg = funnel.svg("i", "t", made, 0.8, 1)
    dots = [(float(n.get("cx")), float(n.get("cy"))) for n in drawn(svg).iter(f"{SVG}circle")]
    assert [y for _, y in dots] == pytest.approx([20 + 308 * i / 12 for i in range(1, 13)], abs=0.1)
    top, left, right = re.search(
        r"M([\d.]+) 20L([\d.]+) [\d.]+M[\d.]+ 20L([\d.]+) ", str(svg)
    ).groups()
    per_log = (float(right) - float(left)) / (2 * 1.959964 * 1.2)
    assert dots[-1][0] - float(top) == pytest.approx(per_log * log(made[-1].effect / 0.8), abs=0.1)
    assert [row[4] for row in funnel.rows(made, 0.8, 1)[1:4]] == ["0.1", "0.2", "0.3"]


def test_the_funnel_tells_who_lies_outside_its_limits():
    far = Part("Far 2020", 3.0, 2.5, 3.6)
    svg = funnel.svg("i", "t", [*parts(10), far], 0.8, 1)
    assert "11 studies around a pooled effect of 0.80" in drawn(svg)[1].text
    assert "10 lie within the pseudo 95% limits" in drawn(svg)[1].text
    assert [row[0] for row in funnel.rows([*parts(10), far], 0.8, 1) if row[-1] == "no"] == [
        "Far 2020"
    ]
    titles = [node.text for node in drawn(svg).iter(f"{SVG}title")]
    assert "Far 2020: 3.00 (2.50 to 3.60), standard error 0.093" in titles


def test_a_funnel_of_differences_has_plain_standard_errors():
    made = [
        Part(f"Study {i}", -0.2, -0.2 - funnel.Z * i, -0.2 + funnel.Z * i) for i in range(1, 11)
    ]
    assert [row[4] for row in funnel.rows(made, -0.2, 0)[1:]] == [str(i) for i in range(1, 11)]
    assert "pooled effect (−0.20)" in said(funnel.svg("i", "t", made, -0.2, 0))


def test_a_funnel_refuses_what_it_cannot_place():
    flat = replace(parts(10)[0], ci_low=0.5, ci_high=0.5, effect=0.5)
    with pytest.raises(Refused, match="an interval without width"):
        funnel.svg("i", "t", [*parts(10), flat], 0.8, 1)
    with pytest.raises(Refused, match="above 0 for a ratio"):
        funnel.svg("i", "t", parts(10), 0.0, 1)


def test_each_judgement_has_a_shape_and_a_sign_and_stands_in_the_key():
    signs = {
        "low": "+",
        "some_concerns": "−",
        "high": "x",
        "serious": "!",
        "critical": "‼",
        "no_information": "?",
    }
    for name, sign in (*signs.items(), (None, "·")):
        svg = bias_grid.svg("i", "t", [Judged("Lee", "Ours", (("one", name),), name)])
        assert texts(svg).count(sign) == 3  # domain, overall, key
        assert (name or "not judged").replace("_", " ") in texts(svg)
    words = {drawn for name, drawn in bias_grid.SIGNS.items() if not name.isdigit()}
    assert len(words) == 7 == len({shape for shape, _ in words}) == len({sign for _, sign in words})
    assert {bias_grid.SIGNS[str(n)][1] for n in range(5)} == set("01234"), (
        "EMMIE-Q is told by its figure"
    )
    assert {name for tool in TOOLS.values() for name in tool.judgements} == set(bias_grid.SIGNS)


def test_judgements_of_a_tool_not_known_here_are_numbered():
    svg = bias_grid.svg(
        "i", "t", [Judged("Lee", "Ours", (("one", "sound"), ("two", "dubious")), "low")]
    )
    shown = texts(svg)
    assert shown[shown.index("Lee") + 1 : shown.index("Lee") + 4] == ["2", "1", "+"]
    assert shown[-6:] == ["+", "low", "1", "dubious", "2", "sound"]


def test_a_long_key_goes_on_below():
    svg = bias_grid.svg(
        "i",
        "t",
        [Judged("Lee", "Ours", tuple((f"d{n}", f"quite {n} of ten") for n in range(10)), None)],
    )
    last = drawn(svg)[-1]
    assert last.text == "not judged"
    assert float(last.get("x")) + cumulative.span(last.text, 11) < float(
        drawn(svg).get("viewBox").split()[2]
    )
    assert (
        len(
            {
                n.get("y")
                for n in drawn(svg).iter(f"{SVG}text")
                if (n.text or "").startswith("quite")
            }
        )
        > 1
    )


def test_each_tool_has_a_block_with_its_domains_in_its_own_order():
    made = [
        Judged(
            "Lee",
            "RoB 2 (22 August 2019)",
            (("reporting", "high"), ("randomisation", "low")),
            "high",
        ),
        Judged("Kim", "ROBINS-I", (("confounding", "serious"),), "serious"),
        Judged("Ito", "RoB 2", (("missing", None),), None),
    ]
    shown = texts(bias_grid.svg("i", "t", made))
    assert [text for text in shown if text in ("RoB 2", "ROBINS-I", "Lee", "Kim", "Ito")] == [
        *("RoB 2", "Lee", "Ito", "ROBINS-I", "Kim"),
    ]
    assert shown[1:5] == ["randomisation", "missing", "reporting", "overall"]
    assert bias_grid.rows(made) == [
        ("Study", "Tool", "reporting", "randomisation", "confounding", "missing", "overall"),
        ("Lee", "RoB 2 (22 August 2019)", "high", "low", "", "not judged", "high"),
        ("Ito", "RoB 2", "not judged", "not judged", "", "not judged", "not judged"),
        ("Kim", "ROBINS-I", "", "", "serious", "", "serious"),
    ]


def test_a_domain_judged_twice_is_refused():
    with pytest.raises(Refused, match="Lee: a domain is judged twice"):
        bias_grid.svg(
            "i", "t", [Judged("Lee", "RoB 2", (("missing", "low"), ("missing", "high")), "low")]
        )


def test_sixty_appraisals_stay_light_enough_for_a_page():
    assert len(str(bias_grid.svg("i", "t", judged(60)))) < 60_000


def test_the_area_of_a_bubble_is_the_number_of_studies():
    made = [Cell("a", "x", 16, "high"), Cell("a", "y", 4, "low"), Cell("b", "z", 1)]
    svg = gap_map.svg("i", "t", AREAS, OUTCOMES, made)
    radii = [float(node.get("r")) for node in drawn(svg).iter(f"{SVG}circle")]
    assert radii == [20.0, 10.0, 5.0]
    assert {"16", "4", "1", "high", "low", "not rated"} <= set(texts(svg))
    assert texts(svg).count(gap_map.GAP) == 3
    assert "3 cells have studies, 3 are gaps" in drawn(svg)[1].text
    assert "not what it says" in drawn(svg)[1].text and "not what it says" in " ".join(texts(svg))


def test_certainty_is_a_row_of_four_dots_with_as_many_filled_as_it_is_high():
    for n, level in enumerate(LEVELS, start=1):
        svg = str(gap_map.svg("i", "t", {"a": "A"}, {"x": "X"}, [Cell("a", "x", 3, level)]))
        [filled] = re.findall(r'<path d="([^"]*a3 3[^"]*)"/>', svg)
        assert filled.count("M") == n
        assert svg.count("m-3 0a3 3") == 4
        assert level.replace("_", " ") in texts(svg)


def test_the_table_of_the_map_has_the_gaps_too():
    assert gap_map.rows(
        AREAS, OUTCOMES, [Cell("b", "y", 1200, "very_low"), Cell("a", "x", 0, "low")]
    ) == [
        ("Area", "Outcome", "Studies", "Certainty"),
        ("Housing", "Wellbeing", "0", "gap"),
        ("Housing", "Cost", "0", "gap"),
        ("Housing", "Use of services", "0", "gap"),
        ("Income", "Wellbeing", "0", "gap"),
        ("Income", "Cost", "1,200", "very low"),
        ("Income", "Use of services", "0", "gap"),
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([Cell("c", "x", 1)], "area must be one of a, b; it was 'c'"),
        ([Cell("a", "w", 1)], "outcome must be one of x, y, z; it was 'w'"),
        (
            [Cell("a", "x", 1, "sure")],
            "certainty must be one of very_low, low, moderate, high, or None",
        ),
        ([Cell("a", "x", -1)], "a, x: give one count for each cell"),
        ([Cell("a", "x", 1), Cell("a", "x", 2)], "a, x: give one count for each cell"),
    ],
)
def test_cells_that_do_not_fit_the_map_are_refused(wrong, words):
    for ask in (gap_map.rows, lambda *given: gap_map.svg("i", "t", *given)):
        with pytest.raises(Refused, match=re.escape(words)):
            ask(AREAS, OUTCOMES, wrong)
