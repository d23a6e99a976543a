"""The Python API: the runs of the command line, with Python values."""

from pathlib import Path
from typing import Any, Literal

from hf_rumor.config.parse import parse_arguments, words_of
from hf_rumor.corpus.arrow import Corpus, load_corpus
from hf_rumor.errors import ArgumentError
from hf_rumor.report.record import Report
from hf_rumor.runs.evaluate import evaluate_outside
from hf_rumor.runs.resolve import InMemory
from hf_rumor.runs.train import Finished
from hf_rumor.runs.train import train as run_training
from hf_rumor.util.translation import Language


def train(
    data: str | Path | InMemory, *, output_dir: str | Path = "out", recipe: str | Path | None = None, **flags: Any
) -> Finished | None:
    """Train a rumor classifier and report how good it is.

    Args:
        data: A corpus, split or not; a `datasets.Dataset` of texts and labels; a path, `hub:user/dataset`, or `auto`.
        output_dir: Folder for the model and the report.
        recipe: A file of flags, or a bundled recipe.
        **flags: The flags of `hf-rumor train`, with Python values; they override the recipe.

    Returns:
        The finished run, with its `report` and `folder`; None on all processes but the first.

    Raises:
        RumorError: A user error; nothing is left half-written.
    """
    if "data_path" in flags:
        raise ArgumentError("data_path: given twice. Pass the corpus as the first argument only.")
    path, in_memory = (data, None) if isinstance(data, str | Path) else (None, data)
    words = words_of({**flags, "data_path": path, "output_dir": output_dir})
    return run_training(parse_arguments([str(recipe), *words] if recipe else words), in_memory)


def evaluate(
    model: str | Path,
    data: Any,
    *,
    output_dir: str | Path = "evaluation",
    revision: str | None = None,
    language: Language = "en",
    prior: float | Literal["auto"] | None = None,
) -> Report:
    """Evaluate a finished model on the labeled posts of another corpus.

    Args:
        model: A finished folder, or a model on the Hub.
        data: As for `load_corpus`.
        output_dir: Folder for the report.
        revision: Branch, tag or commit of a model on the Hub; None: the newest.
        language: Language of the report.
        prior: Share of rumors to which the probabilities are adjusted; `auto`: estimated from the posts.

    Returns:
        The report on these posts, as written to `output_dir`.

    Raises:
        RumorError: A user error, such as a model or a corpus that cannot be read.
    """
    corpus = data if isinstance(data, Corpus) else load_corpus(data)
    return evaluate_outside(str(model), corpus, Path(output_dir).expanduser(), revision, language, prior)
