"""The keys of sites, derived from the master secret (design §5). The only place that holds the master secret.

Owns the derivation. Refuses to know parcels beyond their key, and to write any key anywhere.
"""

from __future__ import annotations

import hmac
import os
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wire.pickup import SITE_KEY_BYTES, PickupKey, qr_text, typed_digits

_SALT: Final = b"consigne/1"
_NONCE_BYTES: Final = 12
_CACHED_KEYS: Final = 4_096
"""Site keys kept in memory: more sites than one hub serves in a minute."""


class KeyRing:
    """Derives what must not be stored."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self.site_key = lru_cache(maxsize=_CACHED_KEYS)(self._site_key)

    def digits(self, site: str, key: PickupKey) -> str:
        """The twelve digits a recipient may type for this key."""
        return typed_digits(self.site_key(site, key.epoch), key)

    def qr(self, site: str, key: PickupKey) -> str:
        """The text of the QR on the slip of this key."""
        return qr_text(self.site_key(site, key.epoch), key)

    def signature(self, purpose: bytes, message: bytes) -> bytes:
        """32 bytes that only this hub can make for `message`; one purpose never vouches for another."""
        return hmac.digest(self._derive(b"hub\x00" + purpose), message, sha256)

    def sealed(self, purpose: bytes, secret: bytes) -> bytes:
        """A secret that this hub alone can open again, for the database."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._derive(b"hub\x00" + purpose)).encrypt(nonce, secret, purpose)

    def opened(self, purpose: bytes, sealed: bytes) -> bytes | None:
        """What `sealed` holds; None when it was not sealed here for this purpose, or was changed."""
        try:
            key = AESGCM(self._derive(b"hub\x00" + purpose))
            return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose)
        except (InvalidTag, ValueError):
            return None

    def _site_key(self, site: str, epoch: int) -> bytes:
        return self._derive(b"site-key\x00" + site.encode() + b"\x00" + str(epoch).encode())

    def _derive(self, info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=SITE_KEY_BYTES, salt=_SALT, info=info).derive(self._master)
