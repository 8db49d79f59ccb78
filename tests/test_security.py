"""The service's checklist of threats: which test holds which row, and the tests of rows that no
other file holds.

Every row of ROWS is a threat to this service; the names are test functions anywhere in tests/. What
needs the web app is in test_security_web.py.
"""

from __future__ import annotations

import ast
import io
import re
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import duckdb
import feedparser
import pytest
from lxml import etree

from livereview import sources
from livereview.dedup.match import judge
from livereview.dedup.text import features
from livereview.errors import LivereviewError, Refused
from livereview.ops import evidence, full_text, protocols, publish, screen, surveil, tips
from livereview.ops.team import add_account
from livereview.review import Highlights
from livereview.settings import Settings
from livereview.settings import read as read_settings
from livereview.sources.text import ABSTRACT_LIMIT, TITLE_LIMIT, link, plain, safe
from livereview.store import queues, standings
from livereview.store.open import Store, memory_database
from livereview.summary.templating import _ENVIRONMENT
from livereview.web.card import pieces
from livereview.web.pages import _environment
from tests.conftest import NOW, REVIEW, article, found
from tests.test_summary_site import Page

ROOT = Path(__file__).resolve().parents[1]
ROWS: dict[int, tuple[str, str]] = {
    1: ("stored XSS in what publishers send", "test_a_hostile_feed_entry_is_plain_text_without_a_link "
        "test_hostile_text_is_shown_and_never_run"),
    2: ("double escaping", "test_what_was_escaped_twice_is_unescaped_once_and_stays_text"),
    3: ("gaps of autoescape", "test_everything_is_escaped_whatever_a_template_is_called "
        "test_no_text_is_ever_marked_as_safe"),
    4: ("JSON in a script element", "test_hostile_text_stays_text_everywhere"),
    5: ("javascript: and data: links", "test_a_hostile_feed_entry_is_plain_text_without_a_link "
        "test_only_web_addresses_of_a_host_are_kept_as_links test_a_web_link_opens_without_telling_where_it_came_from "
        "test_only_a_doi_or_a_plain_web_address_becomes_a_link test_only_plain_addresses_become_links"),
    6: ("content security policy and headers", "test_every_kind_of_answer_carries_the_headers "
        "test_every_private_answer_carries_the_headers"),
    7: ("forms of other sites", "test_no_form_of_any_route_is_taken_from_another_site_or_session "
        "test_a_token_ends_with_its_session test_no_address_changes_anything_by_get "
        "test_forms_of_other_sites_and_sessions_are_refused test_another_persons_token_is_refused"),
    8: ("session fixation", "test_a_session_that_somebody_planted_never_becomes_mine "
        "test_signing_in_makes_a_new_session_and_signing_out_ends_it "
        "test_the_cookie_is_for_this_host_only_and_no_script_reads_it"),
    9: ("ids of another review", "test_ids_of_another_review_show_nothing_inside_ones_own "
        "test_ids_of_another_review_change_nothing_inside_ones_own test_records_of_another_review_are_not_there "
        "test_every_page_of_a_review_is_no_page_to_those_who_may_not_enter_it"),
    10: ("the other's vote before mine", "test_whether_the_other_included_or_excluded_is_nowhere_until_i_have_voted "
         "test_a_refused_form_tells_nothing_of_the_others_vote test_the_same_look_finds_the_vote_where_it_may_be_seen "
         "test_before_i_vote_nothing_i_see_tells_that_my_co_reviewer_did"),
    11: ("roles", "test_each_visitor_may_do_what_the_table_says "
         "test_each_visitor_may_run_the_operations_that_the_table_says "
         "test_every_route_names_its_act_and_every_form_a_token test_a_route_that_names_no_act_lets_nobody_in"),
    12: ("guessing secrets", "test_the_eleventh_wrong_secret_has_to_wait "
         "test_twenty_right_secrets_at_once_from_one_address_all_get_in_among_wrong_ones "
         "test_wrong_secrets_count_whatever_the_request_claims_to_be test_a_secret_is_too_long_to_be_guessed"),
    13: ("finding out accounts", "test_a_refusal_does_not_tell_whether_an_account_exists"),
    14: ("open redirects", "test_after_signing_in_one_stays_on_this_server "
         "test_no_address_of_ours_leads_to_another_server"),
    15: ("requests to places inside", "test_no_request_leaves_for_a_place_that_is_not_public "
         "test_the_connection_goes_to_the_address_that_was_checked test_a_redirect_is_checked_as_any_address "
         "test_a_body_that_names_a_file_or_an_address_is_never_opened test_the_environment_s_proxies_are_not_used"),
    16: ("entities in XML", "test_no_source_expands_entities_or_opens_files"),
    17: ("endless and packed answers", "test_an_answer_larger_than_its_limit_is_not_read_to_its_end "
         "test_an_answer_that_trickles_in_forever_ends_at_the_deadline test_feeds_have_a_limit_of_their_own"),
    18: ("uploads", "test_uploads_are_bounded_and_a_bomb_is_refused_in_words "
         "test_a_zip_bomb_is_refused_before_it_unpacks "
         "test_a_form_that_is_too_large_is_stopped_whatever_it_says_of_its_size"),
    19: ("formulas", "test_no_text_becomes_a_formula test_a_cell_never_starts_a_formula "
         "test_everything_can_be_taken_out_and_read_again"),
    20: ("paths", "test_a_review_is_named_by_letters_and_digits_only test_no_id_of_an_address_leads_out_of_its_folder "
         "test_nothing_else_is test_a_name_is_taken_once_and_leads_nowhere"),
    21: ("SQL", "test_no_statement_is_put_together_from_values test_what_people_type_is_never_sql"),
    22: ("files read by the database", "test_no_statement_reaches_files_settings_or_variables "
         "test_the_connection_reads_and_writes_no_file_but_its_own"),
    23: ("slow questions", "test_hostile_text_costs_no_time_to_look_up_or_to_mark "
         "test_a_question_that_takes_too_long_is_ended_and_others_go_on"),
    24: ("slow comparisons", "test_records_of_any_length_are_compared_in_a_moment "
         "test_long_rows_of_marks_do_not_hold_the_night_up"),
    25: ("unicode", "test_text_keeps_no_character_that_hides_turns_or_piles_up "
         "test_tidy_keeps_letters_of_every_script_and_drops_what_turns_text_around"),
    26: ("secrets in logs", "test_no_secret_is_in_the_log_the_output_or_the_database "
         "test_no_error_and_no_line_of_the_log_ever_tells_a_key test_settings_and_the_owners_token_are_kept_close"),
    27: ("forged lines in logs", "test_nothing_that_came_in_starts_a_line_of_the_log "
         "test_hostile_text_is_one_json_line_of_plain_letters test_a_terminal_is_not_steered"),
    28: ("caches", "test_every_kind_of_answer_carries_the_headers test_what_has_not_changed_is_not_sent_again"),
    29: ("names in what is published", "test_no_reviewer_is_in_any_published_byte "
         "test_notes_and_names_of_reviewers_are_in_no_public_byte test_hostile_text_stays_text_everywhere"),
    30: ("supply chain", "test_every_dependency_is_locked_with_its_hash "
         "test_the_script_that_we_did_not_write_is_the_published_one"),
}  # fmt: skip


def test_every_row_of_the_checklist_has_a_test_that_exists() -> None:
    known = set()
    for path in (ROOT / "tests").glob("test_*.py"):
        known |= {
            node.name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.FunctionDef)
        }
    assert sorted(ROWS) == list(range(1, 31))
    assert {name for _, names in ROWS.values() for name in names.split()} <= known


# 3, 5, 25: text


@pytest.mark.parametrize("environment", [_environment(), _ENVIRONMENT], ids=["app", "published"])
def test_everything_is_escaped_whatever_a_template_is_called(environment: object) -> None:
    assert environment.autoescape is True  # type: ignore[attr-defined]
    for name in ("x.html", "x.svg", "x.txt", "x.html.j2", "x.atom"):
        template = environment.from_string("{{ text }}")  # type: ignore[attr-defined]
        template.name = name
        assert template.render(text="<&\"'") == "&lt;&amp;&#34;&#39;", name


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "file:///x",
     "http://user@evil.example/", "https:///x", "ftp://a.example/x", "https://localhost", ""],
)  # fmt: skip
def test_only_web_addresses_of_a_host_are_kept_as_links(address: str) -> None:
    assert link(address) is None and link("https://ok.example/x") == "https://ok.example/x"


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\u202egnp.exe\u2066b\u2069", "agnp.exeb"), ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
     ("a\x00b\x1b[31m", "a b [31m"),
     ("half\ud800", "half"), ("private\ue000", "private"), ("a" + "\u0301" * 5_000, "\u00e1" + "\u0301" * 8),
     ("e\u0301", "\u00e9"), ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
     ("p\u0430ypal", "p\u0430ypal")],
)  # fmt: skip
def test_text_keeps_no_character_that_hides_turns_or_piles_up(
    reviewed: Store, text: str, kept: str
) -> None:
    assert plain(text) == kept
    found(reviewed, article(1, title=plain(text), abstract=safe(text, 100)))
    with reviewed.read() as con:
        assert con.execute("SELECT title FROM record").fetchall() == [(kept,)]


# 16: XML

LOL = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
DECLARED = {
    "lol": f'<!DOCTYPE r [<!ENTITY l0 "lol">{LOL}]>',
    "quadratic": f'<!DOCTYPE r [<!ENTITY l11 "{"a" * 200_000}">]>',
    "file": '<!DOCTYPE r [<!ENTITY l11 SYSTEM "file://{file}">]>',
    "parameter": '<!DOCTYPE r [<!ENTITY % p SYSTEM "file://{file}"> %p; <!ENTITY l11 "x">]>',
    "late": "<!--" + "x" * 20_000 + '--><!DOCTYPE r [<!ENTITY l11 SYSTEM "file://{file}">]>',
}
XML = {
    "pubmed": "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>{e}"
    "</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>",
    "europepmc": "<responseWrapper><hitCount>1</hitCount><resultList><result><id>1</id><source>MED</source>"
    "<title>{e}</title></result></resultList></responseWrapper>",
    "arxiv": '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/1</id><title>{e}</title>'
    "</entry></feed>",
    "feed": "<rss version='2.0'><channel><item><guid>1</guid><title>{e}</title></item></channel></rss>",
    "oai": "<OAI-PMH><ListRecords><record><header><identifier>1</identifier></header><metadata><dc>"
    "<title>{e}</title></dc></metadata></record></ListRecords></OAI-PMH>",
    "datacite": '<resource xmlns="http://datacite.org/schema/kernel-4"><identifier identifierType="DOI">10.1000/x'
    "</identifier><titles><title>{e}</title></titles></resource>",
    "openaire": '<response><results><result><header><dri:objIdentifier xmlns:dri="d">x::1</dri:objIdentifier>'
    '</header><metadata><oaf:entity xmlns:oaf="o"><oaf:result><title>{e}</title></oaf:result></oaf:entity>'
    "</metadata></result></results></response>",
    "endnote": "<xml><records><record><titles><title>{e}</title></titles></record></records></xml>",
}


def test_the_same_answers_without_declarations_are_read() -> None:
    for source, text in XML.items():
        page = sources.find(source).parse(text.replace("{e}", "A title of care").encode(), None)
        assert [record.title for record in page.records] == ["A title of care"], source


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("trick", list(DECLARED))
@pytest.mark.parametrize("source", list(XML))
def test_no_source_expands_entities_or_opens_files(
    source: str, trick: str, encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("THE-SECRET")
    declared = DECLARED[trick].replace("{file}", str(tmp_path / "secret"))
    text = f'<?xml version="1.0" encoding="{encoding}"?>{declared}' + XML[source].replace(
        "{e}", "&l11;" * 50
    )
    began = time.monotonic()
    try:
        told = repr(sources.find(source).parse(text.encode(encoding), None))
    except LivereviewError as error:
        told = repr(error) + str(error)
    assert time.monotonic() - began < 2 and len(told) < 100_000
    assert "THE-SECRET" not in told and "lollol" not in told and "a" * 1_000 not in told


# 12, 20, 26, 30: names, secrets, files


def test_a_secret_is_too_long_to_be_guessed(reviewed: Store) -> None:
    for secret in ("", "short", "x" * 19):
        with pytest.raises(Refused, match="too short"):
            add_account(reviewed, name="ada", role="reviewer", secret=secret, now=NOW)


@pytest.mark.parametrize(
    "name", ["../etc", "a/b", "%2e", "A", "a\nb", "", "x" * 65, "a b", "\u0430", "a.b", "a\x00"]
)
def test_a_review_is_named_by_letters_and_digits_only(
    store: Store, protocol: str, name: str
) -> None:
    quoted = name.replace("\n", "\\n").replace("\x00", "\\u0000")
    with pytest.raises(Refused):
        surveil.register(store, text=protocol.replace("small-review", quoted), now=NOW)
    with pytest.raises(Refused, match="sha256"):
        full_text.path(store.backups, name)


def test_settings_and_the_owners_token_are_kept_close(tmp_path: Path) -> None:
    from livereview.client import token

    settings = read_settings(
        {"OPENALEX_API_KEY": "k3y-of-openalex", "LIVEREVIEW_HOME": str(tmp_path)}
    )
    assert "k3y" not in repr(settings) + str(settings) + f"{settings}"
    assert len(token(settings)) >= 40 and (tmp_path / "owner.token").stat().st_mode & 0o077 == 0


def test_every_dependency_is_locked_with_its_hash() -> None:
    locked: dict[str, set[str]] = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text("utf-8").strip()):
        if not block.startswith("#"):
            found = re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", block)
            assert found and re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]
            # one for each Python where they differ
            locked.setdefault(found[1].lower(), set()).add(found[2])
    asked = re.search(
        r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text("utf-8"), re.S | re.M
    )
    assert asked
    names = [name.lower() for name in re.findall(r'^\s*"([\w.-]+)', asked[1], re.M)]
    assert (
        len(names) > 10
        and [name for name in names if version(name) not in locked.get(name, ())] == []
    )


# 21, 22, 23: the database

WRITTEN = {
    "_COLUMNS",
    "queue.sql",
    "mine",
    "_state_of_views(con, views)",
    "_ONE",
    "_TOUCH",
    "_LIVE",
    "_OPEN",
    "highest",
    "table",
    "', '.join(names)",
    "_quoted(target)",
    "_quoted(file)",
    "alias",
    "conflict",
    "where",
    "source",
    "_LOG",
    "every",
}  # pieces of statements that the code itself made


ASKING = {
    "any_row",
    "by_review",
    "execute_told",
    "kept_by_review",
    "kept_rows",
    "one_row",
}  # functions that are given a connection, and the statement after it

HANDS_ON = {
    "copies.py",
    "kept.py",
    "finding.py",  # puts together constants of its own; all that people type is bound
    "migrations.py",
    "open.py",
    "rows.py",
    "writer.py",
}  # files of the store that hand on statements of others


def statements() -> Iterator[tuple[Path, ast.expr]]:
    """The first argument of every call that hands a statement to the database."""
    for path in [*(ROOT / "livereview").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).rsplit(".", 1)[-1]
            if called in ("execute", "executemany", "sql", "query") and node.args:
                yield path, node.args[0]
            elif called in ASKING:
                yield path, node.args[1]


def constants(path: Path) -> set[str]:
    """The names that a module gives to plain texts."""
    assigned = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
    ]
    texts = [node for node in assigned if isinstance(node.value, ast.Constant)]
    return {target.id for node in texts for target in node.targets if isinstance(target, ast.Name)}


def test_no_statement_is_put_together_from_values() -> None:
    every = list(statements())
    assert len(every) > 80
    for path, sql in every:
        place = f"{path.relative_to(ROOT)}:{sql.lineno}"
        if isinstance(sql, ast.JoinedStr):
            pieces_of_it = {
                ast.unparse(one.value) for one in sql.values if isinstance(one, ast.FormattedValue)
            }
            assert pieces_of_it <= WRITTEN, (place, pieces_of_it - WRITTEN)
        elif isinstance(sql, ast.Name) and sql.id in constants(path):
            continue
        elif not isinstance(sql, ast.Constant):
            handed_on = path.parent.name == "store" and path.name in HANDS_ON
            assert handed_on, f"{place}: {ast.unparse(sql)}"
    for size in (0, 1, 60):
        text, _ = standings.chosen(["x'); DROP TABLE decision; --"] * size)
        assert re.fullmatch(r"IN \([?, ]*\)|IN \(SELECT unnest\(\?::VARCHAR\[\]\)\)", text)


EVIL = "x'; DROP TABLE decision; --"


def test_what_people_type_is_never_sql(reviewed: Store) -> None:
    (record,) = found(
        reviewed,
        article(
            1, title=EVIL, source_key=EVIL, container_title=EVIL, authors=(EVIL,), language=EVIL
        ),
    )
    with reviewed.read() as con:
        assert screen.resolve(con, REVIEW, EVIL) == record
        for question in (f"{EVIL} ", "' OR 1=1 --", "%", "_", "x') UNION SELECT 1 --"):
            if question.strip() != EVIL:
                with pytest.raises(Refused):
                    screen.resolve(con, REVIEW, question)
        wanted = [EVIL, record]
        waits = queues.head(
            con, protocols.protocol(con, REVIEW), EVIL, "title_abstract", wanted=wanted
        )
        assert waits.waiting == 1 and [one.report_id for one in waits.wanted] == [record]
    word = {"review": REVIEW, "record": record, "stage": "title_abstract", "now": NOW}
    screen.decide(
        reviewed, id=EVIL, reviewer=EVIL, verdict="include", note=EVIL, tags=[EVIL], **word
    )  # type: ignore[arg-type]
    with reviewed.read() as con:
        assert con.execute("SELECT id, reviewer, note, tags FROM decision").fetchall() == [
            (EVIL, EVIL, EVIL, [EVIL])
        ]


def test_no_statement_reaches_files_settings_or_variables(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("secret\n1\n")
    hidden = [{"secret": 1}]  # a Python variable that DuckDB could take for a table
    assert hidden
    with Store(tmp_path / "a.duckdb") as store, store.read() as con:
        connections = [con, memory_database()]
        for one in connections:
            for statement in (
                "SELECT * FROM read_blob('/proc/self/environ')", "SELECT * FROM glob('/etc/*')", "FROM '/etc/passwd'",
                f"SELECT * FROM sniff_csv('{tmp_path}/x.csv')", f"FROM '{tmp_path}/x.csv'", "SELECT * FROM hidden",
                f"EXPORT DATABASE '{tmp_path}/out'", f"IMPORT DATABASE '{tmp_path}'", "LOAD httpfs",
                "FROM 'https://x.example/a.csv'", f"COPY decision FROM '{tmp_path}/x.csv'",
                f"COPY (SELECT 1) TO '{store.backups}/../out.csv'", f"ATTACH '{store.backups}/../b.duckdb'",
                "SET lock_configuration = false", "RESET enable_external_access", "SET allowed_directories = ['/']",
                "SET python_enable_replacements = true", "SET memory_limit = '1TB'",
            ):  # fmt: skip
                with pytest.raises(duckdb.Error):
                    one.execute(statement).fetchall()
        connections[1].close()
    assert (
        sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(("out", "b.")))
        == []
    )


def test_hostile_text_costs_no_time_to_look_up_or_to_mark(reviewed: Store) -> None:
    found(reviewed, *(article(n, title=f"a{' a' * 400} {n}") for n in range(300)))
    marks = Highlights(("a* a* a* a*", "a" * 50, "(a+)+$", "a " * 40), ("*a", "a*" * 20))
    began = time.monotonic()
    for text in ("a" * 20_000, "a " * 10_000 + "!", "%" * 20_000, "((" * 10_000):
        with reviewed.read() as con, pytest.raises(Refused):
            screen.resolve(con, REVIEW, text)
        assert "".join(piece.text for piece in pieces(text, marks)) == text
    assert time.monotonic() - began < 5


# 24: comparisons


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "a " * 100_000, "(" * 200_000, "Part 2: " * 25_000, "&lt;" * 50_000]
)
def test_records_of_any_length_are_compared_in_a_moment(text: str) -> None:
    began = time.monotonic()
    title, abstract = plain(text), plain(text, ABSTRACT_LIMIT)
    assert len(title or "") <= TITLE_LIMIT and len(abstract or "") <= ABSTRACT_LIMIT
    long = {
        "title": text,
        "abstract": text,
        "container_title": text[:5_000],
        "pages": text[:5_000],
        "volume": text[:5_000],
    }
    many = tuple(f"Doe{n}, {text[:20]}" for n in range(5_000))
    judge(
        features(article(1, **long, authors=many)),
        features(article(2, **long | {"title": text + "b"}, authors=many)),
    )
    assert time.monotonic() - began < 3


# 27, 29: what is logged and what is published


def test_no_reviewer_is_in_any_published_byte(
    reviewed: Store, settings: Settings, protocol: str
) -> None:
    """A hostile record goes all the way: voted on, disputed, settled, with a file, a tip and an
    extraction.
    """
    evil = "<script>alert(1)</script>]]>&amp;\u202e \"'><img src=x onerror=alert(2)>"
    surveil.register(
        reviewed,
        text=protocol.replace("votes = 2", 'votes = 2\nadjudicators = ["zoe_settles"]'),
        now=NOW,
    )
    news = [
        article(n, title=f"{evil} {n}", abstract=evil, authors=(evil,), container_title=evil)
        for n in (1, 2, 3)
    ]
    included, disputed, _ = found(reviewed, *news)
    people = {"ada_votes": "include", "bo_votes": "include", "zoe_settles": "exclude"}
    for name in people:
        add_account(
            reviewed, name=name, role="reviewer", secret=f"{name}-has-a-long-secret", now=NOW
        )
    number = 0

    def says(record: str, name: str, verdict: str, stage: str, **more: object) -> None:
        nonlocal number
        number += 1
        given = {
            "reason": "wrong-design" if verdict == "exclude" else None,
            "note": f"NOTE-OF {name}@people.example",
            "tags": ["TAG-OF-A-PERSON"],
            **more,
        }
        screen.decide(
            reviewed, id=f"{name}-{number}", review=REVIEW, record=record, reviewer=name, verdict=verdict, stage=stage,
            now=NOW, **given,  # type: ignore[arg-type]
        )  # fmt: skip

    for record, stage in (
        (included, "title_abstract"),
        (included, "full_text"),
        (disputed, "title_abstract"),
    ):
        for name in ("ada_votes", "bo_votes"):
            says(record, name, "include", stage)
    says(disputed, "ada_votes", "include", "full_text")
    says(disputed, "bo_votes", "exclude", "full_text")
    says(disputed, "zoe_settles", "exclude", "full_text", role="adjudication")
    kept = {
        "name": "FILE-OF-A-PERSON.pdf",
        "body": b"%PDF-1\n%%EOF",
        "author": "ada_votes",
        "now": NOW,
    }
    full_text.attach(reviewed, settings.full_texts, id="f", review=REVIEW, record=included, **kept)  # type: ignore[arg-type]
    tips.suggest(
        reviewed, review=REVIEW, id="t", title="TIP-OF-A-PERSON", note="TIP-OF-A-PERSON", now=NOW
    )
    form = {"study": "one", "label": evil, "reports": [included], "caution": evil}
    evidence.extract(reviewed, id="e", review=REVIEW, data=form, extractor="ada_votes", now=NOW)
    publish.publish(reviewed, review=REVIEW, folder=settings.site, now=NOW)
    files = {path: path.read_bytes() for path in settings.site.rglob("*") if path.is_file()}
    assert len(files) > 20 and any(b"alert(1)" in body for body in files.values())
    for path, body in files.items():
        if path.suffix == ".parquet":  # compressed, so its cells are looked at
            body = repr(duckdb.read_parquet(str(path)).fetchall()).encode()
        assert not re.search(
            rb"_votes|_settles|NOTE-OF|people\.example|OF-A-PERSON|long-secret", body, re.I
        ), path
        assert b"<script>alert" not in body or path.suffix in (
            ".csv",
            ".json",
            ".bib",
            ".ris",
            ".parquet",
        ), path
        if path.suffix in (".svg", ".atom"):
            etree.fromstring(body, etree.XMLParser(resolve_entities=False))
        if path.suffix == ".atom":
            assert not feedparser.parse(io.BytesIO(body)).bozo
        if path.suffix == ".html":  # Page fails where elements do not close in order
            elements = Page(body.decode()).elements  # type: ignore[no-untyped-call]
            assert not [name for _, has in elements for name in has if name.startswith("on")], path
            assert {tag for tag, _ in elements} & {"img", "iframe", "object"} == set(), path
