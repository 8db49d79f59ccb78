"""Ranking: what is learned, the order, its measures, and what a replay of a finished review tells."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from livereview.errors import Refused
from livereview.ranking import curve, model, simulate
from livereview.ranking.features import LONGEST, Features, Text, build
from livereview.ranking.metrics import metrics, sequence
from livereview.ranking.order import due, order

SHARED = Path(__file__).resolve().parents[2] / "shared"
SCORER = SHARED / "bench" / "score_ranking.py"
SETS = SHARED / "data" / "screening"
needs_data = pytest.mark.skipif(not SETS.exists(), reason="the labelled sets are not here")
CARE = [
    "kinship",
    "care",
    "foster",
    "placement",
    "reunification",
    "family",
    "children",
    "welfare",
    "social",
    "home",
]
HEART = [
    "blood",
    "pressure",
    "hypertension",
    "enzyme",
    "inhibitor",
    "dose",
    "trial",
    "plasma",
    "renal",
    "tablet",
]


def written(number: int = 60, seed: int = 0) -> tuple[list[Text], dict[str, int]]:
    """Texts of two subjects that share words; one in three is of the relevant one."""
    dice = np.random.default_rng(seed)
    texts, truth = [], {}
    for n in range(number):
        relevant = n % 3 == 0
        own, other = (CARE, HEART) if relevant else (HEART, CARE)
        words = [*dice.choice(own, 6), *dice.choice(other, 1)]
        texts.append(Text(f"r{n:03}", " ".join(words[:5]), " ".join(dice.permutation(words))))
        truth[f"r{n:03}"] = int(relevant)
    return texts, truth


@pytest.fixture(scope="module")
def small() -> tuple[Features, dict[str, int]]:
    texts, truth = written()
    return build(texts, "children in foster care"), truth


def labels(truth: dict[str, int], ids: Sequence[str]) -> list[model.Label]:
    return [(one, bool(truth[one])) for one in ids]


def found_first(features: Features, fitted: model.Model, truth: dict[str, int]) -> float:
    ranked = order(features.ids, model.scores(fitted, features))
    return metrics([truth[one] for one in ranked]).loss


def test_the_same_labels_give_the_same_numbers_and_version(
    small: tuple[Features, dict[str, int]],
) -> None:
    features, truth = small
    some = labels(truth, features.ids[:20])
    one, two = (
        model.fit(features, some, 3),
        model.fit(build(written()[0], "children in foster care"), some, 3),
    )
    assert one.version == two.version
    assert np.array_equal(model.scores(one, features), model.scores(two, features))
    assert model.fit(features, some, 4).version != one.version
    assert model.fit(features, some[1:], 3).version != one.version


def test_a_few_labels_are_enough_to_rank_two_subjects(
    small: tuple[Features, dict[str, int]],
) -> None:
    features, truth = small
    assert (
        found_first(features, model.fit(features, labels(truth, features.ids[:14])), truth) < 0.02
    )


def test_a_start_from_the_last_model_changes_no_order(
    small: tuple[Features, dict[str, int]],
) -> None:
    features, truth = small
    before = model.fit(features, labels(truth, features.ids[:30]))
    cold, warm = (
        model.fit(features, labels(truth, features.ids[:40]), start=start)
        for start in (None, before)
    )
    assert np.allclose(model.scores(cold, features), model.scores(warm, features), atol=0.02)


def test_without_labels_the_protocol_ranks(small: tuple[Features, dict[str, int]]) -> None:
    features, truth = small
    assert found_first(features, model.fit(features, []), truth) < 0.1


def test_without_labels_or_protocol_the_order_is_that_of_ids() -> None:
    features = build(written()[0])
    scores = model.scores(model.fit(features, []), features)
    assert order(features.ids, scores) == tuple(sorted(features.ids))


@pytest.mark.parametrize("kind", [0, 1])
def test_one_kind_of_label_alone_ranks_by_similarity(
    small: tuple[Features, dict[str, int]], kind: int
) -> None:
    features, truth = small
    alone = [one for one in features.ids if truth[one] == kind][:3]
    assert found_first(features, model.fit(features, labels(truth, alone)), truth) < 0.1


def test_votes_that_contradict_each_other_are_taken(small: tuple[Features, dict[str, int]]) -> None:
    features, truth = small
    some = labels(truth, features.ids[:20])
    torn = [*some, ("r000", False), ("r001", True), ("r001", False)]
    assert found_first(features, model.fit(features, torn), truth) < 0.1
    assert np.isfinite(
        model.scores(model.fit(features, [("r000", True), ("r000", False)]), features)
    ).all()


def test_texts_with_the_same_words_and_other_labels_are_taken() -> None:
    texts = [Text(str(n), "the same title", "the same words") for n in range(30)]
    features = build(texts)
    fitted = model.fit(features, [(str(n), n % 2 == 0) for n in range(10)])
    assert np.isfinite(model.scores(fitted, features)).all()


@pytest.mark.parametrize("words", ["", "   ", "?!", "a"])
def test_empty_texts_are_fine(words: str) -> None:
    features = build([Text("1", words, ""), Text("2", "", words), Text("3", words, words)], words)
    fitted = model.fit(features, [("1", True), ("2", False)])
    assert model.scores(fitted, features).tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_one_record_and_none_are_fine() -> None:
    for texts in ([], [Text("1", "a title", "")]):
        features = build(texts)
        assert len(model.scores(model.fit(features, []), features)) == len(texts)


def test_an_endless_abstract_costs_no_more_than_its_head() -> None:
    head = " ".join(f"word{n % 700}" for n in range(4_000))[: LONGEST - 2]
    texts = written()[0]
    long, short = (build([*texts, Text("x", "", head + tail)]) for tail in (" tail" * 88_000, ""))
    assert long.terms == short.terms


def test_an_id_that_comes_twice_is_refused() -> None:
    with pytest.raises(Refused, match="'1' comes twice"):
        build([Text("1", "a", ""), Text("1", "b", "")])


def test_a_label_of_no_record_is_refused(small: tuple[Features, dict[str, int]]) -> None:
    with pytest.raises(Refused, match="'elsewhere', no record here"):
        model.fit(small[0], [("elsewhere", True)])


def test_the_machine_is_liblinear_s(small: tuple[Features, dict[str, int]]) -> None:
    features, truth = small
    some, text = labels(truth, features.ids[:40]), features.views["text"]
    plain = build(written()[0])
    fitted = model.fit(plain, some, parts=model.U4)
    y = np.array([relevant for _, relevant in some])
    weight = np.where(y, 1, y.sum() / (9.8 * (~y).sum()))
    theirs = LinearSVC(C=0.11, tol=1e-8, max_iter=100_000, random_state=0)
    theirs.fit(text[:40], y, sample_weight=weight * len(y) / weight.sum())
    ((ours, constant),) = fitted.weights
    assert np.allclose(text @ ours + constant, theirs.decision_function(text), atol=5e-3)


def test_out_of_fold_scores_tell_subjects_apart(small: tuple[Features, dict[str, int]]) -> None:
    features, truth = small
    torn = [*labels(truth, features.ids), ("r001", True)]
    ids, scores, y, fold = model.out_of_fold(features, torn, 1)
    assert y[ids.index("r001")] == 1
    assert metrics([int(y[ids.index(one)]) for one in order(ids, scores)]).loss < 0.2
    assert sorted(set(fold)) == [0, 1, 2, 3, 4]
    with pytest.raises(Refused, match="two relevant and two irrelevant"):
        model.out_of_fold(features, [("r000", True), ("r001", False)], 1)


def test_equal_scores_are_ordered_by_id() -> None:
    assert order(("b", "c", "a"), np.array([1.0, 2.0, 1.0])) == ("c", "a", "b")


def test_a_find_is_learned_at_once_and_the_rest_in_growing_steps() -> None:
    assert due(1001, 1000, found=True)
    assert not due(1001, 1000, found=False)
    assert due(1010, 1000, found=False)
    assert due(3, 2, found=False)
    assert due(1001, 1000, found=False, growth=0)
    assert not due(100, 100, found=True)


def scorer() -> ModuleType:
    found = importlib.util.spec_from_file_location("score_ranking", SCORER)
    assert found
    assert found.loader
    loaded = importlib.util.module_from_spec(found)
    found.loader.exec_module(loaded)
    return loaded


@pytest.mark.skipif(not SCORER.exists(), reason="the scorer is not here")
@given(st.lists(st.integers(0, 1), min_size=2, max_size=60), st.data())
def test_the_measures_are_the_scorer_s(known: list[int], data: st.DataObject) -> None:
    truth = {str(n): label for n, label in enumerate([0, 1, *known])}
    read = data.draw(st.permutations(sorted(truth)))[: data.draw(st.integers(0, len(truth)))]
    priors = data.draw(st.lists(st.sampled_from(sorted(truth)), max_size=2))
    theirs, ours = scorer().curve(read, truth, priors), sequence(read, truth, priors)
    assert list(ours) == theirs
    if len(set(ours)) < 2:
        with pytest.raises(Refused, match="at least one of each"):
            metrics(ours)
        return
    told, m = scorer().score(theirs), metrics(ours)
    wanted = [told[name] for name in ("N", "R", "recall@10%", "WSS@95", "ATD", "loss", "NDCG")]
    assert [m.records, m.relevant, m.recall_10, m.wss_95, m.atd, m.loss, m.ndcg] == pytest.approx(
        wanted, abs=1e-12
    )


def test_an_order_of_an_unlabelled_record_is_refused() -> None:
    with pytest.raises(Refused, match="'x', which has no label"):
        sequence(["x"], {"a": 1})


def test_a_replay_reads_everything_once_and_the_same_twice() -> None:
    texts, truth = written()
    features, known = build(texts), simulate.priors(truth, 5)
    heard: list[int] = []
    read = simulate.replay(features, truth, known, 5, tick=heard.append)
    assert sorted([*read, *known]) == sorted(truth)
    assert heard == sorted(heard)
    assert heard[-1] == len(read)
    assert read == simulate.replay(features, truth, known, 5)
    assert metrics(sequence(read, truth, known)).loss < 0.05


def test_a_replay_without_known_records_begins_with_the_protocol() -> None:
    texts, truth = written()
    read = simulate.replay(build(texts, "foster care of children"), truth, ())
    assert metrics([truth[one] for one in read]).loss < 0.05


def test_a_replay_refuses_what_it_can_t_begin_with() -> None:
    features = build(written()[0])
    with pytest.raises(Refused, match="'elsewhere' is no labelled record"):
        simulate.replay(features, {"r000": 1}, ["elsewhere"])
    with pytest.raises(Refused, match="a relevant and an irrelevant"):
        simulate.priors({"r000": 1}, 0)


def test_the_curve_says_in_words_what_it_draws() -> None:
    drawn = curve.svg([1, 0, 1, 0], "Recall of <mine>", [("2 in a row", 3)])
    root = ElementTree.fromstring(drawn)
    words = " ".join(root.itertext())
    assert "Recall of <mine>" in words
    assert "2 relevant of 4 records; half found after 1, all after 3." in words
    assert "A: 2 in a row, 3 read, recall 100.0%" in words
    assert drawn == curve.svg([1, 0, 1, 0], "Recall of <mine>", [("2 in a row", 3)])
    assert not re.search(r"nan|inf", drawn)


def published(name: str) -> tuple[list[Text], dict[str, int]]:
    csv.field_size_limit(10_000_000)
    with gzip.open(SETS / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = {row["record_id"]: int(float(row["label_included"])) for row in rows}
    return [Text(row["record_id"], row["title"], row["abstract"]) for row in rows], truth


@pytest.mark.slow
@needs_data
def test_one_label_in_ten_flipped_raises_the_loss_only_moderately(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Half of the records labelled at random, the other half ranked: with true labels, and with a
    tenth flipped.
    """
    texts, truth = published("nagtegaal_2019")
    features, losses = build(texts), dict[str, list[float]](true=[], flipped=[])
    for seed in range(3):
        dice = np.random.default_rng(seed)
        half = set(dice.permutation(sorted(truth))[: len(truth) // 2].tolist())
        flip = {one for one in sorted(half) if dice.random() < 0.1}
        for kind, wrong in (("true", set[str]()), ("flipped", flip)):
            fitted = model.fit(
                features, [(one, bool(truth[one]) != (one in wrong)) for one in sorted(half)]
            )
            ranked = order(features.ids, model.scores(fitted, features))
            losses[kind].append(metrics([truth[one] for one in ranked if one not in half]).loss)
    true, flipped = (float(np.mean(losses[kind])) for kind in ("true", "flipped"))
    with capsys.disabled():
        print(
            f"\nloss on the unread half: true labels {true:.3f}, one in ten flipped {flipped:.3f}"
        )
    assert flipped < 0.25
    assert true < 0.1
