"""Printing on the printer of the desk, through CUPS' `lp`, when a queue is configured.

Owns the call and its bounds. Refuses to know what it prints: bytes of a PDF in, a sentence for staff out.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

LP_S: Final = 10.0
"""Longest wait for `lp` to take a job; it only queues."""

NO_QUEUE: Final = "Aucune imprimante n'est réglée. Ouvrez le papier en PDF et imprimez-le depuis cet appareil."
NO_PROGRAM: Final = "Le programme d'impression (CUPS) n'est pas installé. Ouvrez le papier en PDF."
NOT_TAKEN: Final = "L'imprimante n'a pas pris le papier. Regardez si elle est allumée, puis réessayez."
PRINTED: Final = "Le papier part à l'imprimante."


async def print_pdf(pdf: bytes, queue: str, name: str = "bon") -> tuple[bool, str]:
    """Queue one document under a `name` that the printer shows; whether it was taken, and what to tell staff."""
    if not queue:
        return False, NO_QUEUE
    program = shutil.which("lp")
    if program is None:
        return False, NO_PROGRAM
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "-d",
            queue,
            "-t",
            name,
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False, NO_PROGRAM
    try:
        await asyncio.wait_for(process.communicate(pdf), LP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return False, NOT_TAKEN
    except (BrokenPipeError, ConnectionResetError):
        return False, NOT_TAKEN
    return (True, PRINTED) if process.returncode == 0 else (False, NOT_TAKEN)
