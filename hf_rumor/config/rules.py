"""What is refused among the flags of a run, which of them belong together, and what else is known by name."""

# TrainingArguments that a run cannot respect, and what to do instead.
REFUSED = {
    "label_smoothing_factor": """Use --loss_kwargs '{"label_smoothing": 0.1}' instead""",
    "hub_token": "Set the environment variable HF_TOKEN instead; as a flag, the token would be written to files",
    "prediction_loss_only": "Remove it: a metric selects the best checkpoint",
    "batch_eval_metrics": "Remove it: the metrics need all validation posts at once",
    "eval_do_concat_batches": "Remove it: the metrics need all validation posts at once",
    "include_for_metrics": "Remove it: the metrics need logits and labels only",
    "label_names": "Remove it: the label column is always named labels",
    "remove_unused_columns": "Remove it: ids and texts must not reach the model",
    "length_column_name": "Remove it: lengths are counted in tokens",
    **dict.fromkeys(("use_liger_kernel", "liger_kernel_config"), "Remove it: Liger has no kernel for classifiers"),
    **dict.fromkeys(("bf16_full_eval", "fp16_full_eval"), "Remove it: posts are always scored in float32"),
    "enable_jit_checkpoint": "Remove it: SIGTERM and Ctrl-C always save a checkpoint",
    **dict.fromkeys(("do_train", "do_eval", "do_predict"), "Remove it: a run always trains, validates and tests"),
    **dict.fromkeys(
        ("fsdp", "fsdp_config", "deepspeed", "parallelism_config"),
        "Choose FSDP 2 or plain multi-GPU in accelerate config instead",
    ),
}

# Flags without effect unless another one is given.
REQUIRES = {
    **dict.fromkeys(
        ("hub_model_id", "hub_strategy", "hub_private_repo", "hub_always_push", "hub_revision"), "push_to_hub"
    ),
    "push_to_hub": "license",
    **dict.fromkeys(("lora_alpha", "lora_dropout"), "lora_r"),
    **dict.fromkeys(("unlabelled_path", "distillation_weight", "distillation_temperature"), "teacher"),
}

# The smallest sensible values; Trainer fails on smaller ones in the middle of a run.
MINIMUMS = {
    "split_seed": 0,
    "seed": 0,
    "data_seed": 0,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "dataloader_num_workers": 0,
    "learning_rate": 0,
    "num_train_epochs": 0,
    "early_stopping_patience": 0,
    "adversarial_radius": 0,
    "lora_r": 0,
    "lora_alpha": 1,
    "lora_dropout": 0,
    "max_length": 3,  # two of them are special tokens
}
MAX_SEED = 2**32 - 1  # largest seed that NumPy accepts

PATHS = (
    "model_name_or_path",
    "teacher",
    "unlabelled_path",
    "output_dir",
    "resume_from_checkpoint",
)  # in which ~ is expanded

# Which posts are read, and how.
OF_THE_CORPUS = ("data_path", "text_column", "label_column", "id_column", "label_map", "keep_copies")

# Where results go, not what they are: two runs that differ only in these are the same run.
NOT_IN_RECIPE = (
    *("output_dir", "resume_from_checkpoint", "license", "language", "ddp_timeout"),
    *("push_to_hub", "hub_model_id", "hub_strategy", "hub_private_repo", "hub_always_push", "hub_revision"),
)

# Flags of other tools, and the closest one here.
ALIASES = {
    alias: flag
    for flag, aliases in {
        "data_path": "train_file dataset_name dataset data data_dir input",
        "text_column": "text_column_name text_column_names",
        "label_column": "label_column_name",
        "split": "validation_file test_file eval_file",
        "model_name_or_path": "model model_name pretrained_model_name_or_path",
        "max_length": "max_seq_length max_seq_len max_len",
        "loss": "criterion loss_function loss_fn",
        "adversarial_radius": "fgm_epsilon adv_epsilon",
        "precision": "torch_dtype dtype mixed_precision",
        "decision": "threshold",
        "early_stopping_patience": "patience early_stopping",
        "learning_rate": "lr",
        "num_train_epochs": "epochs num_epochs max_epochs",
        "per_device_train_batch_size": "batch_size train_batch_size bs",
        "per_device_eval_batch_size": "eval_batch_size test_batch_size",
        "gradient_accumulation_steps": "accumulation_steps grad_accum",
        "weight_decay": "wd l2",
        "warmup_steps": "warmup_ratio warmup num_warmup_steps",
        "lr_scheduler_type": "scheduler lr_scheduler",
        "optim": "optimizer",
        "eval_strategy": "evaluation_strategy",
        "train_sampling_strategy": "group_by_length",
        "use_cpu": "no_cuda cpu",
    }.items()
    for alias in aliases.split()
}
