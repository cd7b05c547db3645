"""The wire in words, drawn from the models: `docs/wire.md` for people, `docs/asyncapi.json` (AsyncAPI 3) for programs.

Owns the layout of both. Refuses to know anything the models do not say: a field, a bound or a topic is never written
here. `python -m wire.docs FOLDER` writes them (`./run docs`); a test fails when they are stale.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NewType, Union, get_args, get_origin, get_type_hints

import msgspec

from wire import badges, facts, ids, messages, pickup, topics
from wire.plan import PLAN_PARCELS_MAX
from wire.version import VERSION, WIRE_MAJOR

_SITE: Final = "{site}"

_HEAD: Final = f"""# The wire

<!-- Written by `./run docs` from the models in `wire/`. Do not edit: change the models. -->

What a site and the hub say to each other, major version {WIRE_MAJOR}. JSON in UTF-8, one message a publication, at most
{messages.MESSAGE_BYTES_MAX:,} bytes. MQTT 5, or 3.1.1 where a broker refuses it; nothing below depends on a property of the broker. The same
as an AsyncAPI 3 document: [asyncapi.json](asyncapi.json).

- Inside a major version messages, fields and kinds of fact are only added. A reader ignores fields it does not know, and
  keeps facts it does not know, verbatim.
- A field that is left out has its default. `…_ms` is milliseconds: since 1970 UTC in a field ending in `at_ms` or
  `since_ms`, a duration in the others.
- No name, phone number, address of a person, pickup code or typed digit is ever in a topic or a message.
- Every released message is kept, byte for byte, in `tests/wire/golden/`.

What counts when messages are lost, doubled, late or out of order:

- **Facts** of a site are numbered from 1 without a gap. The hub takes the next one, skips what it has, and refuses a gap: it
  then asks for a `rebirth`, ever more rarely while that does not help, and the site sends again from the last acknowledged fact.
- **Acknowledgement**: of two with one incarnation the larger `seq` counts. A newer incarnation counts exactly, backwards too: the
  hub's database was put back, and the site sends again from there. An older incarnation is ignored.
- **Plans** are whole documents, ordered by (`incarnation`, `revision`); `hash` is the SHA-256 of what is asked for. Key versions
  never go back: each side takes the larger.
- **Commands** are carried out at most once (the same `id` gets the stored answer again) and never after `expires_at_ms`.
- **Presence** of an older `boot` is ignored. Who says by `health` that it has started less often than the hub believes is asked for a
  `rebirth`: its answer, in its chain, is believed, because the greater number was that of a copy of its card (ADR 0009). Asked, a
  site also says `ready` again, for the broker may keep the copy's will.
- **Chain**: the hash after a fact is SHA-256 of the hash before it (32 bytes), then `NUL seq NUL boot NUL at_ms NUL trust NUL` in ASCII,
  then the fact's own bytes; before the first it is SHA-256 of `consigne/1/journal NUL site NUL journal`.
"""


def wire_page() -> str:
    """`docs/wire.md`."""
    structs, words = _reachable()
    parts = [
        _HEAD,
        "## Topics\n",
        _topic_table(),
        "A site's user of the broker may write its own `up/` and read its own `down/` and the hub's word, nothing else:\n",
        _block(topics.mosquitto_acl("HUB")),
        "## Messages\n",
        *(_struct(channel.message, f"{channel.suffix}: ") for channel in topics.CHANNELS),
        "## Facts\n",
        f"The `body` of a fact in a batch (at most {messages.BATCH_FACTS_MAX} facts). `kind` names it.\n",
        *(_fact(kind) for kind in _fact_kinds()),
        "## Parts of messages\n",
        *(_struct(part) for part in structs),
        "## Words\n",
        *(_word(word) for word in words),
        "## What is printed\n",
        _printed(),
    ]
    return "\n".join(parts)


def asyncapi() -> dict[str, Any]:
    """`docs/asyncapi.json`, as an AsyncAPI 3.0.0 document from the hub's point of view."""
    kinds = _fact_kinds()
    roots = [*(channel.message for channel in topics.CHANNELS), *kinds]
    _, components = msgspec.json.schema_components(roots, ref_template="#/components/schemas/{name}")
    components["FactRecord"]["properties"]["body"] = {
        "description": "A fact; kinds of the future are kept as they are.",
        "anyOf": [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in kinds] + [{"type": "object"}],
    }
    for schema in components.values():
        schema["description"] = inspect.cleandoc(schema["description"])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Consigne: sites and hub",
            "version": VERSION,
            "description": "Written by `./run docs` from the models in `wire/`. The hub's point of view.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(channel): _channel(channel) for channel in topics.CHANNELS},
        "operations": {_name(channel): _operation(channel) for channel in topics.CHANNELS},
        "components": {
            "messages": {channel.message.__name__: _message(channel) for channel in topics.CHANNELS},
            "schemas": components,
        },
    }


def main(arguments: Sequence[str]) -> int:
    """Write both documents into a folder."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m wire.docs FOLDER\n")
        return 2
    folder = Path(arguments[0])
    (folder / "wire.md").write_text(wire_page(), encoding="utf-8")
    (folder / "asyncapi.json").write_text(asyncapi_text(), encoding="utf-8")
    return 0


def asyncapi_text() -> str:
    """The document as it is kept."""
    return json.dumps(asyncapi(), indent=2, ensure_ascii=False) + "\n"


# ----------------------------------------------------------------------------------------------------------- AsyncAPI


def _name(channel: topics.Channel) -> str:
    return channel.suffix.replace("/", "-")


def _address(channel: topics.Channel) -> str:
    return topics.topic(channel, "site").replace("/site/", f"/{_SITE}/") if channel.per_site else topics.topic(channel)


def _channel(channel: topics.Channel) -> dict[str, Any]:
    kind = channel.message.__name__
    made: dict[str, Any] = {
        "address": _address(channel),
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
    }
    if channel.per_site:
        made["parameters"] = {"site": {"description": "The site's short name."}}
    return made


def _operation(channel: topics.Channel) -> dict[str, Any]:
    reads = channel.sender is topics.Side.SITE
    return {
        "action": "receive" if reads else "send",
        "channel": {"$ref": f"#/channels/{_name(channel)}"},
        "summary": _first_line(channel.message),
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}},
    }


def _message(channel: topics.Channel) -> dict[str, Any]:
    kind = channel.message.__name__
    return {
        "name": kind,
        "summary": _first_line(channel.message),
        "payload": {"$ref": f"#/components/schemas/{kind}"},
    }


# --------------------------------------------------------------------------------------------------------------- page


def _topic_table() -> str:
    rows = ["| topic | said by | QoS | retained | message |", "|---|---|---|---|---|"]
    for channel in topics.CHANNELS:
        will = ", and the broker as its will" if channel.will else ""
        kind = channel.message.__name__
        rows.append(
            f"| `{_address(channel)}` | {channel.sender}{will} | {channel.qos} | {'yes' if channel.retain else 'no'} | "
            f"[{kind}](#{_anchor(f'{channel.suffix}: {kind}')}) |"
        )
    return "\n".join(rows) + "\n"


def _struct(kind: type[Any], before: str = "") -> str:
    return f"### {before}{kind.__name__}\n\n{_told(kind)}\n\n{_fields(kind)}"


def _fact(kind: type[facts.Fact]) -> str:
    return f"### `{facts.kind(kind)}`\n\n{_told(kind)}\n\n{_fields(kind)}"


def _fields(kind: type[Any]) -> str:
    hints = get_type_hints(kind, include_extras=True)
    rows = [
        f"| `{field.encode_name}` | {_is(hints[field.name])} | {_default(field)} |"
        for field in msgspec.structs.fields(kind)
    ]
    return "\n".join(("| field | is | when left out |", "|---|---|---|", *rows, ""))


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT:
        return "never" if field.default_factory is msgspec.NODEFAULT else "its defaults"
    if isinstance(field.default, msgspec.Struct):
        return "its defaults"
    if field.default in ("", ()):
        return "empty"
    return "nothing" if field.default is None else f"`{json.dumps(field.default)}`"


def _is(hint: Any) -> str:
    """A type in words."""
    if isinstance(hint, NewType):
        return f"[{hint.__name__}](#{_anchor(hint.__name__)})"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct | StrEnum):
        return f"[{hint.__name__}](#{_anchor(hint.__name__)})"
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _is(inner[0]) + _bounds(inner[1])
    if origin is tuple:
        return f"list of {_is(inner[0])}"
    if origin in {UnionType, Union}:
        return " or ".join(_is(one) for one in inner if one is not NoneType)
    return _PLAIN[hint]


_PLAIN: Final[Mapping[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "yes or no",
    msgspec.Raw: "a fact, byte for byte",
}


def _bounds(meta: msgspec.Meta) -> str:
    told = []
    if meta.ge is not None or meta.le is not None:
        told.append(f"{meta.ge:,} to {meta.le:,}" if meta.le is not None else f"from {meta.ge:,}")
    if meta.max_length is not None:
        told.append(f"at most {meta.max_length:,} long")
    if meta.min_length is not None:
        told.append(f"at least {meta.min_length:,}")
    return f", {', '.join(told)}" if told else ""


def _word(word: Any) -> str:
    if isinstance(word, NewType):
        return f"### {word.__name__}\n\n{_note_of(word)}\n"
    values = ", ".join(f"`{value}`" for value in word)
    return f"### {word.__name__}\n\n{_told(word)} One of {values}.\n"


def _note_of(word: NewType) -> str:
    """The sentence that stands under a NewType in the source."""
    lines = inspect.getsource(ids).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(f"{word.__name__} = NewType("))
    return lines[place + 1].strip().strip('"')


def _printed() -> str:
    cards = ", ".join(f"`{badges.card_text(card)}`" for card in badges.CommandCard)
    key_length = pickup.QR_CHARACTERS - len(pickup.PREFIX)
    badge_length = badges.BADGE_CHARACTERS - len(badges.BADGE_PREFIX)
    lines = (
        f"**Pickup key, QR text**: `{pickup.PREFIX}` and {key_length} characters of Crockford's base32, strictly read.",
        f"**Pickup key, typed**: {pickup.DIGITS} digits, the last one Damm's check digit.",
        f"**Badge**: `{badges.BADGE_PREFIX}` and {badge_length} characters; a plan holds its SHA-256 only.",
        f"**Command cards**: {cards}.",
        f"A plan names at most {PLAN_PARCELS_MAX:,} parcels.",
    )
    return "\n".join((inspect.cleandoc(pickup.__doc__ or ""), "", *(f"- {line}" for line in lines), ""))


def _told(kind: type[Any]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _first_line(kind: type[Any]) -> str:
    return _told(kind).partition("\n")[0]


def _block(text: str) -> str:
    return f"```\n{text.strip()}\n```\n"


def _anchor(heading: str) -> str:
    kept = (character for character in heading.lower().replace(" ", "-") if character.isalnum() or character in "-_")
    return "".join(kept)


# ------------------------------------------------------------------------------------------------------- what there is


def _fact_kinds() -> tuple[type[facts.Fact], ...]:
    return get_args(facts.AnyFact)


def _reachable() -> tuple[list[type[Any]], list[Any]]:
    """The parts and the words that messages and facts are made of, by name."""
    roots: list[type[Any]] = [*(channel.message for channel in topics.CHANNELS), *_fact_kinds()]
    seen: dict[str, Any] = {}
    waiting = list(roots)
    while waiting:
        for hint in get_type_hints(waiting.pop(), include_extras=True).values():
            for leaf in _leaves(hint):
                if leaf.__name__ not in seen:
                    seen[leaf.__name__] = leaf
                    if isinstance(leaf, type) and issubclass(leaf, msgspec.Struct):
                        waiting.append(leaf)
    named = [seen[name] for name in sorted(seen)]
    parts = [leaf for leaf in named if isinstance(leaf, type) and issubclass(leaf, msgspec.Struct)]
    return parts, [leaf for leaf in named if leaf not in parts]


def _leaves(hint: Any) -> Iterator[Any]:
    if isinstance(hint, NewType) or (isinstance(hint, type) and issubclass(hint, msgspec.Struct | StrEnum)):
        yield hint
    for inner in get_args(hint):
        yield from _leaves(inner)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
