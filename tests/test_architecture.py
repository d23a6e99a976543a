"""The architecture: which package imports which, how long files and functions are, what an import costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hf_rumor


PACKAGE = Path(hf_rumor.__file__).parent
# From top to bottom: a package imports from the rows below its own, and from itself.
ROWS = (
    ("__main__",),
    ("cli",),
    ("api",),
    ("serve",),
    ("runs", "watch", "desk"),
    ("config", "hub"),
    ("report", "training", "inference"),
    ("models", "reposts"),
    ("audit",),
    ("evaluation",),
    ("corpus",),
    ("util",),
    ("labels", "errors"),
)
FILES = sorted(PACKAGE.rglob("*.py"))
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
TOO_LONG: set[str] = set()  # exceptions; add none


def nodes(path):
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def name(path):
    return str(path.relative_to(PACKAGE))


def imports(path):
    """Return the modules that `path` imports, at the top and inside functions."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def package(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_down(path):
    if path == PACKAGE / "__init__.py":
        return
    [row] = [number for number, names in enumerate(ROWS) if package(path) in names]
    allowed = {package(path), "__version__", *(name for names in ROWS[row + 1 :] for name in names)}
    used = {name.split(".")[1] for name in imports(path) if name.startswith("hf_rumor.")}
    assert used <= allowed, used - allowed


@pytest.mark.parametrize(
    "path", [path for path in FILES if package(path) in ("corpus", "evaluation")], ids=lambda p: p.name
)
def test_corpus_and_evaluation_need_no_torch(path):
    assert not {name.split(".")[0] for name in imports(path)} & {"torch", "transformers", "accelerate"}


def test_only_the_command_line_prints():
    printing = {
        package(path)
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing == {"cli"}


def test_files_and_functions_are_short():
    long = {name(path) for path in FILES if path.read_text(encoding="utf-8").count("\n") > MAX_FILE_LINES}
    long |= {
        f"{name(path)}: {node.name}"
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    }
    assert long == TOO_LONG


def test_the_tests_mirror_the_package():
    tests = PACKAGE.parent / "tests"
    without = {"__init__.py", "__main__.py", "post.py"}
    missing = [
        name(path)
        for path in FILES
        if path.name not in without
        and (package(path) != "cli" or path.name == "main.py")  # a verb is tested with what it runs
        and not (tests / path.relative_to(PACKAGE).with_name(f"test_{path.name}")).exists()
    ]
    assert missing == []


@pytest.mark.parametrize(
    "statement",
    [
        "import hf_rumor",
        "from hf_rumor.cli.main import main; assert main(['train', '--lr', '1']) == 2",
        "import hf_rumor.runs.describe",
    ],
)
def test_a_start_imports_nothing_that_takes_a_second(statement):
    slow = {"torch", "transformers", "datasets", "scipy", "sklearn"}
    code = f"{statement}; import sys; print(sorted({slow} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_changelog_names_the_version():
    changelog = (PACKAGE.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.split("## [")[1].split("]")[0] == hf_rumor.__version__
