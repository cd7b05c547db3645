"""The development broker as one object: a thread with a listening socket, and the switches that make it misbehave.

Owns the thread, the port and the way the broker starts, stops, freezes and dies. Refuses to know packets and topics (see
`connection` and `router`). Every public method may be called from any thread but the broker's own.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from demo.broker.acl import Acl
from demo.broker.connection import Connection
from demo.broker.router import Router
from demo.broker.topics import Filter

START_TIMEOUT_S = 10.0
"""A loopback socket is bound in milliseconds; a machine that needs longer has stopped."""

ANSWER_TIMEOUT_S = 10.0
"""A switch is thrown between two packets; longer means that the broker's thread is dead."""

GOODBYE_TIMEOUT_S = 1.0
"""How long a stopping broker waits for its clients to take their DISCONNECT."""

BACKLOG = 256
"""Connections the kernel may hold for us, e.g. while the broker is frozen."""


class BrokerDown(RuntimeError):
    """The broker is not running, or is frozen, and cannot do what was asked."""


class _Life:
    """One life of the broker, from start to stop or kill. Lives on the broker's thread."""

    def __init__(self, users: Mapping[str, str] | None, acl: Acl | None) -> None:
        self.router = Router(users, acl)
        self.connections: set[Connection] = set()
        self.over = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Open the door. Raises OSError if the port is taken."""
        return await self._loop.create_server(self.connection, host, port, backlog=BACKLOG)

    def connection(self) -> Connection:
        """For each client that dials in."""
        return Connection(self.router, self.connections)

    def kill(self) -> None:
        """Reset every socket in this very turn of the loop; nobody's will is said."""
        for connection in list(self.connections):
            connection.reset(with_will=False)
        self.over.set()

    async def close(self) -> None:
        """Take leave of those who are still connected."""
        lost = [connection.lost for connection in self.connections]
        for connection in list(self.connections):
            connection.shut_down()
        if lost:
            await asyncio.wait(lost, timeout=GOODBYE_TIMEOUT_S)
        for connection in list(self.connections):
            connection.reset(with_will=False)


class DevBroker:
    """An MQTT 5 broker for the demo and the fault tests: never for production, it forgets everything when it stops.

    `users` maps user names to passwords (None: everybody may connect); `acl` decides who reads and writes what (None:
    everybody everything; `acl_from_mosquitto` makes one of a file's text). With `port=0` the first start takes a free
    port, and later starts take the same one again. A context manager: started on entry, stopped on exit.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Mapping[str, str] | None = None,
        acl: Acl | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._users = users
        self._acl = acl
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._life: _Life | None = None
        self._thawed = threading.Event()
        self._thawed.set()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    # ------------------------------------------------------------------------------------------------------ life, death

    def start(self) -> int:
        """Listen, in a thread of its own; returns the port. Raises OSError if it is taken, RuntimeError if already up."""
        if self._thread is not None:
            raise RuntimeError(f"the broker is already listening on port {self.port}: stop() or kill() it first")
        started: concurrent.futures.Future[int] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="dev-broker", daemon=True)
        self._thread.start()
        try:
            self.port = started.result(START_TIMEOUT_S)
        except OSError:
            self._join()
            raise
        return self.port

    def stop(self) -> None:
        """Say goodbye to every client and end; a second call does nothing."""
        self._end(lambda life: life.over.set())

    def kill(self) -> None:
        """Die as by kill -9: sockets are reset, no will is said, all state is lost. `start()` brings the port back."""
        self._end(_Life.kill)

    # ---------------------------------------------------------------------------------------------------------- faults

    def freeze(self) -> None:
        """Accept nothing and send nothing while every TCP connection stays open, as a stopped process does."""
        if not self._thawed.is_set():
            return
        frozen: concurrent.futures.Future[None] = concurrent.futures.Future()

        def stand_still() -> None:
            self._thawed.clear()
            frozen.set_result(None)
            self._thawed.wait()  # blocks the broker's only thread, which is the whole point

        self._post(stand_still)
        frozen.result(ANSWER_TIMEOUT_S)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._thawed.set()

    def drop_pubacks(self, count: int, where: str = "#") -> None:
        """Deliver the next `count` QoS 1 messages on topics that match `where`, but leave their senders unanswered."""
        checked = Filter.parse(where)
        self._on_loop(lambda life: life.router.faults.drop_puback.arm(count, checked))

    def duplicate_next(self, count: int, where: str = "#") -> None:
        """Deliver each of the next `count` messages on topics that match `where` twice."""
        checked = Filter.parse(where)
        self._on_loop(lambda life: life.router.faults.duplicate.arm(count, checked))

    def reorder_next(self, where: str = "#") -> None:
        """Let the next message on a topic that matches `where` be overtaken by the one after it (or wait one second)."""
        checked = Filter.parse(where)
        self._on_loop(lambda life: life.router.faults.reorder.arm(1, checked))

    def cut(self, client_id: str) -> None:
        """Cut the network of one client: its connection is reset, new ones are too, until `heal`."""

        def act(life: _Life) -> None:
            life.router.faults.cut.add(client_id)
            if client := life.router.clients.get(client_id):
                client.reset()

        self._on_loop(act)

    def heal(self, client_id: str) -> None:
        """Let a client that was `cut` in again."""
        self._on_loop(lambda life: life.router.faults.cut.discard(client_id))

    # ------------------------------------------------------------------------------------------------------- the thread

    def _run(self, started: "concurrent.futures.Future[int]") -> None:
        asyncio.run(self._serve(started))

    async def _serve(self, started: "concurrent.futures.Future[int]") -> None:
        life = _Life(self._users, self._acl)
        try:
            server = await life.listen(self.host, self.port)
        except OSError as taken:
            started.set_exception(taken)
            return
        self._loop, self._life = asyncio.get_running_loop(), life
        started.set_result(server.sockets[0].getsockname()[1])
        await life.over.wait()
        server.close()
        await life.close()

    def _on_loop(self, act: "Callable[[_Life], None]") -> None:
        """Do something between two packets, and return when it is done. Raises BrokerDown."""
        if not self._thawed.is_set():
            raise BrokerDown("the broker is frozen: thaw() it before throwing another switch")
        done: concurrent.futures.Future[None] = concurrent.futures.Future()
        life = self._life

        def run() -> None:
            assert life is not None
            act(life)
            done.set_result(None)

        self._post(run)
        done.result(ANSWER_TIMEOUT_S)

    def _post(self, call: Callable[[], object]) -> None:
        if self._loop is None:
            raise BrokerDown("the broker is not running: start() it first")
        self._loop.call_soon_threadsafe(call)

    def _end(self, act: "Callable[[_Life], None]") -> None:
        if self._thread is None:
            return
        life = self._life
        assert life is not None
        self._post(lambda: act(life))  # before the thaw: a frozen broker dies without reading what came meanwhile
        self._thawed.set()
        self._join()

    def _join(self) -> None:
        assert self._thread is not None
        self._thread.join()
        self._thread = self._loop = self._life = None
