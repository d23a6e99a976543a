import logging
import re
from pathlib import Path

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


GOLDEN = Path(__file__).with_name("golden_card.md")


def test_the_card_is_to_the_letter_what_it_was(make_report):
    """To renew it after a change that is wanted: write what is found to the file, and read the difference."""
    assert render_card(make_report(), "apache-2.0") == GOLDEN.read_text(encoding="utf-8")


def test_the_metadata_is_read_by_the_library_of_the_hub(make_report):
    card = ModelCard(render_card(make_report(), "apache-2.0"))
    assert (card.data.license, card.data.language, card.data.pipeline_tag) == (
        "apache-2.0",
        "zh",
        "text-classification",
    )
    assert card.data.widget == [{"text": EXAMPLE}]
    found = {result.metric_name: result for result in card.data.eval_results}
    assert len(found) == len(METRIC_TYPES)
    assert found["Accuracy"].metric_value == 0.75
    assert found["Accuracy"].metric_args == {"interval_95": [0.625, 0.875]}
    assert found["Macro-F1"].metric_type == "f1"
    assert {result.dataset_split for result in found.values()} == {"test"}


def test_a_metric_that_is_not_defined_is_left_out(make_report):
    card = ModelCard(render_card(make_report(labels=(1, 1, 1, 1)), "mit"))
    assert "Area under ROC" not in {result.metric_name for result in card.data.eval_results}
    assert "nan" not in render_card(make_report(labels=(1, 1, 1, 1)), "mit")


def test_a_share_of_no_posts_is_not_defined_also_where_it_was_read_from_a_file(make_report):
    report = make_report()
    report.decision.update({"abstain_below": 0.95, "certain": {"num_posts": 0, "accuracy": None}})
    assert "accuracy of not defined" in render_card(report, "mit")


def test_a_metric_whose_interval_is_not_known_stands_without_it(make_report):
    report = make_report()
    report.test["intervals"]["macro_f1"] = (float("nan"), float("nan"))
    text = render_card(report, "mit")
    [found] = [result for result in ModelCard(text).data.eval_results if result.metric_name == "Macro-F1"]
    assert found.metric_value == pytest.approx(report.test["macro_f1"], abs=1e-4)
    assert not found.metric_args


def test_a_report_of_an_earlier_version_has_its_numbers_below_their_names(make_report):
    report = make_report()
    for part in report.calibration["after"].values():
        part.pop("ece_by_chance")
    assert "| after calibration | 0.2500 | not defined | 0.1050 |" in render_card(report, "mit")


def test_without_a_licence_none_is_claimed(make_report):
    text = render_card(make_report(), None)
    assert license_of(text) is None
    assert "Licence of this model: none is stated" in text


def test_base_model_and_dataset_are_named_where_the_hub_knows_them(make_report):
    report = make_report()
    assert ModelCard(render_card(report, "mit")).data.base_model is None
    report.model.update({"name": "google-bert/bert-base-chinese", "hub_name": "google-bert/bert-base-chinese"})
    report.data["path"] = "hub:someone/posts@0123abcd/data/train-00000-of-00001.parquet"
    card = ModelCard(render_card(report, "mit"))
    assert card.data.base_model == "google-bert/bert-base-chinese"
    assert card.data.datasets == ["someone/posts"]
    assert card.data.eval_results[0].dataset_type == "someone/posts"
    assert "Devlin et al., 2019" in card.text


def test_what_was_not_calibrated_is_not_said_to_be(make_report):
    report = make_report()
    assert "calibrated inside the weights" in render_card(report, "mit")
    report.calibration["method"] = "none"
    assert "rumor logit, not calibrated;" in render_card(report, "mit")


def test_the_published_corpus_is_cited(make_report):
    report = make_report()
    assert "1811.04175" not in render_card(report, "mit")
    report.data["path"] = "/home/someone/Rumor_Dataset.zip"
    assert "1811.04175" in render_card(report, "mit")


def test_invented_posts_are_said_to_be(make_report):
    report = make_report()
    assert "Trained on invented posts" in render_card(report, "mit")
    report.data["path"] = "/home/someone/posts.csv"
    assert "Trained on invented posts" not in render_card(report, "mit")


def test_no_path_of_the_machine_is_in_it(make_report):
    report = make_report()
    report.data["path"] = "/home/someone/posts.jsonl"
    report.model["name"] = report.recipe["model_name_or_path"] = "/home/someone/small-bert"
    text = render_card(report, "mit")
    assert "/home" not in text
    assert "someone" not in text
    assert "`small-bert`" in text


@pytest.mark.parametrize("word", ["Satire", "Breaking news", "Dialects", "Time shifts it", "a false flag harms"])
def test_limits_are_said(make_report, word):
    assert word in render_card(make_report(), "mit")


def test_two_cards_of_one_recipe_differ_in_dates_and_timings_alone(make_report):
    first, second = make_report(), make_report()
    times = {"started_at": "2027-01-01T00:00:00+00:00", "ended_at": "2027-01-01T01:00:00+00:00"}
    second.train.update(times, runtime_seconds=3600.0, posts_per_second=1.5)
    lines = [render_card(report, "mit").splitlines() for report in (first, second)]
    differing = [one for one, other in zip(*lines, strict=True) if one != other]
    assert len(differing) == 2
    assert re.match(r"- 61 s from 2026", differing[0])
    assert differing[1].startswith("<!-- Rendered by hf_rumor")


def test_a_card_knows_whether_it_was_edited(make_report):
    text = render_card(make_report(), "mit")
    assert not is_edited(text)
    assert is_edited(text.replace("Satire", "satire"))
    assert is_edited(text + "\nA line of mine.\n")
    assert is_edited("# My card\n")


def test_an_edited_card_is_kept_unless_asked(make_report, tmp_path, caplog):
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


def test_a_card_that_an_editor_saved_in_gbk_is_kept_and_told(make_report, tmp_path, caplog):
    (tmp_path / "README.md").write_bytes("说明".encode("gbk"))
    with caplog.at_level("INFO", logger="hf_rumor"):
        write_card(tmp_path, make_report(), "mit")
    assert "edited by hand and is kept" in caplog.text
    with pytest.raises(OutputError, match="expected UTF-8"):
        read_card(tmp_path / "README.md")


def test_a_card_that_was_not_edited_is_renewed_and_keeps_its_licence(make_report, tmp_path):
    card = tmp_path / "README.md"
    write_card(tmp_path, make_report(), "mit")
    write_card(tmp_path, make_report(labels=(1, 1, 1, 0)), None)
    assert card.read_text(encoding="utf-8") == render_card(make_report(labels=(1, 1, 1, 0)), "mit")
    write_card(tmp_path, make_report(), "apache-2.0")
    assert license_of(card.read_text(encoding="utf-8")) == "apache-2.0"


@pytest.mark.parametrize("name", ["", "Apache 2.0", "MIT", "../mit", "a\nb"])
def test_a_licence_that_cannot_be_one_is_refused(make_report, tmp_path, name):
    with pytest.raises(ArgumentError, match="--license"):
        write_card(tmp_path, make_report(), name)
    assert not (tmp_path / "README.md").exists()


def test_metadata_that_is_no_yaml_is_told():
    with pytest.raises(ArgumentError, match="expected YAML"):
        license_of("---\nlicense: [\n---\n# Card\n")


@pytest.mark.parametrize("text", ["# Card\n", "---\n- a\n---\n", "---\nlicense: [mit]\n---\n"])
def test_a_card_that_names_no_licence(text):
    assert license_of(text) is None


def test_the_recipe_in_the_card_repeats_the_run(make_report):
    text = render_card(make_report(), "mit")
    recipe = text.split("```yaml\n")[1].split("```")[0]
    assert yaml.safe_load(recipe) == {"loss": "bce"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data/Rumor_Dataset.zip", True),
        ("Chinese_Rumor_Dataset-master", True),
        ("Rumor_Dataset_2025_douyin.csv", False),
        ("Chinese_Rumor_Dataset-of-mine.jsonl", False),
    ],
)
def test_only_the_published_corpus_is_called_so(name, expected):
    assert is_ced(name) is expected
