"""Why a record ranks where it does, which verdicts deserve a second look, and the recall curve as a
picture.
"""

from __future__ import annotations

import csv
import gzip
import struct
import zlib
from dataclasses import replace
from math import fsum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.ranking import model
from livereview.ranking.doubts import Held, held_out, quantiles, second_look
from livereview.ranking.explain import explanation, is_cold, places, terms
from livereview.ranking.features import Features, Text, build
from livereview.ranking.png import SIGNATURE, png

SET = Path(__file__).resolve().parents[2] / "shared" / "data" / "screening" / "cohen_ADHD.csv.gz"
COMMON = [
    "trial",
    "patients",
    "results",
    "treatment",
    "outcome",
    "group",
    "weeks",
    "dose",
    "clinic",
    "score",
]
PLANTED = "zebrafish"
PROTOCOL = "zebrafish larvae in a clinic"


def written(number: int = 60) -> list[Text]:
    """Texts of the same words by lot; every third says the planted one, too, and is relevant."""
    dice = np.random.default_rng(0)
    found = []
    for n in range(number):
        words = dice.choice(COMMON, 8).tolist()
        found.append(
            Text(f"r{n:02}", " ".join([PLANTED] * (n % 3 == 0) + words[:3]), " ".join(words))
        )
    return found


def judged(texts: list[Text]) -> list[model.Label]:
    return [(text.record_id, PLANTED in text.title) for text in texts]


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return written()


@pytest.fixture(scope="module")
def features(texts: list[Text]) -> Features:
    return build(texts, PROTOCOL)


@pytest.fixture(scope="module")
def fitted(texts: list[Text], features: Features) -> model.Model:
    return model.fit(features, judged(texts[:40]))


def linear(fitted: model.Model, features: Features, row: int) -> float:
    """The score in double precision, without taking it apart."""
    total = 0.0
    for part, (w, b), centre, spread in zip(
        fitted.parts, fitted.weights, fitted.centre, fitted.spread, strict=True
    ):
        has = features.views[part.view][[row]]
        has = np.asarray(has if part.view == "latent" else has.toarray(), dtype=np.float64)[0]
        total += part.weight * (float(has @ w) + b - centre) / spread
    return total


@pytest.mark.parametrize("labelled", [0, 1, 2, 40])
def test_terms_and_remainder_add_up_to_the_score(
    texts: list[Text], features: Features, labelled: int
) -> None:
    fitted = model.fit(features, judged(texts[:labelled]))
    scores = model.scores(fitted, features)
    for row, text in enumerate(texts):
        told = explanation(fitted, features, text, 3)
        together = fsum(term.contribution for term in told.terms) + told.remainder
        assert together == pytest.approx(told.score, abs=1e-9)
        assert told.score == pytest.approx(linear(fitted, features, row), abs=1e-9)
        assert told.score == pytest.approx(scores[row], abs=1e-4)  # single precision


def test_a_planted_word_comes_first(
    texts: list[Text], features: Features, fitted: model.Model
) -> None:
    for text in texts[::3]:
        first = terms(fitted, features, text)[0]
        assert first.term.split()[0] == PLANTED
        assert first.contribution > 0


def test_what_lowers_a_score_is_told_too(
    texts: list[Text], features: Features, fitted: model.Model
) -> None:
    assert any(term.contribution < 0 for term in terms(fitted, features, texts[1]))


def test_terms_are_words_of_the_record(
    texts: list[Text], features: Features, fitted: model.Model
) -> None:
    for text in texts:
        said = f"{text.title} {text.abstract}".split()
        assert {
            word for term in terms(fitted, features, text, 100) for word in term.term.split()
        } <= set(said)


def test_the_strongest_come_first_and_equal_ones_by_alphabet(
    texts: list[Text], features: Features, fitted: model.Model
) -> None:
    told = terms(fitted, features, texts[0], 100)
    assert list(told) == sorted(told, key=lambda term: (-abs(term.contribution), term.term))
    assert len(told) > 5
    assert terms(fitted, features, texts[0], 5) == told[:5]
    double = [Text("a", "pear apple", ""), Text("b", "fig", "")]
    same = build(double, "apple pear")
    two = terms(model.fit(same, [], parts=model.U4), same, double[0])
    assert [term.term for term in two] == ["apple", "pear"]
    assert two[0].contribution == two[1].contribution


def test_all_terms_leave_no_others(
    texts: list[Text], features: Features, fitted: model.Model
) -> None:
    told = explanation(fitted, features, texts[0], 10_000)
    assert told.others == 0
    # every letter of these texts stands in a word
    assert told.letters == pytest.approx(0, abs=1e-12)
    assert told.latent != 0


def test_the_latent_part_is_a_number_of_its_own(texts: list[Text], features: Features) -> None:
    one = model.fit(features, judged(texts), parts=(model.Part("latent"),))
    told = explanation(one, features, texts[0])
    assert told.terms == ()
    assert told.latent + told.constant == pytest.approx(told.score)


def test_letters_count_for_the_words_they_stand_in(texts: list[Text], features: Features) -> None:
    one = model.fit(features, judged(texts), parts=(model.Part("letters"),))
    assert terms(one, features, texts[0])[0].term == PLANTED
    strange = explanation(one, features, replace(texts[0], title="", abstract=""))
    assert strange.terms == ()
    assert strange.letters + strange.constant == pytest.approx(strange.score)


def test_four_letters_are_those_of_the_view(texts: list[Text], features: Features) -> None:
    pieces = places(Text("x", "Self-harm a", "in 7 days, self"))
    assert pieces["self"] == ["self", "self"]
    assert pieces["lf-h"] == ["self"]
    assert pieces["f-ha"] == ["harm"]
    assert pieces[" a "] == [""]
    assert pieces["ays,"] == ["days"]
    for row, text in enumerate(texts):
        has = {
            features.terms["letters"][column] for column in features.views["letters"][[row]].indices
        }
        assert has <= set(places(text))


def test_a_cold_start_tells_the_protocols_words(
    texts: list[Text], features: Features, fitted: model.Model
) -> None:
    cold = model.fit(features, [])
    assert is_cold(cold, features)
    assert not is_cold(fitted, features)
    for text in texts:
        found = {word for term in terms(cold, features, text, 100) for word in term.term.split()}
        assert found == set(PROTOCOL.split()) & set(f"{text.title} {text.abstract}".split())
    assert terms(cold, features, texts[0])[0].term == PLANTED


def test_without_labels_or_protocol_there_is_nothing_to_tell(texts: list[Text]) -> None:
    bare = build(texts)
    told = explanation(model.fit(bare, []), bare, texts[0])
    assert (told.terms, told.score, told.cold) == ((), 0.0, True)


def test_the_order_of_records_and_labels_changes_no_explanation(texts: list[Text]) -> None:
    parts = tuple(part for part in model.PARTS if part.view != "latent")
    told = []
    for way in (texts, texts[::-1]):
        features = build(way, PROTOCOL)
        fitted = model.fit(features, judged(way), parts=parts)
        told.append([terms(fitted, features, text, 4) for text in texts])
    for one, other in zip(*told, strict=True):
        theirs = {term.term: term.contribution for term in other}
        assert {term.term: term.contribution for term in one} == pytest.approx(theirs, abs=1e-3)


def test_the_same_arguments_give_the_same_explanation(texts: list[Text]) -> None:
    told = []
    for _ in range(2):
        features = build(texts, PROTOCOL)
        fitted = model.fit(features, judged(texts))
        told.append([explanation(fitted, features, text) for text in texts])
    assert told[0] == told[1]


def test_what_can_t_be_explained_is_refused(
    texts: list[Text], features: Features, fitted: model.Model
) -> None:
    with pytest.raises(Refused, match="'elsewhere' is no record"):
        terms(fitted, features, Text("elsewhere", "", ""))
    with pytest.raises(Refused, match="at least one term"):
        terms(fitted, features, texts[0], 0)
    with pytest.raises(Refused, match="fitted to other features"):
        terms(fitted, build(texts), texts[0])


@pytest.mark.parametrize("words", ["", "  ", "?!", "a"])
def test_a_record_without_words_has_no_terms(texts: list[Text], words: str) -> None:
    empty = Text("empty", words, "")
    features = build([*texts, empty], PROTOCOL)
    assert terms(model.fit(features, judged(texts)), features, empty) == ()


def test_no_score_is_of_a_model_that_saw_the_records_own_label(
    texts: list[Text], features: Features
) -> None:
    labels = [*judged(texts), ("r00", False), ("r00", True), ("r01", True)]
    held = held_out(features, labels, seed=3)
    fold = {one.record_id: one.fold for one in held}
    assert len(fold) == len(held) == len(texts)
    for k in range(5):
        others = sorted(label for label in labels if fold[label[0]] != k)
        row = dict(
            zip(features.ids, model.scores(model.fit(features, others, 3), features), strict=True)
        )
        assert all(one.score == row[one.record_id] for one in held if one.fold == k)


def test_a_models_fold_holds_no_label_it_learned(
    texts: list[Text], features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, learned = model.fit, list[set[str]]()

    def watched(features: Features, labels: list[model.Label], *rest: object) -> model.Model:
        learned.append({one for one, _ in labels})
        return fit(features, labels, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "fit", watched)
    held = held_out(features, [*judged(texts), ("r05", True)], folds=4)
    assert len(learned) == 4
    for k, seen in enumerate(learned):
        assert seen.isdisjoint(one.record_id for one in held if one.fold == k)
        assert seen | {one.record_id for one in held if one.fold == k} == set(features.ids)


def test_a_wrong_verdict_of_each_kind_is_doubted_first(texts: list[Text]) -> None:
    lost = Text("lost", f"{PLANTED} {PLANTED}", f"{PLANTED} {PLANTED} {PLANTED}")
    let_in = Text("let in", "weeks", "clinic weeks clinic")
    labels = [*judged(texts), ("lost", False), ("let in", True)]
    every = held_out(build([*texts, lost, let_in]), labels)
    for by_turns in (True, False):
        found = second_look(every, 2, by_turns)
        assert {(one.record_id, one.verdict) for one in found} == {
            ("lost", False),
            ("let in", True),
        }
    first = second_look(every)[0]
    assert (first.record_id, first.verdict) == ("lost", False)
    assert first.quantile > 0.9


def test_the_order_of_labels_changes_no_doubt(texts: list[Text], features: Features) -> None:
    labels = [*judged(texts), ("r01", True)]
    assert held_out(features, labels) == held_out(features, labels[::-1])
    assert second_look(held_out(features, labels)) == second_look(held_out(features, labels)[::-1])


def test_the_seed_deals_the_folds(texts: list[Text], features: Features) -> None:
    one, same, other = (held_out(features, judged(texts), seed) for seed in (1, 1, 2))
    assert one == same
    assert [held.fold for held in one] != [held.fold for held in other]


def held(*places: tuple[bool, float]) -> list[Held]:
    return [Held(f"h{n}", verdict, place, place, 0) for n, (verdict, place) in enumerate(places)]


def test_disagreement_is_counted_from_where_the_relevant_begin() -> None:
    four = held((True, 0.125), (False, 0.375), (False, 0.625), (False, 0.875))
    found = second_look(four, by_turns=False)
    assert [(one.record_id, one.disagreement) for one in found] == [("h0", 0.625), ("h3", 0.125)]
    assert [one.record_id for one in second_look(four)] == ["h3", "h0"]
    assert [one.record_id for one in second_look(four, 1)] == ["h3"]


def test_of_one_kind_used_up_the_other_goes_on() -> None:
    six = held((True, 0.1), (True, 0.2), (True, 0.3), (False, 0.95), (False, 0.4), (True, 0.8))
    assert [one.record_id for one in second_look(six)] == ["h3", "h0", "h4", "h1", "h2"]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 99)), max_size=40), st.integers(1, 50))
def test_only_disagreement_is_listed_and_never_more_than_asked(
    judged: list[tuple[bool, int]], limit: int
) -> None:
    every = held(*((verdict, place / 100) for verdict, place in judged))
    found = second_look(every, limit)
    assert len(found) <= limit
    assert len({one.record_id for one in found}) == len(found)
    assert all(one.disagreement > 0 for one in found)
    assert {one.record_id for one in second_look(every, 100)} == {
        one.record_id for one in second_look(every, 100, False)
    }
    for kind in (True, False):
        strength = [one.disagreement for one in found if one.verdict is kind]
        assert strength == sorted(strength, reverse=True)


@pytest.mark.parametrize("kind", [True, False])
def test_nothing_is_in_doubt_among_verdicts_of_one_kind(kind: bool) -> None:
    assert second_look(held((kind, 0.2), (kind, 0.5), (kind, 0.8))) == ()
    assert second_look([]) == ()


def test_places_lie_between_0_and_1_and_equal_scores_share_one() -> None:
    assert quantiles(np.array([3.0, 1.0, 1.0, 2.0])).tolist() == [0.875, 0.25, 0.25, 0.625]
    assert quantiles(np.zeros(0)).tolist() == []


def test_what_can_t_be_doubted_is_refused(texts: list[Text], features: Features) -> None:
    with pytest.raises(Refused, match="two folds or more"):
        held_out(features, judged(texts), folds=1)
    with pytest.raises(Refused, match="two relevant and two irrelevant"):
        held_out(features, judged(texts[:3]))
    with pytest.raises(Refused, match="at least one record"):
        second_look([], 0)


@pytest.mark.skipif(not SET.exists(), reason="the labelled set is not here")
def test_wrong_labels_of_a_real_review_come_early() -> None:
    with gzip.open(SET, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    features = build([Text(row["record_id"], row["title"], row["abstract"]) for row in rows])
    chosen = np.random.default_rng(0).choice(sorted(features.ids), len(rows) // 10, replace=False)
    wrong = set(chosen.tolist())
    labels = [
        (row["record_id"], (row["label_included"] == "1") ^ (row["record_id"] in wrong))
        for row in rows
    ]
    every = held_out(features, labels)
    hits = {
        by: sum(one.record_id in wrong for one in second_look(every, 50, by))
        for by in (True, False)
    }
    assert hits[False] >= 40  # by chance 5
    assert hits[True] >= 20


def opened(file: bytes) -> tuple[dict[bytes, list[bytes]], np.ndarray]:
    """Chunks by kind, each checked, and the pixels."""
    assert file.startswith(SIGNATURE)
    chunks, at = dict[bytes, list[bytes]](), len(SIGNATURE)
    while at < len(file):
        (size,), kind = struct.unpack(">I", file[at : at + 4]), file[at + 4 : at + 8]
        body = file[at + 8 : at + 8 + size]
        assert struct.unpack(">I", file[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            kind + body
        )
        chunks.setdefault(kind, []).append(body)
        at += 12 + size
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"][0])
    assert rest == [8, 0, 0, 0, 0]
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"][0]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    assert next(iter(chunks)) == b"IHDR" and list(chunks)[-1] == b"IEND"
    return chunks, lines[:, 1:]


FOUND = [1, 1, 0, 1, 0, 0, 1, 0, 0, 0] * 30


@pytest.mark.parametrize(("width", "height"), [(960, 600), (240, 240), (1200, 300), (300, 900)])
def test_a_picture_has_the_size_asked_for_and_something_on_it(width: int, height: int) -> None:
    _, pixels = opened(png(FOUND, "Recall", width=width, height=height))
    assert pixels.shape == (height, width)
    assert 0.003 < (pixels == 0).mean() < 0.2
    assert (pixels == 255).mean() > 0.75
    assert (pixels[0] == 255).all() and (pixels[:, 0] == 255).all() and (pixels[-1] == 255).all()


def test_the_same_curve_gives_the_same_bytes_and_another_one_others() -> None:
    assert png(FOUND, "Recall") == png(list(FOUND), "Recall")
    assert png(FOUND, "Recall") != png(FOUND[::-1], "Recall")


def test_the_curve_goes_through_its_points() -> None:
    """The plot of 960 x 600 lies from 64, 24 to 932, 528; a quarter read, all found."""
    _, pixels = opened(png([1] * 25 + [0] * 75, "Recall"))
    assert pixels[528 - 252, 64 + round(0.125 * (932 - 64))] == 0
    assert pixels[24, 64 + 400] == 0
    _, late = opened(png([0] * 75 + [1] * 25, "Recall"))
    assert late[528 - 252, 64 + round(0.875 * (932 - 64))] == 0
    assert late[528 - 252, 64 + round(0.3 * (932 - 64))] > 0


def test_title_and_stops_are_told_in_the_file() -> None:
    chunks, pixels = opened(png(FOUND, "Crèche 中", [("50 irrelevant in a row", 150)]))
    title, description = (body.split(b"\0\0\0\0\0") for body in chunks[b"iTXt"])
    assert [title[0], title[1].decode()] == [b"Title", "Crèche 中"]
    assert "120 relevant of 300 records; half found after" in description[1].decode()
    assert "A: 50 irrelevant in a row, 150 read, recall 50.0%." in description[1].decode()
    assert not np.array_equal(pixels, opened(png(FOUND, "Crèche 中"))[1])


def test_a_sign_the_font_lacks_is_drawn_as_a_question_mark() -> None:
    one, two = (opened(png(FOUND, "Recall", [(rule, 150)]))[1] for rule in ("中", "?"))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("labels", [[1], [0, 1], [1, 0, 0], [0] * 2_000 + [1]])
def test_the_shortest_and_longest_waits_are_drawn(labels: list[int]) -> None:
    _, pixels = opened(png(labels, "Recall", [("all", len(labels)), ("none", 0)]))
    assert (pixels == 0).any()


def test_what_can_t_be_drawn_is_refused() -> None:
    with pytest.raises(Refused, match="needs a relevant record"):
        png([0, 0], "Recall")
    with pytest.raises(Refused, match="pixels wide and high"):
        png(FOUND, "Recall", width=100)
    with pytest.raises(Refused, match="0 to 300 records"):
        png(FOUND, "Recall", [("late", 301)])
    with pytest.raises(Refused, match="room for 8 stops"):
        png(FOUND, "Recall", [("rule", 1)] * 9)
    with pytest.raises(Refused, match="no room for the curve"):
        png(FOUND, "Recall", [("a rule of many words " * 20, 1)] * 3, 240, 240)
