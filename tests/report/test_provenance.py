import pytest
import yaml

from hf_rumor.report.provenance import recipe_text
from hf_rumor.report.view import sections


NAN = float("nan")


def by_id(report):
    return {section.id: section for section in sections(report)}


def rows(section, number=0):
    return {row[0]: row[1:] for row in section.tables[number].rows}


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
        ({}, "Model kept: `checkpoint-20`, the best on validation posts (macro_f1 0.750)"),
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
    assert rows(section) == {"1": ("n/a", "0.500", "0.700"), "2 (kept)": ("0.250", "0.375", "0.750")}
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
