"""`hf-rumor serve`."""

import argparse
from typing import Any

from hf_rumor.cli.arguments import add_model, add_verb, count, exit_on_sigterm, seed


EXAMPLE = """-H 'Content-Type: application/json' -d '{"text": "听说明天全市停水一周，速转！"}'"""


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(verbs, "serve", "serve a web page with explanations and file upload, and an HTTP API")
    add_model(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="anything but loopback is reachable from other machines (%(default)s)"
    )
    parser.add_argument("--port", type=seed, default=7860, help="0: any free port (%(default)s)")
    parser.add_argument("--max_characters", type=count, default=2_000, help="limit of a text (%(default)s)")
    parser.add_argument("--max_posts", type=count, default=10_000, help="limit of a file or a request (%(default)s)")
    parser.add_argument("--max_bytes", type=count, default=5_000_000, help="limit of a request (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Serve until interrupted."""
    from hf_rumor.serve.judge import Limits
    from hf_rumor.serve.page import serve

    def on_start(address: str) -> None:
        print(f"page: {address} (Ctrl-C to stop)")
        print(f"API:  curl -s {address}/api/predict {EXAMPLE}", flush=True)

    exit_on_sigterm()
    limits = Limits(arguments.max_characters, arguments.max_posts, arguments.max_bytes)
    serve(arguments.model, arguments.host, arguments.port, limits, on_start, arguments.revision)
