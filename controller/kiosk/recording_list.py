"""What to record in a language: every clip with its file and the French sentence to say, and how far the folder is.

Owns the list and its French words. Refuses to know kinds of files (`recordings`) and sentences (`voice`). Read by a mediator with a
telephone in the hand, in the order in which somebody who collects a parcel hears the clips.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Final

from controller.core.notices import NoticeKind
from controller.core.views import Screen
from controller.kiosk.customer import SERVING
from controller.kiosk.recordings import ENDINGS, NUMBER, Fault, Recordings, Sound, read_recording
from controller.kiosk.staff_words import LANGUAGES
from controller.kiosk.texts import FALLBACK, SPOKEN, texts
from controller.kiosk.voice import PLAIN, spoken
from wire.ids import ReachZone, is_label

DOORS_MAX: Final = 999
"""Most doors in one list: labels of three digits."""

STRANGERS_MAX: Final = 20
"""Files of other names that are listed; more of them are only counted."""

_STATES: Final = {
    Fault.MISSING: "manque",
    Fault.EMPTY: "vide",
    Fault.TOO_BIG: "trop gros",
    Fault.UNREADABLE: "ne s'ouvre pas",
    Fault.NO_SOUND: "pas un son",
}
_DONE: Final = "fait"
_NAME_CHARACTERS: Final = 28


def doors_of(text: str) -> tuple[str, ...]:
    """The labels that `12` or `1-24` names. Raises ArgumentTypeError."""
    first, dash, last = text.partition("-")
    if dash and first.isdecimal() and last.isdecimal() and int(first) <= int(last) <= DOORS_MAX:
        return tuple(str(number) for number in range(int(first), int(last) + 1))
    if not is_label(text):
        raise argparse.ArgumentTypeError(f"{text!r}: une porte (12) ou plusieurs (1-24)")
    return (text,)


def clips(doors: tuple[str, ...]) -> dict[str, str]:
    """The name of each file to record, without its ending, and the French sentence it says."""
    names = [
        *(screen.value for screen in Screen if screen is not Screen.NOTICE),
        *(f"notice-{kind.value}" for kind in NoticeKind),
        *PLAIN,
        *(f"reach-{zone.value}" for zone in ReachZone),
    ]
    french = texts(FALLBACK)
    said = {name: spoken(name, "", french) or "" for name in names}
    return said | {f"{NUMBER}-{door}": spoken(NUMBER, door, french) or "" for door in doors}


def report(recordings: Recordings, language: str, doors: tuple[str, ...]) -> tuple[str, bool]:
    """The list to print, and whether nothing is left to do."""
    wanted = clips(doors)
    states = {name: _state(recordings.read(language, name)) for name in wanted}
    others, whole = _others(recordings, language, wanted)
    lines = [
        f"À enregistrer : {LANGUAGES.get(language, language)} ({language})",
        f"Dossier : {_folder(recordings, language)}",
        f"Fin du nom de fichier : {', '.join(ENDINGS)}. Exemple : ready{ENDINGS[0]}",
        "",
        *(f"{states[name]:<15}{name:<{_NAME_CHARACTERS}}{sentence}" for name, sentence in wanted.items()),
        "",
        *others,
    ]
    if not doors:
        lines.append("Pour les numéros des portes, ajoutez : --doors 1-24")
    left = Counter(state for state in states.values() if state != _DONE)
    lines.append(f"Fait : {len(states) - left.total()} sur {len(states)}.")
    if not left:
        return "\n".join([*lines, "Tout est là. Merci !"]), whole
    instead = "en français" if language in SPOKEN else "par la voix de la machine, si elle en a une"
    lines.append(f"{', '.join(f'{state} : {count}' for state, count in left.items())}. C'est dit {instead}.")
    return "\n".join(lines), False


def _state(read: Sound | Fault) -> str:
    return _DONE if isinstance(read, Sound) else _STATES[read]


def _folder(recordings: Recordings, language: str) -> Path:
    return (recordings.folder or Path()) / language


def _others(recordings: Recordings, language: str, wanted: dict[str, str]) -> tuple[list[str], bool]:
    """What to say of the other files there, for one door or with a name that nobody asks for; and whether all can be played."""
    try:
        paths = sorted(_folder(recordings, language).iterdir())
    except OSError:
        return ["Ce dossier n'existe pas, ou ne s'ouvre pas."], False
    others = [path for path in paths if path.stem not in wanted or path.suffix not in ENDINGS]
    ours = [path for path in others if _is_of_a_door(path)]
    faults = {path.name: state for path in ours if (state := _state(read_recording(path))) != _DONE}
    strangers = [path.name for path in others if path not in ours]
    lines = [f"{state:<15}{name}" for name, state in faults.items()]
    if strangers:
        named = ", ".join(strangers[:STRANGERS_MAX])
        lines.append(f"Noms que la machine ne connaît pas ({len(strangers)}) : {named}")
    return lines, not faults


def _is_of_a_door(path: Path) -> bool:
    clip, _, door = path.stem.rpartition("-")
    return path.suffix in ENDINGS and is_label(door) and clip in (NUMBER, *SERVING)
