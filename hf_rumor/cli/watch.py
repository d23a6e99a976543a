"""`hf-rumor watch`."""

import argparse
import json
import logging
import os
import sys
from contextlib import ExitStack
from typing import Any

from hf_rumor.cli.arguments import add_backend, add_model, add_threshold, add_verb, count
from hf_rumor.errors import ArgumentError, ModelError
from hf_rumor.util.files import output_file, user_path


logger = logging.getLogger(__name__)

EVENTS = """\
Events are JSON lines, in any order; times are seconds since 1970, or dates.
  a post:   {"id": "1", "text": "...", "time": "2026-11-30 12:00:00"}
  a repost: {"repost_of": "1", "id": "7", "text": "...", "time": "2026-11-30 12:03:10"}
A post may contain its reposts so far as a list, "reposts". Malformed events and duplicates are skipped and counted."""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "watch",
        "follow posts and their reposts as they arrive, and write a line whenever a decision changes",
        example="hf-rumor watch out events.jsonl --follow --state watch.db --output decisions.jsonl",
        note=EVENTS,
    )
    add_model(parser)
    parser.add_argument("events", metavar="EVENTS", nargs="?", default="-", help="File of events. [-, stdin]")
    parser.add_argument("--follow", action="store_true", help="Wait for more events at the end of the file.")
    parser.add_argument("--output", type=user_path, help="File for the decisions. [-, stdout]")
    parser.add_argument(
        "--state",
        type=user_path,
        help="File for the state, so that the same command resumes after a crash: no event is lost or counted "
        "twice, and no line of --output is missing or duplicated.",
    )
    parser.add_argument(
        "--max_posts",
        type=count,
        default=100_000,
        help="Number of posts to keep; those with the oldest events are dropped. [%(default)s]",
    )
    add_threshold(parser)
    add_backend(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Watch until the end of the events."""
    from hf_rumor.inference.bulk import describe_job
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.watch.state import State
    from hf_rumor.watch.stream import open_output, watch
    from hf_rumor.watch.watcher import Watcher

    events = os.path.expanduser(arguments.events)
    if events != "-" and not os.path.isfile(events):
        raise ArgumentError(f"{arguments.events}: not a file. Check the path, or send the events to stdin.")
    if arguments.follow and events == "-":
        raise ArgumentError("--follow: stdin is always read until it is closed. Remove the flag.")
    settings = {name: getattr(arguments, name) for name in ("backend", "revision", "threshold")}
    classifier = RumorClassifier.from_pretrained(arguments.model, **settings)
    if classifier.reposts is None:
        raise ModelError(
            f"{arguments.model}: the model reads no reposts. Train it with --reposts, or use hf-rumor predict."
        )
    job = json.dumps(describe_job(arguments.model, "-", **settings), sort_keys=True)
    state = State(arguments.state and output_file(arguments.state), job)
    with ExitStack() as stack:
        stack.callback(state.close)
        source = sys.stdin.buffer if events == "-" else stack.enter_context(open(events, "rb"))
        is_file = arguments.output and str(arguments.output) != "-"
        output = stack.enter_context(open_output(arguments.output, state)) if is_file else sys.stdout.buffer
        watcher = Watcher(classifier, classifier.reposts, state, arguments.max_posts)
        watch(watcher, state, source, output, follow=arguments.follow)
        skipped = ", ".join(f"{number:,} {reason}" for reason, number in watcher.skipped.most_common())
        logger.info("watch: %s events%s", f"{state.progress.num_events:,}", f"; skipped: {skipped}" if skipped else "")
