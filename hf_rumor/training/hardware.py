"""What there is to compute with, and in which precision it should."""

from dataclasses import dataclass

import torch

from hf_rumor.errors import ArgumentError
from hf_rumor.models.cpu.features import has_bf16


@dataclass(frozen=True)
class Hardware:
    """The device of this process.

    Attributes:
        device: `cuda` or `cpu`.
        name: For people.
        has_bf16: Whether it computes in bfloat16 rather than imitating it.
    """

    device: str
    name: str
    has_bf16: bool


def detect_hardware(*, use_cpu: bool) -> Hardware:
    """Return what this process computes on: CUDA where there is one and `use_cpu` is not set, else the CPU."""
    if torch.cuda.is_available() and not use_cpu:
        return Hardware("cuda", torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False))
    return Hardware("cpu", f"CPU, {torch.get_num_threads()} threads", has_bf16())


def choose_precision(requested: str, hardware: Hardware) -> tuple[str, str]:
    """Return `fp32`, `bf16` or `fp16`, and why.

    Args:
        requested: One of these, which is used or refused; or `auto`: bf16 where the hardware has it, else fp16 on
            CUDA, else fp32.
        hardware: The device.

    Raises:
        ArgumentError: fp16 on a CPU.
    """
    if requested == "fp16" and hardware.device == "cpu":
        raise ArgumentError(
            "fp16: expected a CUDA device, found a CPU, on which Trainer would silently train in fp32; take "
            "--precision auto, bf16 or fp32"
        )
    if requested == "bf16" and not hardware.has_bf16:
        return "bf16", "as asked; this device only imitates it, slowly"
    if requested != "auto":
        return requested, "as asked"
    if hardware.has_bf16:
        return "bf16", "auto: the device has it"
    if hardware.device == "cuda":
        return "fp16", "auto: the device has no bf16"
    return "fp32", "auto: this CPU has no bf16"
