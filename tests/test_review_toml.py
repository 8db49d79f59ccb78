from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import review_toml
from livereview.errors import Refused
from livereview.review import STAGES, Search
from livereview.review_toml import lines

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SMALL = """\
id = "small"
title = "A small living review"
authors = ["A. Author"]
licence = "CC BY 4.0"

[question]
text = "Does it work?"
population = "Children"
intervention = "Visits"
comparator = "none"
outcomes = "Care"
context = "Wales"

[criteria]
version = "2"
[[criteria.include]]
id = "people"
text = "Children."
[[criteria.exclude]]
id = "opinion"
text = "No data."

[[reasons]]
id = "design"
label = "Wrong design"
[[reasons]]
id = "people"
label = "Wrong people"
retired = true

[[outcomes]]
id = "entry"
label = "Entering care"
better = "lower"
measure = "SMD"
important = 0.2

[[searches]]
name = "alex"
source = "openalex"
platform = "OpenAlex API"
query = '"signs of safety"'
start = 2026-01-31
[searches.filters]
type = ["article", "report"]
is_oa = true

[[searches]]
name = "news"
source = "feed"
platform = "A feed"
url = "https://example.org/feed"
schedule = "*/15 2-4/2 1,15 * mon-fri"
overlap_days = 30

[screening]
votes = 1
stages = [
  "title_abstract",
]
adjudicators = ["Cerys"]

[highlights]
include = ["trial"]

[living]
timezone = "Europe/London"
search_schedule = "0 2 * * *"
screening = "weekly"
extraction = "monthly"
synthesis = "at once"
publication = "at once"
trigger = "a new study"
retirement = "none"

[[taxonomy]]
id = "visits"
label = "Visits"

[[statements]]
id = "why"
under = "mechanism"
text = "Trust."
studies = ["jones-2009"]
"""


def refusal(text: str, **more: Any) -> list[str]:
    """The lines of the refusal of this protocol."""
    with pytest.raises(Refused) as refused:
        review_toml.parse(text, **more)
    return refused.value.message.split("\n")


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, f"{old!r} must stand once in SMALL"
    return SMALL.replace(old, new)


def test_a_protocol_becomes_a_review() -> None:
    review = review_toml.parse(SMALL)
    assert (review.id, review.authors, review.criteria_version) == ("small", ("A. Author",), "2")
    assert review.question.comparator == "none"
    assert [(c.id, c.kind) for c in review.criteria] == [
        ("people", "include"),
        ("opinion", "exclude"),
    ]
    assert [(r.id, r.retired) for r in review.reasons] == [("design", False), ("people", True)]
    assert (review.screening.votes, review.screening.stages) == (1, ("title_abstract",))
    assert review.outcomes[0].important == 0.2
    assert (review.living.stale_days, review.living.status) == (45, "living")
    assert review.statements[0].studies == ("jones-2009",)
    assert (review.text, review.hash) == (SMALL, hashlib.sha256(SMALL.encode()).hexdigest())


def test_a_search_is_kept_exactly_as_it_is_run() -> None:
    alex, news = review_toml.parse(SMALL).searches
    filters = (("type", "article"), ("type", "report"), ("is_oa", "true"))
    assert alex == Search(
        "alex", "openalex", "OpenAlex API", '"signs of safety"', filters=filters, start="2026-01-31"
    )
    assert (news.url, news.overlap_days) == ("https://example.org/feed", 30)
    assert news.schedule == "*/15 2-4/2 1,15 * mon-fri"


def test_what_may_be_left_out_has_its_default() -> None:
    start, end = SMALL.index("[screening]"), SMALL.index("[living]")
    review = review_toml.parse(SMALL[:start] + SMALL[end : SMALL.index("[[taxonomy]]")])
    assert (review.screening.votes, review.screening.stages, review.screening.adjudicators) == (
        2,
        STAGES,
        (),
    )
    assert (
        review.emmie,
        review.highlights.include,
        review.taxonomy,
        review.statements,
        review.canaries,
    ) == ((True, (), (), (), ()))


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        (
            'id = "small"',
            'id = "Small Review"',
            1,
            "id",
            '"Small Review" must be 1 to 64 of small letters',
        ),
        ('id = "small"', f'id = "{"a" * 65}"', 1, "id", "has 65 characters; at most 64"),
        (
            'title = "A small living review"',
            "title = 3",
            2,
            "title",
            "must be a text in quotes, e.g. ",
        ),
        ('title = "A small living review"', "title = 2026-01-31", 2, "title", "this is 2026-01-31"),
        ('title = "A small living review"', 'title = " "', 2, "title", "is empty"),
        ('authors = ["A. Author"]', 'authors = "A. Author"', 3, "authors", "must be a list in [ ]"),
        ('authors = ["A. Author"]', "authors = []", 3, "authors", "is empty; add authors = ..."),
        (
            'authors = ["A. Author"]',
            'authors = [\n"A",\n\n7]',
            6,
            "authors[2]",
            "text in quotes, e.g. ",
        ),
        (
            'licence = "CC BY 4.0"',
            'emmie = "yes"',
            4,
            "emmie",
            "true or false, without quotes; this is 'yes'",
        ),
        (
            'licence = "CC BY 4.0"',
            'canaries = ["https://doi.org/10.1/x"]',
            4,
            "canaries[1]",
            'e.g. "10.1000/xyz"',
        ),
        ('licence = "CC BY 4.0"', 'lisence = "CC BY 4.0"', 4, "lisence", 'did you mean "licence"?'),
        ('comparator = "none"\n', "", 6, "question.comparator", "is missing; add comparator = ..."),
        ('version = "2"', "version = 2", 15, "criteria.version", "must be a text in quotes"),
        (
            'id = "opinion"',
            'id = "people"',
            20,
            "criteria.exclude[1].id",
            '"people" is an include criterion too',
        ),
        (
            'id = "people"\nlabel',
            'id = "design"\nlabel',
            27,
            "reasons[2].id",
            '"design" is taken by reasons[1]',
        ),
        ("retired = true", "retired = 1", 29, "reasons[2].retired", "must be true or false"),
        (
            'id = "entry"',
            'id = "entry"\ncolour = "red"',
            33,
            "outcomes[1].colour",
            "choose one of id, label, better",
        ),
        (
            'better = "lower"',
            'better = "less"',
            34,
            "outcomes[1].better",
            'direction "less"; choose one of lower, higher',
        ),
        ('better = "lower"', 'better = "lowr"', 34, "outcomes[1].better", 'did you mean "lower"?'),
        (
            "important = 0.2",
            "important = 0",
            36,
            "outcomes[1].important",
            "a number above 0, without quotes; this is 0",
        ),
        ("important = 0.2", "important = nan", 36, "outcomes[1].important", "a number above 0"),
        ('measure = "SMD"\n', "", 35, "outcomes[1].important", "add measure"),
        (
            'name = "news"',
            'name = "alex"',
            49,
            "searches[2].name",
            '"alex" is taken by searches[1]; each name',
        ),
        (
            'source = "openalex"',
            'source = "pubmde"',
            40,
            "searches[1].source",
            'did you mean "pubmed"?',
        ),
        (
            'source = "openalex"',
            'source = "my.module:"',
            40,
            "searches[1].source",
            '"package.module:Attribute"',
        ),
        (
            "start = 2026-01-31",
            'start = "31/01/2026"',
            43,
            "searches[1].start",
            "year-month-day, e.g. 2026-01-31",
        ),
        ("start = 2026-01-31", 'start = "2026-02-30"', 43, "searches[1].start", "year-month-day"),
        (
            "start = 2026-01-31",
            "start = 2026-01-31T02:00:00",
            43,
            "searches[1].start",
            "2026-01-31T02:00:00",
        ),
        ("is_oa = true", "is_oa = {}", 46, "searches[1].filters.is_oa", "not a table"),
        (
            "https://example.org/feed",
            "example.org/feed",
            52,
            "searches[2].url",
            "begins with https:// or http://",
        ),
        (
            "https://example.org/feed",
            "https://[",
            52,
            "searches[2].url",
            "begins with https:// or http://",
        ),
        (
            "overlap_days = 30",
            "overlap_days = 366",
            54,
            "searches[2].overlap_days",
            "from 0 to 365",
        ),
        (
            "overlap_days = 30",
            "overlap_days = true",
            54,
            "searches[2].overlap_days",
            "this is true",
        ),
        ('url = "https://example.org/feed"', "", 48, "searches[2].url", "a feed needs its address"),
        ("votes = 1", "votes = 6", 57, "screening.votes", "a whole number from 1 to 5"),
        (
            '  "title_abstract",',
            '  "abstract",',
            59,
            "screening.stages[1]",
            "choose one of title_abstract, full_text",
        ),
        (
            '  "title_abstract",',
            '"full_text", "title_abstract"',
            58,
            "screening.stages",
            "each once and in this order",
        ),
        ('  "title_abstract",', "", 58, "screening.stages", "one or more stages"),
        (
            'include = ["trial"]',
            'include = ["trial"]\nwords = []',
            65,
            "highlights.words",
            "include, exclude",
        ),
        (
            '"Europe/London"',
            '"Europe/Londn"',
            67,
            "living.timezone",
            'did you mean "Europe/London"?',
        ),
        ('"Europe/London"', '"../../etc/passwd"', 67, "living.timezone", "unknown time zone"),
        ('trigger = "a new study"\n', "", 66, "living.trigger", "is missing; add trigger = ..."),
        (
            'retirement = "none"',
            'retirement = "none"\nemmie = true',
            75,
            "living.emmie",
            "at the top of the file",
        ),
        (
            'retirement = "none"',
            'retirement = "none"\nstatus = "dead"',
            75,
            "living.status",
            "living, paused, retired",
        ),
        ('id = "visits"', 'id = "Visits"', 77, "taxonomy[1].id", "small letters"),
        (
            'under = "mechanism"',
            'under = "mechanisms"',
            82,
            "statements[1].under",
            'did you mean "mechanism"?',
        ),
        (
            'studies = ["jones-2009"]',
            "studies = [1]",
            84,
            "statements[1].studies[1]",
            "must be a text",
        ),
        ("[living]", "[[living]]", 66, "living", "write its name in single brackets"),
        ("[[taxonomy]]", "[taxonomy]", 76, "taxonomy", "write its name in double brackets"),
    ],
)
def test_each_error_names_line_key_and_next_step(
    old: str, new: str, line: int, key: str, words: str
) -> None:
    said = refusal(changed(old, new), name="my.toml")
    assert any(one.startswith(f"my.toml line {line}: {key}: ") and words in one for one in said), (
        said
    )


@pytest.mark.parametrize("table", ["question", "criteria", "living"])
def test_a_missing_table_is_one_error_not_ten(table: str) -> None:
    start = SMALL.index(f"[{table}]\n")
    end = SMALL.find("\n\n", start)
    assert refusal(SMALL[:start] + SMALL[end:]) == [
        f"review.toml line 1: {table}: is missing; add [{table}], as `livereview init` shows"
    ]


@pytest.mark.parametrize("table", ["reasons", "outcomes", "searches"])
def test_a_review_needs_at_least_one_of_each(table: str) -> None:
    first = SMALL.index(f"[[{table}]]\n")
    last = SMALL.find("\n\n", SMALL.rindex(f"[[{table}]]"))
    assert f"{table}: is missing; add [[{table}]]" in refusal(SMALL[:first] + SMALL[last:])[0]


def test_the_example_in_the_issue_reads_like_this() -> None:
    said = refusal(changed('source = "feed"', 'source = "pubmde"'))
    choices = ", ".join(review_toml.SOURCES)
    assert said == [
        f'review.toml line 50: searches[2].source: unknown source "pubmde"; choose one of {choices}'
        ' or "package.module:Attribute" — did you mean "pubmed"?'
    ]


def test_the_caller_says_which_sources_there_are() -> None:
    text = changed('source = "openalex"', 'source = "scopus"')
    assert review_toml.parse(text, sources=("scopus", "feed")).searches[0].source == "scopus"
    assert "choose one of openalex, feed or" in refusal(text, sources=("openalex", "feed"))[0]
    named = changed('source = "openalex"', 'source = "acme.scopus:SOURCE"')
    assert review_toml.parse(named, sources=("feed",)).searches[0].source == "acme.scopus:SOURCE"


def test_a_search_that_asks_nothing_is_refused() -> None:
    by_filters = changed("query = '\"signs of safety\"'", "")
    assert review_toml.parse(by_filters).searches[0].query == ""
    start, end = SMALL.index("query ="), SMALL.index('[[searches]]\nname = "news"')
    said = refusal(SMALL[:start] + SMALL[end:])
    assert said == [
        'review.toml line 38: searches[1].query: is missing: nothing would be asked; add query = "..."'
    ]


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 2 * *", "has 4 fields, not 5"),
        ("@daily", "has 1 fields, not 5"),
        ("60 2 * * *", '"60" is no minute: give *, a number from 0 to 59'),
        ("0 24 * * *", '"24" is no hour'),
        ("0 2 0 * *", '"0" is no day of the month'),
        ("0 2 * 13 *", '"13" is no month'),
        ("0 2 * * moon", '"moon" is no day of the week'),
        ("0 2 * * 8", "0 to 7 or sun, mon"),
        ("5-1 2 * * *", '"5-1" is no minute'),
        ("*/0 2 * * *", '"*/0" is no minute'),
        ("0 2, * * *", '"" is no hour'),
        ("0 2 ² * *", '"²" is no day'),
        ("0 2 30 feb *", "never comes"),
    ],
)
def test_a_schedule_that_would_never_run_is_refused(cron: str, words: str) -> None:
    said = refusal(changed('search_schedule = "0 2 * * *"', f'search_schedule = "{cron}"'))
    assert said[0].startswith("review.toml line 68: living.search_schedule: ")
    assert words in said[0]


@pytest.mark.parametrize(
    "cron", ["0 6 * * mon", "0 0 1 JAN,jul *", "5/10 * * * 7", "0 0 * * fri-mon", " 0  2 * * * "]
)
def test_usual_schedules_are_taken(cron: str) -> None:
    review = review_toml.parse(
        changed('search_schedule = "0 2 * * *"', f'search_schedule = "{cron}"')
    )
    assert review.living.search_schedule == " ".join(cron.split())


def test_all_errors_are_told_together_in_the_order_of_the_file() -> None:
    text = (
        changed("votes = 1", "votes = 9")
        .replace('better = "lower"', 'better = "good"')
        .replace('"small"', '"S"')
    )
    assert [said.split(":")[0] for said in refusal(text)] == [
        f"review.toml line {n}" for n in (1, 34, 57)
    ]


def test_more_than_twenty_errors_are_counted() -> None:
    said = refusal("".join(f"wrong{n} = 1\n" for n in range(30)) + SMALL)
    assert len(said) == 21
    assert said[19].startswith("review.toml line 20: wrong19: unknown key")
    assert said[20] == "... and 10 more errors"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id = "x"\ntitle = Small\n', 2),
        ('id = "x"\nid = "y"\n', 2),
        ('id = "x"\n\n[question\n', 3),
        ('id = "x"\nstart = 2026-02-30\n', 2),
        ('id = "x"\nauthors = ["a",\n', 3),
        ("id = " + "[" * 5000, 1),
        ("id = '\ud800'", 1),
    ],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str, line: int) -> None:
    assert refusal(text)[0].startswith(f"review.toml line {line}: ")


def test_load_reads_a_file_and_says_which(tmp_path: Path) -> None:
    path = tmp_path / "review.toml"
    with pytest.raises(Refused, match="does not exist; `livereview init"):
        review_toml.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="UTF-8"):
        review_toml.load(path)
    path.write_text("\ufeff" + SMALL.replace("\n", "\r\n"), encoding="utf-8", newline="")
    assert review_toml.load(path).id == "small"
    path.write_text(changed("votes = 1", "votes = 0"), encoding="utf-8")
    with pytest.raises(Refused, match=f"{path} line 57: screening.votes"):
        review_toml.load(path)


def test_the_template_is_a_protocol_that_explains_every_key() -> None:
    text = review_toml.template()
    review = review_toml.parse(text)
    assert "living" in review.title
    for name, keys in vars(review_toml).items():
        if name.startswith("_") and isinstance(keys, dict) and name != "_QUESTION":
            missing = [key for key in keys if f"{key} = " not in text and f"{key}]" not in text]
            assert not missing or name.startswith("__"), f"{name} lacks {missing}"


@given(st.lists(st.sampled_from(SMALL.splitlines()), max_size=12), st.text(max_size=40))
def test_any_text_is_a_review_or_a_refusal(some: list[str], rest: str) -> None:
    text = "\n".join([*some, rest])
    lines.find(text)
    with pytest.raises(Refused):
        review_toml.parse(text)


def test_the_sources_named_here_are_those_that_livereview_has() -> None:
    from livereview import sources

    searched = {name for name, source in sources.SOURCES.items() if source.request}
    assert set(review_toml.SOURCES) == searched - {"retractionwatch", "unpaywall"}, (
        "these two are only looked up in"
    )
