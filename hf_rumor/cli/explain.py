"""`hf-rumor explain`."""

import argparse
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from hf_rumor.cli.arguments import (
    add_corpus_flags,
    add_language,
    add_model,
    add_verb,
    count,
    load,
    open_posts,
    to_json,
)
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


if TYPE_CHECKING:
    from hf_rumor.corpus.columns import Columns


logger = logging.getLogger(__name__)


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "explain",
        "show which words of a post increase or decrease the probability of rumor",
        example='hf-rumor explain out "听说明天全市停水一周，速转！" --html why.html',
    )
    add_model(parser)
    parser.add_argument("inputs", metavar="INPUT", nargs="*", help="Texts in quotes, or files of posts. [-, stdin]")
    parser.add_argument("--json", action="store_true", help="Print JSON lines, with every token and word.")
    parser.add_argument("--html", type=user_path, help="HTML file for the explanations; it is self-contained.")
    add_language(parser, "Language of the page.")
    parser.add_argument(
        "--faithfulness",
        type=count,
        metavar="N",
        help="Check the explanations on N posts of --data_path: compare how much the probability changes if the most "
        "important tokens or random ones are deleted.",
    )
    add_corpus_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Explain the texts, or check the explanations."""
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.inference.explain import Explainer
    from hf_rumor.inference.explanation import explanation_page, explanation_text
    from hf_rumor.util.files import write_text

    if arguments.faithfulness and (arguments.inputs or arguments.html or arguments.json):
        raise ArgumentError("--faithfulness: cannot be combined with INPUT, --html or --json. Remove one of them.")
    columns = Columns(text=arguments.text_column, id=arguments.id_column)
    inputs = [] if arguments.faithfulness else arguments.inputs or ["-"]
    texts = [text for name in inputs for text in _read_texts(name, columns)]
    explainer = Explainer(RumorClassifier.from_pretrained(arguments.model, revision=arguments.revision))
    if arguments.faithfulness:
        posts = load(arguments).posts.shuffle(seed=0)["text"][: arguments.faithfulness]
        result = explainer.faithfulness(posts)
        ratio = f" ({result.top / result.random:.1f}x)" if result.random else ""
        print(
            f"{result.num_posts:,} posts: deleting the most important fifth of the tokens changes the probability by "
            f"{result.top:.3f}, deleting a random fifth by {result.random:.3f}{ratio}"
        )
        return
    explanations = [explainer.explain(text) for text in texts]
    for explanation in explanations:
        colors = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(to_json(explanation) if arguments.json else explanation_text(explanation, colors=colors))
    if arguments.html:
        write_text(
            arguments.html, explanation_page(explanations, explainer.facts, arguments.model, arguments.language)
        )
        logger.info("explain: %s written", arguments.html)


def _read_texts(name: str, columns: "Columns") -> list[str]:
    """Return the texts of a file or of stdin, or the text itself."""
    from hf_rumor.corpus.rows import read_items

    with open_posts(name) as source:
        texts = []
        for item in read_items(source, columns):
            if item.post is None:
                raise ArgumentError(f"{source.name}: post {item.id}: {item.error}")
            texts.append(item.post.text)
    if not texts:
        raise ArgumentError(f"{source.name}: no text. Give a text, a file, or lines on stdin.")
    return texts
