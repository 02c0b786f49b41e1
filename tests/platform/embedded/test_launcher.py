"""``vitrina up``: a whole shop, minded."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from vitrina.cli.up import app
from vitrina.platform.embedded.elsewhere import Elsewhere
from vitrina.platform.embedded.launcher import Part, listening
from vitrina.platform.embedded.lock import holder_of
from vitrina.platform.embedded.processes import CannotStart, Child, cut_log
from vitrina.platform.embedded.supervisor import Embedded

from .conftest import Up, gone

Start = Callable[..., Up]


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    """Start ``vitrina up`` with further options, on the test's folder unless told otherwise."""
    started: list[Up] = []

    def make(*options: str, on: Path = data, **environment: str) -> Up:
        started.append(Up(on, *options, **environment))
        return started[-1]

    yield make
    for up in started:
        if up.process.poll() is None:
            up.process.kill()
        up.process.communicate()


def health(address: str) -> int:
    with urllib.request.urlopen(f"{address}/healthz", timeout=60) as answer:
        status: int = answer.status
        return status


def test_a_shop_opens_is_minded_and_closes(start: Start, data: Path, tmp_path: Path) -> None:
    shop = start("--port", "0", "--workers", "2").ready()
    port = shop.address.rpartition(":")[2]
    vitrina = CliRunner().invoke
    assert health(shop.address) == 200

    # Its port is taken, for others; and they are told by whom.
    status, said = start("--port", port, on=tmp_path / "other").ended()
    assert status == 1
    by = re.search(rf"Port {port} of 127.0.0.1 is taken by process (\d+) \(python", said)
    assert by and int(by[1]) in [process.pid for process in shop.tree()]
    assert "Choose another with --port" in said

    # Its data is taken as well.
    status, said = start("--port", "0").ended()
    assert status == 1
    assert f"Process {shop.process.pid} ({shop.address}) runs on the data in {data}" in said
    said = vitrina(app, ["status", "--data", str(data)]).output
    assert said == f"Process {shop.process.pid} runs on {data}: {shop.address}\n"

    # Web processes that die are replaced, and a request meanwhile waits for the new ones.
    killed = shop.parts("vitrina.entrypoints.http")
    for web in killed:
        web.kill()
    assert len(killed) == 2
    assert health(shop.address) == 200
    assert not {web.pid for web in killed} & {w.pid for w in shop.parts("entrypoints.http")}

    tree = shop.tree()
    stopped = vitrina(app, ["down", "--data", str(data)])
    status, said = shop.ended()

    assert (stopped.exit_code, stopped.output) == (0, "Stopped. The data is kept.\n")
    assert status == 0
    assert gone(tree, 1) == []
    assert f"│  Shop   {shop_address(said)} " in said
    assert f"{data}/logs" in said
    assert said.count("the web process was ended by SIGKILL") == 2
    assert "It is started again in 0.5 s." in said
    assert said.endswith("Stopped. The data is kept.\n")
    assert vitrina(app, ["status", "--data", str(data)]).exit_code == 1


def shop_address(said: str) -> str:
    return next(word for word in said.split() if word.startswith("http://127.0.0.1:"))


def test_a_lost_store_ends_the_shop_by_name(start: Start) -> None:
    shop = start("--port", "0").ready()
    tree = shop.tree()

    for store in shop.parts("vitrina.platform.embedded.aws"):
        store.kill()

    status, said = shop.ended()
    assert status == 1
    assert "the embedded AWS was ended by SIGKILL" in said
    assert "start the shop again" in said
    assert gone(tree, 1) == []


def test_a_second_ctrl_c_ends_it_at_once(start: Start) -> None:
    shop = start("--port", "0").ready()
    tree = shop.tree()
    # Something that does not listen to a friendly word.
    for web in shop.parts("vitrina.entrypoints.http"):
        web.suspend()

    shop.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    began = time.monotonic()
    shop.process.send_signal(signal.SIGINT)
    status, _ = shop.ended()

    assert status == 130
    assert time.monotonic() - began < 1
    assert gone(tree, 5) == []


def test_without_embedded_stores_it_says_all_that_is_missing(start: Start, tmp_path: Path) -> None:
    status, said = start(
        *("--no-embedded", "--port", "0"), on=tmp_path / "none", AWS_EC2_METADATA_DISABLED="true"
    ).ended()

    assert status == 1
    assert "DATABASE_URL, such as postgresql://" in said
    assert "AWS credentials: AWS_PROFILE, or" in said
    assert not (tmp_path / "none" / "lock").exists()


def test_stores_elsewhere_are_checked_before_the_shop_opens(
    tmp_path: Path, platform: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINA_PREFIX", "elsewhere")
    stores = Elsewhere(tmp_path)
    stores.start()
    stores.publish("http://127.0.0.1:1")
    holder = holder_of(tmp_path)
    stores.stop()
    # Their secrets are not written down.
    assert holder is not None and holder.environment == {}

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(CannotStart, match=r"http://127\.0\.0\.1:9 cannot be used"):
        Elsewhere(tmp_path).start()
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@127.0.0.1:9/shop")
    with pytest.raises(CannotStart, match=r"PostgreSQL at 127\.0\.0\.1:9") as refusal:
        Elsewhere(tmp_path).start()
    assert "secret" not in str(refusal.value)
    assert holder_of(tmp_path) is None


def test_the_next_free_port_is_taken_when_none_was_asked_for() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken: int = other.getsockname()[1]
        with listening(None, first=taken) as listener:
            assert taken < listener.getsockname()[1] < taken + 100


def test_answers_on_open_connections_do_not_wait_for_acknowledgements() -> None:
    with listening(0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_part_that_keeps_ending_is_given_up(tmp_path: Path) -> None:
    made: list[Child] = []

    def make() -> Child:
        made.append(
            Child(
                "the worker",
                ["/bin/sh", "-c", "echo no paper left; exit 3"],
                log=tmp_path / "worker.log",
                environment={},
            )
        )
        return made[-1]

    part = Part(make, pauses_s=(0.0, 0.01))
    heard: list[str] = []
    part.start()

    with pytest.raises(CannotStart) as last:
        while True:
            part.mend(heard.append)
            time.sleep(0.01)

    assert len(made) == 3
    assert len(heard) == 2
    assert "the worker ended with exit status 3" in heard[0]
    assert "no paper left" in heard[0]
    assert "It ended 3 times within a minute" in str(last.value)


def test_a_log_stays_bounded_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        cut_log(log, max_bytes=1000)
        assert log.read_bytes() == b"old\n" * 100
        cut_log(log, max_bytes=100)
        writer.write(b"new\n")

    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "web.log.1").read_bytes() == b"old\n" * 100


WATCHED = """
import os, subprocess, sys, time
from vitrina.platform.embedded import child
elsewhere = '''
import runpy, sys
sys.platform = "somewhere"
sys.argv = %r
runpy.run_path(sys.argv[0], run_name="__main__")
'''
says = "import os, sys, time; os.write(int(sys.argv[1]), b'inherited'); time.sleep(60)"
program = [sys.executable, "-I", "-S", "-c", says, sys.argv[1]]
arguments = [child.__file__, str(os.getpid()), "15", "-", *program]
command = [sys.executable, "-I", "-S", "-c", elsewhere % (arguments,)]
print(subprocess.Popen(command, pass_fds=[int(sys.argv[1])]).pid, flush=True)
time.sleep(60)
"""


def test_where_the_kernel_does_not_help_the_end_of_a_launcher_is_noticed() -> None:
    reader, writer = os.pipe()
    launcher = subprocess.Popen(
        [sys.executable, "-c", WATCHED, str(writer)],
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[writer],
    )
    os.close(writer)
    assert launcher.stdout is not None
    watcher = psutil.Process(int(launcher.stdout.readline()))
    with os.fdopen(reader, "rb") as inherited:
        assert inherited.read(9) == b"inherited"
        (program,) = watcher.children()

        launcher.kill()
        launcher.communicate()

        assert gone([watcher, program], 5) == []
        assert inherited.read() == b""  # nobody is left to write
