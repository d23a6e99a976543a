"""Our subclass of `transformers.Trainer`: the only file that uses its internals (checked with transformers 5.23)."""

import copy
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from transformers import Trainer, TrainerState
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import has_length

from hf_rumor.errors import ArgumentError
from hf_rumor.labels import PROBLEM_TYPES
from hf_rumor.models.cpu.speed import speed_up_training
from hf_rumor.models.lora import classifier_in, merge_lora
from hf_rumor.training.adversary import Adversary
from hf_rumor.training.distillation import COLUMN, Distillation
from hf_rumor.training.layers import decay_learning_rates
from hf_rumor.training.losses import Loss, as_loss
from hf_rumor.training.sampler import ShuffledLengthGroupedSampler
from hf_rumor.training.sharding import gather


SETTLE_SECONDS = 0.5  # between the last collective operation and the end of a process group


class RumorTrainer(Trainer):
    """A drop-in `Trainer` whose loss is an argument, exact under gradient accumulation and several processes.

    Differs from `Trainer` in these points:

    - `compute_loss` applies `loss`; `outputs.loss` of the model is never computed.
    - Batches grouped by length come in random order, and are for training only; evaluation and prediction keep the
      order of the dataset, and all of its posts.
    - Labels are ints, in a column `label` or `labels`; they become one-hot here.
    - `problem_type` of the model is set if it is None, so that pipelines form the probabilities that the loss trained.

    Args:
        *args: As for `Trainer`.
        loss: `bce`, `ce`, `focal`, `mse`, `package.module:name`, a `Loss` of `make_loss`, or a function of float32
            `(logits, one-hot target)`, both of *shape* `(batch, 2)`, that returns the mean over the batch.
        layer_lr_decay: Learning rate of each layer as a share of that of the layer above; 1: the same for all (Clark
            et al., 2020, https://arxiv.org/abs/2003.10555).
        adversarial_radius: Radius of the embedding perturbation, at least 0 (FGM: Miyato et al., 2017,
            https://arxiv.org/abs/1605.07725). Above 0, each step costs twice the time.
        distillation: How the column `teacher` of the training posts is used: logits of rumor by another model.
        speed_up: Whether to use faster, equivalent operations on a CPU; see `hf_rumor.models.cpu.speed`.
        **kwargs: As for `Trainer`.

    Raises:
        ArgumentError: The loss is unknown or is not a mean; an argument would have no effect; or one process has
            several GPUs (`nn.DataParallel`), where the share of a micro-batch is not known.
    """

    # `compute_loss` returns the share of the whole optimizer step; `Trainer` must not divide it again.
    loss_is_scaled_for_ga = True

    def __init__(
        self,
        *args: Any,
        loss: str | Loss | Callable[[Tensor, Tensor], Tensor] = "bce",
        layer_lr_decay: float = 1.0,
        adversarial_radius: float = 0.0,
        distillation: Distillation | None = None,
        speed_up: bool = True,
        **kwargs: Any,
    ) -> None:
        self.loss = as_loss(loss)
        self.layer_lr_decay = layer_lr_decay
        self.adversarial_radius = adversarial_radius
        self.distillation = distillation
        self.speed_up = speed_up
        self.resumed_at: int | None = None  # step of the checkpoint from which training resumed
        self._loss_sum: Tensor | float = 0.0
        self._num_posts = 0
        super().__init__(*args, **kwargs)
        if self.args.n_gpu > 1:
            raise ArgumentError("RumorTrainer: nn.DataParallel is not supported. Use accelerate launch or torchrun.")
        if self.compute_loss_func is not None:
            raise ArgumentError("RumorTrainer: compute_loss_func would have no effect. Use loss=... instead.")
        if self.args.label_smoothing_factor:
            raise ArgumentError(
                "RumorTrainer: label_smoothing_factor would have no effect. Use loss=make_loss(name, "
                "{'label_smoothing': ...}) instead."
            )
        if isinstance(self.loss.function, nn.Module):
            self.loss.function.to(self.args.device)
        config: Any = getattr(self.model, "config", None)
        if getattr(config, "problem_type", "") is None:
            config.problem_type = PROBLEM_TYPES[self.loss.activation]
        self._whole = copy.deepcopy(self.model) if self.is_fsdp_enabled else None  # for the weights of the shards
        self._prepare(self.model)
        # Makes Trainer count the labels of each optimizer step and pass the count as `num_items_in_batch`.
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the loss of a micro-batch as a scalar, and the outputs if `return_outputs`.

        In training, the mean over the micro-batch is weighted by its share of all labels of the step, so that the
        gradient is that of one large batch: (4, 4, 2) with accumulation equals 10 at once.
        """
        labels = inputs["labels"]
        outputs = model(**{name: value for name, value in inputs.items() if name not in ("labels", COLUMN)})
        logits = outputs["logits"].float()  # (batch, 2)
        if self.distillation is not None and COLUMN in inputs:
            loss = self.distillation.loss(self.loss.function, logits, labels, inputs[COLUMN])
        else:
            target = F.one_hot(labels, logits.shape[-1]).to(logits.dtype)  # (batch, 2)
            loss = self.loss.function(logits, target)
        if model.training:
            if self.adversary is None or not self.adversary.is_attacking:
                self._loss_sum = self._loss_sum + loss.detach() * labels.numel()
                self._num_posts += labels.numel()
            loss = loss * self._share_of_step(labels.numel(), num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Add the gradients of a micro-batch and of its adversarial pass; return the plain loss."""
        with self.step_context:
            loss: Tensor = super().training_step(model, inputs, num_items_in_batch)
            if self.adversary is not None:
                with self.adversary.attacking():
                    super().training_step(model, inputs, num_items_in_batch)
        return loss

    def _share_of_step(self, num_labels: int, num_items_in_batch: Tensor | int | None) -> Tensor | float:
        if num_items_in_batch is None:
            return 1.0 / float(self.current_gradient_accumulation_steps)
        # With average_tokens_across_devices the count is that of all processes, whose gradients DDP then averages.
        num_processes = self.accelerator.num_processes if self.args.average_tokens_across_devices else 1
        return num_labels * num_processes / num_items_in_batch

    def _prepare(self, model: Any) -> None:
        self.step_context = speed_up_training(classifier_in(model), self.args) if self.speed_up else nullcontext()
        self.adversary = Adversary(model, self.adversarial_radius) if self.adversarial_radius else None

    def call_model_init(self, trial: Any = None) -> nn.Module:
        """Return a fresh model for a trial of a search."""
        model: nn.Module = super().call_model_init(trial)
        self._prepare(model)
        return model

    def _hp_search_setup(self, trial: Any) -> None:
        """Use the batch size of a trial; `Trainer` would keep the one it started with."""
        super()._hp_search_setup(trial)
        self._train_batch_size = self.args.train_batch_size

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the logits of the teacher, which the model does not take."""
        super()._set_signature_columns_if_needed()
        columns: Any = self._signature_columns
        self._signature_columns = [*columns, COLUMN]  # type: ignore[assignment]

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Return the optimizer of `TrainingArguments`, with lower learning rates for lower layers."""
        is_new = self.optimizer is None
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        if is_new and self.layer_lr_decay != 1.0:
            decay_learning_rates(optimizer, self.model if model is None else model, self.layer_lr_decay)
        return optimizer

    def rehearse(self, max_length: int) -> None:
        """Create optimizer and schedule, and compute one loss, to find errors before anything is written.

        The batch has a post of `max_length` tokens. The model does not change.
        """
        self.create_optimizer_and_scheduler(num_training_steps=1000)
        self.optimizer = self.lr_scheduler = None
        rows = list(islice(self.train_dataset, 2))  # type: ignore[arg-type]
        rows += [{name: (v * max_length)[:max_length] if isinstance(v, list) else v for name, v in rows[0].items()}]
        collate = self._get_collator_with_removed_columns(self.data_collator, description="training")
        model: Any = self.model
        model.eval()
        with torch.no_grad(), self.accelerator.autocast():
            self.compute_loss(model, self._prepare_inputs(collate(rows)))

    def train_from(self, checkpoint: Path | None) -> None:
        """Train, from `checkpoint` unless it is None; if it is from the last step, only load its result.

        `Trainer` would take one more step before it compares the number of steps.
        """
        state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME)) if checkpoint else None
        self.resumed_at = state.global_step if state else None
        if state is None or state.global_step < self._planned_steps(state):
            self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            return
        self._load_from_checkpoint(str(checkpoint))
        self.state = state
        if self.args.load_best_model_at_end and state.best_model_checkpoint:
            self._load_best_model()

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Save a checkpoint, and agree on the best one: each process of `Trainer` looks for its folder.

        The first process may not have created it by then. The others would not load the best model at the end.
        """
        super()._save_checkpoint(*args, **kwargs)
        if self.args.world_size > 1:
            [self.state.best_model_checkpoint] = broadcast_object_list([self.state.best_model_checkpoint])

    def _planned_steps(self, state: TrainerState) -> int:
        if self.args.max_steps > 0:
            return self.args.max_steps
        if self.args.auto_find_batch_size:  # only the checkpoint contains the batch size that was chosen
            return state.max_steps
        steps_per_epoch = max(1, math.ceil(len(self.get_train_dataloader()) / self.args.gradient_accumulation_steps))
        return math.ceil(self.args.num_train_epochs * steps_per_epoch)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the mean training loss since the last validation (on this process) to each validation's log."""
        if "eval_loss" in logs and self._num_posts:
            logs["mean_loss"] = float(self._loss_sum) / self._num_posts
            self._loss_sum, self._num_posts = 0.0, 0
        super().log(logs, start_time)

    def leave_processes(self) -> None:
        """Wait for the other processes, then leave their group: a process that leaves first can abort the others."""
        if self.accelerator.num_processes > 1:
            self.accelerator.wait_for_everyone()
            # The thread of gloo needs the GIL to free its last tensors. The destructor of the group holds the GIL and
            # would wait for this thread forever (seen once, torch 2.13.0). A sleep releases the GIL.
            time.sleep(SETTLE_SECONDS)
            self.accelerator.end_training()

    def make_plain(self) -> None:
        """Replace the model by a plain one with its weights, on each process.

        A model that FSDP has sharded is gathered, in float32; adapters of LoRA are merged.
        """
        model = self.plain_model()
        if self._whole is not None:
            model, self._whole, self.is_fsdp_enabled = gather(model, self._whole).to(self.args.device), None, False
        self.model = self.model_wrapped = merge_lora(model)

    def plain_model(self) -> Any:
        """Return the model without the wrapper of accelerate for bf16 and fp16."""
        return self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)

    def _get_dataloader(self, *args: Any, **kwargs: Any) -> DataLoader[Any]:
        """Skip no post in evaluation and prediction: `dataloader_drop_last` is for training only."""
        shared = self.args
        if not kwargs.get("is_training"):
            self.args = copy.copy(shared)
            self.args.dataloader_drop_last = False
        try:
            return super()._get_dataloader(*args, **kwargs)
        finally:
            self.args = shared

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        """Group posts by length as `Trainer` would, but with the batches in random order, over all processes."""
        sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
        if isinstance(sampler, LengthGroupedSampler):
            seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
            return ShuffledLengthGroupedSampler(sampler.batch_size * self.args.world_size, sampler.lengths, seed)
        return sampler

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler[int] | None:
        """Keep the order of the dataset: `Trainer` would group evaluation by length too, and permute predictions."""
        if self.args.world_size > 1 or not has_length(eval_dataset):
            return None
        return SequentialSampler(eval_dataset)
