"""Whether strace may be used here: it is installed, and the kernel lets one process trace another.

Refuses to trace anything that matters. Where it may not, the test is skipped, loudly.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.tools.debian import SKIP_PREFIX, need

PATIENCE_S = 20.0


def need_tracing() -> str:
    """The path of strace; without it, or without the right to use it, the test is skipped."""
    program = need("strace")
    done = subprocess.run(
        [program, "-o", "/dev/null", "true"], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if done.returncode:
        pytest.skip(f"{SKIP_PREFIX}strace: not permitted here ({done.stderr.strip()})")
    return program
