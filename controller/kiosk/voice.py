"""What is said aloud: a recording when there is one, espeak-ng where it has a voice, otherwise nothing.

Owns the finding and making of sounds, bounded in number, time and size. Refuses to say free words: only the texts of the
screens, with the label of a door in this bank and what the notice of the day itself shows.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.core.model import Notice, NoticeKind
from controller.core.views import Screen
from controller.kiosk.texts import Texts, languages, texts
from wire.ids import ReachZone

ESPEAK_S: Final = 5.0
"""Longest wait for a sentence; it takes about 50 ms on a Pi."""

SOUNDS_MAX: Final = 64
"""Sentences kept in memory, about 150 KB each."""

WORDS_PER_MINUTE: Final = 140
"""Slower than usual: the listener may be old, tired or new to the language."""

PLAIN: Final = ("several", "also_at_desk", "practice", "from_afar", "idle", "away", "reader_away")
"""Clips that are one text of the screen, whole."""

_KINDS: Final = {".ogg": "audio/ogg", ".mp3": "audio/mpeg", ".wav": "audio/wav"}
_VOICES: Final = {"zh": "cmn-latn-pinyin", "en": "en-gb", "fr": "fr-fr"}


@dataclass(frozen=True, slots=True)
class Sound:
    """Bytes a browser can play."""

    data: bytes
    kind: str


class Voice:
    """The voice of one kiosk. `recordings` is a folder `<language>/<clip>[-<door>].<ogg|mp3|wav>`."""

    def __init__(self, recordings: Path | None, *, espeak: bool) -> None:
        self._recordings = recordings
        self._program = shutil.which("espeak-ng") if espeak else None
        self._made: OrderedDict[tuple[str, str], Sound] = OrderedDict()
        self._one = asyncio.Lock()

    async def sound(self, language: str, clip: str, door: str, notice: Notice | None = None) -> Sound | None:
        """The sound of a clip, or None. `door` must be a label of the bank or empty; `notice` is what the screen shows now."""
        if language not in languages():
            return None
        sentence = about(clip, notice, texts(language)) or spoken(clip, door, texts(language))
        if sentence is None:
            return None
        return self._recorded(language, clip, door) or await self._speak(language, sentence)

    def _recorded(self, language: str, clip: str, door: str) -> Sound | None:
        if self._recordings is None:
            return None
        names = (f"{clip}-{door}", clip) if door else (clip,)
        for name in names:
            for ending, kind in _KINDS.items():
                path = self._recordings / language / (name + ending)
                if path.is_file():
                    return Sound(path.read_bytes(), kind)
        return None

    async def _speak(self, language: str, sentence: str) -> Sound | None:
        key = (language, sentence)
        async with self._one:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            data = await self._run_espeak(language, sentence)
            if not data:
                return None
            self._made[key] = Sound(data, "audio/wav")
            if len(self._made) > SOUNDS_MAX:
                self._made.popitem(last=False)
            return self._made[key]

    async def _run_espeak(self, language: str, sentence: str) -> bytes:
        if self._program is None:
            return b""
        voice = _VOICES.get(language, language)
        arguments = ("-v", voice, "-s", str(WORDS_PER_MINUTE), "--stdout", "--", sentence)
        try:
            process = await asyncio.create_subprocess_exec(
                self._program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError:
            return b""
        try:
            data, _ = await asyncio.wait_for(process.communicate(), ESPEAK_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            return b""
        return data if process.returncode == 0 else b""


def about(clip: str, notice: Notice | None, words: Texts) -> str | None:
    """The sentence that only the notice on the screen can fill: when its parcel left, or where the other site is."""
    if notice is not None and clip == "retired" and notice.at_ms:
        return retired(notice, words)
    if notice is not None and clip == "other_site" and notice.site_name:
        return f"{notice.site_name}. {notice.site_address}".strip()
    return None


def retired(notice: Notice, words: Texts) -> str:
    """When the parcel of a notice left, in the site's own time."""
    at = time.localtime(notice.at_ms / 1000)
    return words.retired.format(date=time.strftime("%d/%m/%Y", at), time=time.strftime("%H:%M", at))


def spoken(clip: str, door: str, words: Texts) -> str | None:
    """The sentence of a clip; None when there is no such clip."""
    kind = clip.removeprefix("notice-")
    if clip.startswith("notice-") and kind in set(NoticeKind):
        notice = words.notices[NoticeKind(kind)]
        return f"{notice.say} {notice.next}".strip()
    if clip in PLAIN:
        return str(getattr(words, clip))
    if clip.startswith("reach-") and clip.removeprefix("reach-") in set(ReachZone):
        return words.reach[ReachZone(clip.removeprefix("reach-"))]
    number = f"{words.door} {door}. " if door else ""
    sentences = {
        Screen.READY: words.ready,
        Screen.OPENING: f"{number}{words.opening}",
        Screen.PUSH_DOOR: words.push_door.format(door=door),
        Screen.TAKE: f"{number}{words.take} {words.close_after}",
        Screen.CLOSE_DOOR: words.close_door.format(door=door),
        Screen.PUT_BACK: words.put_back.format(door=door),
        Screen.CHOOSE_SIZE: words.choose_size,
        Screen.PUT_IN: f"{number}{words.put_in} {words.close_after}",
        Screen.ASK_INSIDE: words.ask_inside,
    }
    return sentences.get(Screen(clip)) if clip in set(Screen) else None
