"""The customer screen: a picture of the site becomes one fragment of a page, its tone and what is said aloud.

Owns what each screen shows. Refuses to know words (`text/`), sockets and staff. Nothing of a key or a name is here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from controller.core.events import Button
from controller.core.notices import Notice, NoticeKind
from controller.core.views import CustomerView, Screen, View
from controller.kiosk.bank import lit_svg
from controller.kiosk.link import Picture
from controller.kiosk.recordings import NUMBER, Recordings
from controller.kiosk.settings import Settings
from controller.kiosk.texts import SPOKEN, Direction, Texts, language_or_fallback, texts, voices
from controller.kiosk.voice import retired
from paper import pictograms
from paper.drawing import Picture as Drawing
from paper.drawing import svg
from wire.badges import CommandCard
from wire.ids import SizeClass
from wire.plan import Help

SERVING: Final = frozenset(
    {Screen.OPENING, Screen.PUSH_DOOR, Screen.TAKE, Screen.CLOSE_DOOR, Screen.PUT_BACK, Screen.PUT_IN}
)
"""Screens with a door that opens or is open: they never time out."""

ASKING: Final = frozenset({Screen.CHOOSE_SIZE, Screen.ASK_INSIDE})
"""Screens that ask somebody who hands in a parcel; the site ends them, the browser does not (C-32)."""

SPEAK_AGAIN_S: Final = 8
"""Pause between two sayings while a door is open: long enough to act, short enough not to be lost."""

_DRAWINGS: Final[dict[Screen, tuple[Drawing, ...]]] = {
    Screen.OPENING: (pictograms.DOOR_OPENS,),
    Screen.PUSH_DOOR: (pictograms.CLOSE_DOOR,),
    Screen.TAKE: (pictograms.TAKE_PARCEL, pictograms.CLOSE_DOOR),
    Screen.CLOSE_DOOR: (pictograms.CLOSE_DOOR,),
    Screen.PUT_BACK: (pictograms.GIVE_BACK, pictograms.CLOSE_DOOR),
    Screen.CHOOSE_SIZE: (),
    Screen.PUT_IN: (pictograms.GIVE_BACK, pictograms.CLOSE_DOOR),
    Screen.ASK_INSIDE: (),
}
_ANSWERS: Final = (
    (Button.SEND_INSIDE, "inside", pictograms.CARDS[CommandCard.NOT_EMPTY]),
    (Button.SEND_NOT_INSIDE, "not_inside", pictograms.CARDS[CommandCard.EMPTY]),
)
"""Is it inside? Each answer is the drawing of what they see, so that nothing has to be read (C-32)."""
_PROBLEMS: Final = (
    (Button.FOUND_EMPTY, pictograms.CARDS[CommandCard.EMPTY]),
    (Button.DAMAGED, pictograms.DAMAGED),
    (Button.REFUSE, pictograms.GIVE_BACK),
)
"""What a customer may say of the parcel behind their door, each with its drawing."""

_SLIP_KINDS: Final = frozenset(
    {NoticeKind.MORE_WAITS, NoticeKind.USE_SLIP, NoticeKind.REPLACED, NoticeKind.QUICK_CLOSE, NoticeKind.REFUSED}
)
_DESK_KINDS: Final = frozenset(
    {
        NoticeKind.AT_DESK,
        NoticeKind.ASK_DESK,
        NoticeKind.CALLED,
        NoticeKind.ALREADY_COLLECTED,
        NoticeKind.FOUND_EMPTY,
        NoticeKind.DAMAGED,
        NoticeKind.RECALLED,
        NoticeKind.NO_LONGER_HERE,
    }
)
_DONE_KINDS: Final = frozenset(
    {NoticeKind.HANDED_IN, NoticeKind.THANKS, NoticeKind.CALLED, NoticeKind.AT_DESK, NoticeKind.REFUSED_PARCEL}
)
_COLLECTED_KINDS: Final = frozenset({NoticeKind.ALREADY_COLLECTED, NoticeKind.MORE_WAITS})
_LAST_KINDS: Final = frozenset({NoticeKind.HANDED_IN, NoticeKind.THANKS, NoticeKind.REFUSED_PARCEL})
"""After these there is nothing left to do here."""
_GLAD: Final = frozenset({Screen.OPENING, Screen.TAKE, Screen.PUT_IN, Screen.CHOOSE_SIZE})
_LEADING: Final = frozenset({Screen.OPENING, Screen.PUSH_DOOR, Screen.TAKE, Screen.PUT_IN})
_REPEATED: Final = frozenset({Help.BLIND, Help.DEAF})
"""Who misses half of what the screen does: the other half is said, or shone, again until they have acted."""
_SAMPLES: Final = frozenset({"ar", "ta", "zh"})
"""Languages whose own names stand on the button: who reads no French sees that there are others."""
_KEYPAD_KINDS: Final = frozenset({NoticeKind.CHECK_DIGITS, NoticeKind.SCAN_HINT})
"""What is shown beside the keypad: digits typed so far stay."""
_WAIT_KINDS: Final = frozenset({NoticeKind.ONE_MOMENT, NoticeKind.WAIT_TO_TYPE, NoticeKind.NOT_READY})


@dataclass(frozen=True, slots=True)
class Shown:
    """What the browser gets. `tone` is played and `say` spoken once a change of `screen`; `serving` stops idling.

    `language` is what is written, `voice` what is spoken: they differ for a language by voice alone.
    `flash`: every change and every repeat is a light as well, for somebody who hears none (C-29). `over`: their visit ends with
    this screen, and what they set for themselves with it.
    """

    screen: str
    html: str
    language: str
    voice: str
    direction: str
    live: str
    tone: str
    say: tuple[str, ...]
    serving: bool
    again_s: int
    wait_ms: int
    keypad: bool
    flash: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A key of the chooser: a language by its own name. `french` is filled for one by voice alone, which shows that it speaks."""

    code: str
    name: str
    direction: Direction
    french: str


def show(environment: Environment, settings: Settings, picture: Picture | None, chosen: str, now_s: float) -> Shown:
    """The customer screen of a picture. `chosen` is the language touched on the screen, empty when none was."""
    if picture is None:
        return _away(environment, settings, chosen)
    view, customer = picture.view, picture.view.customer
    offered = settings.offered
    voice = _voice(customer, chosen, offered)
    language = language_or_fallback(voice)
    words = texts(language)
    said = _said(customer, words, scanner=view.scanner)
    more = _more(customer, words)
    wait_ms = _wait_ms(view, now_s - picture.received_s)
    html = environment.get_template("customer_fragment.html").render(
        words=words,
        voice=voice,
        offered=[_offer(code) for code in offered],
        samples=[(code, texts(code)) for code in offered if code in _SAMPLES and code != language],
        screen=customer.screen.value,
        serving=customer.screen in SERVING,
        notice=customer.notice,
        said=said,
        more=more,
        doors=customer.doors,
        door=customer.compartment if customer.screen in SERVING else None,
        reach=None if customer.reach is None else words.reach[customer.reach],
        bank=lit_svg(view.bank, customer.compartment if customer.screen in SERVING else None),
        drawings=[_inline(drawing) for drawing in _drawings(customer, scanner=view.scanner)],
        retired=_retired(customer.notice, words),
        proof=_proof(customer.notice),
        problems=[(button, getattr(words, button.value), _inline(drawing)) for button, drawing in _PROBLEMS],
        problem_door=None if customer.practice or customer.from_afar else _problem_door(customer),
        practice=customer.practice,
        from_afar=customer.from_afar,
        sending=customer.sending,
        sizes=[(size.value, _inline(pictograms.SIZES[size]), size in customer.sizes) for size in SizeClass],
        answers=[(button, getattr(words, answer), _inline(drawing)) for button, answer, drawing in _ANSWERS],
        may_grow=customer.may_grow,
        too_small_drawing=_inline(pictograms.CARDS[CommandCard.BIGGER]),
        contest=customer.notice is not None and customer.notice.kind in _COLLECTED_KINDS,
        scanner=view.scanner,
        offers_keypad=customer.screen is Screen.READY or _keeps_keypad(customer),
        wait_ms=wait_ms,
        help=settings.help,
        keypad_drawing=_inline(pictograms.KEYPAD),
        phone_drawing=_inline(pictograms.PHONE),
    )
    return Shown(
        screen=_screen_key(customer, scanner=view.scanner),
        html=html,
        language=language,
        voice=voice,
        direction=words.direction.value,
        live=" ".join(part for part in (*said, *more) if part),
        tone=_tone(customer, scanner=view.scanner),
        say=_clips(customer, voice, settings.recordings, scanner=view.scanner),
        serving=customer.screen in SERVING | ASKING,
        again_s=SPEAK_AGAIN_S if _repeats(customer) else 0,
        wait_ms=wait_ms,
        keypad=customer.screen is Screen.READY or _keeps_keypad(customer),
        flash=customer.help is Help.DEAF,
        over=_is_over(view),
    )


def _away(environment: Environment, settings: Settings, chosen: str) -> Shown:
    voice = voices(chosen)[0]
    language = language_or_fallback(voice)
    words = texts(language)
    html = environment.get_template("customer_away.html").render(
        words=words, clock=_inline(pictograms.CLOCK), help=settings.help, phone_drawing=_inline(pictograms.PHONE)
    )
    return Shown(
        screen="away",
        html=html,
        language=language,
        voice=voice,
        direction=words.direction.value,
        live=words.away,
        tone="attention",
        say=(f"/voice/{voice}/away",),
        serving=True,
        again_s=0,
        wait_ms=0,
        keypad=False,
    )


def _voice(customer: CustomerView, chosen: str, offered: tuple[str, ...]) -> str:
    """A touch on the screen first, then the slip's language, then French; a notice without a slip has no language."""
    if chosen in offered:
        return chosen
    from_slip = customer.screen is not Screen.READY and (customer.notice is None or customer.notice.language)
    return voices(customer.language if from_slip else offered[0])[0]


def _offer(code: str) -> Offer:
    spoken = SPOKEN.get(code)
    if spoken is not None:
        return Offer(code, spoken.name, Direction.LTR, spoken.french)
    return Offer(code, texts(code).name, texts(code).direction, "")


def _said(customer: CustomerView, words: Texts, *, scanner: bool) -> tuple[str, str]:
    """The sentence and what to do next; without a reader nobody is asked to show it a slip."""
    door = customer.compartment or ""
    match customer.screen:
        case Screen.READY:
            return (words.ready if scanner else words.reader_away), ""
        case Screen.OPENING:
            return words.opening, ""
        case Screen.PUSH_DOOR:
            return words.push_door.format(door=door), ""
        case Screen.TAKE:
            return words.take, words.close_after
        case Screen.CLOSE_DOOR:
            return words.close_door.format(door=door), ""
        case Screen.PUT_BACK:
            return words.put_back.format(door=door), ""
        case Screen.CHOOSE_SIZE:
            return words.choose_size, ""
        case Screen.PUT_IN:
            return words.put_in, words.close_after
        case Screen.ASK_INSIDE:
            return words.ask_inside, ""
        case Screen.NOTICE:
            notice = customer.notice
            said = words.notices[notice.kind if notice else NoticeKind.ONE_MOMENT]
            return said.say, said.next


def _more(customer: CustomerView, words: Texts) -> tuple[str, ...]:
    """What somebody with several parcels is told besides (C-25)."""
    return tuple(getattr(words, clip) for clip in _more_clips(customer))


def _more_clips(customer: CustomerView) -> tuple[str, ...]:
    several = ("several",) if customer.doors else ()
    return (*several, "also_at_desk") if customer.also_at_desk else several


def _problem_door(customer: CustomerView) -> str:
    """The door that something may be wrong with: it stands open for its customer, or was closed just now."""
    asked = customer.screen in {Screen.TAKE, Screen.CLOSE_DOOR} and customer.sending is None
    closed = customer.notice is not None and customer.notice.kind in {NoticeKind.THANKS, NoticeKind.QUICK_CLOSE}
    return customer.compartment or "" if asked or closed else ""


def _drawings(customer: CustomerView, *, scanner: bool) -> tuple[Drawing, ...]:
    if customer.screen is Screen.READY and not scanner:
        return (pictograms.KEYPAD,)
    if customer.notice is None or customer.screen is not Screen.NOTICE:
        return _DRAWINGS.get(customer.screen, (pictograms.SHOW_SLIP,))
    kind = customer.notice.kind
    if kind in _DESK_KINDS:
        return (pictograms.DESK,)
    if kind is NoticeKind.SCAN_HINT:
        return (pictograms.HOLD_FLAT, pictograms.BRIGHT_PHONE)
    if kind in _SLIP_KINDS:
        return (pictograms.SHOW_SLIP,)
    if kind in _WAIT_KINDS:
        return (pictograms.CLOCK,)
    if kind is NoticeKind.CHECK_DIGITS:
        return (pictograms.KEYPAD,)
    if kind is NoticeKind.WRONG_SITE:
        return (pictograms.door_area(pictograms.DoorArea.ANYWHERE),)
    return (pictograms.CARDS[CommandCard.DONE],)


def _retired(notice: Notice | None, words: Texts) -> str:
    if notice is None or notice.kind not in _COLLECTED_KINDS or not notice.at_ms:
        return ""
    return retired(notice, words)


def _proof(notice: Notice | None) -> str:
    """What proves a deposit: when, and the parcel's own number, as on the slip that is kept (C-32)."""
    if notice is None or notice.kind is not NoticeKind.HANDED_IN or not notice.at_ms or notice.parcel is None:
        return ""
    at = time.strftime("%d/%m/%Y %H:%M", time.localtime(notice.at_ms / 1000))
    return f"{at} · {notice.parcel[:4]} {notice.parcel[4:8]} {notice.parcel[8:]}"


def _tone(customer: CustomerView, *, scanner: bool) -> str:
    if customer.screen is Screen.READY:
        return "" if scanner else "attention"
    if customer.screen is not Screen.NOTICE or customer.notice is None:
        return "ok" if customer.screen in _GLAD else "attention"
    return "done" if customer.notice.kind in _DONE_KINDS else "attention"


def _clips(customer: CustomerView, voice: str, recordings: Recordings, *, scanner: bool) -> tuple[str, ...]:
    """Addresses of what is spoken: a closed set of texts, with what this picture itself shows, never free words."""
    name = "reader_away" if customer.screen is Screen.READY and not scanner else customer.screen.value
    if customer.screen is Screen.NOTICE:
        name = f"notice-{customer.notice.kind.value}" if customer.notice else "notice-one_moment"
    said: tuple[str, ...] = (name,)
    if customer.screen in SERVING and customer.compartment:
        said = _with_door(name, customer.compartment, voice, recordings)
    before = ("practice",) if customer.practice else ("from_afar",) if customer.from_afar else ()
    clips = (*before, *said, *_about_notice(customer.notice), *_where(customer), *_more_clips(customer))
    return tuple(f"/voice/{voice}/{clip}" for clip in clips)


def _with_door(clip: str, door: str, voice: str, recordings: Recordings) -> tuple[str, ...]:
    """One sentence with its door; of a recording for every door, the number and then the sentence."""
    if recordings.is_in_pieces(voice, clip, door):
        return f"{NUMBER}?door={door}", clip
    return (f"{clip}?door={door}",)


def _about_notice(notice: Notice | None) -> tuple[str, ...]:
    """What stands below a notice and nowhere else: when a parcel left, and where the other site is."""
    if notice is not None and notice.kind in _COLLECTED_KINDS and notice.at_ms:
        return (f"retired?at={notice.at_ms}",)
    if notice is not None and notice.kind is NoticeKind.WRONG_SITE and notice.site_name:
        return ("other_site",)
    return ()


def _where(customer: CustomerView) -> tuple[str, ...]:
    """At which height the door is, for somebody who does not see the drawing of the bank (C-29)."""
    leads = customer.help is Help.BLIND and customer.screen in _LEADING and customer.reach is not None
    return (f"reach-{customer.reach.value}",) if leads and customer.reach is not None else ()


def _repeats(customer: CustomerView) -> bool:
    asked = customer.screen in {Screen.CLOSE_DOOR, Screen.ASK_INSIDE}
    return asked or (customer.screen is not Screen.READY and customer.help in _REPEATED)


def _is_over(view: View) -> bool:
    """The parcel is out, or stays behind, and no other door waits for the same person."""
    notice = view.customer.notice
    return (
        view.customer.screen is Screen.NOTICE and notice is not None and notice.kind in _LAST_KINDS and not view.waiting
    )


def _keeps_keypad(customer: CustomerView) -> bool:
    return customer.notice is not None and customer.notice.kind in _KEYPAD_KINDS


def _wait_ms(view: View, since_s: float) -> int:
    notice = view.customer.notice
    wait_ms = notice.wait_ms if notice is not None and notice.kind is NoticeKind.WAIT_TO_TYPE else view.typed_wait_ms
    return max(0, wait_ms - int(since_s * 1000))


def _screen_key(customer: CustomerView, *, scanner: bool) -> str:
    if customer.screen is Screen.READY and not scanner:
        return "reader_away"
    notice = customer.notice
    detail = "" if notice is None else f"{notice.kind.value}/{notice.parcel or ''}/{notice.at_ms}"
    return f"{customer.screen.value}/{customer.compartment or ''}/{detail}"


def _inline(drawing: Drawing) -> Markup:
    return Markup(svg(drawing))  # noqa: S704 our own drawings
