"""Makes up inputs for a target: atheris (libFuzzer, guided by coverage) in a process of its own, or a plain seeded mutator.

`python -m tests.fuzz.engine TARGET --runs N --seed S --corpus DIR --found DIR` is the guided one. An input that breaks a property
is kept as a small file in the folder `found` and the process ends with a status other than 0.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOUND: Final = Path(__file__).with_name("found")
INSTRUMENTED: Final = ("wire", "firmware", "controller", "hub.core", "hub.settings", "tomllib")
MODULE: Final = "tests.fuzz.targets"
INPUT_BYTES_MAX: Final = 4096
SLOW_S: Final = 10
"""An input that takes longer than this is a finding."""
_DONE: Final = re.compile(rb"Done (\d+) runs|#(\d+)\t")
_TOKENS: Final = (b"[", b"]", b"{", b"}", b'"', b"'", b"\\u0000", b"\xff", b"\x1d", b"\r", b"\x03", b"1e999", b"-1", b"99999999999999999999", b"null", b"CG1", b"]C1", b"=")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hunt:
    """What came of one run of a target."""

    target: str
    inputs: int
    seconds: float
    found: tuple[str, ...]
    said: str


def has_atheris() -> bool:
    """Whether inputs can be guided by coverage here."""
    from importlib.util import find_spec

    return find_spec("atheris") is not None


def hunt(
    target: str,
    runs: int,
    *,
    seed: int,
    corpus: Path,
    found: Path = FOUND,
    seconds: float = 3600.0,
    module: str = MODULE,
) -> Hunt:
    """Run a target guided by coverage, in a process of its own; at most so many inputs and seconds."""
    start = time.monotonic()
    (found / target).mkdir(parents=True, exist_ok=True)
    before = set((found / target).iterdir())
    words = [sys.executable, "-m", "tests.fuzz.engine", target, "--runs", str(runs), "--seed", str(seed)]
    words += ["--corpus", str(corpus), "--found", str(found), "--seconds", str(int(seconds))]
    words += ["--module", module]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, check=False)
    output = ended.stdout + ended.stderr
    counted = [int(a or b) for a, b in _DONE.findall(output)]
    new = sorted(set((found / target).iterdir()) - before)
    said = "" if ended.returncode == 0 else output.decode(errors="replace")[-4000:]
    return Hunt(target, max(counted, default=0), time.monotonic() - start, tuple(map(str, new)), said)


def mutants(seeds: tuple[bytes, ...], count: int, seed: int) -> Iterator[bytes]:
    """So many inputs made from the first ones without looking at coverage; the same seed, the same inputs."""
    random = Random(seed)
    for _ in range(count):
        data = bytearray(random.choice(seeds))
        for _ in range(random.choice((0, 1, 1, 2, 4, 16))):
            _mutate(data, random, seeds)
        yield bytes(data[:INPUT_BYTES_MAX])


def _mutate(data: bytearray, random: Random, seeds: tuple[bytes, ...]) -> None:
    at = random.randrange(len(data) + 1)
    until = min(len(data), at + random.choice((1, 2, 8, 64)))
    match random.randrange(6):
        case 0:
            del data[at:until]
        case 1:
            data[at:at] = random.randbytes(random.choice((1, 2, 8)))
        case 2:
            data[at:until] = random.randbytes(until - at)
        case 3:
            data[at:until] = random.choice(_TOKENS) * random.choice((1, 1, 3))
        case 4:
            data[at:at] = data[at:until] * random.choice((1, 3))
        case _:
            other = random.choice(seeds)
            data[at:] = other[random.randrange(len(other) + 1) :]


def keep(target: str, data: bytes, found: Path = FOUND) -> Path:
    """Keep an input that broke a property."""
    path = found / target / hashlib.sha256(data).hexdigest()[:16]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def main(arguments: list[str]) -> None:
    """The process of one guided run; never returns."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.engine", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--found", type=Path, default=FOUND)
    parser.add_argument("--module", default=MODULE, help="where the target is")
    asked = parser.parse_args(arguments)
    import atheris

    with atheris.instrument_imports(include=[*INSTRUMENTED, asked.module]):
        target = importlib.import_module(asked.module).TARGETS[asked.target]
    asked.corpus.mkdir(parents=True, exist_ok=True)
    for data in target.seeds:
        (asked.corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)

    def one(data: bytes) -> None:
        try:
            target.check(data)
        except Exception:
            keep(asked.target, data, asked.found)
            raise

    options = [f"-runs={asked.runs}", f"-seed={asked.seed}", f"-max_total_time={asked.seconds}"]
    options += [
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={SLOW_S}",
        f"-artifact_prefix={asked.corpus.parent}/left-",
        "-verbosity=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(asked.corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
