"""Push checkpoints during training, without delaying or stopping it."""

import json
import logging
import shlex
import threading
from contextlib import ExitStack
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

A rumor classifier for Chinese microblog posts, still being trained by hf_rumor. It is not calibrated, has no threshold
of its own and was not evaluated. The final push replaces this card and the files beside it.
"""


class PushCheckpoints(TrainerCallback):
    """Push each checkpoint in a thread; a push that fails is a warning. Optimizer states are never pushed.

    Args:
        target: Where to push.
        strategy: `end` pushes no checkpoint; `every_save` pushes each to the top of the repository; `checkpoint` also
            into `last-checkpoint/`; `all_checkpoints` also into a folder each.
        license_id: License in the card of a checkpoint.
        always: Push every checkpoint, one after the other; else skip those saved during a push.
    """

    def __init__(self, target: Target, strategy: str, license_id: str, *, always: bool = False) -> None:
        self.target = target
        self.strategy = strategy
        self.license_id = license_id
        self.always = always
        self._last: threading.Thread | None = None
        self._is_finishing = False

    def is_pushing(self) -> bool:
        """Return whether a push is running or queued."""
        return self._last is not None and self._last.is_alive()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Open the files of the checkpoint, so that they stay readable after its removal, and push them."""
        if self.strategy == "end" or not state.is_world_process_zero:
            return
        step = state.global_step
        if self.is_pushing() and not self.always:
            logger.info("push: checkpoint-%d skipped, the previous push is still running", step)
            return
        files = ExitStack()
        try:
            uploads = self._contents(Path(str(args.output_dir)), step, files)
        except (RumorError, OSError) as error:
            files.close()
            logger.warning("push: checkpoint-%d skipped: %s", step, error)
            return
        # A daemon does not keep the process from ending, unlike run_as_future of huggingface_hub.
        self._last = threading.Thread(target=self._push, args=(step, uploads, files, self._last), daemon=True)
        self._last.start()

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

    def _push(self, step: int, uploads: list[Upload], files: ExitStack, previous: threading.Thread | None) -> None:
        with files:
            if previous:
                previous.join()
            if self._is_finishing:  # the final push replaces it
                return
            try:
                push(self.target, uploads, f"Checkpoint at step {step}", WAITS[:1])
            except Exception as error:  # training continues after any error
                logger.warning("push: checkpoint-%d skipped: %s", step, error)

    def finish(self, folder: Path, report: Report) -> bool:
        """Push the finished folder, instead of queued checkpoints; return whether it succeeded."""
        self._is_finishing = True
        if self._last:
            self._last.join()  # at most one push, with its own time limits
        try:
            url = push(self.target, contents_of(folder, portable(report)), "Model after training")
        except (RumorError, OSError) as error:
            words = ["hf-rumor", "push", str(folder), self.target.repo_id]
            words += ["--revision", self.target.revision] if self.target.revision else []
            words += ["--private"] if self.target.private else []
            logger.warning("push: %s", error)
            logger.warning("push: the model is complete in %s. To push it later: %s", folder, shlex.join(words))
            return False
        logger.info("push: done: %s", url)
        return True
