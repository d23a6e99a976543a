"""The tables of published numbers are rendered from docs/results.json."""

import importlib.util
import json
from pathlib import Path

import pytest


CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def renderer():
    specification = importlib.util.spec_from_file_location("render", CHECKOUT / "docs" / "render.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def results(renderer):
    return json.loads(renderer.RESULTS.read_text(encoding="utf-8"))


def test_tables_are_up_to_date(renderer, results):
    for page in renderer.PAGES:
        text = (CHECKOUT / page).read_text(encoding="utf-8")
        assert "<!-- results:" in text
        assert renderer.render(text, results) == text, f"{page}: run docs/render.py"


def test_results_are_formatted_as_render_writes_them(renderer, results):
    assert renderer.RESULTS.read_text(encoding="utf-8") == renderer.dump(results)


def test_every_row_names_known_hardware(results):
    assert {row["hardware"] for row in results["runs"] + results["speed"]} <= results["hardware"].keys()


def test_a_measured_run_replaces_that_of_its_seed(renderer, results, make_report, tmp_path):
    from hf_rumor.report.record import to_json

    (tmp_path / "report.json").write_text(to_json(make_report()), encoding="utf-8")
    report = make_report()
    renderer.add(results, "mini", tmp_path, 60, "bf16")
    renderer.add(results, "mini", tmp_path, 90, "bf16")
    place = ("mini", report.split.name, report.split.seed)
    [run] = [run for run in results["runs"] if (run["model"], run["split"], run["seed"]) == place]
    assert run["accuracy"] == pytest.approx(report.test.accuracy, abs=1e-4)
    assert run["seconds"] == 90
