"""Hooks of MkDocs (`hooks` in mkdocs.yml): pages from outside docs/, links between pages, and lists of pages."""

import posixpath
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File


CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "docs"))  # MkDocs loads this file by its path

import flags  # noqa: E402


PAGES = {  # file of the repository -> page of the site; all other pages are files in docs/
    "README.md": "index.md",
    "README_zh.md": "zh/index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "reference/benchmarks.md",
    "hf_rumor/config/recipes/README.md": "reference/recipes.md",
    "hf_rumor/mini/README.md": "reference/mini.md",
}
COMMANDS = "reference/commands.md"  # rendered from the parsers
FENCE = re.compile(r"^(```.*?^```)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")
CHINESE = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"


def on_config(config: Any) -> Any:
    """Replace the patterns in the navigation by the pages that match them."""
    docs = Path(config.docs_dir)
    names = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} | {*PAGES.values(), COMMANDS}
    unnamed = {name for name in names if repr(name) not in repr(config.nav)}
    in_order = sorted(unnamed, key=lambda name: (not name.endswith("index.md"), name))
    config.nav = list(_expand(config.nav, in_order))
    return config


def _expand(entries: list[Any], names: list[str]) -> Iterator[Any]:
    for entry in entries:
        if isinstance(entry, str) and "*" not in entry:
            yield entry
        elif isinstance(entry, str):
            yield from (name for name in names if fnmatch(name, entry))
        else:
            [(title, value)] = entry.items()
            is_page = isinstance(value, str) and "*" not in value
            pages = value if is_page else list(_expand([value] if isinstance(value, str) else value, names))
            if pages:
                yield {title: pages}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(CHECKOUT / source)))
    files.append(File.generated(config, COMMANDS, content=flags.render()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links between files of the repository to their pages."""
    uri = page.file.src_uri
    if page.parent is None:  # alone in its section
        page.meta["hide"] = ["navigation"]
    source = next((source for source, name in PAGES.items() if name == uri), f"docs/{uri}")
    return "".join(part if part.startswith("```") else _translate(part, source, uri) for part in FENCE.split(markdown))


def on_page_content(html: str, **_: Any) -> str:
    """Remove the dash behind a field without a description."""
    return re.sub(r'\s*–\s*<div class="doc-md-description">\s*</div>', "", html)


def _translate(markdown: str, source: str, uri: str) -> str:
    def to_page(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        page = PAGES.get(target, target.removeprefix("docs/"))
        return f"{match[1]}{posixpath.relpath(page, posixpath.dirname(uri) or '.')}{match[3]}"

    # A line break between Chinese characters would be shown as a space.
    return re.sub(f"(?<={CHINESE})\n *(?={CHINESE})", "", LINK.sub(to_page, markdown))
