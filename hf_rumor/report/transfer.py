"""The table of `hf-rumor benchmark --transfer`."""

from collections.abc import Sequence
from dataclasses import dataclass

from hf_rumor.report.markdown import table_text
from hf_rumor.report.section import Table, table


@dataclass(frozen=True)
class Transfer:
    """The results of models that were trained on some corpora and tested on another; means over the seeds.

    Attributes:
        trained_on: Names of the training corpora; that of the tested one for its own grouped split.
        tested_on: Name of the tested corpus.
        with_copies: Whether training kept near-duplicates of posts of the tested corpus.
        num_runs: Number of seeds.
        num_posts: Number of test posts.
        macro_f1_spread: Standard deviation over the seeds; None for one.
        gain: Macro-F1 of the model minus that of TF-IDF + SVM on the same training and test posts.
        gain_low: Mean of the lower bounds of the paired 95% intervals.
        gain_high: Mean of the upper bounds.
    """

    trained_on: str
    tested_on: str
    with_copies: bool
    num_runs: int
    num_posts: int
    accuracy: float
    roc_auc: float
    macro_f1: float
    macro_f1_spread: float | None
    svm_accuracy: float
    svm_macro_f1: float
    gain: float
    gain_low: float
    gain_high: float


def to_markdown(rows: Sequence[Transfer]) -> str:
    """Return a table without near-duplicates of test posts in training, and one with them."""
    tables = [_table(rows, with_copies=False), _table(rows, with_copies=True)]
    return "\n".join(map(table_text, tables))


def _table(rows: Sequence[Transfer], *, with_copies: bool) -> Table:
    is_own = {(row.trained_on, row.tested_on): row for row in rows if row.trained_on == row.tested_on}
    shown = {(row.trained_on, row.tested_on): row for row in rows if row.with_copies == with_copies} | is_own
    targets = list(dict.fromkeys(row.tested_on for row in rows))
    cells = [
        (trained_on, *(_cell(shown.get((trained_on, target))) for target in targets))
        for trained_on in dict.fromkeys(row.trained_on for row in rows)
    ]
    copies = "kept in training" if with_copies else "removed from training"
    note = (
        f"Macro-F1, mean ± standard deviation over {rows[0].num_runs} seed(s); difference in pp from TF-IDF + "
        "SVM on the same training and test posts, with means of the bounds of the 95% intervals. Near-duplicates "
        "of test posts: "
        f"{copies}. For a model trained and tested on the same corpus: its grouped split.\n"
    )
    sizes = {row.tested_on: row.num_posts for row in rows if row.trained_on != row.tested_on}
    titles = "|".join(["trained on", *(f"#{target} ({sizes[target]:,} posts)" for target in targets)])
    return table(titles, cells, note)


def _cell(row: Transfer | None) -> str:
    if row is None:
        return ""
    spread = "" if row.macro_f1_spread is None else f" ± {row.macro_f1_spread:.3f}"
    gain, low, high = (100 * value for value in (row.gain, row.gain_low, row.gain_high))
    return f"{row.macro_f1:.3f}{spread}; {gain:+.1f} [{low:.1f}, {high:.1f}]"
