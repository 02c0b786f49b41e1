"""The stores of one shop on one machine: started, filled with what is declared, stopped."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from vitrina.platform.embedded.aws import HEALTH_PATH
from vitrina.platform.embedded.lock import DataInUse, DataLock, Holder, holder_of
from vitrina.platform.embedded.postgres import Postgres
from vitrina.platform.embedded.processes import (
    CannotStart,
    Child,
    cut_log,
    folder_of,
    free_port,
    pause,
    port_is_free,
    wait_for_http,
)
from vitrina.settings import Settings

AWS_NAME = "the embedded AWS"
AWS_START_TIMEOUT_S = 60.0
AWS_STOP_TIMEOUT_S = 10.0
_ATTEMPTS = 3

# Hears what is done, and how many seconds it took.
Progress = Callable[[str, float], None]


def silent(_what: str, _took_s: float) -> None:
    """For tests, and for commands that have something else to say."""


class Embedded:
    """The embedded AWS and PostgreSQL over one data folder, for as long as the context lasts::

        with Embedded(tmp_path) as platform:
            engine = sql_engine(platform.settings)

    Meanwhile the environment of this process points at them, so that clients made here find
    them, and never a real account. A PostgreSQL server that ``DATABASE_URL`` names is used
    instead of an embedded one. Enter and leave in the main thread.
    """

    def __init__(self, data: Path, *, progress: Progress = silent) -> None:
        self.data = data.resolve()
        self._progress = progress
        self._lock = DataLock(self.data)
        self._before: dict[str, str] = {}
        self._aws: Child | None = None
        self._postgres: Postgres | None = None

    @property
    def settings(self) -> Settings:
        """Settings that name these stores."""
        return Settings()

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def children(self) -> list[Child]:
        """The stores that run, for whoever watches over them."""
        postgres = self._postgres.child if self._postgres else None
        return [child for child in (self._aws, postgres) if child]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when both stores answer and hold what is declared.

        Raises:
            DataInUse: another launcher runs on this folder.
            CannotStart: a store did not come up. Nothing is left running.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        self._before = dict(os.environ)
        try:
            self._start_stores()
            self._fill_stores()
            self.publish("")
        except BaseException:
            self.stop()
            raise

    def publish(self, address: str) -> None:
        """Let other commands find these stores, and the shop on them."""
        self._lock.publish(Holder(os.getpid(), address, _addresses()))

    def stop(self) -> None:
        """Stop both stores within seconds, keeping all they know, and restore the environment."""
        if self._postgres:
            self._postgres.stop()
        if self._aws and self._aws.exit_code is None:
            self._aws.stop((signal.SIGTERM, AWS_STOP_TIMEOUT_S))
        self._aws = self._postgres = None
        if self._before:
            os.environ.clear()
            os.environ.update(self._before)
            self._before = {}
        self._lock.release()

    def _start_stores(self) -> None:
        for log in self.logs.glob("*.log"):
            cut_log(log)
        began = time.monotonic()
        _forget_accounts()
        self._start_aws()
        if "DATABASE_URL" in os.environ:
            self._progress("PostgreSQL: the server that DATABASE_URL names", 0.0)
        else:
            folder, log = self.data / "postgres", self.logs / "postgres.log"
            self._postgres = Postgres(folder, log=log, environment=os.environ)
            self._postgres.start()
            os.environ["DATABASE_URL"] = self._postgres.url
            self._progress("PostgreSQL is ready", time.monotonic() - began)

    def _fill_stores(self) -> None:
        began = time.monotonic()
        # Imported here: these take about as long as the embedded AWS, which starts meanwhile.
        from vitrina.platform.embedded.provision import provision
        from vitrina.platform.migrate import SchemaMismatch, upgrade

        self._wait_for_aws()
        self._progress("AWS is ready", time.monotonic() - began)
        began = time.monotonic()
        created = provision(self.settings)
        count = f"{len(created)} created" if created else "all there"
        self._progress(f"Tables, queues and buckets: {count}", time.monotonic() - began)
        began = time.monotonic()
        try:
            what = "brought up to date" if upgrade(self.settings) else "up to date"
        except SchemaMismatch as mismatch:
            raise CannotStart(str(mismatch)) from mismatch
        self._progress(f"Database schema: {what}", time.monotonic() - began)

    def _start_aws(self) -> None:
        folder_of("ministack")
        port = free_port()
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        self._aws = Child(
            AWS_NAME,
            [
                *(sys.executable, "-m", "vitrina.platform.embedded.aws"),
                *("--port", str(port), "--data", str(self.data / "aws")),
            ],
            log=self.logs / "aws.log",
            environment=os.environ,
            # What a killed launcher leaves behind saves its state before another may read it.
            hands_down=[self._lock.file_number],
        )

    def _wait_for_aws(self) -> None:
        for attempt in range(_ATTEMPTS):
            if self._aws_answers():
                return
            assert self._aws is not None
            # Another program may have been given the port in the meantime.
            if self._aws.exit_code is None or port_is_free(_aws_port()) or attempt == _ATTEMPTS - 1:
                raise CannotStart(self._aws.obituary())
            self._start_aws()

    def _aws_answers(self) -> bool:
        aws = self._aws
        assert aws is not None
        return wait_for_http(
            _aws_port(),
            HEALTH_PATH,
            timeout_s=AWS_START_TIMEOUT_S,
            hopeless=lambda: aws.exit_code is not None,
        )


@contextmanager
def connected(data: Path) -> Iterator[Settings]:
    """The stores over this data, for a command: the running shop's, else some of our own.

    Raises:
        CannotStart: they did not come up.
    """
    try:
        embedded = Embedded(data)
        embedded.start()
    except DataInUse as error:
        # While it starts it has not said yet where its stores are.
        holder = _wait_until_published(data) or error.holder
        if not holder.environment:
            raise
        before = dict(os.environ)
        _forget_accounts()
        os.environ.update(holder.environment)
        try:
            yield Settings()
        finally:
            os.environ.clear()
            os.environ.update(before)
        return
    try:
        yield embedded.settings
    finally:
        embedded.stop()


def _wait_until_published(data: Path, timeout_s: float = 30.0) -> Holder | None:
    deadline = time.monotonic() + timeout_s
    while (holder := holder_of(data)) and not holder.environment:
        if time.monotonic() > deadline:
            break
        pause()
    return holder


def _aws_port() -> int:
    return int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])


def _forget_accounts() -> None:
    """Make sure that no client of this process or its children meets a real account."""
    for name in [name for name in os.environ if name.startswith("AWS_") and "REGION" not in name]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="vitrina",
        AWS_SECRET_ACCESS_KEY="vitrina",  # noqa: S106
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )


def _addresses() -> dict[str, str]:
    """The variables with which another process reaches the same stores."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("AWS_") or name == "DATABASE_URL"
    }
