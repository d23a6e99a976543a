"""`hf-rumor explain`."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_corpus_flags, add_language, add_model, add_verb, count, load, to_json
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


logger = logging.getLogger(__name__)


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(verbs, "explain", "show which words increase and which decrease the probability of rumor")
    add_model(parser)
    parser.add_argument("texts", metavar="TEXT", nargs="*", help="texts (default: lines of stdin)")
    parser.add_argument("--json", action="store_true", help="print JSON lines, with every token and word")
    parser.add_argument("--html", type=user_path, help="write a self-contained HTML page")
    add_language(parser, "language of the page")
    parser.add_argument(
        "--faithfulness",
        type=count,
        metavar="N",
        help="on N posts of --data_path: delete the most important tokens, or random ones, and compare the change",
    )
    add_corpus_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Explain the texts, or check the explanations."""
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.inference.explain import Explainer
    from hf_rumor.inference.explanation import explanation_page, explanation_text
    from hf_rumor.util.files import write_text

    if arguments.faithfulness and (arguments.texts or arguments.html or arguments.json):
        raise ArgumentError("--faithfulness: it cannot be combined with TEXT, --html or --json.")
    texts = [] if arguments.faithfulness else _read_texts(arguments.texts)
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


def _read_texts(texts: list[str]) -> list[str]:
    """Return the texts of the command line, or the lines of stdin."""
    for text in texts:
        if len(text) < 256 and Path(text).is_file():
            raise ArgumentError(f"{text}: this is a file, not a text. Use: hf-rumor explain MODEL < {text}")
    texts = texts or _read_stdin()
    if not texts or not all(text.strip() for text in texts):
        raise ArgumentError("explain: the text is empty. Give a text, or lines on stdin.")
    return texts


def _read_stdin() -> list[str]:
    from hf_rumor.corpus.formats import open_input
    from hf_rumor.corpus.rows import Columns, read_items

    texts = []
    with open_input(sys.stdin.buffer, "lines", is_labelled=False) as source:
        for item in read_items(source, Columns()):
            if item.post is None:
                raise ArgumentError(f"text {item.id}: {item.error}")
            texts.append(item.post.text)
    return texts
