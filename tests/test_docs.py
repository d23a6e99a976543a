"""The how-tos, followed to the letter on a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


CHECKOUT = Path(__file__).parents[1]
SLOW = ("howto_launch",)  # pages whose test starts processes that train
PAGES = [
    pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if page.stem in SLOW else [])
    for page in sorted((CHECKOUT / "docs").glob("howto_*.md"))
]


def blocks(page):
    """Yield the first line and the rest of each Python block."""
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        first, _, rest = block.partition("\n")
        yield first, rest


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed(page, tmp_path):
    shutil.copytree(CHECKOUT / "hf_rumor", tmp_path / "hf_rumor")
    written = []
    for first, code in blocks(page):
        written.append(first)
        if first.startswith("# append to: "):
            with (tmp_path / first.removeprefix("# append to: ")).open("a", encoding="utf-8") as file:
                file.write("\n\n" + code)
        elif first.startswith("# file: "):
            (tmp_path / first.removeprefix("# file: ")).write_text(code, encoding="utf-8")
        else:
            assert first == "# test"
            (tmp_path / "test_page.py").write_text(code, encoding="utf-8")
    assert "# test" in written
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def links(page):
    return re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("d*/**/*.md")], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    broken = [link for link in links(page) if "://" not in link and not (page.parent / link).exists()]
    assert broken == []
