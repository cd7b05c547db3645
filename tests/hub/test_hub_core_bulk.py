"""Files of many parcels: encodings, separators, faults with their line, bounds."""

from __future__ import annotations

import json

import pytest

from hub.core import bulk
from hub.core.bulk import FILE_BYTES_MAX, LINES_MAX, BadFile, Fault, Line, read_file
from wire.ids import ReachZone, SizeClass
from wire.plan import Help

HEAD = "site;tracking;name"


def faults(line: Line) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in line.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_16_a_table_is_read_as_every_office_program_writes_it(encoding: str, separator: str, end: str) -> None:
    rows = [
        ["Site", "Numéro de suivi", "Taille", "Lourd", "Hauteur", "Nom", "Téléphone", "E-mail", "Langue", "Aide"],
        ["gambetta", "8N00234584108", "m", "Oui", "Mid", "Zoé Çelik", "06 12 34 56 78", "zoe@example.org", "tr", ""],
        ["gambetta", "", "", "", "", '"Léa ""Lou"" Noël"', "", "", "", "standard"],
        ["", "", "", "", "", "", "", "", "", ""],
    ]
    one, two = read_file(end.join(separator.join(row) for row in rows).encode(encoding))
    assert (one.number, one.faults, two.number, two.faults) == (2, (), 3, ())
    assert one.parcel is not None
    assert (one.parcel.size, one.parcel.heavy, one.parcel.reach) == (SizeClass.M, True, ReachZone.MID)
    assert (one.parcel.name, one.parcel.phone, one.parcel.email) == ("Zoé Çelik", "0612345678", "zoe@example.org")
    assert (one.parcel.language, one.parcel.help) == ("tr", Help.STANDARD)
    assert two.parcel is not None
    assert (two.parcel.name, two.parcel.language, two.parcel.heavy) == ('Léa "Lou" Noël', "fr", False)


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
        (3, [("", "bad_line")]),
        ({"recipient": 3}, [("recipient", "bad_recipient")]),
        ({"site": "gambetta", "colour": "red"}, [("", "unknown_field")]),
        ({"site": "gambetta", "tracking": 12345}, [("tracking", "bad_tracking")]),
    ],
)
def test_a_16_what_does_not_fit_in_json_is_named(row: object, found: list[tuple[str, str]]) -> None:
    (line,) = read_file(json.dumps([row]).encode())
    assert (line.parcel, faults(line)) == (None, found)


def test_a_16_every_fault_of_a_line_is_named_at_once_and_quotes_nothing() -> None:
    head = "site,tracking,size,heavy,reach,help,name,phone,email,language,group,carrier"
    row = "gambetta,?,XXL,perhaps,sky,much," + "n" * 90 + ",call me,nobody,français!,a b," + "c" * 40
    (line,) = read_file(f"{head}\n{row}".encode())
    assert line.parcel is None
    assert [field for field, _ in faults(line)] == [
        "size", "reach", "help", "heavy", "tracking", "carrier", "group", "name", "phone", "email", "language",
    ]  # fmt: skip
    assert Fault("size", "bad_size", "one of L, M, S, XL, or nothing") in line.faults
    for typed in row.split(",")[3:]:
        assert all(typed not in fault.text for fault in line.faults)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (";8N00234584108;", [("site", "no_site")]),
        ("gambetta;;", [("tracking", "no_tracking")]),
        ("gambetta;8N00234584108;Awa;more", [("", "too_many_cells")]),
        ("gambetta;8N00234584108;" + "x" * 301, [("name", "too_long")]),
        ("gambetta;8N00234584108;Awa;;", []),
        ("gambetta;8N00234584108", []),
    ],
)
def test_a_16_what_does_not_fit_in_a_table_is_named_with_its_line(row: str, found: list[tuple[str, str]]) -> None:
    (line,) = read_file(f"{HEAD};\n\n{row}".encode())
    assert (line.number, faults(line)) == (3, found)
    assert (line.parcel is None) == bool(found)


def test_a_16_a_number_that_stands_twice_is_announced_by_its_first_line() -> None:
    lines = read_file(
        f"{HEAD}\ngambetta;8N00234584108;Awa\nbelleville;8N00234584108;\ngambetta;8n 00234584108;\ngambetta;;Léa".encode()
    )
    assert [faults(line) for line in lines] == [[], [], [("tracking", "twice")], []]
    assert lines[2].faults[0].text == "the same number stands in line 2"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (HEAD.encode(), "file_empty"),
        (b"[]", "file_empty"),
        (b"x" * (FILE_BYTES_MAX + 1), "file_too_big"),
        (b"\xef\xbb\xbfsite\xff", "file_damaged"),
        (b"\xff\xfesite\x00", "file_damaged"),
        (b"PK\x03\x04\x00\x00", "file_no_text"),
        (b'site\n"gambetta', "file_open_quote"),
        (b"site;colour\ngambetta;red", "file_columns"),
        (b";".join([b"x"] * 41), "file_columns"),
        (b"site;suivi;tracking\n", "file_column_twice"),
        (b"tracking\n8N00234584108", "file_no_site"),
        (b"[1,", "file_not_json"),
        (b"[" * 100_000, "file_not_json"),
        (b'{"parcel": []}', "file_no_list"),
        (json.dumps([1] * (LINES_MAX + 1)).encode(), "file_too_many"),
        (b"site;name\n" + b"gambetta;Awa\n" * (LINES_MAX + 1), "file_too_many"),
    ],
)
def test_a_16_a_file_that_cannot_be_read_says_what_to_do(data: bytes, code: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_file(data)
    assert refused.value.code == code


def test_a_16_every_name_of_a_column_is_a_field() -> None:
    assert set(bulk._NAMES.values()) == set(bulk.FIELDS)
