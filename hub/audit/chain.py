"""The hash chain of the audit log: what a line is and how it hangs on the one before.

Owns what is hashed, so that whoever has an export can check it without the hub. Refuses to know storage and keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

REASON_CHARACTERS_MAX: Final = 200
SUBJECT_CHARACTERS_MAX: Final = 64


class Action(StrEnum):
    """What was done. At most 32 characters."""

    AUDIT_BEGUN = "audit_begun"
    AUDIT_HEAD_LOST = "audit_head_lost"
    """The log's end did not bear the hub's seal: lines before this one may be missing or changed."""
    AUDIT_EXPORTED = "audit_exported"
    PARCEL_ANNOUNCED = "parcel_announced"
    PARCEL_ATTACHED = "parcel_attached"
    PARCEL_CORRECTED = "parcel_corrected"
    SLIP_REISSUED = "slip_reissued"
    SLIP_SHOWN = "slip_shown"
    MESSAGE_AGAIN = "message_again"
    NAMES_PRINTED = "names_printed"
    PARCEL_RECALLED = "parcel_recalled"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    COMMAND_SENT = "command_sent"
    OPENING_ASKED = "opening_asked"
    OPENING_APPROVED = "opening_approved"
    OPENING_REFUSED = "opening_refused"
    OPENING_WITHDRAWN = "opening_withdrawn"
    SITE_CREATED = "site_created"
    SITE_CHANGED = "site_changed"
    SITE_KEY_SHOWN = "site_key_shown"
    SITE_ADOPTED = "site_adopted"
    SITE_INVITED = "site_invited"
    SITE_ENROLLED = "site_enrolled"
    SITE_TOKEN_REPLAYED = "site_token_replayed"  # noqa: S105 a name, no token
    BADGE_ADDED = "badge_added"
    BADGE_ENDED = "badge_ended"
    ASSOCIATION_CREATED = "association_created"
    PERSON_INVITED = "person_invited"
    PERSON_CHANGED = "person_changed"
    PERSON_ENDED = "person_ended"
    PASSWORD_SET = "password_set"  # noqa: S105 a name, no password
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_REFUSED = "passkey_refused"
    """It signed, and its counter did not go up: there may be a copy of it."""
    IDENTITY_EXPECTED = "identity_expected"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_ENDED = "identity_ended"
    SIGNED_IN = "signed_in"
    SESSIONS_ENDED = "sessions_ended"
    TOKEN_ADDED = "token_added"  # noqa: S105 a name, no token
    TOKEN_ENDED = "token_ended"  # noqa: S105 the same
    CARRIER_ADDED = "carrier_added"
    CARRIER_KEY_ADDED = "carrier_key_added"
    CARRIER_KEY_ENDED = "carrier_key_ended"
    WEBHOOK_ADDED = "webhook_added"
    WEBHOOK_ROTATED = "webhook_rotated"
    WEBHOOK_RESUMED = "webhook_resumed"
    WEBHOOK_ENDED = "webhook_ended"
    DELIVERY_AGAIN = "delivery_again"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `at_ms` is the hub's clock in milliseconds since 1970 UTC; `hash` is the chain's after this line."""

    tenant: int
    seq: int
    at_ms: int
    actor: str
    role: str
    action: str
    kind: str
    subject: str
    site: str
    reason: str
    hash: bytes = b""


def genesis(tenant: int) -> bytes:
    """The hash before the first line of an association's log."""
    return hashlib.sha256(b"consigne/1/audit\x00%d" % tenant).digest()


def link(previous: bytes, line: Line) -> bytes:
    """SHA-256 of the hash before, NUL, and the line's fields but its hash as a JSON array without spaces."""
    fields = (
        line.tenant, line.seq, line.at_ms, line.actor, line.role,
        line.action, line.kind, line.subject, line.site, line.reason,
    )  # fmt: skip
    return hashlib.sha256(previous + b"\x00" + msgspec.json.encode(fields)).digest()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at one place of a log."""

    seq: int
    problem: str


def faults(tenant: int, lines: Iterable[Line]) -> Iterator[Finding]:
    """What is wrong in a log read from its first line on; nothing when no line was lost, changed or put in between."""
    previous, expected = genesis(tenant), 1
    for line in lines:
        if line.seq != expected:
            missing = f"{expected}" if line.seq == expected + 1 else f"{expected} to {line.seq - 1}"
            yield Finding(line.seq, f"line {missing} is missing before this one")
        elif link(previous, line) != line.hash:
            yield Finding(line.seq, "this line was changed or put in, or the one before it was")
        if line.action == Action.AUDIT_HEAD_LOST:
            yield Finding(line.seq, "when this line was written, the end of the log was not as the hub had left it")
        previous, expected = line.hash, line.seq + 1
