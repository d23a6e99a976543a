"""Drawing of figures with matplotlib, as SVG and PNG.

Texts stay texts in the SVG: the browser draws them in its own fonts, Chinese included. A PNG needs a font for them.
"""

import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hf_rumor.util.files import write_text, written_whole
from hf_rumor.util.translation import Language


logger = logging.getLogger(__name__)

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hf_rumor",  # equal reports give equal files
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
FONTS = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
# matplotlib reads the first font of a collection only: of Noto Sans CJK the Japanese one, which has all characters.
CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
)
DOTS_PER_INCH = 300  # of a PNG
NAMES = (
    *("learning_curve", "learning_rate", "confusion_matrix", "probabilities"),
    *("reliability", "roc", "precision_recall", "coverage", "early_detection"),
)


@dataclass
class Picture:
    """A figure with its text alternative, `words`."""

    name: str  # of its files
    title: str
    figure: Figure = field(compare=False)
    axes: Axes = field(compare=False)
    words: str = ""
    svg: str = ""  # the `<svg>` element

    def inline(self) -> str:
        """Return the `<svg>` element without a size, which the page decides."""
        svg = self.svg
        for size in ("width", "height"):
            svg = re.sub(rf'(<svg [^>]*?){size}="[^"]*"', r"\1", svg, count=1)
        return svg


def _chinese_font() -> str | None:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in installed), None)


@contextmanager
def _style() -> Iterator[None]:
    """Set style and fonts; a character without a font is no problem in an SVG."""
    chinese = [name for name in [_chinese_font()] if name]
    with mpl.rc_context({**STYLE, "font.family": ["DejaVu Sans", *chinese]}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


@contextmanager
def drawing(name: str, title: str, x: str, y: str, *, in_percent: bool = False) -> Iterator[Picture]:
    """Yield a picture to draw on, and render it at the end."""
    with _style():
        figure = Figure(figsize=(4.6, 3.4), layout="constrained")  # inches; the page scales it
        axes = figure.add_subplot(xlabel=x, ylabel=y)
        picture = Picture(name, title, figure, axes)
        yield picture
        if in_percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1))
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine("none")  # the PNG keeps the layout
        svg = file.getvalue()
        svg = re.sub(r'font-family: [^;"]*', f"font-family: {FONTS}", svg[svg.index("<svg") :].replace("\n", " "))
        picture.svg = svg


def write_figures(folder: Path, pictures: Sequence[Picture], language: Language) -> None:
    """Write `NAME.svg` and `NAME.png` for each picture; without a font for Chinese, log that no PNG is written.

    Figures of an earlier report that are not defined for this one are removed.
    """
    has_font = language == "en" or _chinese_font() is not None
    if not has_font:
        logger.warning("%s: no PNG files, since no Chinese font is installed. Install fonts-noto-cjk.", folder)
    for path in (folder / f"{name}.{suffix}" for name in NAMES for suffix in ("svg", "png")):
        path.unlink(missing_ok=True)
    for picture in pictures:
        write_text(folder / f"{picture.name}.svg", picture.svg)
        if has_font:
            with _style(), written_whole(folder / f"{picture.name}.png") as temporary:
                picture.figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
