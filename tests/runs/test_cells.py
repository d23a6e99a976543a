import pytest

from hf_rumor.errors import ArgumentError, CorpusError
from hf_rumor.runs.cells import Cell, make_plan


def plan(vary=None, flags=(), splits=("grouped",), seeds=1, **settings):
    return make_plan(["mini"], splits, vary or {}, list(flags), seeds=seeds, **settings)


def seeds_of(cells):
    return [(cell.split_seed, cell.seed) for cell in cells]


def test_without_split_seeds_both_seeds_are_the_same():
    assert seeds_of(plan(seeds=3).cells) == [(0, 0), (1, 1), (2, 2)]


def test_split_seeds_are_combined_with_training_seeds():
    assert seeds_of(plan(seeds=3, split_seeds=1).cells) == [(0, 0), (0, 1), (0, 2)]
    assert seeds_of(plan(seeds=1, split_seeds=3).cells) == [(0, 0), (1, 0), (2, 0)]
    assert seeds_of(plan(seeds=2, split_seeds=2).cells) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_split_without_a_seed_has_one():
    cells = plan(seeds=1, split_seeds=3, splits=["chronological", "random"]).cells
    assert [(cell.split, cell.split_seed) for cell in cells] == [
        ("chronological", 0),
        *(("random", seed) for seed in range(3)),
    ]


def test_varied_flags_form_a_grid_in_the_order_of_the_command():
    cells = plan({"loss": ["focal", "bce"], "max_length": ["64", "32"]}).cells
    assert [cell.varied_flags() for cell in cells] == [
        [f"--loss={loss}", f"--max_length={length}"] for loss in ("focal", "bce") for length in (64, 32)
    ]
    assert cells[0].variant == "mini, loss=focal, max_length=64"


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (Cell("mini", "random", 0, 0), "mini-random-0"),  # as in earlier versions
        (Cell("own/mini.yaml", "random", 0, 2), "mini-random-0-seed2"),
        (Cell("mini", "grouped", 1, 1, (("loss", "bce"),), folds=3, fold=2), "mini-loss=bce-grouped-1-fold2of3"),
        (Cell("mini", "grouped", 0, 0, (("loss_kwargs", '{"gamma": 1}'),)), "mini-loss_kwargs=_gamma_1_-grouped-0"),
    ],
)
def test_the_name_of_a_folder_has_everything_that_varies(cell, name):
    assert cell.name == name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flags": ["--split-seed=1"]}, "--split_seed: set by the benchmark for each run. Use --splits, --seeds"),
        ({"vary": {"seed": ["1", "2"]}}, "--seed: set by the benchmark"),
        ({"vary": {"data_path": ["a", "b"]}}, "--vary data_path: all variants must use the same posts"),
        ({"vary": {"loss": ["bce", "ce"]}, "flags": ["--loss", "mse"]}, "--loss: given as a flag and with --vary"),
        ({"vary": {"loss": ["bce", "hinge"]}}, "--loss hinge: unknown"),
        ({"vary": {"los": ["bce", "ce"]}}, "did you mean --loss"),
        ({"vary": {"max_length": ["64", "many"]}}, "max_length"),
        ({"vary": {"loss_kwargs": ["{}", "{ }"]}, "flags": []}, "two runs would share the folder mini-loss_kwargs"),
    ],
)
def test_a_mistake_is_an_error_before_the_first_run(settings, message):
    with pytest.raises(ArgumentError, match=message):
        plan(**settings)


def test_recipes_with_different_columns_are_refused(tmp_path):
    for name, column in (("a", "text"), ("b", "body")):
        (tmp_path / f"{name}.yaml").write_text(f"text_column: {column}", encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"different values of --text_column \(body, text\)"):
        make_plan([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")], ["grouped"], {}, [], seeds=1)


def test_a_split_without_folds_is_refused():
    with pytest.raises(CorpusError, match="has no folds"):
        plan(splits=["chronological"], folds=3)
