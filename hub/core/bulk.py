"""Many parcels in one file: bytes of CSV or JSON into lines, each a parcel to announce or what does not fit and where.

Owns encodings, separators, column names and bounds. Refuses to know the database: whether a number is at a site already
is found out when it is announced. Nothing a file holds is quoted in an error, but the name of a column.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.core.parcels import NewParcel, Refused, new_parcel
from wire.ids import ReachZone, SizeClass
from wire.plan import Help

FILE_BYTES_MAX: Final = 262_144
"""A quarter of a mebibyte: as many lines with room to spare."""
LINES_MAX: Final = 500
"""Announced one by one, in some seconds: nobody waits in front of a page that does not answer."""
CELL_CHARACTERS_MAX: Final = 300
COLUMNS_MAX: Final = 40
FIELDS: Final = (
    "site", "tracking", "carrier", "size", "heavy", "reach", "group", "name", "phone", "email", "language", "help",
)  # fmt: skip
_NAMES: Final[Mapping[str, str]] = {
    **{field: field for field in FIELDS},
    "numéro": "tracking", "numero": "tracking", "numéro de suivi": "tracking", "suivi": "tracking",
    "transporteur": "carrier", "taille": "size", "lourd": "heavy", "hauteur": "reach", "groupe": "group",
    "nom": "name", "destinataire": "name", "téléphone": "phone", "telephone": "phone", "e-mail": "email",
    "courriel": "email", "langue": "language", "aide": "help",
}  # fmt: skip
"""How a column may be called."""
_YES: Final = frozenset({"1", "true", "yes", "oui", "x", "vrai"})
_NO: Final = frozenset({"0", "false", "no", "non", "faux"})
_SIZES: Final = frozenset(size.value for size in SizeClass)
_REACHES: Final = frozenset(reach.value for reach in ReachZone)
_HELPS: Final = frozenset(profile.value for profile in Help)


class BadFile(Refused):
    """The file as a whole cannot be read; the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"file_{code}", f"file: {text}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not fit in a line: `field` is empty when it is the line as a whole."""

    field: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: a parcel, or faults. `number` is as an editor counts, the header of a CSV being line 1."""

    number: int
    parcel: NewParcel | None
    faults: tuple[Fault, ...] = ()


def read_file(data: bytes) -> tuple[Line, ...]:
    """The lines of a file, CSV or JSON as it looks. Raises BadFile."""
    if len(data) > FILE_BYTES_MAX:
        raise BadFile("too_big", f"at most {FILE_BYTES_MAX // 1024} KiB; cut it into several files")
    text = _decoded(data)
    start = text.lstrip()[:1]
    rows = _json_rows(text) if start in {"[", "{"} else _csv_rows(text)
    lines = tuple(rows)
    if not lines:
        raise BadFile("empty", "no line with a parcel is in it")
    return _told_twice(lines)


def _decoded(data: bytes) -> str:
    """Text of a file: UTF-8 with or without its mark, UTF-16 with it, else Windows-1252, which Excel writes."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return _checked(data.decode(encoding))
            except UnicodeDecodeError as error:
                raise BadFile("damaged", "it is damaged; save it again as UTF-8") from error
    try:
        return _checked(data.decode())
    except UnicodeDecodeError:
        return _checked(data.decode("cp1252", errors="replace"))


def _checked(text: str) -> str:
    if "\x00" in text:
        raise BadFile("no_text", "this is no text; save the table as CSV")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _csv_rows(text: str) -> Iterator[Line]:
    head = text.partition("\n")[0]
    separator = max(";,\t", key=head.count)
    reader = csv.reader([f"{line}\n" for line in text.split("\n")], delimiter=separator, strict=True)
    columns: list[str] | None = None
    count = 0
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadFile(
                "open_quote", f"line {number} is too long, or a quotation mark in it is not closed"
            ) from error
        if not any(cell.strip() for cell in cells):
            continue
        if columns is None:
            columns = _columns(cells)
            continue
        count += 1
        if count > LINES_MAX:
            raise BadFile("too_many", f"at most {LINES_MAX} parcels; cut it into several files")
        yield _of_cells(number, columns, cells)


def _columns(cells: Sequence[str]) -> list[str]:
    """The fields of the columns. Raises BadFile for one that is unknown, missing or there twice."""
    named = [" ".join(cell.casefold().split()) for cell in cells]
    while not named[-1]:  # a line without any text is no line
        named.pop()
    if len(named) > COLUMNS_MAX:
        raise BadFile("columns", f"at most {COLUMNS_MAX} columns")
    unknown = [place for place, name in enumerate(named, 1) if name not in _NAMES]
    if unknown:
        raise BadFile(
            "columns", f"the first line names the columns; column {unknown[0]} is none of {', '.join(FIELDS)}"
        )
    fields = [_NAMES[name] for name in named]
    if len(set(fields)) < len(fields):
        raise BadFile("column_twice", "two columns have the same name")
    if "site" not in fields:
        raise BadFile("no_site", "the column site is missing")
    return fields


def _of_cells(number: int, columns: Sequence[str], cells: Sequence[str]) -> Line:
    if any(cell.strip() for cell in cells[len(columns) :]):
        return Line(number, None, (Fault("", "too_many_cells", "more cells than columns"),))
    return _line(number, dict(zip(columns, cells, strict=False)))


def _json_rows(text: str) -> Iterator[Line]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile("not_json", "this is not JSON") from error
    rows = document.get("parcels") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise BadFile("no_list", 'expected a list of parcels, or {"parcels": […]}')
    if len(rows) > LINES_MAX:
        raise BadFile("too_many", f"at most {LINES_MAX} parcels; cut it into several files")
    for number, row in enumerate(rows, 1):
        yield _of_object(number, row)


def _of_object(number: int, row: Any) -> Line:
    """A parcel of a JSON file, whose recipient may stand in an object of its own, as in the API."""
    if not isinstance(row, dict):
        return Line(number, None, (Fault("", "bad_line", "expected an object"),))
    recipient = row.get("recipient", {})
    if not isinstance(recipient, dict):
        return Line(number, None, (Fault("recipient", "bad_recipient", "expected an object"),))
    values = {**{name: value for name, value in row.items() if name != "recipient"}, **recipient}
    if any(name not in FIELDS for name in values):
        return Line(number, None, (Fault("", "unknown_field", f"the fields are {', '.join(FIELDS)}"),))
    texts: dict[str, str] = {}
    for name, value in values.items():
        if not isinstance(value, str | bool | None):
            return Line(number, None, (Fault(name, f"bad_{name}", "expected a text"),))
        texts[name] = "" if value is None else str(value)
    return _line(number, texts)


def _line(number: int, values: Mapping[str, str]) -> Line:
    """A parcel, or all that does not fit: each refused field is taken out of the way, so that all faults show at once."""
    typed = {name: " ".join(values.get(name, "").split()) for name in FIELDS}
    faults = [
        Fault(name, "too_long", f"at most {CELL_CHARACTERS_MAX} characters")
        for name in FIELDS
        if len(typed[name]) > CELL_CHARACTERS_MAX
    ]
    if faults:
        return Line(number, None, tuple(faults))
    faults += _bad_choices(typed)
    if not typed["site"]:
        faults.append(Fault("site", "no_site", "the site is missing"))
    if not typed["tracking"] and not typed["name"]:
        faults.append(Fault("tracking", "no_tracking", "a number, or the name of the recipient"))
    parcel = None
    while parcel is None:
        try:
            parcel = _parcel(typed)
        except Refused as refused:
            field = refused.code.removeprefix("bad_")
            faults.append(Fault(field, refused.code, str(refused).partition(": ")[2]))
            typed[field] = ""
    return Line(number, None if faults else parcel, tuple(faults))


def _bad_choices(typed: Mapping[str, str]) -> list[Fault]:
    heavy = ("1", "0")
    choices = (
        ("size", _SIZES, _SIZES),
        ("reach", _REACHES, _REACHES),
        ("help", _HELPS, _HELPS),
        ("heavy", _YES | _NO, heavy),
    )
    return [
        Fault(name, f"bad_{name}", f"one of {', '.join(sorted(shown))}, or nothing")
        for name, allowed, shown in choices
        if typed[name] and _chosen(name, typed[name]) not in allowed
    ]


def _chosen(name: str, text: str) -> str:
    return text.upper() if name == "size" else text.lower()


def _parcel(typed: Mapping[str, str]) -> NewParcel:
    """The parcel of a line whose choices fit, or are left out. Raises Refused with the field that does not."""
    size, reach, profile = (_chosen(name, typed[name]) for name in ("size", "reach", "help"))
    return new_parcel(
        site=typed["site"],
        tracking=typed["tracking"],
        carrier=typed["carrier"],
        size=SizeClass(size) if size in _SIZES else None,
        heavy=typed["heavy"].lower() in _YES,
        reach=ReachZone(reach) if reach in _REACHES else None,
        group=typed["group"],
        name=typed["name"],
        phone=typed["phone"],
        email=typed["email"],
        language=typed["language"] or "fr",
        help_profile=Help(profile) if profile in _HELPS else Help.STANDARD,
    )


def _told_twice(lines: Sequence[Line]) -> tuple[Line, ...]:
    """A number that stands in a file twice, for one site, is announced by its first line."""
    first: dict[tuple[str, str], int] = {}
    kept: list[Line] = []
    for line in lines:
        key = None if line.parcel is None or not line.parcel.tracking else (line.parcel.site, line.parcel.tracking)
        if key is not None and first.setdefault(key, line.number) != line.number:
            fault = Fault("tracking", "twice", f"the same number stands in line {first[key]}")
            kept.append(Line(line.number, None, (fault,)))
        else:
            kept.append(line)
    return tuple(kept)
