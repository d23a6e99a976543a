"""Run the examples of the documentation and compare what they print with what the pages show.

    python .ci/docs.py [PAGE ...]

CONTRIBUTING.md describes which blocks are run. The READMEs need the model of `make run` in `out`.
"""

import contextlib
import io
import multiprocessing
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path


CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = ("README*.md", "docs/**/*.md")
SKIPPED = ("docs/log/", "docs/decisions/")  # history
LONGEST = ("docs/tutorial.md", "docs/howto/thesis.md", "docs/howto/desk.md")  # minutes each: they start first
NUM_PROCESSES = 2
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$(?=(?:\n+```(?:text)?\n(.*?)^```$)?)", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r'title="(Not run: |未运行：)[^"\s]')
FILE = re.compile(r"# file: (\S+)\n")
PACKAGE = ("hf_rumor/", "tests/")  # tests/test_docs.py applies changes of these
USER_ERROR = "hf-rumor: error:"


@dataclass(frozen=True)
class Block:
    """A block that is run, or written to a file."""

    line: int  # of its first line
    language: str
    code: str
    shown: str | None  # output that the page shows behind a block of Python


class Difference(Exception):
    """An example that fails, or prints something else than the page shows."""


def read_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a page that are run, or written to the file that their first line names."""
    for match in FENCE.finditer(text):
        language, info, code, shown = match.groups()
        is_example = language in ("python", "console") or FILE.match(code)
        if is_example and not NOT_RUN.search(info):
            yield Block(text.count("\n", 0, match.start()) + 2, language, code, shown)


def without_line(block: Block) -> Block:
    """Return the block as if it were at the top of a page."""
    return replace(block, line=0)


def read_commands(code: str) -> list[tuple[str, str]]:
    """Return each command of a console block with the output that follows it.

    A command continues behind a backslash, and on lines that start with `> `.
    """
    commands: list[tuple[str, str]] = []
    for line in code.splitlines(keepends=True):
        command, output = commands[-1] if commands else ("", "")
        if line.startswith("$ "):
            commands.append((line[2:], ""))
        elif not commands:
            raise Difference(f"a console block starts with {line.rstrip()!r}, not with `$ COMMAND`")
        elif not output and (command.endswith("\\\n") or line.startswith("> ")):
            commands[-1] = (command + line.removeprefix("> "), "")
        else:
            commands[-1] = (command, output + line)
    return commands


def compare(what: str, printed: str, shown: str) -> None:
    """Raise `Difference` unless the texts are equal, where `...` stands for any text."""
    clean, expected = ("\n".join(line.rstrip() for line in text.strip("\n").split("\n")) for text in (printed, shown))
    if not re.fullmatch(re.escape(expected).replace(r"\.\.\.", ".*"), clean, re.DOTALL):
        raise Difference(f"{what} prints\n{clean}\nbut the page shows\n{expected}")


def run_command(command: str, shown: str) -> None:
    """Run a command in the current folder and compare its stdout, unless the page shows no output.

    The command must succeed. If the page shows a user error, it must end with one; then stderr is compared too.
    """
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        words = plain_words(command)
        if words is None:
            streams = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": stderr}
            status = subprocess.run(["bash", "-c", command], **streams, check=False).returncode
        else:
            status = run_forked(words, stdout.fileno(), stderr.fileno())
        printed, logged = (file.seek(0) or file.read().decode("utf-8", "replace") for file in (stdout, stderr))
    is_error = USER_ERROR in shown
    if status != (2 if is_error else 0):
        raise Difference(f"$ {command}ends with status {status}:\n{printed}{logged}")
    if shown.strip():
        compare(f"$ {command.strip()}", printed + logged if is_error else printed, shown)


def plain_words(command: str) -> list[str] | None:
    """Return the words behind `hf-rumor`; None for another command, or one that needs a shell."""
    command = command.replace("\\\n", " ").strip()
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    words = list(lexer)
    needs_shell = re.search(r"[$`*~\n]", command) or any(re.fullmatch(r"[();<>|&]+", word) for word in words)
    return None if needs_shell or words[0] != "hf-rumor" else words[1:]


def run_forked(words: list[str], stdout: int, stderr: int) -> int:
    """Run `hf-rumor` in a child that need not import torch again; return its exit status."""
    from hf_rumor.cli.main import main as run_verb

    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    status: object = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
        status = run_verb(words)
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


def run_python(code: str, shown: str | None, names: dict[str, object]) -> None:
    """Run a block with the names of the earlier blocks of the page."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(compile(code, "example", "exec"), names)
        except Exception as error:
            raise Difference(f"the example fails:\n{traceback.format_exc()}") from error
    if shown is not None:
        compare("the example", printed.getvalue(), shown)


def run_page(text: str) -> None:
    """Run the blocks of a page in order, in the current folder.

    Raises:
        Difference: An example fails, or prints something else; the message starts with its line.
    """
    names: dict[str, object] = {"__name__": "__main__"}
    for block in read_blocks(text):
        try:
            if file := FILE.match(block.code):
                if not file[1].startswith(PACKAGE):
                    Path(file[1]).write_text(block.code, encoding="utf-8")
            elif block.language == "python":
                run_python(block.code, block.shown, names)
            else:
                for command, shown in read_commands(block.code):
                    run_command(command, shown)
        except Difference as difference:
            raise Difference(f"{block.line}: {difference}") from difference


def check(page: Path) -> str:
    """Check a page in a folder of its own, and print its duration; return what is wrong."""
    text, start = page.read_text(encoding="utf-8"), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(CHECKOUT / "data" / "sample", Path(folder, "data", "sample"))
        shutil.copy(CHECKOUT / "run_rumor.py", folder)
        if page.stem.startswith("README"):  # these start with `make run`
            shutil.copytree(CHECKOUT / "out", Path(folder, "out"), ignore=shutil.ignore_patterns("checkpoint-*"))
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            run_page(text)
        except Difference as difference:
            return f"{page}:{difference}"
        finally:
            os.chdir(CHECKOUT)
            print(f"{page.relative_to(CHECKOUT)}: {time.monotonic() - start:.0f} s", flush=True)
    return ""


def main(names: list[str]) -> None:
    """Check the pages, two at once; exit with status 1 if an example is wrong."""
    found = {path for pattern in PAGES for path in CHECKOUT.glob(pattern)}
    pages = [Path(name).resolve() for name in names] or [
        *(CHECKOUT / name for name in LONGEST),
        *sorted(page for page in found if not page.relative_to(CHECKOUT).as_posix().startswith((*SKIPPED, *LONGEST))),
    ]
    # A translation has the same blocks as its original: they are run once.
    by_blocks: dict[tuple[Block, ...], Path] = {}
    for page in pages:
        by_blocks.setdefault(tuple(map(without_line, read_blocks(page.read_text(encoding="utf-8")))), page)
    pages = [page for blocks, page in by_blocks.items() if blocks]
    with tempfile.TemporaryDirectory() as cache:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        os.environ.update(HF_HUB_OFFLINE="1", HF_RUMOR_CACHE=cache, OMP_NUM_THREADS="1", PATH=path)
        import hf_rumor.inference.explain
        import hf_rumor.runs.train  # noqa: F401 - what takes seconds is imported once, before the pages fork

        with multiprocessing.get_context("fork").Pool(NUM_PROCESSES, maxtasksperchild=1) as pool:
            problems = [problem for problem in pool.imap(check, pages, chunksize=1) if problem]
    sys.exit("\n\n".join(problems) or None)  # an empty text would be status 1


if __name__ == "__main__":
    main(sys.argv[1:])
