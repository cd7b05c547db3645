"""E-mail: a message in the recipient's language and direction, the code to show in its middle, the slip to print attached.

Owns the letter and the talk with a mail server through aiosmtplib. Refuses to know when it is sent. The same message has the same
Message-ID however often it is tried, so a mailbox that got it twice shows it once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from html import escape
from typing import Final

import aiosmtplib

from hub.notify.drivers import NoSuchAddress, Outgoing, Undelivered
from hub.notify.words import Line, Value, is_rtl
from hub.settings import Mail
from paper import qr
from paper.phrases import language_or_fallback, phrases
from paper.slip import Slip, slip_pdf

TIMEOUT_S: Final = 20.0
"""For each step with the server; a mail with its slip is under 100 KiB."""
SLIP_FILE: Final = "bon-de-retrait.pdf"
_CODE_ID: Final = "code"
_BODY: Final = "margin:0 auto;padding:16px;max-width:34em;font:18px/1.5 sans-serif;color:#111;background:#fff"
_CODE: Final = "font-size:30px;font-weight:bold;white-space:nowrap"


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, the password for it, and how to trust it."""

    mail: Mail
    password: str
    context: ssl.SSLContext | None


def server_of(mail: Mail, password: str) -> Server:
    """What is needed to talk to the server of the settings. Raises OSError when `ca_file` cannot be read."""
    ca_file = None if mail.ca_file is None else str(mail.ca_file)
    context = None if mail.security == "none" else ssl.create_default_context(cafile=ca_file)
    return Server(mail, password, context)


class Mailer:
    """The driver of e-mail."""

    def __init__(self, server: Server, now_ms: Callable[[], int], timeout_s: float = TIMEOUT_S) -> None:
        self._server = server
        self._now_ms = now_ms
        self._timeout_s = timeout_s

    def send(self, message: Outgoing) -> None:
        """Hand it over to the mail server. Raises Undelivered."""
        letter = letter_of(message, self._server.mail, self._now_ms())
        try:
            asyncio.run(self._hand_over(letter))
        except aiosmtplib.SMTPRecipientsRefused as refused:
            code = min((one.code for one in refused.recipients), default=0)
            if code >= 500:
                raise NoSuchAddress(f"the mail server refuses the address ({code})") from None
            raise Undelivered(f"the mail server answers {code}") from None
        except aiosmtplib.SMTPAuthenticationError:
            raise Undelivered("the mail server does not take our name and password") from None
        except aiosmtplib.SMTPResponseException as error:
            raise Undelivered(f"the mail server answers {error.code}") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Undelivered(f"the mail server is not reached: {type(error).__name__}") from None

    async def _hand_over(self, letter: EmailMessage) -> None:
        mail = self._server.mail
        client = aiosmtplib.SMTP(
            hostname=mail.host,
            port=mail.port,
            username=mail.user or None,
            password=self._server.password or None,
            use_tls=mail.security == "tls",
            start_tls=mail.security == "starttls",
            tls_context=self._server.context,
            timeout=self._timeout_s,
        )
        transport = None
        try:
            async with client:
                transport = client.transport
                await client.send_message(letter)
        finally:
            if isinstance(
                transport, asyncio.WriteTransport
            ):  # the server said goodbye; TLS would wait for a second one, past the end of this loop
                transport.abort()
                await asyncio.sleep(0)


def letter_of(message: Outgoing, mail: Mail, now_ms: int) -> EmailMessage:
    """The e-mail of a message: plain words, the same with the code as a picture, and the slip to print."""
    sender = mail.sender
    letter = EmailMessage(policy=SMTP)
    letter["Message-ID"] = f"<{message.id.replace(':', '.').replace('/', '.')}@{sender.domain}>"
    letter["Date"] = formatdate(now_ms / 1000)
    letter["From"] = sender
    letter["To"] = Address(addr_spec=message.to)
    if mail.reply_to:
        letter["Reply-To"] = Address(addr_spec=mail.reply_to)
    letter["Subject"] = message.subject
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text + "\n")
    letter.add_alternative(html_of(message), subtype="html")
    if message.slip is not None:
        _attach(letter, message.slip)
    letter["Content-Language"] = language_or_fallback(message.language)
    return letter


def _attach(letter: EmailMessage, slip: Slip) -> None:
    page = letter.get_body(("html",))
    assert page is not None, "it was added just before"
    picture = qr.png(slip.qr_text)
    page.add_related(picture, "image", "png", cid=f"<{_CODE_ID}>", filename="code.png", disposition="inline")
    letter.add_attachment(slip_pdf(slip), "application", "pdf", filename=SLIP_FILE)


def html_of(message: Outgoing) -> str:
    """The letter as a page, in its language's direction, large and plain."""
    language = language_or_fallback(message.language)
    direction = "rtl" if is_rtl(language) else "ltr"
    lines = "".join(_html(line, language) for line in message.lines)
    return (
        f'<!DOCTYPE html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(message.subject)}</title></head>'
        f'<body dir="{direction}" style="{_BODY}">{lines}</body></html>\n'
    )


def _html(line: Line, language: str) -> str:
    said = escape(line.text)
    match line.is_a:
        case Value.CODE:
            return f'<p>{said}<br><bdi dir="ltr" style="{_CODE}">{escape(line.value)}</bdi></p>'
        case Value.NAME:
            return f"<p>{said} <b><bdi>{escape(line.value)}</bdi></b></p>"
        case Value.NUMBER:
            return f'<p>{said} <bdi dir="ltr" style="white-space:nowrap">{escape(line.value)}</bdi></p>'
        case Value.PICTURE:
            title = escape(phrases(language).code)
            return f'<p>{said}</p><p><img src="cid:{_CODE_ID}" alt="{title}" width="296" height="296"></p>'
        case None:
            return f"<p>{said}</p>"
