"""The demo for Spaces and the Dockerfile, as far as they can be checked without Gradio and Docker."""

import ast
import re
from pathlib import Path


CHECKOUT = Path(__file__).parents[2]


def test_the_demo_is_short_and_needs_no_other_packages_than_it_lists():
    code = (CHECKOUT / "spaces" / "app.py").read_text("utf-8")
    assert code.count("\n") < 40
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    listed = (CHECKOUT / "spaces" / "requirements.txt").read_text("utf-8")
    assert imported == {"os", "gradio", "transformers"}
    assert re.findall(r"^[\w-]+", listed, re.MULTILINE) == ["torch", "transformers"]


def test_the_demo_has_the_settings_of_a_space():
    settings = (CHECKOUT / "spaces" / "README.md").read_text("utf-8").split("---\n")[1]
    keys = dict(line.split(": ", 1) for line in settings.splitlines())
    assert (keys["sdk"], keys["app_file"]) == ("gradio", "app.py")


def test_the_container_runs_as_a_user_and_reports_its_health():
    lines = (CHECKOUT / "Dockerfile").read_text("utf-8").splitlines()
    commands = [line.split(" ", 1) for line in lines if line and line[0].isupper()]
    names = [name for name, _ in commands]
    assert dict(commands)["USER"] == "desk"
    assert names.index("USER") < names.index("CMD")
    assert "HEALTHCHECK" in names
    assert any("/healthz" in line for line in lines)
    assert not any("TOKEN=" in line for line in lines if not line.startswith("#"))
    copied = [file for name, files in commands if name == "COPY" for file in files.split()[:-1]]
    assert all((CHECKOUT / file).exists() for file in copied)
