"""Push checkpoints while a run trains, without stalling or breaking it."""

import json
import logging
import queue
import shlex
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from hf_rumor.errors import RumorError
from hf_rumor.hub.contents import Upload, check_private, contents_of, model_contents
from hf_rumor.hub.push import WAITS, Target, push
from hf_rumor.report.card import CARD_FILE
from hf_rumor.report.portable import portable, portable_value
from hf_rumor.report.record import Report


logger = logging.getLogger(__name__)

STATE_FILE = "trainer_state.json"
UNFINISHED = """\
---
language: zh
license: {license_id}
library_name: transformers
pipeline_tag: text-classification
tags:
- rumor-detection
- hf_rumor
---

# Unfinished: checkpoint at step {step}

A rumor classifier for Chinese microblog posts that is still being trained by hf_rumor. It is not calibrated, has no
threshold of its own, and nothing is known of how good it is. This card and the files beside it are replaced when
training ends.
"""


class PushCheckpoints(TrainerCallback):
    """Hands each checkpoint to a thread that pushes it; what goes wrong there is a warning.

    Args:
        target: Where.
        strategy: `end` pushes no checkpoint; `every_save` each, at the top of the repository; `checkpoint` also into
            `last-checkpoint/`; `all_checkpoints` also into a folder for each. Optimizer states are pickles and stay.
        license_id: For the card of a checkpoint.
        always: Let pushes queue up; else a checkpoint is left out while the one before is under way.
    """

    def __init__(self, target: Target, strategy: str, license_id: str, *, always: bool = False) -> None:
        self.target = target
        self.strategy = strategy
        self.license_id = license_id
        self.always = always
        self._jobs: queue.Queue[tuple[int, list[Upload], ExitStack]] = queue.Queue()
        self._worker: threading.Thread | None = None

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Open the files of the checkpoint, so that they stay readable when it is removed, and let the thread push."""
        if self.strategy == "end" or not state.is_world_process_zero:
            return
        if self._jobs.unfinished_tasks and not self.always:
            logger.info("push: the one before is under way; checkpoint-%d is left out", state.global_step)
            return
        files = ExitStack()
        try:
            uploads = self._contents(Path(str(args.output_dir)), state.global_step, files)
        except (RumorError, OSError) as error:
            files.close()
            logger.warning("push: checkpoint-%d is left out: %s", state.global_step, error)
            return
        self._jobs.put((state.global_step, uploads, files))
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, daemon=True)  # never keeps the process from ending
            self._worker.start()

    def _contents(self, folder: Path, step: int, files: ExitStack) -> list[Upload]:
        checkpoint = folder / f"checkpoint-{step}"
        uploads = model_contents(checkpoint)
        if inner := {"checkpoint": "last-checkpoint", "all_checkpoints": checkpoint.name}.get(self.strategy):
            state = portable_value(json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8")))
            copies = [*uploads, Upload(STATE_FILE, json.dumps(state, indent=2).encode())]
            uploads += [replace(upload, path=f"{inner}/{upload.path}") for upload in copies]
        uploads.append(Upload(CARD_FILE, UNFINISHED.format(license_id=self.license_id, step=step).encode()))
        check_private(uploads)
        return [
            replace(upload, content=files.enter_context(upload.content.open("rb")))
            if isinstance(upload.content, Path)
            else upload
            for upload in uploads
        ]

    def _work(self) -> None:
        while True:
            step, uploads, files = self._jobs.get()
            try:
                push(self.target, uploads, f"Checkpoint at step {step}", WAITS[:1])
            except Exception as error:  # whatever it is, training goes on
                logger.warning("push: checkpoint-%d is left out: %s", step, error)
            finally:
                files.close()
                self._jobs.task_done()

    def finish(self, folder: Path, report: Report) -> bool:
        """Push the finished folder in place of what waits; return whether it is there, and tell how to do it later."""
        with suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()[2].close()
                self._jobs.task_done()
        try:
            self._jobs.join()  # one push at most, which has its own time limits
            address = push(self.target, contents_of(folder, portable(report)), "Model after training")
        except (RumorError, OSError) as error:
            logger.warning("push: %s", error)
            words = ["hf-rumor", "push", str(folder), self.target.repo_id]
            words += ["--revision", self.target.revision] if self.target.revision else []
            words += ["--private"] if self.target.private else []
            command = shlex.join(words)
            logger.warning("push: the model is whole in %s; to push it later: %s", folder, command)
            return False
        logger.info("push: done: %s", address)
        return True
