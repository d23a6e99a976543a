"""The device of this process, and the precision of training on it."""

from dataclasses import dataclass

import torch

from hf_rumor.errors import ArgumentError
from hf_rumor.models.cpu.features import has_bf16


@dataclass(frozen=True)
class Hardware:
    """The device of this process."""

    device: str  # "cuda" or "cpu"
    name: str  # for the log and the report
    has_bf16: bool  # computes in bfloat16 instead of emulating it


def detect_hardware(*, use_cpu: bool) -> Hardware:
    """Return the device: CUDA if available and `use_cpu` is not set, else the CPU."""
    if torch.cuda.is_available() and not use_cpu:
        return Hardware("cuda", torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False))
    return Hardware("cpu", f"CPU, {torch.get_num_threads()} threads", has_bf16())


def choose_precision(requested: str, hardware: Hardware) -> tuple[str, str]:
    """Return `fp32`, `bf16` or `fp16` as requested, and the reason.

    `auto` is bf16 if the hardware supports it, else fp16 on CUDA, else fp32.

    Raises:
        ArgumentError: fp16 on a CPU.
    """
    if requested == "fp16" and hardware.device == "cpu":
        raise ArgumentError(
            "--precision fp16: needs a CUDA device; on a CPU, Trainer would silently train in fp32. Use auto, bf16 or "
            "fp32."
        )
    if requested == "bf16" and not hardware.has_bf16:
        return "bf16", "as requested; this device emulates it, which is slow"
    if requested != "auto":
        return requested, "as requested"
    if hardware.has_bf16:
        return "bf16", "auto: supported by the device"
    if hardware.device == "cuda":
        return "fp16", "auto: the device does not support bf16"
    return "fp32", "auto: this CPU does not support bf16"
