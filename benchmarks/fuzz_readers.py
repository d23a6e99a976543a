"""Claim: for any bytes, a reader returns posts or raises a `CorpusError`, in bounded time.

    python benchmarks/fuzz_readers.py --inputs 10000

Mutates small corpora of every format: flips, cuts and repeats bytes, and inserts bytes that parsers often mishandle.
Prints one line per reader, and every input that raised anything but a `CorpusError` or took over two seconds. In that
case the exit status is 1.
"""

import argparse
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pyarrow
import pyarrow.parquet

from hf_rumor.corpus.columns import Columns
from hf_rumor.corpus.formats import open_input
from hf_rumor.corpus.rows import read_posts
from hf_rumor.errors import CorpusError


ROWS = [
    {"id": str(n), "text": f"听说第{n}条路明天停水，速转！", "label": n % 2, "posted_at": 1372480809 + n}
    for n in range(6)
]
DISLIKED = [
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"\\", b"\n", b"\r", b",", b"\t", b"{", b"[", b"]", b"}", b"null"),
    *(b"1e999", b"-", b"\\ud800", b"NaN", b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, "谣言".encode("gb18030")),
    *(b"PK\3\4", b"PK\5\6", b"PAR1", b"\xff" * 4, b"\x7f\xff\xff\xff", b"../", b"\xed\xa0\x80", "\u202e".encode()),
]
SLOW_SECONDS = 2.0


def seeds():
    """Return a small corpus of each format: name of the file -> bytes."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
    tables = {
        name: "\n".join(mark.join(map(str, row)) for row in (ROWS[0], *(row.values() for row in ROWS))).encode()
        for name, mark in (("posts.csv", ","), ("posts.tsv", "\t"))
    }
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), parquet)
    archives = {}
    reposts = json.dumps([{"mid": "1", "text": "转", "date": "2013-06-29 12:40:09", "uid": "8", "parent": ""}])
    for name, compression in (("corpus-stored.zip", zipfile.ZIP_STORED), ("corpus.zip", zipfile.ZIP_DEFLATED)):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", compression) as writer:
            for row in ROWS:
                file, post = f"{row['id']}_M_7.json", json.dumps({"text": row["text"], "time": row["posted_at"]})
                writer.writestr(f"x/original-microblog/{file}", post)
                writer.writestr(f"x/{'rumor' if row['label'] else 'non-rumor'}-repost/{file}", reposts)
        archives[name] = archive.getvalue()
    return {"posts.jsonl": lines, "posts.parquet": parquet.getvalue(), **archives, **tables}


def mutate(content, generator):
    """Return the bytes with one to four mutations."""
    changed = bytearray(content)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(changed) + 1)
        kind = generator.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            del changed[at : at + generator.choice([1, 2, 8, 100])]
        elif kind == 2:
            changed[at:at] = generator.choice(DISLIKED)
        elif kind == 3:
            word = generator.choice(DISLIKED)
            changed[at : at + len(word)] = word
        elif kind == 4:
            changed[at:at] = changed[at : at + generator.choice([1, 20, 500])]
        else:
            del changed[at:]
    return bytes(changed)


def main():
    """Fuzz every reader; return 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000, help="for each reader (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    num_failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, content in seeds().items():
            generator = random.Random(f"{arguments.seed} {name}")
            path, slowest, num_read = Path(folder) / name, 0.0, 0
            for number in range(arguments.inputs):
                path.write_bytes(mutate(content, generator) if number else content)
                start = time.process_time()  # wall time would include other processes
                try:
                    with open_input(path) as source:
                        posts = list(read_posts(source, Columns()))
                    assert all(post.text.encode() is not None and isinstance(post.is_rumor, bool) for post in posts)
                    num_read += 1
                except CorpusError:
                    pass
                except Exception as error:  # any other exception is a bug
                    num_failures += 1
                    print(f"{name}: input {number}: {type(error).__name__}: {str(error)[:150]}")
                seconds = time.process_time() - start
                slowest = max(slowest, seconds)
                if seconds > SLOW_SECONDS:
                    num_failures += 1
                    print(f"{name}: input {number}: {seconds:.1f} s")
            print(f"{name}: {arguments.inputs:,} inputs, {num_read:,} read, slowest {slowest:.2f} s", flush=True)
    return 1 if num_failures else 0


if __name__ == "__main__":
    sys.exit(main())
