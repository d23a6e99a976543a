"""`hf-rumor audit`."""

import argparse
import logging
from functools import partial
from typing import Any

from hf_rumor.cli.arguments import add_corpus_flags, add_verb, load, seed, some_of, split_name, to_json
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


logger = logging.getLogger(__name__)

FAILURES = ("leakage", "conflicts")


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "audit",
        "check a corpus: counts, near-duplicates, leakage, label errors, artifacts",
        example="hf-rumor audit --data_path posts.csv",
    )
    add_corpus_flags(parser, several=True)
    parser.add_argument(
        "--against", metavar="PATH", help="Compare with another corpus: shared posts, labels, artifacts, years."
    )
    parser.add_argument("--split_seed", type=seed, default=0, help="Seed of the splits. [%(default)s]")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser.add_argument(
        "--output_dir", type=user_path, help="Folder for tables of the findings; without it, no tables are written."
    )
    parser.add_argument(
        "--fail_on",
        type=partial(some_of, FAILURES),
        default=[],
        help="Exit with status 1 on leakage, conflicts, or both (comma-separated).",
    )
    parser.add_argument(
        "--split", type=split_name, default="grouped", help="Split that --fail_on leakage checks. [%(default)s]"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the audit; return 1 if the corpus has a problem that `--fail_on` names."""
    from hf_rumor.audit.audit import audit_corpus
    from hf_rumor.audit.text import failures, to_text, write_tables

    corpus = load(arguments)
    if arguments.against:
        if arguments.output_dir or arguments.fail_on:
            raise ArgumentError("--against: cannot be combined with --output_dir or --fail_on. Remove them.")
        from hf_rumor.audit.against import compare_corpora
        from hf_rumor.audit.against import to_text as text_of
        from hf_rumor.corpus.arrow import load_corpus

        against = compare_corpora(corpus, load_corpus(arguments.against))
        print(to_json(against, indent=2) if arguments.json else text_of(against))
        return 0
    audited = audit_corpus(corpus, arguments.split_seed)
    print(to_json(audited.audit, indent=2) if arguments.json else to_text(audited.audit))
    if arguments.output_dir:
        for path in write_tables(audited, corpus.posts, arguments.output_dir):
            logger.info("audit: %s written", path)
    failed_on = failures(audited.audit, arguments.split, arguments.fail_on)
    for line in failed_on:
        logger.error("audit: failed on %s", line)
    return 1 if failed_on else 0
