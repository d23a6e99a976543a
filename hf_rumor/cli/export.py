"""`hf-rumor export`."""

import argparse
from pathlib import Path
from typing import Any

from hf_rumor.cli.arguments import add_corpus_flags, add_model, add_verb, exit_on_sigterm, load
from hf_rumor.util.files import user_path


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "export",
        "convert a model to ONNX and compare it with torch",
        example="hf-rumor export out --output_dir onnx --data_path posts.csv",
    )
    add_model(parser)
    parser.add_argument(
        "--output_dir", type=user_path, default=Path("onnx"), help="Folder for the exported model. [%(default)s]"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "int8"),
        default="fp32",
        help="Precision of the weights; int8 is smaller, faster and less exact. [%(default)s]",
    )
    parser.add_argument("--force", action="store_true", help="Keep an int8 model that changes too many decisions.")
    add_corpus_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Export the model and print the comparison."""
    from hf_rumor.inference.export import comparison_table, export_model

    exit_on_sigterm()
    exported = export_model(
        arguments.model,
        arguments.output_dir,
        load(arguments).posts["text"][:],
        precision=arguments.precision,
        force=arguments.force,
        revision=arguments.revision,
    )
    print(comparison_table(exported))
