"""The whole shop on one machine: stores, web processes and worker, minded until told to stop."""

import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from vitrina.platform.embedded.processes import CannotStart, Child, cut_log, wait_for_http
from vitrina.settings import Settings

WEB = "vitrina.entrypoints.http:app"
WORKER = "vitrina.entrypoints.worker"

FIRST_PORT = 8000
PORTS_TRIED = 100
BACKLOG = 2048

START_TIMEOUT_S = 60.0
# Requests under way may finish in these; then a web process cuts them off by itself.
GRACE_S = 3
STOP_TIMEOUT_S = 6.0  # an idle worker sits in a long poll of five
LOOK_EVERY_S = 0.25
CUT_LOGS_EVERY_S = 10.0

# A part that ends is started again after so many seconds. Once more within a minute is too often.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
FORGIVEN_AFTER_S = 60.0

Say = Callable[[str], None]


class Stopped(BaseException):
    """Somebody wants the launcher to stop: Ctrl-C, SIGTERM, or the terminal was closed."""


class Stores(Protocol):
    """What a shop stands on: ``Embedded`` or ``Elsewhere``."""

    @property
    def settings(self) -> Settings: ...
    @property
    def logs(self) -> Path: ...
    @property
    def children(self) -> list[Child]: ...
    def start(self) -> None: ...
    def publish(self, address: str) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Console:
    """Where the launcher tells how it goes.

    Attributes:
        step: hears what was done, and the seconds it took.
        note: hears what is not as one might expect.
        opened: hears the shop's address, once it answers.
        trouble: hears of a part that ended and is started again.
    """

    step: Callable[[str, float], None]
    note: Say
    opened: Say
    trouble: Say


def launch(
    stores: Stores,
    console: Console,
    *,
    port: int | None = None,
    workers: int = 1,
    furnish: Callable[[Settings], None] | None = None,
) -> None:
    """Open the shop, and return when it was told to stop and has stopped.

    A second signal while it stops ends the launcher at once; its children then end by themselves.

    Args:
        stores: not started yet.
        console: hears how it goes.
        port: where the shop listens on 127.0.0.1; None for 8000 or the next free one.
        workers: number of web processes.
        furnish: called when the stores are ready, before anybody may enter.

    Raises:
        CannotStart: a part did not come up, a store was lost, or another part ended too often.
            Everything has been stopped.
    """
    with _signals_raise_stopped():
        try:
            with listening(port) as listener, _started(stores):
                if furnish:
                    furnish(stores.settings)
                shop = Shop(listener, workers=workers, logs=stores.logs)
                if port is None and shop.port != FIRST_PORT:
                    console.note(f"Port {FIRST_PORT} is taken; the shop opens on {shop.port}.")
                try:
                    began = time.monotonic()
                    shop.open()
                    console.step("The shop is open", time.monotonic() - began)
                    stores.publish(shop.address)
                    console.opened(shop.address)
                    _mind(stores, shop, console.trouble)
                finally:
                    shop.close()
        except Stopped:
            return


@contextmanager
def _started(stores: Stores) -> Iterator[None]:
    stores.start()
    try:
        yield
    finally:
        stores.stop()


def _mind(stores: Stores, shop: "Shop", trouble: Say) -> None:
    cut_logs_at = time.monotonic() + CUT_LOGS_EVERY_S
    while True:
        for store in stores.children:
            if store.exit_code is not None:
                raise CannotStart(
                    f"{store.obituary()}\nThe shop cannot go on without it and has stopped. What"
                    " was stored is kept: start the shop again."
                )
        shop.mend(trouble)
        if time.monotonic() > cut_logs_at:
            cut_logs_at += CUT_LOGS_EVERY_S
            for log in stores.logs.glob("*.log"):
                cut_log(log)
        time.sleep(LOOK_EVERY_S)


class Shop:
    """Web processes and a worker. The environment of this process tells them their stores."""

    def __init__(self, listener: socket.socket, *, workers: int, logs: Path) -> None:
        self._listener = listener
        self._logs = logs
        self._web = [Part(partial(self._start_web, number)) for number in range(1, workers + 1)]
        self._worker = Part(self._start_worker)
        self.port: int = listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Return when the shop answers.

        Raises:
            CannotStart: a web process ended instead, or none answered in time.
        """
        os.environ.setdefault("VITRINA_PUBLIC_URL", self.address)
        for part in self._web:
            part.start()
        if not wait_for_http(
            self.port,
            "/healthz",
            timeout_s=START_TIMEOUT_S,
            hopeless=lambda: any(part.child.exit_code is not None for part in self._web),
        ):
            culprit = next((p for p in self._web if p.child.exit_code is not None), self._web[0])
            raise CannotStart(culprit.child.obituary())
        # Shoppers are waiting, jobs are not: the worker reads its imports after that.
        self._worker.start()

    def mend(self, trouble: Say) -> None:
        """Start again what has ended.

        Raises:
            CannotStart: it ended too often.
        """
        for part in (*self._web, self._worker):
            part.mend(trouble)

    def close(self) -> None:
        """Let requests and jobs under way finish, for seconds."""
        parts = [part for part in (*self._web, self._worker) if part.is_running]
        for part in parts:
            part.child.send(signal.SIGTERM)
        for part in parts:
            if not part.child.wait(STOP_TIMEOUT_S):
                part.child.stop()

    def _start_web(self, number: int) -> Child:
        descriptor = self._listener.fileno()
        return Child(
            "the web process",
            [
                *(sys.executable, "-m", "uvicorn", WEB, "--factory", "--fd", str(descriptor)),
                *("--timeout-graceful-shutdown", str(GRACE_S), "--lifespan", "on"),
                *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
                *("--ws", "none"),
                *("--log-level", "warning"),
            ],
            log=self._logs / f"web-{number}.log",
            environment=os.environ,
            orphan_signal=signal.SIGKILL,
            hands_down=[descriptor],
        )

    def _start_worker(self) -> Child:
        return Child(
            "the worker",
            [sys.executable, "-m", WORKER],
            log=self._logs / "worker.log",
            environment=os.environ,
            orphan_signal=signal.SIGKILL,
        )


class Part:
    """A child that is started again when it ends, a few times."""

    def __init__(
        self, make: Callable[[], Child], *, pauses_s: tuple[float, ...] = PAUSES_S
    ) -> None:
        self._make = make
        self._pauses_s = pauses_s
        self._child: Child | None = None
        self._ended_at: list[float] = []
        self._again_at: float | None = None

    @property
    def child(self) -> Child:
        assert self._child is not None
        return self._child

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.exit_code is None

    def start(self) -> None:
        self._again_at = None
        self._child = self._make()

    def mend(self, trouble: Say) -> None:
        """Start it again if it has ended, after a pause.

        Raises:
            CannotStart: it ended too often.
        """
        now = time.monotonic()
        if self.is_running:
            return
        if self._again_at is None:
            recent = [moment for moment in self._ended_at if now - moment < FORGIVEN_AFTER_S]
            self._ended_at = [*recent, now]
            if len(self._ended_at) > len(self._pauses_s):
                raise CannotStart(
                    f"{self.child.obituary()}\nIt ended {len(self._ended_at)} times within a"
                    " minute. The shop has stopped; what was stored is kept."
                )
            pause_s = self._pauses_s[len(self._ended_at) - 1]
            self._again_at = now + pause_s
            trouble(f"{self.child.obituary()}\n  It is started again in {pause_s} s.")
        elif now >= self._again_at:
            self.start()


@contextmanager
def listening(port: int | None, *, first: int = FIRST_PORT) -> Iterator[socket.socket]:
    """An open socket of 127.0.0.1 that all web processes share, so that none loses a connection.

    Args:
        port: 0 for any free one; None for ``first`` or the next free one above.

    Raises:
        CannotStart: the port is taken or forbidden.
    """
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. The server takes a socket it is handed for one without TCP and
        # does not set it; every answer on an open connection would then wait 40 ms for an
        # acknowledgement of its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if port is not None:
            _bind(listener, port)
        elif not any(_can_bind(listener, first + step) for step in range(PORTS_TRIED)):
            raise CannotStart(
                f"The ports {first} to {first + PORTS_TRIED - 1} of 127.0.0.1 are all taken."
                " Choose another with --port."
            )
        listener.listen(BACKLOG)
        yield listener
    finally:
        listener.close()


def _bind(listener: socket.socket, port: int) -> None:
    try:
        listener.bind(("127.0.0.1", port))
    except PermissionError:
        raise CannotStart(
            f"Only root may open port {port}. Choose one above 1023 with --port."
        ) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise CannotStart(
            f"Port {port} of 127.0.0.1 is taken{_by_whom(port)}. Choose another with --port, or"
            " leave --port out to get a free one."
        ) from None


def _can_bind(listener: socket.socket, port: int) -> bool:
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def _by_whom(port: int) -> str:
    """Who listens there, as far as the system tells us."""
    try:
        import psutil  # of the extra [embedded], and this is a courtesy
    except ImportError:
        return ""
    try:
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                name = psutil.Process(connection.pid).name()
                return f" by process {connection.pid} ({name})"
    except psutil.Error:
        pass  # some systems tell this to root alone
    return ""


@contextmanager
def _signals_raise_stopped() -> Iterator[None]:
    """The first signal raises ``Stopped`` here; the next one ends this process on the spot."""
    stopping = False

    def receive(_number: int, _frame: object) -> None:
        nonlocal stopping
        if stopping:
            os._exit(130)  # the children notice, and end
        stopping = True
        raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, receive) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
