"""The how-tos that create files or change the package are followed to the letter on a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


CHECKOUT = Path(__file__).parents[1]
MAX_FILES = 3  # of the repository that a page changes, tests included
ALONE = ("launch", "python")  # pages whose test starts processes that train
CHANGES_FILES = re.compile("^```(python\n# file: |diff\n)", re.MULTILINE)
PAGES = [
    page
    for page in sorted((CHECKOUT / "docs/howto").glob("*.md"))
    if CHANGES_FILES.search(page.read_text(encoding="utf-8"))
]


def blocks(page):
    """Yield the language and the code of each block."""
    return re.findall(r"```(\w+)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def write(folder, code):
    """Write a block to the file that its first line names; return the path."""
    first, _, rest = code.partition("\n")
    how, path = re.fullmatch(r"# (file|append to): (\S+)", first).groups()
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open("a" if how == "append to" else "w", encoding="utf-8") as file:
        file.write("\n\n" + rest if how == "append to" else rest)
    return path


def patch(folder, code):
    """Apply a diff whose hunks each start with `@@`; return the path."""
    first, *hunks = re.split(r"^@@\n", code, flags=re.MULTILINE)
    path = folder / first.strip().removeprefix("--- ")
    text = path.read_text(encoding="utf-8")
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in (" ", sign)) for sign in "-+")
        assert text.count(old) == 1, f"{path}: {text.count(old)} times\n{old}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return str(path.relative_to(folder))


def run_module(folder, *arguments):
    command = [sys.executable, "-m", *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([page for page in PAGES if page.stem not in ALONE], id="others"),
        *(pytest.param([page], id=page.stem) for page in PAGES if page.stem in ALONE),
    ],
)
def test_pages_can_be_followed(pages, tmp_path):
    for name in ("hf_rumor", "tests"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    tests = set()
    for page in pages:
        changed = {write(tmp_path, code) for language, code in blocks(page) if language == "python"}
        changed |= {patch(tmp_path, code) for language, code in blocks(page) if language == "diff"}
        in_repository = [path for path in changed if "/" in path]
        assert len(in_repository) <= MAX_FILES, page
        if in_repository:
            run_module(tmp_path, "ruff", "check", *in_repository)
        of_page = {path for path in changed if Path(path).name.startswith("test_")}
        assert of_page, page
        tests |= of_page
    run_module(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", *sorted(tests))


def links(page):
    return re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("d*/**/*.md")], ids=lambda page: page.stem)
def test_links_are_not_broken(page):
    broken = [link for link in links(page) if "://" not in link and not (page.parent / link).exists()]
    assert broken == []
