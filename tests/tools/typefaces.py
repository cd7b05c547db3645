"""Cut the typefaces of Debian down to what we print, and write them to `paper/fonts`: `python -m tests.tools.typefaces`.

Owns which characters each keeps. Scripts with an alphabet keep it whole, so that a text may change without a new font;
of Chinese only the characters of our own texts are kept, because the whole of it would be 16 MB (run this again after a
change of `text/zh.toml`; a test says when). Sources: `apt-get download fonts-noto-core fonts-noto-cjk`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

PAPER: Final = Path(__file__).parents[2] / "paper"
FONTS: Final = PAPER / "fonts"
DEBIAN: Final = Path("/usr/share/fonts")
FACES: Final = ("Regular", "Bold")
SIMPLIFIED: Final = 2
"""Place of the simplified Chinese face in Noto's CJK collections."""

ALPHABETS: Final = {
    "NotoSansBengali": ("0020", "00A0", "0964-0965", "0980-09FE", "200C-200D", "25CC"),
    "NotoSansTamil": ("0020", "00A0", "0964-0965", "0B82-0BFA", "200C-200D", "25CC"),
}
CHINESE_SIGNS: Final = ("3000-3003", "3008-3011", "3014-3015", "FF01", "FF08-FF09", "FF0C-FF1B", "FF1F")


def main() -> None:
    """Write every typeface that is made here."""
    for family, ranges in ALPHABETS.items():
        for face in FACES:
            font = TTFont(DEBIAN / "truetype/noto" / f"{family}-{face}.ttf")
            _cut(font, _in(ranges), FONTS / f"{family}-{face}.ttf")
    letters = {ord(letter) for letter in (PAPER / "text/zh.toml").read_text("utf-8") if ord(letter) > _LATIN_LAST}
    for face in FACES:
        font = TTFont(DEBIAN / "opentype/noto" / f"NotoSansCJK-{face}.ttc", fontNumber=SIMPLIFIED)
        _cut(font, letters | _in(CHINESE_SIGNS), FONTS / f"NotoSansSC-{face}.otf")


_LATIN_LAST: Final = 0x2FFF


def _in(ranges: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for each in ranges:
        first, _, last = each.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def _cut(font: TTFont, characters: set[int], target: Path) -> None:
    options = subset.Options(hinting=False, layout_features=["*"], desubroutinize=True, notdef_outline=True)
    options.drop_tables += ["VORG", "vhea", "vmtx"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=characters)
    cutter.subset(font)
    font.save(target)
    sys.stdout.write(f"{target.name}: {target.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    main()
