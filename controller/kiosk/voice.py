"""What is said aloud: a recording when there is one, espeak-ng where it has a voice, otherwise nothing.

A language by voice alone has no words for espeak-ng: what was not recorded in it is said in French. Owns the choice and the
making of sounds, bounded in number, time and size. Refuses to say free words: only the texts of the
screens, with the label of a door in this bank and what the notice of the day itself shows.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import OrderedDict
from typing import Final

from controller.core.notices import Notice, NoticeKind
from controller.core.views import Screen
from controller.kiosk.recordings import NUMBER, Recordings, Sound
from controller.kiosk.texts import SPOKEN, Texts, languages, texts, voices
from wire.ids import ReachZone

ESPEAK_S: Final = 5.0
"""Longest wait for a sentence; it takes about 50 ms on a Pi."""

SOUNDS_MAX: Final = 64
"""Sentences kept in memory, about 150 KB each."""

WORDS_PER_MINUTE: Final = 140
"""Slower than usual: the listener may be old, tired or new to the language."""

PLAIN: Final = ("several", "also_at_desk", "practice", "from_afar", "idle", "away", "reader_away")
"""Clips that are one text of the screen, whole."""

_VOICES: Final = {"zh": "cmn-latn-pinyin", "en": "en-gb", "fr": "fr-fr"}


class Voice:
    """The voice of one kiosk."""

    def __init__(self, recordings: Recordings, *, espeak: bool) -> None:
        self._recordings = recordings
        self._program = shutil.which("espeak-ng") if espeak else None
        self._made: OrderedDict[tuple[str, str], Sound] = OrderedDict()
        self._one = asyncio.Lock()

    async def sound(self, language: str, clip: str, door: str, notice: Notice | None = None) -> Sound | None:
        """The sound of a clip, or None. `door` must be a label of the bank or empty; `notice` is what the screen shows now."""
        if language not in (*languages(), *SPOKEN):
            return None
        for voice in voices(language):
            sound = await self._say(voice, clip, door, notice)
            if sound is not None:
                return sound
        return None

    async def _say(self, language: str, clip: str, door: str, notice: Notice | None) -> Sound | None:
        words = texts(language)
        told = about(clip, notice, words)
        sentence = told or spoken(clip, door, words)
        if sentence is None:
            return None
        recorded = None if told else await asyncio.to_thread(self._recordings.says, language, clip, door)
        if recorded is not None or language in SPOKEN:
            return recorded
        return await self._speak(language, sentence)

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
    if clip == NUMBER:
        return number.strip() or None
    sentences = {
        Screen.READY: words.ready,
        Screen.OPENING: f"{number}{words.opening}",
        Screen.PUSH_DOOR: _of_door(words.push_door, door),
        Screen.TAKE: f"{number}{words.take} {words.close_after}",
        Screen.CLOSE_DOOR: _of_door(words.close_door, door),
        Screen.PUT_BACK: _of_door(words.put_back, door),
        Screen.CHOOSE_SIZE: words.choose_size,
        Screen.PUT_IN: f"{number}{words.put_in} {words.close_after}",
        Screen.ASK_INSIDE: words.ask_inside,
    }
    return sentences.get(Screen(clip)) if clip in set(Screen) else None


def _of_door(text: str, door: str) -> str:
    """A text with its door; without one there is no gap before its full stop."""
    return " ".join(text.format(door=door).split()).replace(" .", ".")
