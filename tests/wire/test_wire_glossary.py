"""The glossary knows every word of the closed vocabularies."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest

from wire import ids

GLOSSARY = (Path(__file__).resolve().parents[2] / "docs" / "glossary.md").read_text()
VOCABULARIES = [
    kind for kind in vars(ids).values() if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_word_is_explained(vocabulary: type[StrEnum]) -> None:
    assert [word.value for word in vocabulary if f"`{word.value}`" not in GLOSSARY] == []
