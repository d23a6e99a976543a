"""`hf-rumor` and its verbs: call, print. Results go to stdout, everything else to stderr."""

import argparse
import dataclasses
import io
import json
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hf_rumor.cli.verbs import parse, train_help
from hf_rumor.errors import ArgumentError, OutputError, RumorError


logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; return 0 when done, 1 if it was told to fail, 2 on a mistake of the user, told in one line."""
    words = list(sys.argv[1:] if argv is None else argv)
    _be_quiet()
    try:
        _check_words(words)
        if words[:1] == ["train"]:  # its flags are those of Trainer: not for this parser
            return _train(words[1:])
        arguments = parse(words)
        return VERBS[arguments.verb](arguments) or 0
    except RumorError as error:
        is_own = words[:1] == ["predict"] and isinstance(error, OutputError)  # of the share of a process
        if _is_first_process() or is_own:  # else the others make the same mistake
            print(f"hf-rumor: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read stdout has had enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the last flush finds an open file
        return 1
    except OSError as error:
        if error.errno is None:
            raise
        what = error.filename or "a file or stream"  # which one, the system does not say while it writes
        print(f"hf-rumor: error: {what}: expected to read or write it, got {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"hf-rumor: interrupted{_way_on(words)}", file=sys.stderr)
        return 130
    except SystemExit as error:
        if error.code != 128 + signal.SIGTERM:
            raise
        print(f"hf-rumor: terminated{_way_on(words)}", file=sys.stderr)
        return 128 + signal.SIGTERM


def _check_words(words: list[str]) -> None:
    """Refuse empty values: an empty path would be the current folder, an empty host every address."""
    for before, word in zip(["hf-rumor", *words], words, strict=False):
        flag = re.fullmatch(r"(--[\w-]+)=", word)
        if flag or not word:
            raise ArgumentError(f"{flag[1] if flag else before}: expected a value, found an empty one; write it")


def _way_on(words: list[str]) -> str:
    """Return how a command that was interrupted goes on."""
    verb = words[0] if words else ""
    if verb != "predict":
        return "; it goes on with the same command" if verb in ("train", "benchmark", "search") else ""
    arguments = parse(words)
    return "; it goes on with --resume" if arguments.output and arguments.input != "-" else ""


def _is_first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"  # set by torchrun and accelerate launch


def _be_quiet() -> None:
    """Our own lines to stderr; the libraries' chatter and bars only where someone watches."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("hf_rumor")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO if _is_first_process() else logging.ERROR)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def _end_in_order() -> None:
    """Let SIGTERM raise as Ctrl-C does: what is temporary is removed, and what was started ends too."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def _train(words: list[str]) -> int:
    if "--help" in words or "-h" in words:
        print(train_help())
        return 0
    if "--help_all" in words:
        from hf_rumor.config.arguments import make_parser as make_train_parser

        print(make_train_parser().format_help())
        return 0
    from hf_rumor.report.markdown import headline
    from hf_rumor.runs.train import run
    from hf_rumor.training.interruption import Interrupted

    _end_in_order()
    try:
        finished = run(words)
    except Interrupted as stop:
        if _is_first_process():
            saved = f"; checkpoint-{stop.step} is saved" if stop.step is not None else ""
            name = signal.Signals(stop.number).name
            named = any(word.startswith("--resume_from_checkpoint") for word in words)
            way_on = " without --resume_from_checkpoint" if named and saved else ""
            print(f"hf-rumor: ended by {name}{saved}; it goes on with the same command{way_on}", file=sys.stderr)
        return 128 + stop.number
    if finished is not None:
        print(headline(finished.report))
        print(f"model and report: {finished.folder}/ (report.html, .md and .json, predictions.jsonl, recipe.yaml)")
        return 1 if finished.is_pushed is False else 0
    return 0


def _load(arguments: argparse.Namespace) -> Any:
    from hf_rumor.corpus.arrow import load_corpus
    from hf_rumor.corpus.readers import Columns
    from hf_rumor.corpus.sources import resolve_corpus

    columns = Columns(arguments.text_column, arguments.label_column, arguments.id_column)
    return load_corpus(resolve_corpus(arguments.data_path), columns)


def _audit(arguments: argparse.Namespace) -> int:
    from hf_rumor.audit.audit import audit_corpus
    from hf_rumor.audit.text import failures, to_text, write_tables

    corpus = _load(arguments)
    audited = audit_corpus(corpus, arguments.split_seed)
    print(_json(audited.audit) if arguments.json else to_text(audited.audit))
    if arguments.output_dir:
        for path in write_tables(audited, corpus.posts, arguments.output_dir):
            logger.info("audit: %s written", path)
    found = failures(audited.audit, arguments.split, arguments.fail_on)
    for line in found:
        logger.error("audit: failed on %s", line)
    return 1 if found else 0


def _export(arguments: argparse.Namespace) -> None:
    from hf_rumor.corpus.export import export_lists

    for path in export_lists(_load(arguments).posts, arguments.split_seed, arguments.output_dir):
        print(path)


def _benchmark(arguments: argparse.Namespace) -> None:
    from hf_rumor.config.arguments import parse_arguments
    from hf_rumor.corpus.sources import resolve_corpus
    from hf_rumor.corpus.splits import check_folds
    from hf_rumor.runs.benchmark import Cell, run_benchmark
    from hf_rumor.util.files import content_digest

    flags = arguments.flags
    for flag in ("--split", "--split_seed", "--seed", "--fold"):
        if any(word == flag or word.startswith(f"{flag}=") for word in flags):
            raise ArgumentError(f"{flag}: the benchmark sets it for each run; take --splits, --seeds and --folds")
    if len({Path(recipe).stem for recipe in arguments.recipes}) < len(arguments.recipes):
        raise ArgumentError("--recipes: expected files of different names, got two of one name; rename one")
    data_paths = {parse_arguments([recipe, *flags]).run.data_path for recipe in arguments.recipes}
    if len(data_paths) > 1:
        found = ", ".join(sorted(data_paths))
        raise ArgumentError(f"--recipes: expected one corpus for all, found {found}; give one with --data_path")
    if arguments.folds is not None:
        for split in arguments.splits:
            check_folds(split, arguments.folds, fold=0)
    cells = [
        Cell(recipe, split, seed, arguments.folds, fold)
        for recipe in arguments.recipes
        for split in arguments.splits
        for seed in range(arguments.seeds)
        for fold in range(arguments.folds or 1)
    ]
    _end_in_order()
    sha256 = content_digest(resolve_corpus(data_paths.pop()))
    run_benchmark(cells, arguments.output_dir, flags, sha256)
    print((arguments.output_dir / "benchmark.md").read_text(encoding="utf-8"), end="")


def _search(arguments: argparse.Namespace) -> None:
    from hf_rumor.runs.search import DEFAULT_SPACE, search, to_text

    argv = [*([arguments.recipe] if arguments.recipe else []), *arguments.flags]
    found = search(argv, arguments.space or DEFAULT_SPACE, arguments.trials, arguments.output_dir)
    print(to_text(found))


def _predict(arguments: argparse.Namespace) -> None:
    from hf_rumor.inference.bulk import Share, describe_job, join_shares, predict_items, write_predictions, write_share
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.inference.items import format_of, read_items

    share = Share(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    _check_files(arguments, share.of)
    with _open(arguments.input) as file:
        form = arguments.format
        if form == "auto":
            form = format_of(arguments.input, file.peek(64))
            logger.info("predict: %s holds %s (--format auto)", arguments.input, form)
        classifier = RumorClassifier.from_pretrained(
            arguments.model,
            backend=arguments.backend,
            precision=arguments.precision,
            revision=arguments.revision,
        )
        items = read_items(file, form, arguments.text_column, arguments.id_column)
        names = ("text_column", "id_column", "batch_size", "precision", "revision")
        settings = {name: getattr(arguments, name) for name in names}
        job = describe_job(arguments.model, arguments.input, backend=arguments.backend, format=form, **settings)

        def lines_from(done: int) -> Iterator[list[str]]:
            if done:
                logger.info("predict: %s lines are there already", f"{done:,}")
            return _with_progress(predict_items(classifier, items, arguments.batch_size, done, share), file)

        if share.of > 1:
            write_share(arguments.output, job, lines_from, share, resume=arguments.resume)
            if _is_first_process():
                join_shares(arguments.output, job, share.of, arguments.batch_size)
        elif arguments.output:
            write_predictions(arguments.output, job, lines_from, resume=arguments.resume)
        else:
            for lines in lines_from(0):
                print("\n".join(lines), flush=True)


def _check_files(arguments: argparse.Namespace, num_processes: int) -> None:
    if arguments.resume and not arguments.output:
        raise ArgumentError("--resume: expected --output FILE to go on with, found none; name the file")
    if arguments.resume and arguments.input == "-":
        raise ArgumentError("--resume: expected a file to read again, got stdin; name the file")
    if num_processes > 1 and (arguments.input == "-" or not arguments.output):
        raise ArgumentError(
            f"predict: expected files for input and --output, as {num_processes} processes share the work"
        )
    both_there = arguments.output and arguments.output.exists() and Path(arguments.input).exists()
    if both_there and arguments.output.samefile(arguments.input):
        raise ArgumentError(f"--output {arguments.output}: expected another file than the input; it would be lost")


def _open(name: str) -> io.BufferedReader:
    from hf_rumor.util.encodings import open_as_utf8

    return io.BufferedReader(sys.stdin.buffer) if name == "-" else open_as_utf8(Path(name))  # type: ignore[arg-type]


def _with_progress(windows: Iterator[list[str]], file: io.BufferedReader) -> Iterator[list[str]]:
    """Yield the windows; tell posts a second and the time left on a terminal, and the sums at the end."""
    from tqdm import tqdm

    size = os.fstat(file.fileno()).st_size or None
    start, num_lines, num_errors = time.monotonic(), 0, 0
    with tqdm(
        total=size, unit="B", unit_scale=True, desc="predict", disable=None if _is_first_process() else True
    ) as bar:
        for lines in windows:
            num_lines += len(lines)
            num_errors += sum('"error": ' in line for line in lines)
            if size and not bar.disable:
                bar.update(file.tell() - bar.n)
            bar.set_postfix_str(f"{num_lines / (time.monotonic() - start):.0f} posts/s", refresh=False)
            yield lines
    seconds = time.monotonic() - start
    logger.info(
        "predict: %s posts in %.1f s, %.0f posts/s; %s of them with an error",
        *(f"{num_lines:,}", seconds, num_lines / max(seconds, 1e-9), f"{num_errors:,}"),
    )


def _evaluate(arguments: argparse.Namespace) -> None:
    from hf_rumor.report.markdown import headline
    from hf_rumor.runs.evaluate import evaluate_outside

    report = evaluate_outside(arguments.model, _load(arguments), arguments.output_dir, arguments.revision)
    print(headline(report))
    print("how many of these posts, or near-copies of them, the model was trained on is not known")
    print(f"report: {arguments.output_dir}/ (report.html, .md and .json, predictions.jsonl)")


def _explain(arguments: argparse.Namespace) -> None:
    from hf_rumor.inference.classifier import RumorClassifier
    from hf_rumor.inference.explain import Explainer
    from hf_rumor.inference.explanation import explanation_page, explanation_text
    from hf_rumor.inference.items import Item, read_items
    from hf_rumor.util.files import write_text

    if arguments.faithfulness and (arguments.texts or arguments.html or arguments.json):
        raise ArgumentError("--faithfulness: expected no TEXT, --html or --json beside it; leave one of them out")
    explainer = Explainer(RumorClassifier.from_pretrained(arguments.model, revision=arguments.revision))
    if arguments.faithfulness:
        posts = _load(arguments).posts.shuffle(seed=0)["text"][: arguments.faithfulness]
        found = explainer.faithfulness(posts)
        ratio = f" ({found.top / found.random:.1f}x)" if found.random else ""
        print(
            f"{found.num_posts:,} posts: without the fifth of the tokens that weigh most the probability moves by "
            f"{found.top:.3f}, without a fifth at random by {found.random:.3f}{ratio}"
        )
        return
    items = [Item(number, text) for number, text in enumerate(arguments.texts, 1)]
    items = items or list(read_items(sys.stdin.buffer, "lines", None, None))
    for item in items:
        if item.error or not item.text.strip():
            raise ArgumentError(f"text {item.id}: {item.error or 'expected a text, found none'}; correct it")
    if not items:
        raise ArgumentError("explain: expected a text, found none; give one, or lines on stdin")
    explanations = [explainer.explain(item.text) for item in items]
    for explanation in explanations:
        colors = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(_json_line(explanation) if arguments.json else explanation_text(explanation, colors=colors))
    if arguments.html:
        write_text(arguments.html, explanation_page(explanations, explainer.facts, arguments.model))
        logger.info("explain: %s written", arguments.html)


def _serve(arguments: argparse.Namespace) -> None:
    from hf_rumor.serve.app import Limits, serve

    def on_start(address: str) -> None:
        print(f"page: {address} (Ctrl-C ends it)")
        example = """-H 'Content-Type: application/json' -d '{"text": "听说明天全市停水一周，速转！"}'"""
        print(f"API:  curl -s {address}/api/predict {example}", flush=True)

    limits = Limits(arguments.max_characters, arguments.max_posts, arguments.max_bytes)
    serve(arguments.model, arguments.host, arguments.port, limits, on_start, arguments.revision)


def _export_model(arguments: argparse.Namespace) -> None:
    from hf_rumor.inference.export import comparison_table, export_model

    _end_in_order()
    posts = _load(arguments).posts
    exported = export_model(
        arguments.model,
        arguments.output_dir,
        posts["text"][:],
        precision=arguments.precision,
        force=arguments.force,
        revision=arguments.revision,
    )
    print(comparison_table(exported))


def _push(arguments: argparse.Namespace) -> None:
    from hf_rumor.hub.contents import contents_of, model_contents
    from hf_rumor.report.card import CARD_FILE, license_of, read_card, write_card
    from hf_rumor.report.portable import portable
    from hf_rumor.runs.evaluate import read_report

    folder = arguments.folder
    model_contents(folder)  # a folder without a model is refused before anything is written
    report = read_report(folder / "report.json")
    write_card(folder, report, arguments.license, overwrite=arguments.overwrite_card)
    named = license_of(read_card(folder / CARD_FILE))
    if named is not None and arguments.license not in (None, named):
        raise ArgumentError(
            f"--license {arguments.license}: expected {named}, as the edited README.md says; change it there"
        )
    if named is None:
        way_out = "name it: apache-2.0, ..."
        if arguments.license:  # an edited card is not written again
            way_out = f"add `license: {arguments.license}` at the top of {folder / CARD_FILE}, or --overwrite_card"
        raise ArgumentError(f"--license: expected a licence in README.md, found none; {way_out}")
    _send(arguments, "model", contents_of(folder, portable(report)), "Rumor classifier")


def _push_data(arguments: argparse.Namespace) -> None:
    from hf_rumor.hub.dataset import dataset_contents
    from hf_rumor.report.card import check_license

    check_license(arguments.license)
    _send(arguments, "dataset", dataset_contents(_load(arguments), arguments.license), "Corpus of posts")


def _send(arguments: argparse.Namespace, repo_type: Any, uploads: Sequence[Any], message: str) -> None:
    from hf_rumor.hub.push import Target, check_target, push

    if arguments.dry_run:
        for upload in uploads:
            print(f"{upload.size():>12,}  {upload.path}" + (f"  ({upload.note})" if upload.note else ""))
        logger.info("push: nothing was sent (--dry_run)")
        return
    target = Target(arguments.repo, repo_type, arguments.private, arguments.revision, arguments.create_pr)
    check_target(target)
    print(push(target, uploads, message))


def _describe(arguments: argparse.Namespace) -> None:
    from hf_rumor.runs.describe import describe_model, to_text

    description = describe_model(arguments.model, arguments.revision)
    print(_json(description) if arguments.json else to_text(description))


def _json_line(record: Any) -> str:
    return json.dumps(dataclasses.asdict(record), ensure_ascii=False)


def _json(record: Any) -> str:
    return json.dumps(dataclasses.asdict(record), ensure_ascii=False, indent=2)


VERBS: dict[str, Callable[[argparse.Namespace], int | None]] = {
    "audit": _audit,
    "benchmark": _benchmark,
    "data export": _export,
    "data push": _push_data,
    "describe": _describe,
    "evaluate": _evaluate,
    "explain": _explain,
    "export": _export_model,
    "predict": _predict,
    "push": _push,
    "search": _search,
    "serve": _serve,
}
