"""The sign-in of an organisation (OpenID Connect), as its client: authorization code with PKCE, and what is checked of an identity token.

Owns what is asked of such a server, every bound on its answers, and when it is believed. Refuses to know people and pages. No text of an error
holds anything of a token (I-25).
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from hub.calls import Bounds, NotReached, call
from hub.clock import Clock
from hub.settings import Oidc, is_oidc_address

LOG: Final = logging.getLogger(__name__)

KEPT_MS: Final = 3_600_000
"""How long addresses and keys of a server are believed without asking again."""
KEYS_AGAIN_MS: Final = 60_000
"""A token names a key we do not know: its server may have new ones. Asked no more often than this."""
CALLS_AT_ONCE: Final = 4
"""To one server; a slow one holds no more of the hub's threads."""
LEEWAY_S: Final = 60
"""By how much the clock of a server may be wrong."""
SUBJECT_CHARACTERS_MAX: Final = 255
"""As OpenID Connect Core says."""
CODE_CHARACTERS_MAX: Final = 4_096
_BOUNDS: Final = Bounds(timeout_s=5.0, total_s=8.0, bytes_max=256 * 1_024)
_KEYS_MAX: Final = 50
_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures with a key pair alone: never *none*, and never our own secret as a key."""


class Away(Exception):
    """The server does not answer now, or not as one; the text says why."""


class Unbelievable(Exception):
    """It answered something that proves nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """What one sign-in is known by: each part is random, and comes back from another side."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a server vouches for. `email` is empty unless it says that it checked it."""

    subject: str
    email: str
    second_factor: bool


def new_question() -> Question:
    """For one sign-in."""
    return Question(*(secrets.token_urlsafe(32) for _ in range(3)))


class Provider:
    """The server of one organisation. Used by many threads."""

    def __init__(self, settings: Oidc, secret: str, back: str, clock: Clock) -> None:
        self.settings = settings
        self._secret = secret
        self._back = back
        self._clock = clock
        self._calls = threading.Semaphore(CALLS_AT_ONCE)
        self._metadata: tuple[int, Mapping[str, Any]] | None = None
        self._keys: tuple[int, KeySet] | None = None

    def address(self, question: Question) -> str:
        """Where a browser is sent. Raises Away."""
        told = self._known()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self._back,
            "scope": "openid email",
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": _base64url(sha256(question.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if self.settings.second_factor_acr:
            asked["acr_values"] = " ".join(self.settings.second_factor_acr)
        address = told["authorization_endpoint"]
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"

    def told(self, code: str, issuer: str, question: Question) -> Told:
        """What the server says of whoever came back with `code`; `issuer` came with it, if any did. Raises Away and Unbelievable."""
        known = self._known()
        if issuer != self.settings.issuer and (
            issuer or known.get("authorization_response_iss_parameter_supported") is True
        ):
            raise Unbelievable("the answer is another server's (RFC 9207)")
        if not 0 < len(code) <= CODE_CHARACTERS_MAX:
            raise Unbelievable("there is no code")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": question.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if known.get("token_endpoint_auth_methods_supported") == ["client_secret_post"]:
            form |= {"client_id": self.settings.client_id, "client_secret": self._secret}
        else:
            pair = f"{quote(self.settings.client_id, safe='')}:{quote(self._secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answer = self._call("POST", known["token_endpoint"], urlencode(form).encode(), headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Unbelievable("there is no identity token")
        return self._believed(token, question.nonce)

    def _believed(self, token: str, nonce: str) -> Told:
        algorithms = self._known().get("id_token_signing_alg_values_supported", ["RS256"])
        accepted = [name for name in _ALGORITHMS if name in algorithms]
        try:
            try:
                claims = jwt.decode(token, self._key_set(), algorithms=accepted).claims
            except InvalidKeyIdError:
                claims = jwt.decode(token, self._key_set(again=True), algorithms=accepted).claims
            self._registry(nonce).validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unbelievable(f"the identity token: {type(error).__name__} {getattr(error, 'claim', '')}") from None
        parties, party = claims["aud"], claims.get("azp")
        if party != self.settings.client_id and (party is not None or (isinstance(parties, list) and len(parties) > 1)):
            raise Unbelievable("the identity token is for another client")
        return self._read(claims)

    def _registry(self, nonce: str) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=self._clock() // 1000,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )

    def _read(self, claims: Mapping[str, Any]) -> Told:
        subject, email, methods = claims["sub"], claims.get("email"), claims.get("amr")
        if not 0 < len(subject) <= SUBJECT_CHARACTERS_MAX:
            raise Unbelievable("the identity token names nobody")
        is_checked = isinstance(email, str) and claims.get("email_verified") is True
        ways = {way for way in methods if isinstance(way, str)} if isinstance(methods, list) else set()
        two = claims.get("acr") in self.settings.second_factor_acr or bool(ways & set(self.settings.second_factor_amr))
        return Told(subject, str(email).casefold() if is_checked else "", two)

    # --------------------------------------------------------------------------------------------- what is known of the server

    def _known(self) -> Mapping[str, Any]:
        """Its addresses (OpenID Connect Discovery). Raises Away."""
        kept, now_ms = self._metadata, self._clock()
        if kept is not None and now_ms < kept[0] + KEPT_MS:
            return kept[1]
        told = self._call("GET", f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self.settings.issuer:
            raise Away("it calls itself by another name than the settings do")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(told.get(name), str) or not is_oidc_address(told[name]):
                raise Away(f"its {name} is no address with https")
        self._metadata = (now_ms, told)
        return told

    def _key_set(self, *, again: bool = False) -> KeySet:
        """Its keys. Raises Away. `again`: asked anew, unless that was a moment ago."""
        kept, now_ms = self._keys, self._clock()
        if kept is not None and now_ms < kept[0] + (KEYS_AGAIN_MS if again else KEPT_MS):
            return kept[1]
        told = self._call("GET", self._known()["jwks_uri"]).get("keys")
        usable = [key for key in told if _is_public_key(key)] if isinstance(told, list) else []
        if not 0 < len(usable) <= _KEYS_MAX:
            raise Away(f"it names no key, or more than {_KEYS_MAX}")
        try:
            keys = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Away(f"one of its keys is none: {type(error).__name__}") from None
        self._keys = (now_ms, keys)
        return keys

    def _call(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """What it answers, as a JSON object. Raises Away, and Unbelievable when it refuses what was sent."""
        if not self._calls.acquire(blocking=False):
            raise Away("it is slow, and asked by several people now")
        try:
            parts = urlsplit(url)
            found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
            answer = call(
                method, parts, str(found[0][4][0]), bounds=_BOUNDS, body=body,
                headers=headers or {"Accept": "application/json"},
            )  # fmt: skip
        except (NotReached, OSError, UnicodeError) as error:
            raise Away(str(error) if isinstance(error, NotReached) else "its name is not found") from None
        finally:
            self._calls.release()
        if method == "POST" and 400 <= answer.status < 500:
            raise Unbelievable(f"it answers {answer.status} to the code")
        if answer.status != 200 or len(answer.body) > _BOUNDS.bytes_max:
            raise Away(f"it answers {answer.status} with {len(answer.body)} bytes")
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise Away("it answers no JSON") from None
        if not isinstance(told, dict):
            raise Away("it answers no JSON object")
        return told


def _is_public_key(key: object) -> bool:
    """Whether it is a key pair's public half for signatures; anything else in the list is for somebody else."""
    return isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"


def _base64url(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
