"""QR codes: matrix, SVG, PNG, PDF drawing, always with the quiet zone of the standard. Ours are short and alphanumeric; others' are not.

Owns mode, correction level and quiet zone. Refuses to know what a text opens. Source: ISO/IEC 18004.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final
from xml.sax.saxutils import quoteattr

from fpdf import FPDF
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.main import QRCode
from qrcode.util import ALPHA_NUM, QRData

QUIET_MODULES: Final = 4
"""Blank modules around a code; readers are promised four (ISO/IEC 18004)."""

TEXT_CHARACTERS_MAX: Final = 47
"""What version 3 holds at level Q in alphanumeric mode; nothing of ours is longer (design §5)."""

_ALPHANUMERIC: Final = 2
"""The mode indicator of ISO/IEC 18004; the library's own constant is typed as any number."""

_ALPHABET: Final = frozenset(ALPHA_NUM.decode())

Matrix = tuple[tuple[bool, ...], ...]
"""Rows of modules, dark = True, without the quiet zone."""


class NotPrintable(ValueError):
    """The text is empty, longer than a version 3 code holds, or has a character outside the alphanumeric mode."""


def is_printable(text: str) -> bool:
    """Whether `matrix` takes the text."""
    return 0 < len(text) <= TEXT_CHARACTERS_MAX and _ALPHABET.issuperset(text)


def matrix(text: str) -> Matrix:
    """The modules of `text` at level Q in alphanumeric mode, in the smallest version. Raises NotPrintable."""
    if not 0 < len(text) <= TEXT_CHARACTERS_MAX:
        message = f"a code of ours holds 1 to {TEXT_CHARACTERS_MAX} characters, not {len(text)}"
        raise NotPrintable(message)
    if not _ALPHABET.issuperset(text):
        message = "a code of ours holds digits, capital letters, space and $%*+-./: only"
        raise NotPrintable(message)
    code = QRCode(error_correction=ERROR_CORRECT_Q, border=0)
    code.add_data(QRData(text, mode=_ALPHANUMERIC), optimize=0)
    return _made(code)


def _made(code: QRCode) -> Matrix:  # type: ignore[type-arg]
    code.make(fit=True)
    return tuple(tuple(bool(module) for module in row) for row in code.modules)


def svg(text: str, *, title: str) -> str:
    """The code as an inline `<svg>`, quiet zone included, always dark on white. Raises NotPrintable."""
    return _svg(matrix(text), title)


def foreign_svg(text: str, *, title: str) -> str:
    """The same of a text that is not ours and is read from a screen (an address for an app): any characters, level M."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(text)
    return _svg(_made(code), title)


def _svg(modules: Matrix, title: str) -> str:
    side = len(modules) + 2 * QUIET_MODULES
    steps = "".join(
        f"M{start + QUIET_MODULES} {line + QUIET_MODULES}h{length}v1h-{length}z"
        for line, row in enumerate(modules)
        for start, length in _runs(row)
    )
    return (
        f'<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label={quoteattr(title)} '
        f'shape-rendering="crispEdges" focusable="false"><rect width="{side}" height="{side}" fill="#ffffff"/>'
        f'<path d="{steps}" fill="#000000"/></svg>'
    )


def png(text: str, *, module_px: int = 8) -> bytes:
    """The code as a PNG, for what shows no SVG (mail programs). Raises NotPrintable."""
    modules = matrix(text)
    side = len(modules) + 2 * QUIET_MODULES
    image = Image.new("1", (side, side), 1)
    for line, row in enumerate(modules):
        for column, dark in enumerate(row):
            if dark:
                image.putpixel((column + QUIET_MODULES, line + QUIET_MODULES), 0)
    file = BytesIO()
    image.resize((side * module_px, side * module_px), Image.Resampling.NEAREST).save(file, "PNG", optimize=True)
    return file.getvalue()


def draw(pdf: FPDF, text: str, *, x: float, y: float, side: float) -> None:
    """The code on the current page: a square of `side` millimetres from (x, y), quiet zone included.

    Raises NotPrintable.
    """
    modules = matrix(text)
    module = side / (len(modules) + 2 * QUIET_MODULES)
    with pdf.local_context(fill_color=(255, 255, 255)):
        pdf.rect(x, y, side, side, style="F")
    with pdf.local_context(fill_color=(0, 0, 0)):
        for line, row in enumerate(modules):
            for start, length in _runs(row):
                left = x + (start + QUIET_MODULES) * module
                top = y + (line + QUIET_MODULES) * module
                pdf.rect(left, top, length * module, module, style="F")


def _runs(row: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Dark runs of a row as (first module, length): one rectangle a run, so that no hairline shows between modules."""
    runs: list[tuple[int, int]] = []
    start = 0
    for place, dark in enumerate((*row, False)):
        if not dark:
            if place > start:
                runs.append((start, place - start))
            start = place + 1
    return runs
