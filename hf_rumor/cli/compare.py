"""`hf-rumor compare`."""

import argparse
import dataclasses
import json
import logging
import math
from typing import TYPE_CHECKING, Any

from hf_rumor.cli.arguments import add_corpus_flags, add_verb, load
from hf_rumor.util.files import user_path


if TYPE_CHECKING:
    from hf_rumor.runs.compare import ModelComparison, PairedScores


logger = logging.getLogger(__name__)

NOTE = """\
Prints accuracy, macro-F1 and ROC-AUC, their differences (B minus A) with paired 95% intervals over groups of
near-duplicates, and a sign test (McNemar's test over groups). The first table covers the posts that neither model has
seen in training."""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "compare",
        "compare two finished models on the same labeled posts",
        example="hf-rumor compare out_bce out_focal --data_path posts.csv --output disagreements.csv",
        note=NOTE,
    )
    for name in "AB":
        parser.add_argument(
            name.lower(), metavar=name, help="Folder of a finished run, or name of a model on the Hub."
        )
    add_corpus_flags(parser)
    parser.add_argument(
        "--output", type=user_path, help="New CSV file for the posts on which the models disagree, with their texts."
    )
    parser.add_argument(
        "--fail_if_worse",
        action="store_true",
        help="Exit with status 1 if the macro-F1 of B is lower, on the posts that neither has seen.",
    )
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; return 1 if `--fail_if_worse` is set and B is worse."""
    from hf_rumor.report.record import without_nan
    from hf_rumor.runs.compare import compare_models

    result = compare_models((arguments.a, arguments.b), load(arguments), arguments.output)
    if arguments.json:
        print(json.dumps(without_nan(dataclasses.asdict(result)), ensure_ascii=False, indent=2))
    else:
        print(_to_text(result))
        if arguments.output:
            print(f"\ndisagreements: {arguments.output}")
    is_worse = result.unseen.comparison.difference.macro_f1.difference < 0
    if arguments.fail_if_worse and is_worse:
        logger.error("compare: %s has a lower macro-F1 than %s (--fail_if_worse)", arguments.b, arguments.a)
        return 1
    return 0


def _to_text(result: "ModelComparison") -> str:
    from hf_rumor.report.words import verdict

    paragraphs = [f"B compared with A in accuracy: {verdict(result.unseen.comparison)} (95% CI)."]
    models = []
    for letter, model in zip("AB", result.models, strict=True):
        seen = "an unknown number" if model.num_seen is None else f"{model.num_seen:,}"
        models.append(
            f"{letter}: {model.name}, threshold {model.threshold:.4g}, has seen {seen} of the posts in training"
        )
    paragraphs.append("\n".join(models))
    unseen = "that neither model has seen" if result.all_posts else ""
    paragraphs.append(_table(result.unseen, f"{result.unseen.num_posts:,} posts {unseen}".strip()))
    if result.all_posts:
        paragraphs.append(_table(result.all_posts, f"all {result.all_posts.num_posts:,} posts, including seen ones"))
    return "\n\n".join(paragraphs)


def _table(scores: "PairedScores", posts: str) -> str:
    from hf_rumor.report.markdown import table_text
    from hf_rumor.report.section import table
    from hf_rumor.report.words import number, p_value, points

    differences = {
        "accuracy": scores.comparison.difference.accuracy,
        "macro_f1": scores.comparison.difference.macro_f1,
        "roc_auc": scores.roc_auc,
    }
    rows = [
        (
            name,
            *(number(getattr(metrics, name)) for metrics in scores.scores),
            number(math.nan) if math.isnan(getattr(scores.scores[0], name)) else points(difference),
        )
        for name, difference in differences.items()
    ]
    note = (
        f"{scores.num_groups:,} groups of near-duplicates. The models disagree on {scores.num_disagreements:,} posts. "
        f"p of the sign test: {p_value(scores.comparison.sign_test)}."
    )
    return table_text(table(f"{posts}|#A|#B|#B minus A [95% CI]", rows, note))
