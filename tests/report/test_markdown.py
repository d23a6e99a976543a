from dataclasses import replace
from itertools import pairwise

import pytest

from hf_rumor.report.markdown import headline, to_markdown


NAN = float("nan")


def test_the_headline_tells_the_number_its_doubt_and_where_it_was_found(make_report):
    assert headline(make_report()) == (
        "accuracy 0.750 (95 % interval 0.625 to 0.875), macro-F1 0.733, on 4 test posts of the grouped split; against "
        "TF-IDF + SVM not distinguishable: +25.0 points, 95 % interval 0.0 to 75.0"
    )


@pytest.mark.parametrize(
    "words",
    [
        "**Accuracy 0.750 (95 % interval 0.625 to 0.875)",
        "| accuracy | 0.7500 | 0.6250 to 0.8750 | 0.7500 | share of posts that were told right |",
        "| loss | 0.2500 | | 0.2500 | -y log p - (1 - y) log(1 - p) |",
        "| non-rumor | 2 (2 to 4) | 0 (0 to 0) |",
        "| rumor | 1 (1 to 2) | 1 (1 to 2) |",
        "from a probability of 0.5 on; the probability is the sigmoid of the rumor logit",
        "| character TF-IDF + linear SVM | 0.5000 | 0.3333 | not distinguishable: +25.0 points",
        "| always the more frequent label | 0.5000 | 0.3333 |",
        "| before calibration | 0.2500 | 0.2868 | 0.1050 |",
        "rumor: 0.750 · logit -0.500",
        "| 0.5, test | 1.0000 | 0.5000 | 0.2500 |",
        "Threshold by `--decision precision>=0.9`, which none reaches on validation; this one comes closest.",
        "Below a confidence of 0.75 a post is called uncertain: 3 of 4 test posts are not,",
        "| characters | 0 to 49 | 2 | 0.5000 | 0.0000 to 1.0000 | too few posts to say |",
        "Split `grouped`, seed 42, fold 0 of 5: 3,000 training, 321 validation, 1,000 test posts.",
        "in the training part: **25** (2.5%)",
        "1,000 bootstrap resamples",
        "`data/sample`, SHA-256 `5ca1ab1e`",
        "4,321 posts: 2,000 rumors and 2,321 non-rumors",
        "12 posts whose time is written out as text",
        "mini (BertModel, 1,234,567 weights), texts cut at 128 tokens",
        "3 epochs, 1,200 steps, 120 of them warm-up, schedule linear, peak learning rate 5e-05",
        "cpu, fp32 (no GPU), 1 process(es)",
        "| 1 | not defined | 0.5000 | 0.7000 |",
        "| 2 | 0.2500 | 0.3750 | 0.7500 |",
        "Chosen for this run: model_name_or_path mini, precision fp32.",
        "Versions: hf_rumor 0.1.0, torch 2.13.",
    ],
)
def test_markdown_tells(make_report, words):
    assert words in to_markdown(make_report())


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("probability", [0.1, 0.9])
def test_markdown_renders_for_one_label_and_one_decision(make_report, label, probability):
    text = to_markdown(make_report(labels=[label] * 3, probabilities=[probability] * 3))
    decision = int(probability > 0.5)
    cells = [["0 (0 to 0)", "0 (0 to 0)"], ["0 (0 to 0)", "0 (0 to 0)"]]
    cells[label][decision] = "3 (3 to 6)"
    assert f"| non-rumor | {' | '.join(cells[0])} |\n| rumor | {' | '.join(cells[1])} |" in text
    assert "| roc_auc | not defined | not defined to not defined | not defined |" in text
    assert "nan" not in text


def test_markdown_tells_no_speed_that_is_not_known(make_report):
    report = make_report()
    report.train["posts_per_second"] = NAN
    assert "nan" not in to_markdown(report)


def test_every_row_of_a_table_has_as_many_cells_as_its_header(make_report):
    lines = to_markdown(make_report()).splitlines()
    widths = [line.count("|") for line in lines if line.startswith("|")]
    rules = [line.count("|") for line in lines if line.startswith("|---")]
    assert len(rules) == 7
    assert set(widths) == set(rules)
    for above, line in pairwise(lines):
        if above.startswith("|") and line.startswith("|"):
            assert above.count("|") == line.count("|")


def test_the_loss_tells_its_settings_if_there_are_any(make_report):
    report = make_report()
    assert "- Loss: -y log p - (1 - y) log(1 - p)\n" in to_markdown(report)
    report.loss["kwargs"] = {"gamma": 2.0}
    assert "- Loss: -y log p - (1 - y) log(1 - p) {'gamma': 2.0}\n" in to_markdown(report)


def test_where_auto_chose_nothing_it_says_so(make_report):
    report = make_report()
    report.auto.clear()
    assert "Chosen for this run: nothing." in to_markdown(report)


def test_without_validation_while_it_trained_there_is_no_table_of_epochs(make_report):
    report = make_report()
    assert "| epoch |" in to_markdown(report)
    assert "| epoch |" not in to_markdown(replace(report, train={**report.train, "history": []}))
