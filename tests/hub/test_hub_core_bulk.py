"""Files of many parcels: encodings, separators, faults with their line, bounds."""

from __future__ import annotations

import json

import pytest

from hub.core import bulk
from hub.core.bulk import BadFile, Fault, Line, read_file
from wire.ids import ReachZone, SizeClass
from wire.plan import Help

HEAD = "site;tracking;name"
FIELDS = "site, tracking, carrier, size, heavy, reach, group, name, phone, email, language, help"


def faults(line: Line) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in line.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_16_a_table_is_read_as_every_office_program_writes_it(encoding: str, separator: str, end: str) -> None:
    rows = [
        ["Site", "Numéro de suivi", "Taille", "Lourd", "Hauteur", "Nom", "Téléphone", "E-mail", "Langue", "Aide"],
        ["gambetta", "8N00234584108", "m", "Oui", "Mid", "Zoé Çelik", "06 12 34 56 78", "zoe@example.org", "tr", ""],
        ["gambetta", "", "", "", "", '"Léa ""Lou"" Noël"', "", "", "", "standard"],
        ["", "", "", "", "", "", "", "", "", ""],
    ]
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    one, two = read_file((mark + end.join(separator.join(row) for row in rows)).encode(encoding))
    assert (one.number, one.faults, two.number, two.faults) == (2, (), 3, ())
    assert one.parcel is not None
    assert (one.parcel.size, one.parcel.heavy, one.parcel.reach) == (SizeClass.M, True, ReachZone.MID)
    assert (one.parcel.name, one.parcel.phone, one.parcel.email) == ("Zoé Çelik", "0612345678", "zoe@example.org")
    assert (one.parcel.language, one.parcel.help) == ("tr", Help.STANDARD)
    assert two.parcel is not None
    assert (two.parcel.name, two.parcel.language, two.parcel.heavy) == ('Léa "Lou" Noël', "fr", False)


def test_a_16_a_letter_that_no_office_program_writes_loses_itself_and_not_the_file() -> None:
    (line,) = read_file(b"site;name\ngambetta;Zo\xe9 \x81elik")
    assert line.parcel is not None
    assert line.parcel.name == "Zoé \ufffdelik"


def test_a_16_json_is_read_with_the_names_of_the_api() -> None:
    parcel = {"site": "gambetta", "tracking": "8N00234584108", "size": "L", "heavy": True, "reach": None,
              "recipient": {"name": "Awa", "phone": "0612345678"}}  # fmt: skip
    (line,) = read_file(json.dumps({"parcels": [parcel]}).encode())
    assert line.parcel is not None
    assert (line.number, line.parcel.heavy, line.parcel.name) == (1, True, "Awa")
    assert read_file(json.dumps([parcel]).encode()) == (line,)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (3, Fault("", "bad_line", "expected an object")),
        ({"recipient": 3}, Fault("recipient", "bad_recipient", "expected an object")),
        ({"site": "gambetta", "colour": "red"}, Fault("", "unknown_field", f"the fields are {FIELDS}")),
        ({"site": "gambetta", "tracking": 12345}, Fault("tracking", "bad_tracking", "expected a text")),
    ],
)
def test_a_16_what_does_not_fit_in_json_is_named(row: object, found: Fault) -> None:
    assert read_file(json.dumps([row]).encode()) == (Line(1, None, (found,)),)


def test_a_16_every_fault_of_a_line_is_named_at_once_and_quotes_nothing() -> None:
    head = "site,tracking,size,heavy,reach,help,name,phone,email,language,group,carrier"
    row = "gambetta,?,XXL,perhaps,sky,much," + "n" * 90 + ",call me,nobody,français!,a b," + "c" * 40
    (line,) = read_file(f"{head}\n{row}".encode())
    assert line.parcel is None
    assert [field for field, _ in faults(line)] == [
        "size", "reach", "help", "heavy", "tracking", "carrier", "group", "name", "phone", "email", "language",
    ]  # fmt: skip
    assert Fault("size", "bad_size", "one of L, M, S, XL, or nothing") in line.faults
    assert Fault("heavy", "bad_heavy", "one of 0, 1, or nothing") in line.faults
    for typed in row.split(",")[3:]:
        assert all(typed not in fault.text for fault in line.faults)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (";8N00234584108;", Fault("site", "no_site", "the site is missing")),
        ("gambetta;;", Fault("tracking", "no_tracking", "a number, or the name of the recipient")),
        ("gambetta;8N00234584108;Awa;more", Fault("", "too_many_cells", "more cells than columns")),
        ("gambetta;8N00234584108;" + "x" * 301, Fault("name", "too_long", "at most 300 characters")),
        ("gambetta;8N00234584108;" + "x" * 300, Fault("name", "bad_name", "at most 80 printable characters")),
        ("gambetta;8N00234584108;Awa;;", None),
        ("gambetta;8N00234584108", None),
    ],
)
def test_a_16_what_does_not_fit_in_a_table_is_named_with_its_line(row: str, found: Fault | None) -> None:
    (line,) = read_file(f"{HEAD};\n\n{row}".encode())
    assert (line.number, line.faults) == (3, (found,) if found else ())
    assert (line.parcel is None) == bool(found)


def test_a_16_a_number_that_stands_twice_is_announced_by_its_first_line() -> None:
    lines = read_file(
        f"{HEAD}\ngambetta;8N00234584108;Awa\nbelleville;8N00234584108;\ngambetta;8n 00234584108;\n"
        "gambetta;;Léa\ngambetta;;Léa\ngambetta;?;\ngambetta;?;\ngambetta;8N00234584109;Awa".encode()
    )
    bad = [("tracking", "bad_tracking")]
    assert [faults(line) for line in lines] == [[], [], [("tracking", "twice")], [], [], bad, bad, []]
    assert lines[2].faults[0].text == "the same number stands in line 2"


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"", "empty", "no line with a parcel is in it"),
        (HEAD.encode(), "empty", "no line with a parcel is in it"),
        (b"[]", "empty", "no line with a parcel is in it"),
        (b"\n" * 262_144, "empty", "no line with a parcel is in it"),
        (b"\n" * 262_145, "too_big", "at most 256 KiB; cut it into several files"),
        (b"\xef\xbb\xbfsite\xff", "damaged", "it is damaged; save it again as UTF-8"),
        (b"\xff\xfesite\x00", "damaged", "it is damaged; save it again as UTF-8"),
        (b"PK\x03\x04\x00\x00", "no_text", "this is no text; save the table as CSV"),
        (b'site\n"gambetta', "open_quote", "line 2 is too long, or a quotation mark in it is not closed"),
        (
            b"site;colour;shape\ngambetta;red",
            "columns",
            f"the first line names the columns; column 2 is none of {FIELDS}",
        ),
        (b";".join([b"x"] * 40), "columns", f"the first line names the columns; column 1 is none of {FIELDS}"),
        (b";".join([b"x"] * 41), "columns", "at most 40 columns"),
        (b"site;suivi;tracking\n", "column_twice", "two columns have the same name"),
        (b"tracking\n8N00234584108", "no_site", "the column site is missing"),
        (b"[1,", "not_json", "this is not JSON"),
        (b"[" * 100_000, "not_json", "this is not JSON"),
        (b'{"parcel": []}', "no_list", 'expected a list of parcels, or {"parcels": […]}'),
        (json.dumps([1] * 501).encode(), "too_many", "at most 500 parcels; cut it into several files"),
        (b"site;name\n" + b"gambetta;Awa\n" * 501, "too_many", "at most 500 parcels; cut it into several files"),
    ],
)
def test_a_16_a_file_that_cannot_be_read_says_what_to_do(data: bytes, code: str, text: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_file(data)
    assert (refused.value.code, str(refused.value)) == (f"file_{code}", f"file: {text}")


def test_a_16_as_many_lines_as_are_allowed_are_read() -> None:
    assert len(read_file(json.dumps([1] * 500).encode())) == 500
    assert len(read_file(b"site;name\n" + b"gambetta;Awa\n" * 500)) == 500


def test_a_16_a_column_is_called_as_people_and_programs_call_it() -> None:
    english = {field: field for field in FIELDS.split(", ")}
    french = {
        "numéro": "tracking", "numero": "tracking", "numéro de suivi": "tracking", "suivi": "tracking",
        "transporteur": "carrier", "taille": "size", "lourd": "heavy", "hauteur": "reach", "groupe": "group",
        "nom": "name", "destinataire": "name", "téléphone": "phone", "telephone": "phone", "e-mail": "email",
        "courriel": "email", "langue": "language", "aide": "help",
    }  # fmt: skip
    assert english | french == bulk._NAMES


@pytest.mark.parametrize(
    ("word", "heavy"),
    [
        *((word, True) for word in ("1", "true", "yes", "oui", "x", "vrai", "Oui", "X")),
        *((word, False) for word in ("", "0", "false", "no", "non", "faux", "Non")),
    ],
)
def test_a_16_heavy_is_said_in_many_words(word: str, *, heavy: bool) -> None:
    (line,) = read_file(f"site;name;heavy\ngambetta;Awa;{word}".encode())
    assert line.parcel is not None
    assert line.parcel.heavy is heavy
