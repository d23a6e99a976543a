"""Claim: as `fuzz_readers.py`, with inputs that coverage-guided fuzzing (Atheris) finds.

    pip install atheris                                          # not a dependency of the project
    python benchmarks/fuzz_guided.py --inputs 10000

Mutates towards bytes that reach new branches of `hf_rumor.corpus`, in one process per reader. Any error but
`CorpusError`, or an input that takes over two seconds, ends it with the input printed and exit status 1.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris


with atheris.instrument_imports(include=["hf_rumor.corpus"]):
    from hf_rumor.corpus.columns import Columns
    from hf_rumor.corpus.formats import open_input
    from hf_rumor.corpus.rows import read_posts

from fuzz_readers import SLOW_SECONDS, seeds

from hf_rumor.errors import CorpusError


def fuzz(name, content, inputs, folder):
    """Fuzz one reader; libFuzzer ends the process."""
    path, corpus = folder / name, folder / "corpus"
    corpus.mkdir()
    (corpus / name).write_bytes(content)

    def read(mutated):
        path.write_bytes(mutated)
        try:
            with open_input(path) as source:
                for post in read_posts(source, Columns()):
                    assert post.text.encode() is not None
        except CorpusError:
            pass

    options = [f"-runs={inputs}", f"-timeout={SLOW_SECONDS:.0f}", "-max_len=20000", "-seed=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], read)
    atheris.Fuzz()


def main():
    """Fuzz every reader; return 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000, help="for each reader (%(default)s)")
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reader:
        with tempfile.TemporaryDirectory() as folder:
            fuzz(arguments.reader, seeds()[arguments.reader], arguments.inputs, Path(folder))
    status = 0
    for name in seeds():
        words = [sys.executable, __file__, "--inputs", str(arguments.inputs), "--reader", name]
        done = subprocess.run(words, capture_output=True, text=True)
        print(f"{name}: {arguments.inputs:,} inputs, {'failed' if done.returncode else 'no failure'}", flush=True)
        if done.returncode:
            print(done.stdout[-2000:], done.stderr[-3000:])
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
