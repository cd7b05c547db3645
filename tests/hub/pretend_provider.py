"""The sign-in of an organisation, as far as a hub can tell: a server of its own on loopback, real keys and tokens, and every lie a test asks for."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "consigne", "a secret with / and :"


class PretendProvider:
    """Whoever comes is `claims`; each test says who that is and what else goes wrong."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "u-1"}
        self.metadata: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self.published: list[dict[str, Any]] = [{"kty": "AKP", "kid": "new kind"}, _public(self.key)]
        self.status = 200
        self.body: bytes | None = None
        self.answers: dict[str, str] = {}
        """Added to, or instead of, what a browser brings back."""
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                provider.asked.append(parts.path)
                if parts.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorized(parts.query))
                    self.end_headers()
                    return
                self._say(provider.known() if "well-known" in parts.path else {"keys": provider.published})

            def do_POST(self) -> None:
                provider.asked.append(self.path)
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                told = provider.exchanged({key: value[0] for key, value in form.items()}, self.headers["Authorization"])
                self._say(told, 200 if "id_token" in told else 400)

            def _say(self, told: dict[str, Any], status: int = 200) -> None:
                body = json.dumps(told).encode() if provider.body is None else provider.body
                self.send_response(status if provider.status == 200 else provider.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_all: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/ville"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def settings(self, **more: list[str]) -> str:
        """`[oidc.ville]` of a hub; the secret is in a file beside it."""
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in more.items()]
        return (
            f'[oidc.ville]\nname = "Ville"\nissuer = "{self.issuer}"\nclient_id = "{CLIENT}"\n'
            f'client_secret_file = "oidc-secret"\n{"".join(lines)}'
        )

    def known(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        base = self.issuer.removesuffix("/ville")
        told = {name: f"{base}/{path}" for name, path in names.items()}
        return {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["ES256"], **told, **self.metadata}

    def authorized(self, query: str) -> str:
        asked = {key: value[0] for key, value in parse_qs(query).items()}
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], **self.answers})}"

    def exchanged(self, form: dict[str, str], authorization: str | None) -> dict[str, Any]:
        asked = self._codes.pop(form["code"], None)
        pair = f"{CLIENT}:{quote(SECRET, safe='')}"
        is_client = authorization == f"Basic {base64.b64encode(pair.encode()).decode()}" or (
            form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)  # fmt: skip
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if not asked or not is_client or challenge != asked["code_challenge"]:
            return {"error": "invalid_grant"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return {"error": "invalid_request"}
        now_s = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now_s, "exp": now_s + 300, "nonce": asked["nonce"]}
        told = {key: value for key, value in {**claims, **self.claims}.items() if value is not None}
        return {
            "id_token": jwt.encode({"alg": "ES256", "kid": "one", **self.header}, told, self.key),
            "token_type": "Bearer",
        }

    def close(self) -> None:
        """From now on nobody answers there. Safe to call twice."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _public(key: ECKey) -> dict[str, Any]:
    return dict(key.as_dict(private=False))
