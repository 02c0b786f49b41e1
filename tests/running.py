"""A web process of its own for tests that want the real thing over a real socket."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from vitrina.platform.embedded.processes import free_port
from vitrina.settings import Settings

START_TIMEOUT_S = 120.0  # the first start compiles every module, perhaps on a busy machine


@contextmanager
def running_shop(settings: Settings, log: Path, **environment: str) -> Iterator[str]:
    """The web process over these settings' stores; gives its address.

    Args:
        log: file that gets what the process prints.
        environment: further environment variables of the process.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "--factory", "vitrina.entrypoints.http:app"),
                *("--host", "127.0.0.1", "--port", str(port), "--no-access-log"),
            ],
            env={
                **os.environ,
                "DATABASE_URL": settings.database_url.get_secret_value(),
                "VITRINA_PREFIX": settings.prefix,
                "VITRINA_PUBLIC_URL": address,
                **environment,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(f"{address}/healthz", process, log)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except URLError:
            time.sleep(0.05)
    raise AssertionError(f"the web process did not start:\n{log.read_text()}")
