"""Child processes of the launcher: started, logged, stopped, and never left behind."""

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from vitrina.kernel.errors import ShopError

LOG_MAX_BYTES = 8_000_000
LOOK_AGAIN_S = 0.02

_CHILD = str(Path(__file__).with_name("child.py"))
# Below the range from which systems take the near ends of outgoing connections.
_PORTS = range(20_000, 32_000)


class CannotStart(ShopError):
    """A part of the embedded platform did not come up. The message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a child runs as."""

    uid: int
    gid: int
    reach: bool = False  # may walk through and read what is closed to him


class Child:
    """A program that ends with this process, whatever happens to this process.

    Start children from the main thread: on Linux the kernel takes the end of the thread that
    started a child for the end of the launcher.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        account: Account | None = None,
        orphan_signal: signal.Signals = signal.SIGTERM,
        hands_down: Sequence[int] = (),
    ) -> None:
        """
        Args:
            name: what people call it, as in "the database".
            command: program and arguments; the program by its path.
            log: file that its output is appended to.
            environment: all of its environment variables.
            account: whom to run it as; None for who we are.
            orphan_signal: what it gets when this process ends without a word.
            hands_down: file descriptors it inherits.
        """
        self.name = name
        self.log = log
        if account is None:
            user = "-"
        else:
            user = f"{account.uid}:{account.gid}" + (":reach" if account.reach else "")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", _CHILD),
                    *(str(os.getpid()), str(int(orphan_signal)), user, *command),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                pass_fds=tuple(hands_down),
                start_new_session=True,  # Ctrl-C is for the launcher; it stops us in order
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the number of the signal that ended it, if one did."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float) -> bool:
        """True when it has ended within the time."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, *steps: tuple[signal.Signals, float]) -> None:
        """Send one signal after the other until it ends, waiting seconds after each.

        What does not listen is killed, with all that it started.
        """
        for number, timeout_s in steps:
            self.send(number)
            if self.wait(timeout_s):
                return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def last_words(self, lines: int = 12) -> str:
        """The end of what it wrote since it was started, indented."""
        with self.log.open("rb") as written:
            # The log may have been cut in the meantime.
            size_bytes = written.seek(0, os.SEEK_END)
            written.seek(self._log_start if self._log_start <= size_bytes else 0)
            tail = deque(written.read().decode("utf-8", "replace").splitlines(), lines)
        return "\n".join(f"    {line}" for line in tail) or "    (it wrote nothing)"

    def obituary(self) -> str:
        """That it ended and how, its last lines, and where the others are."""
        return (
            f"{self.name} {_ended(self.exit_code)}. Its last lines:\n{self.last_words()}\n"
            f"  All of them: {self.log}"
        )


def _ended(exit_code: int | None) -> str:
    if exit_code is None:
        return "does not answer"
    if exit_code >= 0:
        return f"ended with exit status {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"


def folder_of(package: str) -> Path:
    """Where a package of the extra ``[embedded]`` lies. Found, not imported: that takes a while.

    Raises:
        CannotStart: it is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise CannotStart(
            f"The embedded stores are not installed: {package} is missing. Install"
            " vitrina[embedded], or use stores of your own with --no-embedded."
        )
    return Path(found.origin).resolve().parent


def cut_log(log: Path, max_bytes: int = LOG_MAX_BYTES) -> None:
    """Keep a log bounded: above ``max_bytes`` its text moves to ``<name>.1`` and it starts anew.

    The writer keeps the file open for appending, so the text is copied and the file emptied.
    What it writes in the instant between is lost.
    """
    if not log.exists() or log.stat().st_size <= max_bytes:
        return
    with log.open("r+b") as written:
        log.with_name(log.name + ".1").write_bytes(written.read())
        written.truncate(0)


def free_port(preferred: int | None = None) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, the preferred one if possible."""
    draw = SystemRandom()
    candidates = [draw.choice(_PORTS) for _ in range(100)]
    for port in [preferred, *candidates] if preferred else candidates:
        if port_is_free(port):
            return port
    raise CannotStart("No free TCP port found on 127.0.0.1 between 20000 and 32000.")


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for_http(port: int, path: str, *, timeout_s: float, hopeless: Callable[[], bool]) -> bool:
    """Wait until something on this port of 127.0.0.1 answers a GET, with whatever HTTP status.

    Returns:
        False after ``timeout_s`` seconds, or as soon as it is ``hopeless``.
    """
    deadline = time.monotonic() + timeout_s

    def goes_on() -> bool:
        return time.monotonic() < deadline and not hopeless()

    while goes_on():
        with contextlib.suppress(ConnectionError, TimeoutError):
            if _answers(port, path, goes_on):
                return True
        pause()
    return False


def _answers(port: int, path: str, goes_on: Callable[[], bool]) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        # A port may be open long before the program behind it accepts.
        connection.settimeout(LOOK_AGAIN_S)
        while goes_on():
            with contextlib.suppress(TimeoutError):
                return connection.recv(16).startswith(b"HTTP/")
    return False


def pause() -> None:
    """The pace at which the launcher looks whether something is ready."""
    time.sleep(LOOK_AGAIN_S)
