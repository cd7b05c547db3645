"""Gives memory that start-up needed and nobody uses any more back to the system.

Owns one call to the C library. The imports of gpiozero, paho and msgspec leave about 5 MB of free blocks in the heap
(measured: 36.2 → 31.2 MB resident), a seventh of what a lock process may hold on the smallest Pi.
"""

from __future__ import annotations

import ctypes
import gc


def return_unused_memory() -> None:
    """Call once, when everything is imported and opened. Nothing happens where the C library is not glibc."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
