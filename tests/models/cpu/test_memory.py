import platform
import subprocess
import sys

import pytest

from hf_rumor.models.cpu.memory import keep_freed_memory


FREED = """
import ctypes, sys
from hf_rumor.models.cpu.memory import keep_freed_memory
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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can keep memory")
@pytest.mark.parametrize(("what", "is_kept"), [("keep", True), ("give back", False)])
def test_freed_memory_is_kept_for_the_next_tensor(what, is_kept):
    finished = subprocess.run([sys.executable, "-c", FREED, what], capture_output=True, check=True)
    assert (int(finished.stdout) >= 2**24) == is_kept  # of 2**25 bytes


def test_nothing_happens_without_glibc(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("musl", "1"))
    assert not keep_freed_memory()
