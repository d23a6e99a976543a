import pytest
import torch

from hf_rumor.errors import ArgumentError
from hf_rumor.training.hardware import Hardware, choose_precision, detect_hardware


NEW_GPU, OLD_GPU = Hardware("cuda", "new", has_bf16=True), Hardware("cuda", "old", has_bf16=False)
NEW_CPU, OLD_CPU = Hardware("cpu", "new", has_bf16=True), Hardware("cpu", "old", has_bf16=False)


@pytest.mark.parametrize(
    ("hardware", "precision"), [(NEW_GPU, "bf16"), (OLD_GPU, "fp16"), (NEW_CPU, "bf16"), (OLD_CPU, "fp32")]
)
def test_auto_is_the_fastest_precision_that_the_hardware_supports(hardware, precision):
    assert choose_precision("auto", hardware)[0] == precision


@pytest.mark.parametrize("hardware", [NEW_GPU, OLD_GPU, NEW_CPU, OLD_CPU])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_named_precision_is_used(hardware, precision):
    assert choose_precision(precision, hardware)[0] == precision


def test_the_reason_states_that_bf16_is_emulated():
    assert "emulates" in choose_precision("bf16", OLD_CPU)[1]


def test_fp16_on_a_cpu_is_refused_with_the_reason():
    with pytest.raises(ArgumentError, match="silently train in fp32"):
        choose_precision("fp16", NEW_CPU)


def test_a_gpu_is_used_unless_use_cpu_is_set(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
    assert detect_hardware(use_cpu=False) == Hardware("cuda", "Some GPU", has_bf16=True)
    assert detect_hardware(use_cpu=True).device == "cpu"
