"""SMS and chat gateways through apprise: one list of addresses for the network, or an association's own.

Owns which list a message takes and the order of its gateways: the next is asked only when one does not take it. Refuses to know any
gateway: apprise knows a hundred. Addresses hold secrets and numbers, so apprise's own log is silenced and no cause quotes one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, PersistentStoreMode

from hub.core.telling import international
from hub.notify.drivers import Outgoing, Undelivered
from hub.settings import PHONE_PLACE, BadSettings

_SAMPLE: Final = "+33612345678"
_SILENT: Final = logging.CRITICAL + 1


class Gateways:
    """The driver of telephones; `lists` are the addresses by the number of an association, None for all others."""

    def __init__(self, lists: Mapping[int | None, tuple[str, ...]], country: str) -> None:
        logging.getLogger("apprise").setLevel(_SILENT)
        self._lists = lists
        self._country = country
        self._asset = AppriseAsset(async_mode=False, storage_mode=PersistentStoreMode.MEMORY, secure_logging=True)
        for addresses in lists.values():
            for line, address in enumerate(addresses, 1):
                if self._service(address, _SAMPLE) is None:
                    raise BadSettings(
                        f"gateway {line} of its list: apprise knows no such address (it is not shown here)"
                    )

    def send(self, message: Outgoing) -> None:
        """Hand it over to the first gateway that takes it. Raises Undelivered."""
        addresses = self._lists.get(message.tenant) or self._lists.get(None)
        if not addresses:
            raise Undelivered("the association has no gateway")
        if not any(self._took(address, message) for address in addresses):
            raise Undelivered("no gateway took it")

    def _took(self, address: str, message: Outgoing) -> bool:
        service = self._service(address, international(message.to, self._country))
        if service is None:
            return False
        told = Apprise(asset=self._asset)
        told.add(service)
        return bool(told.notify(body=message.text, body_format=NotifyFormat.TEXT))

    def _service(self, address: str, phone: str) -> NotifyBase | None:
        return Apprise.instantiate(address.replace(PHONE_PLACE, quote(phone, safe="")), asset=self._asset)


def gateways_of(lists: Mapping[str, tuple[str, ...]], numbers: Mapping[str, int], country: str) -> Gateways:
    """The driver for lists by the name of an association, "" for all others. Raises BadSettings for a name nobody has."""
    unknown = sorted(name for name in lists if name and name not in numbers)
    if unknown:
        raise BadSettings(f"[notify] apprise_files: there is no association {', '.join(map(repr, unknown))}")
    return Gateways({numbers[name] if name else None: addresses for name, addresses in lists.items()}, country)
