import platform
import subprocess
import sys

import pytest

from hf_rumor.errors import ArgumentError
from hf_rumor.training.hardware import Hardware, choose_precision, detect_hardware, keep_freed_memory


NEW_GPU, OLD_GPU = Hardware("cuda", "new", has_bf16=True), Hardware("cuda", "old", has_bf16=False)
NEW_CPU, OLD_CPU = Hardware("cpu", "new", has_bf16=True), Hardware("cpu", "old", has_bf16=False)


@pytest.mark.parametrize(
    ("hardware", "precision"), [(NEW_GPU, "bf16"), (OLD_GPU, "fp16"), (NEW_CPU, "bf16"), (OLD_CPU, "fp32")]
)
def test_auto_uses_what_the_hardware_supports(hardware, precision):
    assert choose_precision("auto", hardware)[0] == precision


@pytest.mark.parametrize("hardware", [NEW_GPU, OLD_GPU, NEW_CPU, OLD_CPU])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_named_precision_is_used(hardware, precision):
    assert choose_precision(precision, hardware)[0] == precision


def test_emulated_bf16_is_logged():
    assert "emulates" in choose_precision("bf16", OLD_CPU)[1]


def test_fp16_on_a_cpu_is_refused_with_the_reason():
    with pytest.raises(ArgumentError, match="silently train in fp32"):
        choose_precision("fp16", NEW_CPU)


def test_use_cpu_finds_a_cpu():
    assert detect_hardware(use_cpu=True).device == "cpu"


def test_a_gpu_is_reported_by_its_name(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
    assert detect_hardware(use_cpu=False) == Hardware("cuda", "Some GPU", has_bf16=True)


FREED = """
import ctypes, sys
from hf_rumor.training.hardware import keep_freed_memory
import torch
if sys.argv[1] == "keep":
    assert keep_freed_memory()
class Memory(ctypes.Structure):
    _fields_ = [("counts", ctypes.c_int * 10)]  # man 3 mallinfo; the ninth is free and not yet given back
mallinfo = ctypes.CDLL(None).mallinfo
mallinfo.restype = Memory
before = mallinfo().counts[8]
tensor = torch.ones(2**23)
del tensor
print(mallinfo().counts[8] - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
@pytest.mark.parametrize(("what", "is_kept"), [("keep", True), ("return", False)])
def test_freed_memory_is_kept_for_the_next_tensor(what, is_kept):
    finished = subprocess.run([sys.executable, "-c", FREED, what], capture_output=True, check=True)
    assert (int(finished.stdout) >= 2**24) == is_kept  # of 2**25 bytes


def test_without_glibc_nothing_is_set(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("musl", "1"))
    assert not keep_freed_memory()
