"""One launcher per data folder, and where the others find it."""

import contextlib
import fcntl
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from vitrina.platform.embedded.processes import CannotStart, pause

# A launcher that was killed leaves children, which still save what they know.
LEFTOVER_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Holder:
    """The launcher that runs on a data folder.

    Attributes:
        pid: its process.
        address: of the shop; empty while it starts, or when it runs the stores alone.
        environment: variables with which another process reaches the same stores.
    """

    pid: int
    address: str = ""
    environment: dict[str, str] = field(default_factory=dict)


class DataInUse(CannotStart):
    """Another launcher runs on this data."""

    def __init__(self, data: Path, holder: Holder) -> None:
        where = f" ({holder.address})" if holder.address else ""
        super().__init__(
            f"Process {holder.pid}{where} runs on the data in {data} already. Stop it with"
            f" Ctrl-C where it runs, or from here with: vitrina down --data {data}\n"
            "Or start a second shop beside it with --data and another folder."
        )
        self.holder = holder


class DataLock:
    """Held from ``acquire`` until ``release``, or until this process and its heirs have ended."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._file: int | None = None

    def acquire(self) -> None:
        """
        Raises:
            DataInUse: by a launcher that lives.
            CannotStart: what a killed launcher left behind does not end.
        """
        file = os.open(_path(self._data), os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + LEFTOVER_TIMEOUT_S
        while not _lock(file):
            holder = _read(self._data)
            if holder and _is_alive(holder.pid):
                os.close(file)
                raise DataInUse(self._data, holder)
            if time.monotonic() > deadline:
                os.close(file)
                raise CannotStart(
                    f"An earlier run on {self._data} was killed, and a process it left behind"
                    f" still holds {_path(self._data)}. End that process and try again."
                )
            pause()
        self._file = file
        self.publish(Holder(os.getpid()))

    def publish(self, holder: Holder) -> None:
        """Tell the others who we are."""
        assert self._file is not None
        text = json.dumps(
            {
                "pid": holder.pid,
                "address": holder.address,
                "environment": holder.environment,
            }
        ).encode()
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))

    def release(self) -> None:
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    @property
    def file_number(self) -> int:
        """A child that inherits it holds the lock as well: the next launcher waits for its end."""
        assert self._file is not None
        return self._file


def holder_of(data: Path) -> Holder | None:
    """The launcher that runs on this data; None when nobody does."""
    try:
        file = os.open(_path(data), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return None if _lock(file) else _read(data)
    finally:
        os.close(file)


def _path(data: Path) -> Path:
    return data / "lock"


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(data: Path) -> Holder | None:
    """None while it is being written, or when a crash left it empty."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        found = json.loads(_path(data).read_text())
        return Holder(found["pid"], found["address"], found["environment"])
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
