import logging
import re

import pytest
import yaml
from huggingface_hub import ModelCard

from hf_rumor.errors import ArgumentError, OutputError
from hf_rumor.report.card import (
    EXAMPLE,
    METRIC_TYPES,
    is_ced,
    is_edited,
    license_of,
    read_card,
    render_card,
    write_card,
)
from hf_rumor.report.view import sections


def test_the_card_has_the_sections_of_the_report_but_slices_and_hyper_parameters(make_report, early):
    report = make_report(early=early)
    titles = re.findall(r"(?m)^## (.*)$", render_card(report, "mit"))
    left_out = ("slices", "hyper_parameters")
    expected = [section.title for section in sections(report) if section.id not in left_out]
    assert titles == ["Usage", "Intended use and limits", *expected, "License and citation"]


def test_the_metadata_is_read_by_the_library_of_the_hub(make_report):
    card = ModelCard(render_card(make_report(), "apache-2.0"))
    assert (card.data.license, card.data.language, card.data.pipeline_tag) == (
        "apache-2.0",
        "zh",
        "text-classification",
    )
    assert card.data.widget == [{"text": EXAMPLE}]
    results = {result.metric_name: result for result in card.data.eval_results}
    assert len(results) == len(METRIC_TYPES)
    assert results["Accuracy"].metric_value == 0.75
    assert results["Accuracy"].metric_args == {"interval_95": [0.625, 0.875]}
    assert results["Macro-F1"].metric_type == "f1"
    assert {result.dataset_split for result in results.values()} == {"test"}


def test_an_undefined_metric_is_not_in_the_metadata(make_report):
    card = ModelCard(render_card(make_report(labels=(1, 1, 1, 1)), "mit"))
    assert "ROC-AUC" not in {result.metric_name for result in card.data.eval_results}
    assert "nan" not in render_card(make_report(labels=(1, 1, 1, 1)), "mit")


def test_an_undefined_interval_is_not_in_the_metadata(make_report):
    report = make_report()
    report.test.intervals["macro_f1"] = (float("nan"), float("nan"))
    text = render_card(report, "mit")
    [macro_f1] = [result for result in ModelCard(text).data.eval_results if result.metric_name == "Macro-F1"]
    assert macro_f1.metric_value == pytest.approx(report.test.macro_f1, abs=1e-4)
    assert not macro_f1.metric_args


def test_a_report_from_before_a_metric_was_added_has_a_card(make_report):
    report = make_report(test={"macro_f1": float("nan")})
    del report.test.intervals["macro_f1"]
    names = {result.metric_name for result in ModelCard(render_card(report, "mit")).data.eval_results}
    assert "Accuracy" in names
    assert "Macro-F1" not in names


def test_a_card_without_a_license_states_that(make_report):
    text = render_card(make_report(), None)
    assert license_of(text) is None
    assert "License of this model: none is stated" in text


def test_base_model_and_dataset_are_in_the_metadata_if_they_are_on_the_hub(make_report):
    assert ModelCard(render_card(make_report(), "mit")).data.base_model is None
    name = "google-bert/bert-base-chinese"
    path = "hub:someone/posts@0123abcd/data/train-00000-of-00001.parquet"
    report = make_report(model={"name": name, "hub_name": name}, data={"path": path})
    card = ModelCard(render_card(report, "mit"))
    assert card.data.base_model == "google-bert/bert-base-chinese"
    assert card.data.datasets == ["someone/posts"]
    assert card.data.eval_results[0].dataset_type == "someone/posts"
    assert "Devlin et al., 2019" in card.text


def test_the_published_corpus_is_cited(make_report):
    assert "1811.04175" not in render_card(make_report(), "mit")
    assert "1811.04175" in render_card(make_report(data={"path": "/home/someone/Rumor_Dataset.zip"}), "mit")


def test_warnings_are_in_the_card(make_report):
    text = render_card(make_report((0, 1, 1), (0.1, 0.2, 0.3), data={"is_synthetic": True}), "mit")
    assert "**The posts are synthetic" in text
    assert "class_weights" in text
    assert "synthetic" not in render_card(make_report(), "mit")


def test_a_card_rendered_again_keeps_its_language(make_report, tmp_path):
    write_card(tmp_path, make_report(), "mit", language="zh")
    write_card(tmp_path, make_report(labels=(1, 1, 1, 0)), None)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card == render_card(make_report(labels=(1, 1, 1, 0)), "mit", "zh")
    assert (
        ModelCard(card).data.eval_results
        == ModelCard(render_card(make_report(labels=(1, 1, 1, 0)), "mit")).data.eval_results
    )


def test_no_path_of_the_machine_is_in_it(make_report):
    folder = "/home/someone/small-bert"
    changes = {"data": {"path": "/home/someone/posts.jsonl"}, "model": {"name": folder}}
    report = make_report(**changes, recipe={"model_name_or_path": folder})
    text = render_card(report, "mit")
    assert "/home" not in text
    assert "someone" not in text
    assert "`small-bert`" in text


@pytest.mark.parametrize("word", ["Satire", "Breaking news", "Dialects", "Drift", "a false alarm harms"])
def test_limits_are_in_the_card(make_report, word):
    assert word in render_card(make_report(), "mit")


def test_two_cards_of_one_recipe_differ_only_in_dates_and_timings(make_report):
    times = {"started_at": "2027-01-01T00:00:00+00:00", "ended_at": "2027-01-01T01:00:00+00:00"}
    other = make_report(train={**times, "runtime_seconds": 3600.0, "posts_per_second": 1.5})
    lines = [render_card(report, "mit").splitlines() for report in (make_report(), other)]
    differing = [one for one, other in zip(*lines, strict=True) if one != other]
    assert len(differing) == 2
    assert re.match(r"- 61 s from 2026", differing[0])
    assert differing[1].startswith("<!-- Rendered by hf_rumor")


def test_an_edited_card_is_recognized(make_report):
    text = render_card(make_report(), "mit")
    assert not is_edited(text)
    assert is_edited(text.replace("Satire", "satire"))
    assert is_edited(text + "\nA line of mine.\n")
    assert is_edited("# My card\n")


def test_an_edited_card_is_kept_unless_overwrite_is_set(make_report, tmp_path, caplog):
    card = tmp_path / "README.md"
    write_card(tmp_path, make_report(), "mit")
    edited = card.read_text(encoding="utf-8").replace("Satire", "Irony")
    card.write_text(edited, encoding="utf-8")
    with caplog.at_level(logging.INFO):
        write_card(tmp_path, make_report(), "mit")
    assert card.read_text(encoding="utf-8") == edited
    assert "edited by hand and is kept" in caplog.text
    write_card(tmp_path, make_report(), None, overwrite=True)
    assert card.read_text(encoding="utf-8") == render_card(make_report(), "mit")


def test_a_card_that_an_editor_saved_in_gbk_is_kept(make_report, tmp_path, caplog):
    (tmp_path / "README.md").write_bytes("说明".encode("gbk"))
    with caplog.at_level("INFO", logger="hf_rumor"):
        write_card(tmp_path, make_report(), "mit")
    assert "edited by hand and is kept" in caplog.text
    with pytest.raises(OutputError, match="not UTF-8"):
        read_card(tmp_path / "README.md")


def test_a_card_that_was_not_edited_is_updated_and_keeps_its_license(make_report, tmp_path):
    card = tmp_path / "README.md"
    write_card(tmp_path, make_report(), "mit")
    write_card(tmp_path, make_report(labels=(1, 1, 1, 0)), None)
    assert card.read_text(encoding="utf-8") == render_card(make_report(labels=(1, 1, 1, 0)), "mit")
    write_card(tmp_path, make_report(), "apache-2.0")
    assert license_of(card.read_text(encoding="utf-8")) == "apache-2.0"


@pytest.mark.parametrize("name", ["", "Apache 2.0", "MIT", "../mit", "a\nb"])
def test_a_value_that_is_not_a_license_is_refused(make_report, tmp_path, name):
    with pytest.raises(ArgumentError, match="--license"):
        write_card(tmp_path, make_report(), name)
    assert not (tmp_path / "README.md").exists()


def test_metadata_that_is_not_yaml_is_an_error():
    with pytest.raises(ArgumentError, match="the metadata is not valid YAML"):
        license_of("---\nlicense: [\n---\n# Card\n")


@pytest.mark.parametrize("text", ["# Card\n", "---\n- a\n---\n", "---\nlicense: [mit]\n---\n"])
def test_a_card_without_a_license(text):
    assert license_of(text) is None


def test_the_recipe_in_the_card_repeats_the_run(make_report):
    text = render_card(make_report(), "mit")
    assert yaml.safe_load(text.split("# recipe.yaml\n")[1].split("```")[0]) == {"loss": "bce"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data/Rumor_Dataset.zip", True),
        ("Chinese_Rumor_Dataset-master", True),
        ("Rumor_Dataset_2025_douyin.csv", False),
        ("Chinese_Rumor_Dataset-of-mine.jsonl", False),
    ],
)
def test_only_the_published_corpus_has_its_name(name, expected):
    assert is_ced(name) is expected
