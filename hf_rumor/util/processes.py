"""The rank of this process and the number of processes, as set by torchrun and accelerate launch."""

import os


def process_rank() -> int:
    """Return the rank of this process; 0 without a launcher."""
    return int(os.environ["RANK"]) if _is_launched() else 0


def num_processes() -> int:
    """Return the number of processes; 1 without a launcher."""
    return int(os.environ["WORLD_SIZE"]) if _is_launched() else 1


def is_first_process() -> bool:
    """Return whether this process prints and writes."""
    return process_rank() == 0


def _is_launched() -> bool:
    # A job scheduler may set RANK and WORLD_SIZE too, but only a launcher sets MASTER_ADDR.
    return all(os.environ.get(name) for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"))
