"""The check of the documentation's examples (`.ci/docs.py`): what is run, and what is a difference."""

import importlib.util
from pathlib import Path

import pytest


CHECKOUT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("docs_check", CHECKOUT / ".ci" / "docs.py")
check = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check)


def page(*blocks):
    """Return a page of blocks: `("python", "print(1)")`."""
    return "\n".join(f"Text.\n\n```{info}\n{code}\n```\n" for info, code in blocks)


def run(text, folder, monkeypatch):
    monkeypatch.chdir(folder)
    check.run_page(text)


@pytest.mark.parametrize(
    ("info", "is_run"),
    [
        ("python", True),
        ("console", True),
        ("bash", False),
        ("", False),
        ("diff", False),
        ('python title="my_losses.py"', True),
        ('python title="Not run: needs a GPU"', False),
        ('console title="未运行：需要 GPU"', False),
        ('python title="Not run: "', True),  # without a reason
    ],
)
def test_python_and_console_blocks_are_run_unless_a_title_gives_a_reason(info, is_run):
    assert [block.line for block in check.read_blocks(page((info, "$ exit 1")))] == [4] * is_run


def test_the_output_of_a_python_block_is_the_plain_block_right_behind_it():
    text = "```python\nprint(1)\n```\n\n```\n1\n```\n\n```python\nx = 1\n```\n\nText.\n\n```\n2\n```\n"
    assert [block.shown for block in check.read_blocks(text)] == ["1\n", None]


def test_blocks_of_a_page_share_names_and_files(tmp_path, monkeypatch):
    blocks = [
        ("python", "from pathlib import Path\nx = Path('a.txt').write_text('bc')"),
        ("console", "$ cat a.txt\nbc\n$ cat \\\n    a.txt\nbc\n$ cat << END\n> c\n> END\nc"),
        ("python", "# file: name.py\nprint(3)"),
        ("yaml", "# file: name.yaml\na: 1"),
        ("python", "# file: tests/test_name.py\nfail"),
        ("console", "$ python name.py; cat name.yaml\n3\n# file: name.yaml\na: 1"),
    ]
    run(page(*blocks) + page(("python", "print(x)"), ("", "2")).replace("Text.\n", ""), tmp_path, monkeypatch)
    assert not (tmp_path / "tests").exists()


@pytest.mark.parametrize(
    ("printed", "shown", "is_equal"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a \n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\nb\n", "a\n", False),
        ("loss 0.31, end\n", "loss 0..., end\n", True),
        ("a\nb\nc\n", "a\n...\nc\n", True),
        ("a\nc\n", "a\n...\nb\n", False),
        ("(1)\n", "(2)\n", False),
    ],
)
def test_dots_stand_for_any_text(printed, shown, is_equal):
    if is_equal:
        check.compare("it", printed, shown)
    else:
        with pytest.raises(check.Difference, match="but the page shows"):
            check.compare("it", printed, shown)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (("python", "1 / 0"), "4: the example fails:.*ZeroDivisionError"),
        (("console", "$ exit 3"), "4: .*status 3"),
        (("console", "$ echo a\nb"), "4: .*prints\na\nbut the page shows\nb"),
        (("console", "echo a"), "4: .*starts with 'echo a'"),
        (("console", "$ hf-rumor nothing"), "4: .*status 2"),
        (("console", "$ hf-rumor --version\nhf-rumor: error: ..."), "4: .*status 0"),
    ],
)
def test_what_fails_is_a_difference_with_its_line(block, message, tmp_path, monkeypatch):
    with pytest.raises(check.Difference, match=f"(?s){message}"):
        run(page(block), tmp_path, monkeypatch)


def test_a_user_error_is_compared(tmp_path, monkeypatch):
    command = "$ hf-rumor predict out nothing.csv\nhf-rumor: error: "
    run(page(("console", command + "nothing.csv: ...")), tmp_path, monkeypatch)
    with pytest.raises(check.Difference, match="prints"):
        run(page(("console", command + "other.csv: ...")), tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ('hf-rumor train --decision "recall>=0.9"\n', ["train", "--decision", "recall>=0.9"]),
        ("hf-rumor predict out \\\n    a.csv  # all\n", ["predict", "out", "a.csv"]),
        ("hf-rumor predict out > a.jsonl\n", None),
        ("hf-rumor predict out | head\n", None),
        ("hf-rumor predict ~/out\n", None),
        ("cat a.csv\n", None),
    ],
)
def test_only_commands_that_need_no_shell_skip_it(command, words):
    assert check.plain_words(command) == words
