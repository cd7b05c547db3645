"""The API does what its document says, whatever a program sends: a bounded slice of schemathesis, the same on every run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from hub.core.permissions import TOKEN_RIGHTS
from tests.hub.hub_carriers import CarrierHub, announce
from tests.hub.web_server import serving

NOT_HERE = {"/api/v1/events", "/readyz"}
"""A stream that never ends, and what says 503 because this hub has no broker; told in tests of their own."""
EXAMPLES = 6
"""Requests of each operation and each way of making them up. `./run campaign fuzz` is where more are made."""
ALSO_RIGHT = [positive_data_acceptance, negative_data_rejection]
"""Checks that do not hold here: what fits its fields may still be refused (409, 422 with a reason), and a number in a text
is a text."""


@pytest.mark.timeout(180)
def test_a_16_every_answer_of_the_api_is_one_its_document_names(tmp_path: Path) -> None:
    network = CarrierHub(tmp_path, "", "[carriers]\nprivate_webhooks = true\n")
    carrier = network.program(per_minute=1_200)
    robot = network.hub.door.add_token("robot", TOKEN_RIGHTS)
    webhook = carrier.post("/api/v1/carrier/webhooks", json={"url": "http://127.0.0.1:1/"}).json()["id"]
    known = {"site": "gambetta", "parcel": announce(carrier)[1]["id"], "webhook": webhook, "event": 1, "alert": 1}
    schema = schemathesis.openapi.from_dict(carrier.get("/api/v1/openapi.json").json())
    wrong: list[str] = []
    tried = 0
    with serving(network.app, network.hub.live) as url:
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]  # whatever is wrong with the document fails here
            if operation.path in NOT_HERE:
                continue
            is_carriers = operation.path.startswith("/api/v1/carrier")
            headers = {"Authorization": str(carrier.headers["Authorization"]) if is_carriers else f"Bearer {robot}"}
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                wrong += _faults(operation.as_strategy(generation_mode=mode), url, headers, {})
                tried += 1
            if operation.path_parameters:
                wrong += _faults(operation.as_strategy(), url, headers, known)
    network.close()
    assert not wrong, "\n".join(sorted(set(wrong)))
    assert tried > 50, "the document was not read"


def _faults(strategy: Any, url: str, headers: dict[str, str], known: dict[str, Any]) -> list[str]:
    """What is wrong with the answers to a few requests; with `known` their paths name what there is."""
    wrong: list[str] = []

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        for name in set(case.path_parameters or ()) & set(known):
            case.path_parameters[name] = known[name]
        try:
            case.call_and_validate(base_url=url, headers=headers, excluded_checks=ALSO_RIGHT)
        except FailureGroup as group:
            wrong.extend(f"{case.method} {case.path}: {failure}" for failure in group.exceptions)

    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has nothing in it
        run()
    return wrong
