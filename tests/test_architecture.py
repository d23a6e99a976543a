"""The house: what may import what, and what an import costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hf_rumor


PACKAGE = Path(hf_rumor.__file__).parent
# Each room may import from those after it, and from itself.
ROOMS = (
    *("benchmark", "search", "outside", "experiment", "preparation", "outcome"),
    *("sharing", "training", "inference", "evaluation", "corpus"),
)
FOUNDATION = {"encodings", "errors", "network"}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Return the modules that `path` imports, at the top and inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_point_down(path):
    if room(path) not in ROOMS:
        assert room(path) in {"__init__", "__main__", "cli", "verbs", "arguments", *FOUNDATION}
        lower = imports(path) if room(path) in FOUNDATION else set()
        assert not {name for name in lower if name.startswith("hf_rumor")}
        return
    allowed = set(ROOMS[ROOMS.index(room(path)) :]) | FOUNDATION
    if room(path) == "inference":
        allowed -= {"corpus"}
        lower = {name for name in imports(path) if name.startswith("hf_rumor.evaluation")}
        assert all(name.startswith("hf_rumor.evaluation.decision") for name in lower)
    if room(path) in ("benchmark", "search", "experiment", "preparation", "outcome"):
        allowed |= {"arguments"}
    used = {name.split(".")[1] for name in imports(path) if name.startswith("hf_rumor.") and name.count(".") >= 1}
    assert used <= allowed | {"__version__"}, used - allowed


@pytest.mark.parametrize(
    "path", [path for path in FILES if room(path) in ("corpus", "evaluation")], ids=lambda p: p.name
)
def test_corpus_and_evaluation_need_no_torch(path):
    assert not {name.split(".")[0] for name in imports(path)} & {"torch", "transformers", "accelerate"}


def test_only_the_command_line_prints():
    printing = {
        path.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing == {"cli.py"}


def test_no_function_has_to_be_scrolled():
    long = [
        f"{path.name}:{node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno > 60
    ]
    assert long == []


def test_the_tests_mirror_the_package():
    tests = PACKAGE.parent / "tests"
    without = {"__init__.py", "__main__.py", "post.py"}
    missing = [
        str(path.relative_to(PACKAGE))
        for path in FILES
        if path.name not in without and not (tests / path.relative_to(PACKAGE).with_name(f"test_{path.name}")).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("statement", ["import hf_rumor", "from hf_rumor.verbs import make_parser; make_parser()"])
def test_a_start_imports_neither_torch_nor_transformers(statement):
    code = f"{statement}; import sys; print(sorted({{'torch', 'transformers', 'datasets'}} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_changelog_names_the_version():
    changelog = (PACKAGE.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.split("## [")[1].split("]")[0] == hf_rumor.__version__
