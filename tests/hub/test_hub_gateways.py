"""SMS gateways through apprise: a real HTTP service takes the message, in order, each association its own; no secret in a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from hub.base import Base
from hub.core.telling import Way
from hub.notify.drivers import Outgoing, Undelivered
from hub.notify.gateways import Gateways, gateways_of
from hub.settings import BadSettings, read_gateways, read_settings
from hub.work import drivers_of
from tests.hub.hub_process import write_settings
from tests.hub.hub_service import OtherService

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # one of apprise's gateways, on older Pythons

SECRET = "s3cr3t-token"


class Service:
    """A gateway: what it was told at which path, and the paths it refuses."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.refuses = ""
        self._service = OtherService(self._hear)
        self.address = f"json://127.0.0.1:{self._service.port}"
        self.close = self._service.close

    def _hear(self, path: str, _headers: Message, body: Any) -> int:
        self.asked.append(path)
        if self.refuses and self.refuses in path:
            return 503
        self.told.append((path, body["message"]))
        return 200


@pytest.fixture
def service() -> Iterator[Service]:
    opened = Service()
    yield opened
    opened.close()


def sms(tenant: int = 1) -> Outgoing:
    text = "Votre code : 1234\u00a05678\u00a09012"
    return Outgoing(
        id="p:ready", kind="ready", to="0612345678", language="fr", text=text, parcel="p", site="gambetta", tenant=tenant
    )  # fmt: skip


def test_the_next_gateway_is_asked_only_when_one_does_not_take_it(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "hub")
    driver = Gateways({None: tuple(f"{service.address}/{name}/{SECRET}/{{phone}}" for name in ("one", "two"))}, "33")
    driver.send(sms())
    assert service.told == [(f"/one/{SECRET}/+33612345678", sms().text)]
    service.refuses = "one"
    driver.send(sms())
    assert [path.split("/")[1] for path in service.asked] == ["one", "one", "two"]
    service.refuses = SECRET
    with pytest.raises(Undelivered) as undelivered:
        driver.send(sms())
    assert str(undelivered.value) == "no gateway took it"
    assert [secret for secret in (SECRET, "612345678", "1234") if secret in caplog.text] == []


def test_each_association_has_its_own_gateways(service: Service) -> None:
    lists = {"Autre": (f"{service.address}/autre/{{phone}}",)}
    driver = gateways_of(lists | {"": (f"{service.address}/all/{{phone}}",)}, {"Une": 1, "Autre": 2}, "33")
    driver.send(sms(1))
    driver.send(sms(2))
    assert [path.split("/")[1] for path in service.asked] == ["all", "autre"]
    with pytest.raises(Undelivered, match="the association has no gateway"):
        gateways_of(lists, {"Autre": 2}, "33").send(sms(1))
    with pytest.raises(BadSettings, match="there is no association 'Autre'"):
        gateways_of(lists, {"Une": 1}, "33")


def test_the_hub_takes_its_gateways_from_a_file(tmp_path: Path, service: Service) -> None:
    (tmp_path / "sms").write_text(f"# ours\n\n{service.address}/{{phone}}\n")
    base = Base(read_settings(write_settings(tmp_path, notify='[notify]\ndriver = "apprise"\napprise_file = "sms"\n')))
    try:
        driver = drivers_of(base)[Way.PHONE]
    finally:
        base.store.close()
    driver.send(sms())
    assert len(service.told) == 1


@pytest.mark.parametrize(
    ("more", "text", "said"),
    [
        ("", "", "apprise_file: name a file"),
        ('apprise_file = "sms"\n', "", "expected 1 to 10 gateway addresses"),
        ('apprise_file = "sms"\n', f"json://host/{SECRET}\n", "line 1: {phone} is missing"),
        ('apprise_file = "sms"\n', "json://host/{phone}\n" * 11, "expected 1 to 10"),
        ('apprise_file = "sms"\napprise_files = 1\n', "", "expected a table"),
        ('apprise_file = "sms"\ncountry_code = "+33"\n', "", "expected 1 to 3 digits"),
        ('apprise_file = "none"\n', "", "cannot be read"),
    ],
)
def test_a_list_that_cannot_be_is_said_without_its_secrets(tmp_path: Path, more: str, text: str, said: str) -> None:
    (tmp_path / "sms").write_text(text)
    with pytest.raises(BadSettings) as error:
        read_gateways(read_settings(write_settings(tmp_path, notify=f'[notify]\ndriver = "apprise"\n{more}')))
    assert said in str(error.value)
    assert SECRET not in str(error.value)


def test_an_address_that_apprise_does_not_know_stops_the_start() -> None:
    with pytest.raises(BadSettings, match="gateway 2 of its list: apprise knows no such address") as error:
        Gateways({None: ("json://host/{phone}", f"nonsense://{SECRET}/{{phone}}")}, "33")
    assert SECRET not in str(error.value)
