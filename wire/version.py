"""The versions that travel: the product's own and the wire's major. Knows nothing else."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
"""Version of the whole distribution; `pyproject.toml` says the same and a house test compares them."""

WIRE_MAJOR: Final = 1
"""Major version of the wire, present in every topic. Inside a major only additions are allowed (design §4)."""
