"""Receipts: what the desk can show of a deposit, on paper, when somebody asks later.

Owns what stands on them. Refuses to know journals and parcels' lives: plain values in, in the words of the screens. No
name of a recipient is printed. The journal's hash ties the paper to the site's chain: who has the journal can prove
that the fact is the one of the paper, and that nothing before it was changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from paper import pictograms
from paper.flow import Cells, Field, Line, Pictured, Rule, Say, Signature, flow_pdf
from paper.media import Paper
from paper.phrases import receipt_phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Where in the site's journal it stands: the fact's number and the chain's hash after it, in hex."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositReceipt:
    """One parcel put in (S-07). `place`, `size` and `condition` are in the words of the screens; empty is not printed.

    `at` is the site's own clock; `clock_trusted` False says so on the paper. `agent` is the person's id in the roster.
    """

    site_name: str
    parcel: str
    tracking: str
    carrier: str
    place: str
    at: datetime
    clock_trusted: bool
    size: str
    heavy: bool
    condition: str
    agent: str
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    """A parcel of a courier's drop and where it is now."""

    tracking: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """What does not fit: a parcel announced and not brought, brought and not announced, damaged… in words."""

    tracking: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierReceipt:
    """One drop of a courier (K-02): every parcel, what does not fit, and how many are where (K-03).

    `remaining` lie on the desk's shelf because no fitting door was free; `on_shelf` for any other reason.
    """

    site_name: str
    courier: str
    carrier: str
    at: datetime
    clock_trusted: bool
    in_doors: tuple[Deposited, ...]
    on_shelf: tuple[Deposited, ...]
    remaining: tuple[Deposited, ...]
    discrepancies: tuple[Discrepancy, ...]
    agent: str
    seal: Seal | None = None


def deposit_pdf(receipt: DepositReceipt, paper: Paper = Paper.A6) -> bytes:
    """The receipt of one deposit."""
    words = receipt_phrases()
    lines: list[Line] = [
        *_head(words.deposit_title, receipt.site_name),
        Field(words.tracking, receipt.tracking),
        Field(words.carrier, receipt.carrier),
        Field(words.place, receipt.place),
        *_when(receipt.at, trusted=receipt.clock_trusted),
        Field(words.size, receipt.size),
        Field(words.weight, words.heavy if receipt.heavy else words.not_heavy),
        Field(words.condition, receipt.condition or words.condition_not_said),
        Field(words.agent, receipt.agent),
        Field(words.parcel, receipt.parcel),
        Rule(),
        *seal_lines(receipt.seal),
    ]
    return flow_pdf(lines, paper, title=words.deposit_title)


def deposits_pdf(receipts: tuple[DepositReceipt, ...], paper: Paper = Paper.A6) -> bytes:
    """One receipt for all that one person put in, one after the other: the count first, then every field of each parcel.

    The seal is that of the last one: it covers all lines of the journal before it, and each parcel names its own.
    Raises ValueError without a receipt.
    """
    if not receipts:
        message = "a receipt is of one deposit at least"
        raise ValueError(message)
    words = receipt_phrases()
    last = max(receipts, key=lambda receipt: receipt.seal.seq)
    lines: list[Line] = [
        *_head(words.deposits_title, last.site_name),
        Field(words.agent, last.agent),
        *_when(last.at, trusted=all(receipt.clock_trusted for receipt in receipts)),
        Say(text=words.parcels.format(count=len(receipts)), size_pt=13, bold=True),
        Rule(),
        *(line for receipt in receipts for line in _one_of_many(receipt)),
        Rule(),
        *seal_lines(last.seal),
        Signature(words.signature),
    ]
    return flow_pdf(lines, paper, title=words.deposits_title)


def _one_of_many(receipt: DepositReceipt) -> list[Line]:
    words = receipt_phrases()
    says = (
        f"{receipt.at:%d/%m/%Y}, {receipt.at:%H:%M}",
        receipt.carrier,
        receipt.size and f"{words.size} {receipt.size}",
        words.heavy if receipt.heavy else "",
        receipt.condition or words.condition_not_said,
        words.line.format(seq=receipt.seal.seq),
        receipt.parcel,
    )
    return [
        Cells((receipt.tracking or receipt.parcel, receipt.place), (0.62, 0.38), bold=True, size_pt=10),
        Say(text=" · ".join(part for part in says if part), size_pt=8),
    ]


def courier_pdf(receipt: CourierReceipt, paper: Paper = Paper.A6) -> bytes:
    """One receipt for a whole drop: the counts first, then every parcel, what does not fit, and a place to sign."""
    words = receipt_phrases()
    total = len(receipt.in_doors) + len(receipt.on_shelf) + len(receipt.remaining)
    lines: list[Line] = [
        *_head(words.courier_title, receipt.site_name),
        Field(words.courier, receipt.courier),
        Field(words.carrier, receipt.carrier),
        *_when(receipt.at, trusted=receipt.clock_trusted),
        Field(words.agent, receipt.agent),
        Rule(),
        Say(text=words.parcels.format(count=total), size_pt=13, bold=True),
        Field(words.in_doors, str(len(receipt.in_doors))),
        Field(words.on_shelf, str(len(receipt.on_shelf))),
        Field(words.remaining, str(len(receipt.remaining))),
        Rule(),
        *(
            Cells((one.tracking, one.place), (0.62, 0.38))
            for one in (*receipt.in_doors, *receipt.on_shelf, *receipt.remaining)
        ),
        Rule(),
        *_discrepancies(receipt.discrepancies),
        Rule(),
        *seal_lines(receipt.seal),
        Signature(words.signature),
    ]
    return flow_pdf(lines, paper, title=words.courier_title)


def seal_lines(seal: Seal | None) -> list[Line]:
    """The journal's number and hash, in groups of eight so that two people can compare it aloud; nothing without a seal."""
    if seal is None:
        return []
    words = receipt_phrases()
    groups = " ".join(seal.hash[start : start + 8] for start in range(0, len(seal.hash), 8))
    return [Say(text=words.journal.format(seq=seal.seq), size_pt=8), Say(text=groups, size_pt=8, proper=True)]


def _discrepancies(found: tuple[Discrepancy, ...]) -> list[Line]:
    words = receipt_phrases()
    if not found:
        return [Say(text=words.no_discrepancy, size_pt=10)]
    title = Say(text=words.discrepancies.format(count=len(found)), size_pt=11, bold=True)
    return [title, *(Cells((one.tracking, one.what), (0.5, 0.5)) for one in found)]


def _head(title: str, site_name: str) -> list[Line]:
    named = (Say(text=title, size_pt=14, bold=True), Say(text=site_name, size_pt=10, proper=True))
    return [Pictured(picture=pictograms.GIVE_BACK, says=named, side_mm=12), Rule()]


def _when(at: datetime, *, trusted: bool) -> list[Line]:
    words = receipt_phrases()
    when = Field(words.when, f"{at:%d/%m/%Y}, {at:%H:%M}")
    return [when] if trusted else [when, Say(text=words.clock_not_sure, size_pt=8)]
