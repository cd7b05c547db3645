"""./run campaign NAME: long runs that hunt for what ordinary tests have no time for.

A campaign is a module of this folder with a docstring (its first line is shown in the list) and
`main(arguments: list[str]) -> int`; 0 means that nothing was found.
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def campaigns() -> dict[str, str]:
    """Name of every campaign and the first line of what it says of itself."""
    found = {}
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem] = said.partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run one campaign, or list them."""
    known = campaigns()
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("./run campaign NAME [OPTIONS]\n")
        for name, said in known.items():
            print(f"  {name:<14} {said}")
        return 0
    name, *rest = arguments
    if name not in known:
        print(f"There is no campaign {name!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    status: int = importlib.import_module(f"tests.campaigns.{name}").main(rest)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
