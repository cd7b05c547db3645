"""Golden files: every message and fact as it was released, byte for byte, and what was ever printed.

`python -m tests.wire.golden` adds what is missing and never changes a file: what was released stays readable for ever.
Each kind has a *bare* file (only what must be there) and *full* ones that together hold every field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, NewType, Union, get_args, get_origin, get_type_hints

import msgspec

from wire import badges, chain, facts, pickup, topics
from wire.ids import ParcelId, Trust, parcel_id_from_bits
from wire.plan import Plan, sealed
from wire.version import WIRE_MAJOR

FOLDER: Final = Path(__file__).parent / "golden" / str(WIRE_MAJOR)
PARCEL: Final = parcel_id_from_bits(0x0123_4567_89AB_CDEF)
SITE_KEY: Final = bytes(range(32))


def kinds() -> dict[str, type[Any]]:
    """Everything that has golden files, by the first part of their names."""
    named: dict[str, type[Any]] = {channel.suffix.replace("/", "-"): channel.message for channel in topics.CHANNELS}
    named.update({f"fact-{facts.kind(kind)}": kind for kind in get_args(facts.AnyFact)})
    return named


def files_of(name: str) -> list[Path]:
    """The golden files of a kind."""
    return sorted(path for path in FOLDER.glob(f"{name}.*.json") if path.name.partition(".")[0] == name)


def missing_fields(name: str, kind: type[Any]) -> set[str]:
    """The fields of a kind that no golden file holds."""
    known: set[str] = set()
    for path in files_of(name):
        known |= json.loads(path.read_bytes()).keys()
    return {field.encode_name for field in msgspec.structs.fields(kind)} - known


def main() -> None:
    """Add what is missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, kind in kinds().items():
        if not files_of(name):
            _write(FOLDER / f"{name}.bare.json", _made(kind, full=False))
        if missing_fields(name, kind):
            number = sum(".full" in path.name for path in files_of(name)) + 1
            _write(FOLDER / f"{name}.full-{number}.json", _made(kind, full=True))
    for name, content in _printed().items():
        path = FOLDER / f"{name}.printed"
        if not path.exists():
            path.write_text(json.dumps(content, indent=1) + "\n")


def _write(path: Path, thing: Any) -> None:
    with path.open("xb") as file:  # never over an existing one
        file.write(msgspec.json.encode(thing))


def _made(kind: type[Any], *, full: bool) -> Any:
    """An example of a kind, made from its types: every field, or only those that must be there."""
    hints = get_type_hints(kind, include_extras=True)
    wanted = [field for field in msgspec.structs.fields(kind) if full or field.required]
    made = kind(**{field.name: _example(hints[field.name], field.name) for field in wanted})
    return sealed(made) if isinstance(made, Plan) else made


def _example(hint: Any, name: str) -> Any:
    if hint is ParcelId:
        return PARCEL
    if isinstance(hint, NewType):
        return "7"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return list(hint)[-1]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _made(hint, full=True)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _within(inner[0], inner[1], name)
    if origin is tuple:
        return (_example(inner[0], name),)
    if origin in {UnionType, Union}:
        return _example(inner[0], name)
    return _PLAIN[hint](name)


def _within(hint: Any, meta: msgspec.Meta, name: str) -> Any:
    if hint is int:
        low = int(meta.ge or 0)
        return max(low, min(int(meta.le or 1 << 40), 1_790_000_000_000 if name.endswith("at_ms") else low + 2))
    return (name * 8)[: meta.max_length or 8] if hint is str else _example(hint, name)


_PLAIN: Final[dict[Any, Any]] = {
    str: lambda name: "é-" + name,
    int: len,
    float: lambda _name: 41.5,
    bool: lambda name: name != "scanner",  # never the default, so that it is written
    msgspec.Raw: lambda _name: msgspec.Raw(b'{"kind":"door_painted","colour":"red"}'),
}


def _printed() -> dict[str, Any]:
    return {"keys": list(_keys()), "badges": list(_badges()), "chain": _chain()}


def _keys() -> Iterator[dict[str, Any]]:
    for number, version, epoch in ((0, 1, 0), (7, 2, 1), ((1 << 20) - 1, (1 << 10) - 1, (1 << 6) - 1)):
        key = pickup.PickupKey(number, PARCEL, version, epoch)
        yield {
            "site_key": SITE_KEY.hex(), "site": number, "parcel": PARCEL, "version": version, "epoch": epoch,
            "qr": pickup.qr_text(SITE_KEY, key), "digits": pickup.typed_digits(SITE_KEY, key),
        }  # fmt: skip


def _badges() -> Iterator[dict[str, Any]]:
    for secret in (0, 0x1234_5678, (1 << 128) - 1):
        text = badges.badge_text(secret)
        yield {"secret": f"{secret:032x}", "text": text, "digest": badges.badge_digest(text)}


def _chain() -> dict[str, Any]:
    bodies = ['{"kind":"lockout_cleared","by":"amina"}', '{"kind":"door_painted"}']
    previous = chain.genesis("gennevilliers", "0" * 32)
    hashes = [previous]
    for place, body in enumerate(bodies):
        record = chain.FactRecord(
            seq=place + 1, boot=1, at_ms=1_790_000_000_000 + place, trust=Trust.NTP, body=msgspec.Raw(body.encode())
        )
        previous = chain.link(previous, record)
        hashes.append(previous)
    return {"site": "gennevilliers", "journal": "0" * 32, "bodies": bodies, "hashes": hashes}


if __name__ == "__main__":
    main()
