import logging
import os

import pytest

from hf_rumor.config.parse import parse_arguments
from hf_rumor.errors import ArgumentError
from hf_rumor.runs.environment import (
    LAUNCHER_VARIABLES,
    check_launcher,
    check_sharding,
    describe_environment,
    resolve_precision,
)
from hf_rumor.training.hardware import Hardware


CPU = Hardware("cpu", "CPU, 2 threads", has_bf16=True)


def test_the_launcher_may_choose_the_precision_but_not_another_one(monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert resolve_precision(parse_arguments([]), CPU) == ("bf16", "as requested")
    with pytest.raises(ArgumentError, match="bf16 by --mixed_precision of accelerate launch"):
        resolve_precision(parse_arguments(["--precision", "fp32"]), CPU)


def test_a_precision_that_is_declined_is_not_used():
    assert resolve_precision(parse_arguments([]), CPU)[0] == "bf16"
    assert resolve_precision(parse_arguments(["--bf16", "False"]), CPU) == ("fp32", "auto: --bf16 False")


def test_a_launcher_that_starts_one_process_is_logged(monkeypatch, caplog):
    with caplog.at_level(logging.INFO):
        describe_environment(CPU, "fp32", "as requested", 1)
        assert "launcher" not in caplog.text
        monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
        environment = describe_environment(CPU, "fp32", "as requested", 1)
    assert "accelerate launch started one process" in caplog.text
    assert environment.num_processes == 1


def test_several_gpus_without_a_launcher_are_logged(monkeypatch, caplog):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    with caplog.at_level(logging.INFO):
        describe_environment(Hardware("cuda", "Some GPU", has_bf16=True), "bf16", "as requested", 1)
    assert "1 of 4 GPUs is used; accelerate launch uses all of them" in caplog.text


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ACCELERATE_USE_FSDP", "true", "FSDP is only supported with fsdp_version: 2"),
        ("ACCELERATE_USE_DEEPSPEED", "true", "DeepSpeed is not supported"),
        ("ACCELERATE_USE_MEGATRON_LM", "true", "Megatron-LM is not supported"),
        ("ACCELERATE_DYNAMO_BACKEND", "INDUCTOR", "Use --torch_compile"),
    ],
)
def test_launchers_that_shard_or_compile_are_refused(monkeypatch, variable, value, message):
    for plain in ("false", "NO"):
        monkeypatch.setenv(variable, "NO" if "DYNAMO" in variable else plain)
        check_launcher()
    monkeypatch.setenv(variable, value)
    with pytest.raises(ArgumentError, match=message):
        check_launcher()


@pytest.mark.parametrize(
    ("variable", "value", "setting"),
    [
        ("FSDP_VERSION", "1", "fsdp_version: 2"),
        ("FSDP_STATE_DICT_TYPE", "FULL_STATE_DICT", "fsdp_state_dict_type: SHARDED_STATE_DICT"),
        ("FSDP_CPU_RAM_EFFICIENT_LOADING", "true", "fsdp_cpu_ram_efficient_loading: false"),
    ],
)
def test_fsdp_is_supported_with_some_settings(monkeypatch, variable, value, setting):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "2")
    check_launcher()
    monkeypatch.setenv(variable, value)
    with pytest.raises(ArgumentError, match=f"FSDP is only supported with {setting}"):
        check_launcher()


def test_fsdp_is_refused_where_it_has_no_effect(monkeypatch):
    check_sharding(is_sharded=False)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    check_sharding(is_sharded=True)
    with pytest.raises(ArgumentError, match="FSDP needs several GPUs"):
        check_sharding(is_sharded=False)


def test_variables_of_a_launcher_count_with_its_address_only(monkeypatch, caplog):
    for name in LAUNCHER_VARIABLES:
        monkeypatch.setenv(name, "2")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    check_launcher()
    assert {*LAUNCHER_VARIABLES} <= os.environ.keys()
    monkeypatch.delenv("MASTER_ADDR")
    with caplog.at_level(logging.INFO):
        check_launcher()
    assert not {*LAUNCHER_VARIABLES} & os.environ.keys()
    assert "RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE ignored" in caplog.text
