"""Who may read and write which topic, from the text of a Mosquitto ACL file, so that the demo obeys the file of production.

Owns the reading of that text (`user`, `topic`, `pattern` with `%u`, `read`, `write`, `readwrite`, `deny`). Refuses to know
passwords and connections. Like Mosquitto 2.0 it grants every SUBSCRIBE and filters each message instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from demo.broker.topics import BadFilter, Filter

Action = Literal["read", "write", "subscribe"]
"""`write`: publish on a topic. `read`: be given a message of a topic. `subscribe`: ask for a filter."""

Acl = Callable[[str | None, Action, str], bool]
"""(user name or None, action, topic or filter) → allowed."""

ACCESS_WORDS = frozenset({"read", "write", "readwrite", "deny"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file. `everybody` marks a `pattern`, which holds for all users; else `user` (None: anonymous)."""

    access: str
    topic: str
    user: str | None
    everybody: bool

    def speaks_about(self, user: str | None, topic: str) -> bool:
        """True if this rule decides something for this user and topic."""
        if self.everybody:
            if user is None and "%u" in self.topic:
                return False
            return _filter(self.topic.replace("%u", user or "")).matches(topic)
        return self.user == user and _filter(self.topic).matches(topic)


@lru_cache(maxsize=1024)  # a rule is asked about every message; its filter is read once for each user
def _filter(text: str) -> Filter:
    return Filter.parse(text)


def acl_from_mosquitto(text: str) -> Acl:
    """Make the ACL callable of an ACL file's text. Raises ValueError with the line number for a line not understood."""
    rules = _read_rules(text)

    def allowed(user: str | None, action: Action, topic: str) -> bool:
        if action == "subscribe":
            return True
        if user is not None and ("+" in user or "#" in user or "/" in user):
            return False  # would widen %u into a wildcard
        said = {rule.access for rule in rules if rule.speaks_about(user, topic)}
        return "deny" not in said and bool(said & {action, "readwrite"})

    return allowed


def _read_rules(text: str) -> list[Rule]:
    rules: list[Rule] = []
    user: str | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word == "user" and rest:
            user = rest
        elif word in {"topic", "pattern"} and rest:
            rules.append(_read_rule(word, rest, user, number))
        else:
            raise ValueError(f"ACL line {number}: {line!r} is neither user, topic nor pattern")
    return rules


def _read_rule(word: str, rest: str, user: str | None, number: int) -> Rule:
    first, _, remainder = rest.partition(" ")
    access, topic = (first, remainder.strip()) if first in ACCESS_WORDS and remainder else ("readwrite", rest)
    if "%c" in topic:
        raise ValueError(f"ACL line {number}: %c (client id) is not supported here, use %u (user name)")
    try:
        Filter.parse(topic.replace("%u", "user"))
    except BadFilter as bad:
        raise ValueError(f"ACL line {number}: {bad}") from bad
    return Rule(access, topic, user, everybody=word == "pattern")
