import json
from dataclasses import replace

import numpy as np
import pytest

from hf_rumor.errors import ModelError
from hf_rumor.evaluation.baseline import Baselines, Comparison
from hf_rumor.evaluation.intervals import Difference, Differences
from hf_rumor.evaluation.metrics import Scored
from hf_rumor.report.record import to_json
from hf_rumor.runs.cells import Cell
from hf_rumor.runs.summary import Result, compare_runs, csv_rows, read_result, spreads, summarize


LABELS = np.arange(60) % 2
IDS = [f"post {number}" for number in range(60)]
GROUPS = {post_id: number // 2 for number, post_id in enumerate(IDS)}


@pytest.fixture
def result_of(make_report):
    """Return a function that makes a result with this accuracy on 60 posts; that of the baseline is 0.5."""
    report, zero = make_report(), Difference(0.0, 0.0, 0.0)

    def make(cell, accuracy=0.6, resumed_at_step=None, ids=IDS):
        is_right = np.arange(60) < round(60 * accuracy)
        baseline = Comparison(0.5, 0.4, Differences(Difference(accuracy - 0.5, 0.0, 0.0), zero), sign_test=1.0)
        intervals = report.test.intervals | {"accuracy": (accuracy - 0.1, accuracy + 0.1)}
        return Result(
            cell,
            replace(
                report,
                split=replace(report.split, test=50, num_leaking_test_posts=5 * (cell.split == "random")),
                train=replace(report.train, runtime_seconds=10.0 * accuracy, resumed_at_step=resumed_at_step),
                test=replace(report.test, accuracy=accuracy, macro_f1=accuracy, threshold=0.7, intervals=intervals),
                baseline=Baselines(tfidf_svm=baseline, majority=baseline),
            ),
            Scored(ids, LABELS, np.where(is_right == LABELS, 0.8, 0.6), np.nan),  # threshold: 0.7
        )

    return make


def test_a_row_is_the_mean_over_the_seeds(result_of):
    cells = [Cell(recipe, split, seed, seed) for recipe in "ab" for split in ("grouped", "random") for seed in (0, 1)]
    accuracies = (0.6, 0.8, 0.8, 0.8, 0.5, 0.7, 0.6, 0.6)
    rows = {(row.model, row.split): row for row in summarize(list(map(result_of, cells, accuracies)), GROUPS)}
    assert len(rows) == 8
    row = rows["a", "grouped"]
    assert (row.num_runs, row.accuracy, row.seconds) == (2, pytest.approx(0.7), pytest.approx(7.0))
    assert row.accuracy_spread == pytest.approx(0.2 / 2**0.5)
    assert row.accuracy_interval == pytest.approx((0.6, 0.8))
    assert row.difference == pytest.approx(0.2)
    assert row.over_first is None
    assert rows["b", "random"].leakage == pytest.approx(0.1)
    assert rows["character TF-IDF + linear SVM", "grouped"].accuracy == 0.5
    over_first = rows["b", "grouped"].over_first.difference.accuracy
    assert over_first.difference == pytest.approx(-0.1)
    assert over_first.low < -0.1 < over_first.high


def test_a_baseline_counts_once_for_all_training_seeds_of_a_split(result_of):
    rows = summarize([result_of(Cell("a", "grouped", split, seed)) for split in (0, 1) for seed in (0, 1, 2)], {})
    assert [row.num_runs for row in rows] == [2, 2, 6]


def test_the_time_of_an_interrupted_run_is_ignored(result_of):
    cells = [Cell("a", "grouped", seed, seed) for seed in (0, 1)]
    for steps, expected in (((40, None), pytest.approx(8.0)), ((40, 60), None)):
        assert summarize(list(map(result_of, cells, (0.6, 0.8), steps)), {})[2].seconds == expected


def test_one_run_has_no_spread(result_of):
    assert {row.accuracy_spread for row in summarize([result_of(Cell("a", "grouped", 0, 0))], {})} == {None}


def test_splits_and_seeds_have_their_own_spread_if_both_vary():
    over_splits, over_seeds = spreads([((0, 0), 0.6), ((0, 0), 0.8), ((1, 0), 0.8), ((1, 0), 1.0)])
    assert over_splits == pytest.approx(np.std([0.7, 0.9], ddof=1))
    assert over_seeds == pytest.approx(np.std([0.6, 0.8], ddof=1))
    assert spreads([((0, 0), 0.6), ((0, 0), 0.8)]) == (None, None)
    assert spreads([((0, 0), 0.6), ((1, 0), 0.8)]) == (None, None)


def test_a_variant_is_compared_on_the_posts_that_both_tested(result_of):
    first = [result_of(Cell("a", "grouped", 0, 0), 0.5)]
    variant = Cell("b", "grouped", 0, 0)
    whole = compare_runs([result_of(variant, 0.75)], first, GROUPS)
    assert whole.difference.accuracy.difference == pytest.approx(0.25)
    assert whole.accuracy == 0.5
    assert whole.sign_test == pytest.approx(2 * 0.5**8)  # eight groups differ, all in favour of the variant
    others = [*IDS[:30], *(f"new {number}" for number in range(30))]  # both are right on the first thirty
    assert compare_runs([result_of(variant, 0.75, ids=others)], first, GROUPS).difference.accuracy.difference == 0
    assert compare_runs([result_of(variant, ids=[f"new {n}" for n in range(60)])], first, GROUPS) is None


def test_a_run_is_a_row_with_what_varies(result_of):
    cell = Cell("own/a.yaml", "grouped", 0, 1, (("loss", "ce"),))
    [row] = csv_rows([result_of(cell, 0.6)])
    assert list(row)[:5] == ["recipe", "loss", "split", "split_seed", "seed"]
    assert (row["recipe"], row["loss"], row["split_seed"], row["seed"]) == ("a", "ce", 0, 1)
    assert (row["accuracy"], row["svm_accuracy"], row["folder"]) == (0.6, 0.5, "a-loss=ce-grouped-0-seed1")
    assert "fold" in csv_rows([result_of(replace(cell, folds=2))])[0]


def test_predictions_are_read_with_the_report(result_of, tmp_path):
    cell = Cell("a", "grouped", 0, 0)
    (tmp_path / "report.json").write_text(to_json(result_of(cell).report), encoding="utf-8")
    row = {"id": "a\u2028b", "label": "rumor", "predicted": "uncertain", "rumor_probability": 0.25}
    (tmp_path / "predictions.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    scored = read_result(cell, tmp_path).scored
    assert (scored.ids, scored.labels.tolist(), scored.probabilities.tolist()) == (["a\u2028b"], [1], [0.25])
    (tmp_path / "predictions.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="not the predictions of a run"):
        read_result(cell, tmp_path)
