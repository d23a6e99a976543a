"""`hf-rumor serve`."""

import argparse
from typing import Any

from hf_rumor.cli.arguments import add_model, add_threshold, add_verb, count, exit_on_sigterm, port
from hf_rumor.util.files import user_path


EXAMPLE = """-H 'Content-Type: application/json' -d '{"text": "听说明天全市停水一周，速转！"}'"""


NOTE = """\
If the environment variable HF_RUMOR_TOKEN is set, users need this token. /docs describes the API."""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "serve",
        "serve a model as a web page, with explanations, file upload and a review queue, and as an HTTP API",
        example="hf-rumor serve out --queue desk.sqlite",
        note=NOTE,
    )
    add_model(parser)
    add_threshold(parser)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="Address; any address but loopback is reachable from other machines. [%(default)s]",
    )
    parser.add_argument("--port", type=port, default=7860, help="Port; 0: any free port. [%(default)s]")
    parser.add_argument(
        "--queue",
        metavar="FILE",
        type=user_path,
        help="SQLite database of the review queue; created if it is missing. Without it, the queue is lost when the "
        "server stops.",
    )
    parser.add_argument("--max_characters", type=count, default=2_000, help="Maximum length of a text. [%(default)s]")
    parser.add_argument(
        "--max_posts", type=count, default=10_000, help="Maximum number of posts in a file or request. [%(default)s]"
    )
    parser.add_argument("--max_bytes", type=count, default=5_000_000, help="Maximum size of a request. [%(default)s]")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Serve until interrupted."""
    from hf_rumor.serve.server import serve

    def on_start(address: str) -> None:
        print(f"page: {address} (Ctrl-C to stop)")
        print(f"API:  curl -s {address}/api/predict {EXAMPLE}", flush=True)

    exit_on_sigterm()
    serve(
        arguments.model,
        arguments.host,
        arguments.port,
        (arguments.max_characters, arguments.max_posts, arguments.max_bytes),
        on_start,
        queue=arguments.queue,
        revision=arguments.revision,
        threshold=arguments.threshold,
    )
