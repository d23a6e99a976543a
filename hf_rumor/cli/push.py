"""`hf-rumor push`."""

import argparse
from typing import Any

from hf_rumor.cli.arguments import add_target, add_verb, send
from hf_rumor.errors import ArgumentError
from hf_rumor.util.files import user_path


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "push",
        "upload a model and its model card to the Hub, without private data",
        example="hf-rumor push out user/model --license apache-2.0 --dry_run",
    )
    parser.add_argument("folder", metavar="FOLDER", type=user_path, help="Folder of a finished run.")
    add_target(parser)
    parser.add_argument(
        "--license", help="License of the model, as named by the Hub: apache-2.0, mit, ... [license in the card]"
    )
    parser.add_argument("--overwrite_card", action="store_true", help="Render README.md again even if it was edited.")
    parser.add_argument(
        "--with_seen_posts",
        action="store_true",
        help="Also upload hashes and sketches of the training posts, so that others can recognize seen posts.",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Push the model."""
    from hf_rumor.hub.contents import contents_of, model_contents
    from hf_rumor.report.card import CARD_FILE, license_of, read_card, write_card
    from hf_rumor.report.portable import portable
    from hf_rumor.report.record import REPORT_FILE, read_report

    folder = arguments.folder
    model_contents(folder)  # a folder without a model is refused before anything is written
    report = read_report(folder / REPORT_FILE)
    write_card(folder, report, arguments.license, overwrite=arguments.overwrite_card)
    in_card = license_of(read_card(folder / CARD_FILE))
    if in_card is None:
        advice = "Name one, such as --license apache-2.0."
        if arguments.license:  # an edited card is not rendered again
            advice = f"Add `license: {arguments.license}` at the top of {folder / CARD_FILE}, or use --overwrite_card."
        raise ArgumentError(f"--license: README.md names no license. {advice}")
    if arguments.license not in (None, in_card):
        raise ArgumentError(
            f"--license {arguments.license}: the edited README.md names {in_card}. Change one of the two."
        )
    send(
        arguments,
        "model",
        contents_of(folder, portable(report), with_seen=arguments.with_seen_posts),
        "Rumor classifier",
    )
