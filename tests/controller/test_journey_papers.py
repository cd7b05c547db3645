"""The papers of the desk and the slips, on the assembled programs: the real controller, the real kiosk beside it, a printer, a pty.

What stands on a receipt is held against the journal's file; what stands on a slip is read from its pixels.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from controller.kiosk.texts import texts
from paper.phrases import languages
from paper.slip import Slip, slip_pdf
from tests.controller.controller_site import KEY, NUMBER, ROOT, end_all, parcel, wait_for
from tests.controller.hands import LABELS, load, made, rest, sign_in
from tests.controller.stage import Stage, digits
from wire import facts as f
from wire.badges import CommandCard
from wire.facts import decode_fact
from wire.ids import Label, Occupancy, ReachZone, SizeClass
from wire.pickup import PickupKey, qr_text
from wire.plan import Help

pytestmark = pytest.mark.slow

FAKE_LP = """#!{python}
import pathlib, sys
folder = pathlib.Path({folder!r})
(folder / "part").write_bytes(sys.stdin.buffer.read())
number = len(list(folder.glob("*.pdf")))
(folder / "part").rename(folder / f"{{number}}.pdf")
"""


class Desk:
    """A site with its kiosk, and a printer that keeps what it printed."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder)
        self.out = folder / "out"
        self.out.mkdir()
        lp = folder / "bin" / "lp"
        lp.parent.mkdir()
        lp.write_text(FAKE_LP.format(python=sys.executable, folder=str(self.out)))
        lp.chmod(0o755)
        self._path = f"{lp.parent}:/usr/bin:/bin"
        self._kiosk: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Both programs."""
        self.stage.start()
        self.open_kiosk()

    def open_kiosk(self) -> None:
        """The screens beside a site that runs."""
        config = self.stage.folder / "kiosk.toml"
        config.write_text('[panel]\nsocket = "panel.sock"\n[web]\nport = 0\n[printing]\nqueue = "accueil"\n')
        self._kiosk = subprocess.Popen(
            [sys.executable, "-m", "controller.kiosk", "--config", str(config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": self._path},
        )
        assert self._kiosk.stdout is not None
        self.url = self._kiosk.stdout.readline().split()[1].rstrip("/")

    def page(self, path: str) -> str:
        """A page as somebody reads it."""
        return unescape(self.get(path).decode())

    def get(self, path: str) -> bytes:
        """What is at an address now; nothing when it is not there."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=20) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            error.close()
            return b""

    def paper(self, name: str) -> str:
        """What stands on one of the desk's papers."""
        return text_of(wait_for(lambda: self.get(f"/staff/paper/{name}.pdf"), f"the paper {name}"))

    def printed(self) -> list[str]:
        """What came out of the printer, oldest first."""
        return [text_of(path.read_bytes()) for path in sorted(self.out.glob("*.pdf"))]

    def stop(self) -> None:
        """The kiosk ends; the site is ended by `end_all`."""
        if self._kiosk is not None:
            self._kiosk.terminate()
            self._kiosk.wait(10)
            assert self._kiosk.stdout is not None
            self._kiosk.stdout.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that is not open yet."""
    desk = Desk(tmp_path)
    yield desk
    desk.stop()
    end_all()


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        text = " ".join(each.get_textpage().get_text_range() for each in document)
    finally:
        document.close()
    return " ".join(text.replace("\xa0", " ").split())


def seals(stage: Stage) -> dict[str, tuple[int, str]]:
    """For each parcel put in: the line of its deposit, and the hash that the journal's file holds there."""
    with sqlite3.connect(f"file:{stage.folder / 'state' / 'journal.db'}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT seq, body, hash FROM facts ORDER BY seq").fetchall()
    db.close()
    facts = ((seq, decode_fact(body), bytes(digest).hex()) for seq, body, digest in rows)
    return {fact.parcel: (seq, digest) for seq, fact, digest in facts if isinstance(fact, f.ParcelStored)}


def shown_seal(line: int, digest: str) -> str:
    """As a receipt shows it."""
    return f"ligne {line}, empreinte : " + " ".join(digest[start : start + 8] for start in range(0, 64, 8))


@pytest.mark.timeout(180)
def test_s_07_who_puts_parcels_in_gets_a_receipt_that_the_journal_confirms(desk: Desk) -> None:
    """Two deposits, a third one cancelled: a receipt each, one for both when the person leaves, and again after a power cut."""
    stage = desk.stage
    known = stage.announced(1, LABELS[0], SizeClass.M, carrier="Colissimo", heavy=True)
    desk.start()
    sign_in(stage)
    door = load(stage, LABELS[0], known)
    rest(stage)
    stage.card(CommandCard.DAMAGED)
    other_door = made(stage, LABELS[1])
    rest(stage)
    cancelled = load(stage, LABELS[2], LABELS[2])
    other, third = (
        next(p["parcel"] for p in stage.all("parcel_received") if p["tracking"] == label) for label in LABELS[1:3]
    )
    wait_for(lambda: len(stage.view["staff"]["deposits"]) == 3, "three deposits")
    stage.site.act(f"contents/{cancelled}", {"take": True})
    stage.card(CommandCard.CANCEL)
    wait_for(lambda: stage.task().get("step") == "ask_empty", "the question")
    stage.card(CommandCard.EMPTY)
    wait_for(lambda: len(stage.view["staff"]["deposits"]) == 2, "two deposits left")
    lines = seals(stage)
    receipt = desk.paper(f"receipt-{lines[known][0]}")
    for words in (
        LABELS[0], "Colissimo", f"porte {door}", "Taille M", "lourd", "rien de signalé", "amina", known,
        shown_seal(*lines[known]),
    ):  # fmt: skip
        assert words in receipt, words
    assert "arrivé abîmé" in desk.paper(f"receipt-{lines[other][0]}")
    assert desk.get(f"/staff/paper/receipt-{lines[third][0]}.pdf") == b"", "no receipt for what was taken back"

    stage.press("sign_out")
    (both,) = wait_for(desk.printed, "the receipt of the session, out of the printer")
    for words in ("Colis : 2", LABELS[0], LABELS[1], f"porte {door}", f"porte {other_door}", shown_seal(*lines[other])):
        assert words in both, words
    assert LABELS[2] not in both
    assert desk.get("/staff/paper/receipts.pdf") == b"", "nobody is signed in"

    stage.kill()
    stage.start()
    sign_in(stage)
    assert desk.paper(f"receipt-{lines[known][0]}") == receipt, "the same paper after a power cut"
    assert "Tous vos dépôts" not in desk.page("/staff/papers"), "this session has put in nothing yet"
    stage.end()


@pytest.mark.timeout(180)
def test_m_12_the_days_list_is_on_the_screen_and_on_paper(desk: Desk) -> None:
    """Who waits, behind which door, who needs help, in which language; what nobody knows the content of first; gone when collected."""
    stage = desk.stage
    stage.stored(1, "1", LABELS[0], language="ta", help=Help.BLIND)
    stage.stored(2, "2", LABELS[1], language="ht")
    stage.stored(3, "E1", LABELS[2], language="bm", reach=ReachZone.LOW)
    stage.announced(4, LABELS[3], language="ar")
    stage.write((f.OccupancySet(compartment=Label("3"), occupancy=Occupancy.UNKNOWN, reason="opened_late"),))
    desk.start()
    assert desk.page("/staff/day") == "", "no list for nobody"
    sign_in(stage)
    listed = wait_for(lambda: "Besoin d'aide" in (page := desk.page("/staff/day")) and page, "the day's list")
    printed = desk.paper("day")
    for text in (listed, printed):
        for words in (
            LABELS[0],
            "tamoul",
            "voit mal",
            LABELS[1],
            "créole haïtien",
            "bambara",
            "étagère E1",
            "Besoin d'aide : 2",
            "Colis en attente : 1",
        ):
            assert words in text, words
        assert LABELS[3] not in text, "announced is not here yet"
        assert text.index("vérifier d'abord") < text.index("Besoin d'aide") < text.index("Colis en attente")
    request = urllib.request.Request(
        f"{desk.url}/staff/paper/day/print", data=b"", headers={"Origin": desk.url}, method="POST"
    )
    urllib.request.urlopen(request, timeout=20).close()
    assert desk.printed() == [printed]
    stage.type(digits(2))
    stage.opens("2")
    stage.take_and_close("2")
    stage.wait_fact("parcel_taken", parcel=parcel(2))
    wait_for(lambda: LABELS[1] not in desk.page("/staff/day"), "who has come is off the list")
    stage.end()


def a_slip(number: int, language: str) -> Slip:
    return Slip(
        qr_text=qr_text(KEY, PickupKey(NUMBER, parcel(number), 1, 0)),
        digits=digits(number),
        site_name="Loge Les Tilleuls",
        help_phone="01 23 45 67 89",
        language=language,
    )


def as_a_poor_reader_sees_it(pdf: bytes, turned: float) -> Image.Image:
    """The code of a printed slip, 100 pixels wide, out of focus and askew."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0].render(scale=4).to_pil().convert("L")
    finally:
        document.close()
    (found,) = zxingcpp.read_barcodes(np.asarray(page))
    corners = (found.position.top_left, found.position.bottom_right)
    quiet = (corners[1].x - corners[0].x) * 4 // 29
    code = page.crop((corners[0].x - quiet, corners[0].y - quiet, corners[1].x + quiet, corners[1].y + quiet))
    small = code.resize((100, 100), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.9))
    askew: Image.Image = small.rotate(turned, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    return askew


@pytest.mark.timeout(240)
@pytest.mark.parametrize("half", [0, 1])
def test_c_01_c_28_a_slip_of_every_language_is_read_from_blurred_pixels_opens_its_door_and_chooses_the_language(
    desk: Desk, half: int
) -> None:
    spoken = languages()[half * 6 : half * 6 + 6]
    stage = desk.stage
    inside = {
        str(number): stage.stored(number, str(number), f"{LABELS[0]}{number}", language=language)
        for number, language in enumerate(spoken, 1)
    }
    stage.start(inside=inside)
    desk.open_kiosk()
    for number, language in enumerate(spoken, 1):
        image = as_a_poor_reader_sees_it(slip_pdf(a_slip(number, language)), 11.0 * number)
        (read,) = zxingcpp.read_barcodes(np.asarray(image))
        assert read.text == a_slip(number, language).qr_text, language
        stage.scan(read.text)
        wait_for(lambda: stage.door(str(number)) == "open", f"the door of the {language} slip")  # noqa: B023 waited for here
        take = texts(language).take
        wait_for(lambda: take in desk.page("/"), f"the kiosk to say it in {language}")  # noqa: B023
        assert stage.view["customer"]["language"] == language
        stage.take_and_close(str(number))
        stage.wait_fact("parcel_taken", parcel=parcel(number))
        rest(stage)
    assert [pulse["label"] for pulse in stage.pulses()] == [str(number) for number in range(1, 7)]
    stage.end()
