"""Scripts outside the package: what they import exists, and two checkouts can be compared."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest


CHECKOUT = Path(__file__).parents[1]
SCRIPTS = [*CHECKOUT.glob("benchmarks/*.py"), *CHECKOUT.glob("pretraining/*.py")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_imports_exists(script):
    code = script.read_text(encoding="utf-8")  # code in strings, for other processes, included
    pattern = r"^from (hf_rumor[\w.]*) import (?:\(([^)]*)\)|(.*))"
    for module, several, line in re.findall(pattern, code, flags=re.MULTILINE):
        for name in re.findall(r"\w+", several or line):
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"


def test_a_benchmark_is_compared_with_that_of_another_checkout(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "compare.py").write_text("print('options: 3')\nprint('speed 1,000 posts/s')")
    words = [CHECKOUT / "benchmarks" / "compare.py", tmp_path, "compare.py", "--help"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    assert "speed 1000 posts/s  (only before)" in done.stdout
    assert "exit status 0" in done.stdout.splitlines()


@pytest.fixture
def compare():
    specification = importlib.util.spec_from_file_location("compare", CHECKOUT / "benchmarks" / "compare.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_numbers_that_differ_stand_side_by_side(compare):
    before = compare.numbers_by_line([["# 1 of 2"], ["# 3 of 2"], ["# 2 of 2"]])
    after = compare.numbers_by_line([["# 1,000.5 of 2"]])
    assert list(compare.side_by_side(before, after)) == ["# 2 -> 1000.5 of 2"]
