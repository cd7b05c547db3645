"""Every promise of the journeys has a test that is named after it, and the table of both is not stale."""

from __future__ import annotations

from tests.journeys import PAGE, ROOT, ids_of, kept_by_id, page, promises

NOT_YET: set[str] = set()
"""Promises that nothing keeps yet. Whoever writes the test takes the id out; nobody puts one in for what once had a test."""


def test_every_promise_has_a_test_named_after_it() -> None:
    wanted = {name for rows in promises().values() for name in rows}
    kept = {name for name in kept_by_id() if not name.startswith("A-") or name in wanted}
    assert kept <= wanted, f"no such rows in tests/journeys.toml: {sorted(kept - wanted)}"
    missing = wanted - kept
    assert missing == NOT_YET, (
        f"without a test (name one test_<id>_…): {sorted(missing - NOT_YET)}; "
        f"has one by now, take it out of NOT_YET: {sorted(NOT_YET - missing)}"
    )


def test_the_table_of_journeys_is_not_stale() -> None:
    assert (ROOT / "docs" / PAGE).read_text(encoding="utf-8") == page(), "run ./run docs"


def test_a_name_is_read_as_far_as_it_is_made_of_ids() -> None:
    assert ids_of("test_c_06_after_the_grace") == ["C-06"]
    assert ids_of("test_c_16_c_30_m_10_every_kind_of_slip") == ["C-16", "C-30", "M-10"]
    assert ids_of("test_c_6_no") == ids_of("test_core_06_no") == []
