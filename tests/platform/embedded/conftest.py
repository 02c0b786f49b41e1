"""Launchers of their own, as processes, so that they can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from vitrina.platform.embedded.lock import Holder, holder_of
from vitrina.platform.embedded.supervisor import Embedded

CLI = "from vitrina.cli.main import app; app(prog_name='vitrina')"
HOLD = """
import signal, sys
from pathlib import Path
from vitrina.platform.embedded.supervisor import Embedded
with Embedded(Path(sys.argv[1])):
    signal.pause()
"""


@dataclass
class Launcher:
    """A running process that holds embedded stores."""

    process: subprocess.Popen[str]
    data: Path
    holder: Holder

    def tree(self) -> list[psutil.Process]:
        """Itself and everything it started."""
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def stop(self) -> float:
        """Ctrl-C; the seconds until it had stopped."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return time.monotonic() - began


Launch = Callable[[Path], Launcher]


def plain_environment(**more: str) -> dict[str, str]:
    """Ours, as a new shell has it: without the stores of the tests around us."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "VITRINA_")) and name != "DATABASE_URL"
    }
    return {**kept, **more}


@pytest.fixture(scope="package")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose stores hold what is declared, stopped; to be copied."""
    data = tmp_path_factory.mktemp("furnished") / "data"
    with Embedded(data):
        pass
    return data


@pytest.fixture
def data(tmp_path: Path, furnished: Path) -> Path:
    """A data folder of the test's own, that starts quickly."""
    subprocess.run(["cp", "-a", furnished, tmp_path / "data"], check=True)
    return tmp_path / "data"


@pytest.fixture(scope="package")
def hold() -> Iterator[Launch]:
    """Start embedded stores on a folder, in a process of their own, and wait for them."""
    started: list[subprocess.Popen[str]] = []

    def start(data: Path) -> Launcher:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(data)],
            env=plain_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return Launcher(process, data, published(data, process))

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


class Up:
    """A running ``vitrina up``."""

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLI, "up", "--data", str(data), "--no-open", *options],
            env=plain_environment(PYTHONUNBUFFERED="1", **environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ready(self) -> "Up":
        published(self.data, self.process, address=True)
        return self

    @property
    def address(self) -> str:
        holder = holder_of(self.data)
        assert holder
        return holder.address

    def ended(self, timeout_s: float = 30) -> tuple[int, str]:
        """Its exit status and all it said."""
        said, _ = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, said

    def tree(self) -> list[psutil.Process]:
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def parts(self, word: str) -> list[psutil.Process]:
        """The children whose command line has this word."""
        return [
            process
            for process in psutil.Process(self.process.pid).children()
            if any(word in argument for argument in process.cmdline())
        ]


def published(data: Path, process: subprocess.Popen[str], *, address: bool = False) -> Holder:
    """What a launcher tells the others, as soon as it does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        holder = holder_of(data)
        is_up = holder and (holder.address if address else holder.environment)
        if holder and is_up and holder.pid == process.pid:
            return holder
        if process.poll() is not None:
            assert process.stdout is not None
            pytest.fail(f"it ended with {process.returncode}: {process.stdout.read()}")
        time.sleep(0.05)
    pytest.fail("the stores did not start in time")


def gone(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Those that still live after some seconds."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return alive
