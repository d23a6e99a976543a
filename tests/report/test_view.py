from dataclasses import replace

import pytest
import yaml

from hf_rumor.evaluation.baseline import Baselines
from hf_rumor.evaluation.metrics import METRICS
from hf_rumor.report.view import recipe_text, sections, table


NAN = float("nan")


def by_id(report):
    return {section.id: section for section in sections(report)}


def rows(section, number=0):
    return {row[0]: row[1:] for row in section.tables[number].rows}


@pytest.mark.parametrize("given", [{}, {"labels": (1,), "probabilities": (0.2,)}, {"split": {"name": "outside"}}])
def test_every_row_has_as_many_cells_as_columns(make_report, given):
    for section in sections(make_report(**given)):
        for each in section.tables:
            assert {len(row) for row in each.rows} == {len(each.columns)}


def test_columns_of_numbers_are_marked():
    columns = table("name|#value", []).columns
    assert [(column.title, column.is_number) for column in columns] == [("name", False), ("value", True)]


def test_every_metric_has_a_row_with_its_meaning(make_report):
    metrics = rows(by_id(make_report())["metrics"])
    assert list(metrics) == [*METRICS, "loss"]
    assert metrics["accuracy"] == ("0.750 [0.625, 0.875]", "0.750", "share of posts classified correctly")
    assert metrics["brier"][-1].endswith("lower is better")


def test_the_confusion_matrix_is_labelled_actual_and_predicted(make_report):
    section = by_id(make_report())["metrics"]
    assert [column.title for column in section.tables[1].columns[1:]] == ["predicted non-rumor", "predicted rumor"]
    assert rows(section, 1) == {"actual non-rumor": ("2 [2, 4]", "0 [0, 0]"), "actual rumor": ("1 [1, 2]", "1 [1, 2]")}


def test_undefined_numbers_are_named(make_report):
    sections_of = by_id(make_report((1, 1, 1), (0.1, 0.2, 0.9), train={"posts_per_second": NAN}))
    assert rows(sections_of["metrics"])["roc_auc"][:2] == ("not defined", "not defined")
    assert "nan" not in repr(sections_of)


def test_baselines_are_compared_by_the_paired_difference(make_report):
    baseline = rows(by_id(make_report())["baseline"])
    assert baseline["character TF-IDF + linear SVM"][:2] == ("0.500", "0.333")
    assert baseline["majority class"][2].startswith("no significant difference; +25.0 pp [")


def test_without_a_baseline_the_reason_stands_in_its_place(make_report):
    report = replace(make_report(), baseline=Baselines(skipped="too few posts"))
    section = by_id(report)["baseline"]
    assert (section.paragraphs, section.tables) == (("There is no baseline: too few posts.",), ())


def test_calibration_and_threshold_are_explained(make_report):
    report = make_report()
    text = " ".join(by_id(report)["calibration"].paragraphs)
    for words in (
        "The probability of rumor is the sigmoid of the rumor logit.",
        "rumor: 0.750 · logit -0.500",
        "its probability is at least 0.5 (`--decision precision>=0.9`; no threshold reaches this on validation",
        "3 of 4 test posts are not; their accuracy is 1.000.",
    ):
        assert words in text
    without = replace(report, calibration=replace(report.calibration, method="none", lines=None, before=None))
    assert "were not calibrated" in by_id(without)["calibration"].paragraphs[0]
    assert list(rows(by_id(without)["calibration"])) == ["after calibration"]


def test_a_slice_of_few_posts_is_marked(make_report):
    first = by_id(make_report())["slices"].tables[0].rows[0]
    assert first == ("characters", "0 to 49", "2", "1", "0.500 [0.000, 1.000]", "too few posts to judge")


@pytest.mark.parametrize(
    "words",
    [
        "`corpora/posts.csv`, SHA-256 `5ca1ab1e`",
        "4,321 posts: 2,000 rumors, 2,321 non-rumors",
        "Split: `grouped`, seed 42; 3,000 training, 321 validation and 1,000 test posts",
        "12 posts whose time is",
        "25 of 1,000 test posts (2.5%)",
    ],
)
def test_data_and_leakage_are_listed(make_report, words):
    assert words in " ".join(by_id(make_report())["data"].items)


def test_the_fold_is_shown_if_folds_were_requested(make_report):
    items = by_id(make_report(recipe={"folds": 5}))["data"].items
    assert any("seed 42, fold 0 of 5;" in item for item in items)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "mini (BertModel, 1,234,567 parameters), texts truncated to 128 tokens"),
        ({}, "3 epochs, 1,200 steps, 120 of them warm-up; global batch size 32; schedule linear"),
        ({}, "Model kept: `checkpoint-20`, the best on validation (macro_f1 0.750)"),
        ({"train": {"best_checkpoint": None}}, "Model kept: the model after the last step"),
        ({"train": {"planned_steps": 2400}}, "1,200 steps of 2,400 (stopped early)"),
        ({"train": {"resumed_at_step": 7}}, "(since it resumed at step 7)"),
        ({"loss": {"kwargs": {"gamma": 2.0}}}, "Loss: -y log p - (1 - y) log(1 - p) {'gamma': 2.0}"),
        ({}, "cpu, fp32 (no GPU), 1 process(es)"),
    ],
)
def test_the_training_is_listed(make_report, changes, words):
    assert words in " ".join(by_id(make_report(**changes))["training"].items)


def test_the_checkpoint_that_was_kept_is_marked(make_report):
    section = by_id(make_report())["training"]
    assert rows(section) == {"1": ("not defined", "0.500", "0.700"), "2 (kept)": ("0.250", "0.375", "0.750")}
    assert by_id(make_report(train={"history": ()}))["training"].tables == ()


def test_every_hyper_parameter_is_listed_with_its_origin(make_report):
    assert rows(by_id(make_report())["hyper_parameters"]) == {
        "`loss`": ("bce", "set by flag or recipe"),
        "`precision`": ("fp32", "chosen automatically"),
        "`seed`": ("42", "default"),
    }


def test_a_report_on_another_corpus_is_reproduced_by_evaluate(make_report):
    assert by_id(make_report(split={"name": "outside"}))["reproduce"].code.startswith("hf-rumor evaluate MODEL")
    assert "Chosen automatically" not in " ".join(
        by_id(make_report(split={"name": "outside"}))["reproduce"].paragraphs
    )
    code = by_id(make_report())["reproduce"].code
    assert code.startswith("python run_rumor.py recipe.yaml")
    assert recipe_text(make_report()) in code


def test_the_recipe_is_yaml_of_the_flags(make_report):
    assert yaml.safe_load(recipe_text(make_report())) == {"loss": "bce"}
