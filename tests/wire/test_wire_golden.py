"""What was released is read for ever: golden files, and the documents drawn from the same models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from tests.wire import golden
from wire import badges, chain, docs, facts, messages, pickup
from wire.ids import ParcelId, Trust
from wire.plan import Plan, plan_hash

ROOT = Path(__file__).parents[2]
NAMED = sorted(golden.kinds().items())
FILES = [(path, kind) for name, kind in NAMED for path in golden.files_of(name)]
IDS = [path.name for path, _ in FILES]


def read(kind: type[Any], payload: bytes) -> Any:
    return facts.decode_fact(payload) if issubclass(kind, facts.Fact) else messages.decode(kind, payload)


@pytest.mark.parametrize(("name", "kind"), NAMED)
def test_every_kind_and_every_field_of_it_has_a_golden_file(name: str, kind: type[Any]) -> None:
    assert golden.files_of(name), "python -m tests.wire.golden"
    assert golden.missing_fields(name, kind) == set(), "python -m tests.wire.golden"


@pytest.mark.parametrize(("path", "kind"), FILES, ids=IDS)
def test_released_bytes_are_read_whole_and_written_again_the_same(path: Path, kind: type[Any]) -> None:
    payload = path.read_bytes()
    assert msgspec.json.encode(read(kind, payload)) == payload


@pytest.mark.parametrize(("path", "kind"), FILES, ids=IDS)
def test_a_field_of_the_future_changes_nothing(path: Path, kind: type[Any]) -> None:
    payload = path.read_bytes()
    later = json.dumps({**json.loads(payload), "a_field_of_the_future": [1, {"x": None}]}).encode()
    assert json.loads(msgspec.json.encode(read(kind, later))) == json.loads(payload)


@pytest.mark.parametrize(("path", "kind"), FILES, ids=IDS)
def test_released_bytes_fit_the_published_schema(path: Path, kind: type[Any]) -> None:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}", "components": docs.asyncapi()["components"]}
    jsonschema.validate(json.loads(path.read_bytes()), schema)


def test_no_golden_file_is_left_without_a_kind() -> None:
    known = {path for path, _ in FILES} | {golden.FOLDER / f"{name}.printed" for name in ("keys", "badges", "chain")}
    assert set(golden.FOLDER.iterdir()) == known


def test_a_golden_file_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    golden.main()
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    changed = tmp_path / "down-ack.bare.json"
    changed.write_bytes(b'{"incarnation":1,"seq":1}')
    golden.main()
    assert changed.read_bytes() == b'{"incarnation":1,"seq":1}'
    assert {path.name for path in tmp_path.iterdir()} == set(first)


def test_the_golden_plan_carries_its_own_hash() -> None:
    for path in golden.files_of("down-plan"):
        plan = messages.decode(Plan, path.read_bytes())
        assert plan.hash == plan_hash(plan)


def test_printed_keys_still_open() -> None:
    for printed in json.loads((golden.FOLDER / "keys.printed").read_text()):
        site_key = bytes.fromhex(printed["site_key"])
        key = pickup.PickupKey(printed["site"], ParcelId(printed["parcel"]), printed["version"], printed["epoch"])
        scanned = pickup.read_qr_text(printed["qr"])
        assert scanned is not None
        assert scanned.key == key
        assert pickup.is_genuine(scanned, site_key)
        assert pickup.typed_digits(site_key, key) == printed["digits"]


def test_printed_badges_are_still_known() -> None:
    for printed in json.loads((golden.FOLDER / "badges.printed").read_text()):
        assert badges.badge_text(int(printed["secret"], 16)) == printed["text"]
        assert badges.badge_digest(printed["text"]) == printed["digest"]


def test_an_old_journal_still_verifies() -> None:
    kept = json.loads((golden.FOLDER / "chain.printed").read_text())
    records = [
        chain.FactRecord(
            seq=place + 1, boot=1, at_ms=1_790_000_000_000 + place, trust=Trust.NTP, body=msgspec.Raw(body.encode())
        )
        for place, body in enumerate(kept["bodies"])
    ]
    start = chain.genesis(kept["site"], kept["journal"])
    assert [chain.fold(start, records[:count]) for count in range(len(records) + 1)] == kept["hashes"]


def test_the_page_and_the_asyncapi_document_are_not_stale() -> None:
    assert (ROOT / "docs" / "wire.md").read_text(encoding="utf-8") == docs.wire_page(), "./run docs"
    assert (ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8") == docs.asyncapi_text(), "./run docs"


def test_the_program_writes_both_documents_and_says_how_it_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs.main([str(tmp_path)]) == 0
    assert (tmp_path / "wire.md").read_text(encoding="utf-8") == docs.wire_page()
    assert (tmp_path / "asyncapi.json").read_text(encoding="utf-8") == docs.asyncapi_text()
    assert docs.main([]) == 2
    assert "FOLDER" in capsys.readouterr().err


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = docs.asyncapi()

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert len(found) > len(golden.kinds())
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert isinstance(place, dict)


def test_every_link_of_the_page_leads_to_a_heading() -> None:
    page = docs.wire_page()
    headings = {docs._anchor(line.lstrip("# ")) for line in page.splitlines() if line.startswith("#")}
    linked = {part.partition(")")[0] for part in page.split("](#")[1:]}
    assert linked <= headings
    assert len(linked) > 20
