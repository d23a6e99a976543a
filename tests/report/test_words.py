from dataclasses import replace

import pytest

from hf_rumor.evaluation.baseline import Baselines, Comparison
from hf_rumor.evaluation.intervals import Difference, Differences
from hf_rumor.report.words import (
    estimate,
    headline,
    leakage,
    mistake_line,
    number,
    p_value,
    percent,
    summary,
    verdict,
    warnings,
)


NAN = float("nan")
ONE_CLASS = {"labels": (0, 1, 1, 0), "probabilities": (0.1, 0.2, 0.3, 0.4)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(0.8888), "0.889"),
        (number(1234.5, 0), "1,234"),
        (number(None), "n/a"),
        (percent(0.0625), "6.2%"),
        (percent(NAN), "n/a"),
        (estimate(0.8888, (0.8119, 0.9581)), "0.889 [0.812, 0.958]"),
        (estimate(0.8888, (NAN, NAN)), "0.889"),
        (estimate(NAN, (0.1, 0.2)), "n/a"),
        (estimate(3, (1.0, 5.0), 0), "3 [1, 5]"),
    ],
)
def test_one_notation_for_estimates(text, expected):
    assert text == expected


@pytest.mark.parametrize(
    ("difference", "p", "words"),
    [
        ((0.021, 0.004, 0.039), 0.01, "significantly better; +2.1 pp [0.4, 3.9]"),
        ((-0.021, -0.039, -0.004), 0.01, "significantly worse; -2.1 pp [-3.9, -0.4]"),
        ((0.069, -0.027, 0.169), 0.01, "no significant difference; +6.9 pp [-2.7, 16.9]"),
        ((0.044, -0.004, 0.081), 0.0625, "no significant difference; +4.4 pp [-0.4, 8.1]"),
        ((0.044, 0.011, 0.081), 0.0625, "no significant difference; +4.4 pp [1.1, 8.1]"),  # an earlier report
    ],
)
def test_the_verdict_is_significant_if_the_interval_excludes_0(difference, p, words):
    differences = Differences(accuracy=Difference(*difference), macro_f1=Difference(0.0, 0.0, 0.0))
    assert verdict(Comparison(0.5, 0.5, differences, p)) == words


def test_the_headline_is_the_score_its_interval_the_test_posts_and_the_baseline(make_report):
    assert headline(make_report()) == (
        "Test accuracy 0.750 [0.625, 0.875] (95% CI), macro-F1 0.733, on 4 test posts of the grouped split. Compared "
        "with the baseline, TF-IDF + SVM: no significant difference; +25.0 pp [-23.8, 75.0]."
    )


def test_the_accuracy_after_one_hour_is_in_the_headline_and_the_summary(make_report, early):
    report = make_report(early=early)
    assert headline(report).endswith(
        " With the reposts of the first hour, the accuracy is 0.930 [0.910, 0.950]; with the text alone, 0.890."
    )
    assert (
        "With the reposts of the first hour, about 93 of 100 posts are classified correctly (95% CI: 91 to 95); with "
        "the text alone, 89."
    ) in summary(report)


def test_a_run_that_reads_ten_minutes_is_summed_up_by_them(make_report, early):
    report = make_report(early=replace(early, deadline="10min", deadlines=early.deadlines[:2]))
    assert "With the reposts of the first 10 minutes, the accuracy is 0.900 [0.880, 0.920]" in headline(report)
    assert "With the reposts of the first 10 minutes, about 90 of 100 posts" in " ".join(summary(report))


def test_without_a_baseline_the_headline_has_the_reason(make_report):
    report = replace(make_report(), baseline=Baselines(skipped="too few posts"))
    assert headline(report).endswith("There is no baseline: too few posts.")


def test_a_model_that_predicts_one_class_is_reported_first(make_report):
    report = make_report(**ONE_CLASS)
    assert headline(report).startswith("The model predicts non-rumor for every test post.")
    assert "class_weights" in headline(report)
    assert "--decision" in headline(report)
    assert warnings(make_report()) == ()
    assert warnings(make_report((1, 1, 1), (0.9, 0.8, 0.7))) == ()  # there is one label only


def test_unknown_tokens_are_reported_before_the_score(make_report):
    report = make_report(data={"share_unknown_tokens": 0.25})
    assert headline(report).startswith("25% of the tokens of the test posts are unknown to the model.")
    assert warnings(make_report(data={"share_unknown_tokens": NAN})) == ()  # an earlier report


def test_synthetic_posts_are_reported_first(make_report):
    report = make_report(data={"is_synthetic": True})
    assert headline(report).startswith(
        "The posts are synthetic (`data/sample`): the score does not apply to real posts."
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Of 100 unseen posts, about 75 are classified correctly (95% CI: 62 to 88)."),
        ({}, "Of 100 rumors, 50 are detected; of 100 posts flagged as rumors, 100 are rumors."),
        (ONE_CLASS, "No post is flagged as a rumor."),
        ({}, "There are too few posts to decide whether the model is better or worse than the baseline"),
        ({"split": {"name": "outside"}}, "Of 100 posts of this corpus, about 75 are classified correctly"),
    ],
)
def test_the_summary_has_the_result_in_sentences(make_report, given, sentence):
    assert sentence in " ".join(summary(make_report(**given)))


def test_without_rumors_the_summary_has_no_recall(make_report):
    assert "rumors" not in " ".join(summary(make_report((0, 0, 0), (0.2, 0.6, 0.7)))[:2])
    assert not any("detected" in line for line in summary(make_report((0, 0, 0), (0.2, 0.6, 0.7))))


@pytest.mark.parametrize(
    ("num_leaking", "num_seen", "words"),
    [
        (None, None, "It is unknown"),
        (None, 25, "25 of 1,000 posts (2.5%) are training or validation posts"),
        (0, 0, "No test post has"),
        (25, 0, "25 of 1,000 test posts (2.5%)"),
        (25, None, "25 of 1,000 test posts (2.5%)"),
    ],
)
def test_leakage_is_a_sentence(make_report, num_leaking, num_seen, words):
    split = {"num_leaking_test_posts": num_leaking, "num_seen_test_posts": num_seen}
    assert leakage(make_report(split=split)).startswith(words)


def test_dropped_test_posts_are_counted(make_report):
    assert "7 test posts were dropped" in leakage(make_report(split={"num_seen_test_posts": 7}))


def test_a_mistake_has_both_labels_and_its_probability(make_report):
    [mistake] = make_report().mistakes
    assert mistake_line(mistake) == "actual rumor, predicted non-rumor, probability of rumor 0.400"


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< 0.001"), (0.001, "0.001"), (1.0, "1.000")])
def test_a_small_p_value_is_not_zero(value, text):
    assert p_value(value) == text
