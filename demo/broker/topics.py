"""Topic filters of MQTT: which ones are well formed, and which topics they match.

Owns the rules of `+`, `#`, `$share/group/filter` and of topics that begin with `$`. Refuses to know sessions and sockets.
"""

from dataclasses import dataclass

SHARE_PREFIX = "$share"


class BadFilter(ValueError):
    """A topic filter that MQTT does not allow; the message says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A checked topic filter. `group` is the name of the shared subscription, or None for an ordinary one."""

    text: str
    group: str | None
    levels: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """Read a filter as a client sent it. Raises BadFilter."""
        group: str | None = None
        pattern = text
        if text == SHARE_PREFIX or text.startswith(SHARE_PREFIX + "/"):
            parts = text.split("/", 2)
            if len(parts) < 3 or not parts[1] or not parts[2] or "+" in parts[1] or "#" in parts[1]:
                raise BadFilter(f"shared subscription {text!r}: write $share/group/filter, the group without + and #")
            group, pattern = parts[1], parts[2]
        levels = tuple(pattern.split("/"))
        if not pattern or "\0" in pattern:
            raise BadFilter(f"topic filter {text!r}: it is empty or contains a NUL character")
        for place, level in enumerate(levels):
            if level not in {"+", "#"} and ("+" in level or "#" in level):
                raise BadFilter(f"topic filter {text!r}: a wildcard fills its level alone, {level!r} does not")
            if level == "#" and place != len(levels) - 1:
                raise BadFilter(f"topic filter {text!r}: # is allowed at the end only")
        return cls(text, group, levels)

    def matches(self, topic: str) -> bool:
        """True if a message on `topic` belongs to this filter."""
        if topic.startswith("$") and self.levels[0] in {"+", "#"}:
            return False
        names = topic.split("/")
        for place, level in enumerate(self.levels):
            if level == "#":
                return True
            if place == len(names) or level not in {"+", names[place]}:
                return False
        return len(names) == len(self.levels)
