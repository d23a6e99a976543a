from dataclasses import replace

from hf_rumor.report.transfer import Transfer, to_markdown


ROW = Transfer(
    trained_on="a",
    tested_on="b",
    with_copies=False,
    num_runs=3,
    num_posts=1354,
    accuracy=0.8,
    roc_auc=0.9,
    macro_f1=0.79,
    macro_f1_spread=0.01,
    svm_accuracy=0.7,
    svm_macro_f1=0.69,
    gain=0.1,
    gain_low=0.05,
    gain_high=0.15,
)


def test_a_row_for_each_training_corpus_and_a_column_for_each_test_corpus():
    rows = [
        replace(ROW, trained_on="a", tested_on="a", num_posts=500, macro_f1=0.9),
        replace(ROW, trained_on="b", tested_on="a", num_posts=2709, macro_f1=0.7),
        replace(ROW, trained_on="b", tested_on="b", num_posts=250, macro_f1=0.8),
        ROW,
        replace(ROW, with_copies=True, macro_f1=0.85),
    ]
    removed, kept = (part for part in to_markdown(rows).split("\n\n") if part.startswith("|"))
    assert removed.splitlines()[0] == "| trained on | a (2,709 posts) | b (1,354 posts) |"
    assert removed.splitlines()[2:] == [
        "| a | 0.900 ± 0.010; +10.0 [5.0, 15.0] | 0.790 ± 0.010; +10.0 [5.0, 15.0] |",
        "| b | 0.700 ± 0.010; +10.0 [5.0, 15.0] | 0.800 ± 0.010; +10.0 [5.0, 15.0] |",
    ]
    assert "| a | 0.900 ± 0.010; +10.0 [5.0, 15.0] | 0.850 ± 0.010;" in kept
    assert "Near-duplicates of test posts: kept in training." in to_markdown(rows)


def test_one_seed_has_no_spread():
    rows = [ROW, replace(ROW, trained_on="b", tested_on="a")]
    assert "±" not in to_markdown([replace(row, macro_f1_spread=None) for row in rows]).replace("mean ±", "")
