"""A real mail server on a port: it keeps what it takes, can refuse, ask for TLS and a login, and forget to answer."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import zxingcpp
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from tests.tools.ports import free_port

USER, PASSWORD = "consigne", "geheim-27"


class MailRoom:
    """What recipients' mailboxes hold, and how the server behaves."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.answers: list[str] = []
        """Answers to the next messages, before the ordinary one."""
        self.unknown: set[str] = set()
        """Addresses nobody has."""
        self.logins: list[str] = []
        self.port = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 aiosmtpd asks for it
        if address in self.unknown:
            return f"550 5.1.1 <{address}>: no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"

    def authenticator(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        known = data.login == USER.encode() and data.password == PASSWORD.encode()
        return AuthResult(success=known, handled=known)

    def mailboxes(self) -> dict[str, EmailMessage]:
        """What a mailbox shows: each Message-ID once."""
        return {str(mail["Message-ID"]): mail for mail in self.taken}


@contextmanager
def mail_room(*, security: str = "none", folder: Path | None = None) -> Iterator[MailRoom]:
    """A mail server while the block lasts; with TLS its certificate is `folder`/ca.pem, and it wants a login."""
    room = MailRoom()
    room.port = free_port()
    options: dict[str, Any] = {}
    if security != "none":
        assert folder is not None
        context = own_certificate(folder)
        options = {"authenticator": room.authenticator}
        if security == "tls":  # aiosmtpd does not see that it has TLS then, and would offer no login
            options |= {"ssl_context": context, "auth_require_tls": False}
        else:
            options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
    server = Controller(room, hostname="127.0.0.1", port=room.port, **options)
    server.start()
    try:
        yield room
    finally:
        server.stop()


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate for 127.0.0.1, which stands in `folder`/ca.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail room")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(certificate.public_bytes(encoding))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


def parts_of(mail: EmailMessage) -> dict[str, Any]:
    """The parts of a letter by their type."""
    return {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}


def code_on_the_slip(mail: EmailMessage) -> str:
    """What a reader reads off the attached slip, from its pixels."""
    document = pypdfium2.PdfDocument(parts_of(mail)["application/pdf"])
    try:
        return read_code(np.asarray(document[0].render(scale=3).to_pil().convert("L")))
    finally:
        document.close()


def code_in_the_text(mail: EmailMessage) -> str:
    """What a reader reads off the picture in the letter."""
    from io import BytesIO

    return read_code(np.asarray(Image.open(BytesIO(parts_of(mail)["image/png"])).convert("L")))


def read_code(pixels: Any) -> str:
    (code,) = zxingcpp.read_barcodes(pixels)
    return str(code.text)
