"""The environment of a run: launcher, device, precision, versions."""

import logging
import os
import platform
from importlib.metadata import version

import torch

from hf_rumor import __version__
from hf_rumor.config.parse import Arguments
from hf_rumor.errors import ArgumentError
from hf_rumor.report.record import Environment
from hf_rumor.training.hardware import Hardware, choose_precision


logger = logging.getLogger(__name__)

SHARDING = {  # variable that accelerate launch sets -> the choice in accelerate config
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "a parallelism config",
}
FSDP_SETTINGS = {  # variable that accelerate launch sets, and its default -> the only supported setting
    ("FSDP_VERSION", "1"): "fsdp_version: 2",
    ("FSDP_STATE_DICT_TYPE", "SHARDED_STATE_DICT"): "fsdp_state_dict_type: SHARDED_STATE_DICT",
    ("FSDP_CPU_RAM_EFFICIENT_LOADING", "false"): "fsdp_cpu_ram_efficient_loading: false",
}
LAUNCHER_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
PACKAGES = ("torch", "transformers", "datasets", "evaluate", "accelerate", "scikit-learn")


def check_launcher() -> None:
    """Refuse ways to distribute a model other than FSDP 2, and ignore variables that no launcher has set.

    Raises:
        ArgumentError: FSDP 1, DeepSpeed or the like, as chosen in `accelerate config`.
    """
    for variable, name in SHARDING.items():
        if _is_set(variable):
            raise ArgumentError(
                f"accelerate launch: {name} is not supported. Choose FSDP 2 or plain multi-GPU in accelerate config."
            )
    for (variable, default), setting in FSDP_SETTINGS.items():
        if is_fsdp_chosen() and os.environ.get(variable, default).lower() != setting.rpartition(" ")[2].lower():
            raise ArgumentError(
                f"accelerate launch: FSDP is only supported with {setting}. Set it in the config file."
            )
    if os.environ.get("ACCELERATE_DYNAMO_BACKEND", "no").lower() != "no":
        raise ArgumentError("accelerate launch: torch dynamo is not supported. Use --torch_compile instead.")
    stray = [name for name in LAUNCHER_VARIABLES if name in os.environ and not os.environ.get("MASTER_ADDR")]
    for name in stray:  # a job scheduler may set them; accelerate would wait for the other processes
        del os.environ[name]
    if stray:
        logger.info("launcher: %s ignored, since MASTER_ADDR is not set", ", ".join(stray))


def check_sharding(*, is_sharded: bool) -> None:
    """Refuse FSDP where accelerate ignores it.

    Raises:
        ArgumentError: It is chosen in `accelerate config`, but the model is not sharded.
    """
    if is_fsdp_chosen() and not is_sharded:
        raise ArgumentError("accelerate launch: FSDP needs several GPUs; here it has no effect. Remove it.")


def is_fsdp_chosen() -> bool:
    """Return whether FSDP is chosen in `accelerate config`."""
    return _is_set("ACCELERATE_USE_FSDP")


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "false").lower() in ("true", "1")


def requested_precisions(arguments: Arguments) -> dict[str, str]:
    """Return the requests for a precision: flag or launcher -> precision."""
    asked: dict[str, str] = {"--precision": arguments.run.precision} if arguments.run.precision != "auto" else {}
    asked |= {f"--{flag}": flag for flag in ("bf16", "fp16") if arguments.training.get(flag)}
    launched = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")  # set by accelerate launch
    return asked | ({"--mixed_precision of accelerate launch": launched} if launched in ("bf16", "fp16") else {})


def resolve_precision(arguments: Arguments, hardware: Hardware) -> tuple[str, str]:
    """Return the precision and the reason, from `--precision`, `--bf16`, `--fp16`, the launcher and the hardware.

    Raises:
        ArgumentError: They contradict each other.
    """
    asked = requested_precisions(arguments)
    if len(set(asked.values())) > 1:
        requests = ", ".join(f"{value} by {source}" for source, value in asked.items())
        raise ArgumentError(f"precision: contradictory ({requests}). Keep one of them.")
    precision, reason = choose_precision(next(iter(asked.values()), "auto"), hardware)
    if not asked and arguments.given.get(precision) is False:
        return "fp32", f"auto: --{precision} False"
    return precision, reason


def describe_environment(hardware: Hardware, precision: str, reason: str, num_processes: int) -> Environment:
    """Return the `environment` part of the report; log the device."""
    logger.info("device: %s; precision %s (%s); %d process(es)", hardware.name, precision, reason, num_processes)
    if num_processes == 1 and hardware.device == "cuda" and torch.cuda.device_count() > 1:
        logger.info("device: 1 of %d GPUs is used; accelerate launch uses all of them", torch.cuda.device_count())
    if num_processes == 1 and "ACCELERATE_USE_CPU" in os.environ:  # set by accelerate launch
        logger.info("launcher: accelerate launch started one process; for several, also on CPUs, use --multi_gpu")
    versions = {"hf_rumor": __version__, "python": platform.python_version()}
    return Environment(
        versions=versions | {name: version(name) for name in PACKAGES},
        platform=platform.platform(),
        device=hardware.name,
        precision=precision,
        precision_reason=reason,
        num_processes=num_processes,
    )
