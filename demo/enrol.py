"""`python -m demo.enrol FILE COMMANDS`: what an administrator types once for a new hub, in one process instead of ten.

Owns nothing but the loop: each command goes through the hub's own command line. `COMMANDS` is a JSON list of lists of
words; what each printed comes back as one JSON list. The first refusal ends it with the hub's words and status.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from hub.__main__ import main as hub


def main(arguments: list[str]) -> int:
    """Give the hub one command after another; the exit status of the first that fails."""
    config, commands = arguments
    said: list[str] = []
    for words in json.loads(commands):
        with contextlib.redirect_stdout(io.StringIO()) as heard:
            status = hub(["--config", config, *words])
        if status:
            return status
        said.append(heard.getvalue().strip())
    sys.stdout.write(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
