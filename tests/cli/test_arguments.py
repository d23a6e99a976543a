import pytest

from hf_rumor.cli.main import parse
from hf_rumor.errors import ArgumentError


@pytest.mark.parametrize("words", [["audit", "--data", "x"], ["data", "export", "--output", "x"]])
def test_an_abbreviated_flag_is_refused(words):
    with pytest.raises(ArgumentError, match=r"--[a-z]*: not a flag .did you mean --[a-z]*_[a-z]*"):
        parse(words)


def test_benchmark_passes_unknown_flags_to_its_runs():
    assert parse(["benchmark", "--seeds", "2", "--learning_rate", "1e-4"]).flags == ["--learning_rate", "1e-4"]
    with pytest.raises(ArgumentError, match="--learning_rate"):
        parse(["audit", "--learning_rate", "1e-4"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["benchmark", "--splits", "grouped,sideways"], "'sideways' is not one of grouped, random, "),
        (["benchmark", "--recipes", "mini,mini"], "expected different names"),
        (["benchmark", "--seeds", "0"], "expected a whole number of at least 1, got '0'"),
        (["audit", "--split_seed", "-1"], "--split_seed"),
        (["audit", "--split_seed", "4294967296"], "expected a whole number from 0 to 4294967295"),
        (["serve", "out", "--port", "65536"], "expected a whole number from 0 to 65535"),
        (["benchmark", "--vary", "loss"], "expected FLAG=VALUE,VALUE with different values, got 'loss'"),
        (["benchmark", "--vary", "loss=bce,bce"], "with different values"),
        (["search", "--space", "["], "expected JSON"),
        (["search", "--space", "{}"], "expected a JSON object with at least one flag"),
    ],
)
def test_an_invalid_value_is_an_error(words, expected):
    with pytest.raises(ArgumentError, match=expected):
        parse(words)


def test_a_comma_inside_json_does_not_end_a_varied_value():
    words = ["benchmark", "--vary", "loss=bce, ce", "--vary", 'loss-kwargs={"gamma": 1, "class_weights": [1, 2]},{}']
    kwargs = ['{"gamma": 1, "class_weights": [1, 2]}', "{}"]
    assert parse(words).vary == [("loss", ["bce", "ce"]), ("loss_kwargs", kwargs)]
