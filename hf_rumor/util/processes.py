"""Which of several processes this is, by what torchrun and accelerate launch put into the environment."""

import os


def process_rank() -> int:
    """Return the number of this process, from 0; 0 where no launcher started it."""
    return int(os.environ["RANK"]) if _is_launched() else 0


def num_processes() -> int:
    """Return how many processes the launcher started; 1 without one."""
    return int(os.environ["WORLD_SIZE"]) if _is_launched() else 1


def is_first_process() -> bool:
    """Return whether this process prints and writes."""
    return process_rank() == 0


def _is_launched() -> bool:
    # A job scheduler may set RANK and WORLD_SIZE in a shell too; only a launcher says where the first process listens.
    return all(os.environ.get(name) for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"))
