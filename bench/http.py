"""What the web process costs: requests per second, and CPU milliseconds per request.

    python bench/http.py                        # prints a table, writes docs/evidence/http.md
    python bench/http.py --seconds 1 --rounds 1 # quicker and rougher
    python bench/http.py --json results.json --no-page

Opens the whole shop as ``vitrina up`` does, in a folder of its own, with the demo collection, and
asks it from a second process over 127.0.0.1, in turn with a bare ASGI "hello" on a server with the
same options. CPU is user and system time of the web process from /proc/<pid>/stat, so other work
on the machine changes it little; requests per second depend on the machine. Linux only.

Interpreters built without profile-guided optimisation are slower by more than half. Where
/usr/bin/python3 can run the shop, it does (``--python`` chooses another).
"""

# ruff: noqa: E402
import sys

# This file's name would hide the standard library's http from everything imported below.
sys.path = [path.removesuffix("/bench") for path in sys.path]

import argparse
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "evidence" / "http.md"
DEBIAN_PYTHON = Path("/usr/bin/python3")
CONNECTIONS = 16
FEW = 4  # for requests that reach the routes: these are bound by the interpreter's lock
HELLO = "hello (bare ASGI)"
WARM_CPU_TARGET_MS = 1.0
SCHEMA_CPU_TARGET_S = 2.0
START_CPU_TARGET_S = 1.5
LOADED_RSS_TARGET_MIB = 120.0

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of request, the median over the rounds.

    ``web_cpu_ms`` is of the process that answers; the other two are of the stores behind it.
    """

    name: str
    requests_per_s: float
    web_cpu_ms: float
    aws_cpu_ms: float
    postgres_cpu_ms: float
    median_ms: float
    answered: int


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was measured."""

    measured_at: str
    machine: str
    interpreter: str
    load_average: float
    rows: list[Row]
    schema_cpu_s: float
    compiling_cpu_s: float
    start_cpu_s: float
    start_rss_mib: float
    loaded_rss_mib: float


@dataclass(frozen=True, slots=True)
class Open:
    """A shop that is open, and the processes it consists of."""

    port: int
    web: psutil.Process
    aws: psutil.Process
    postgres: psutil.Process
    hello_port: int
    hello: psutil.Process


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of request.

    Attributes:
        requests: makes the requests of a round; each is sent once, or all in turn for a while.
        repeats: whether they are sent again and again.
        expected: status of every answer.
        connections: how many ask at the same time.
    """

    name: str
    requests: Callable[["Shopper"], list[str]]
    repeats: bool = True
    expected: int = 200
    connections: int = CONNECTIONS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5, help="the median of which is told")
    parser.add_argument("--orders", type=int, default=100, help="checkouts of a round")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--page", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--python", type=Path, help="interpreter of all processes")
    options = parser.parse_args()
    _become(options.python or _best_interpreter())

    results = measure(options.seconds, options.rounds, options.orders)
    text = as_markdown(results)
    print(text)
    if options.json:
        options.json.write_text(json.dumps(asdict(results), indent=2) + "\n")
    if options.page:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


def measure(seconds: float, rounds: int, orders: int) -> Results:
    """Open a shop, ask it everything, close it."""
    load_average = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="vitrina-bench-") as folder:
        compiling_cpu_s = _compile_into(Path(folder, "bytecode"))
        schema_cpu_s = fresh_schema_cpu_s(Path(folder, "schema"))
        with opened_shop(Path(folder, "shop")) as shop:
            start_cpu_s, start_rss_mib = cpu_s(shop.web), rss_mib(shop.web)
            rows = _rows(shop, seconds, rounds, orders)
            loaded_rss_mib = rss_mib(shop.web)
    return Results(
        measured_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=_machine(),
        interpreter=_interpreter(),
        load_average=load_average,
        rows=rows,
        schema_cpu_s=schema_cpu_s,
        compiling_cpu_s=compiling_cpu_s,
        start_cpu_s=start_cpu_s,
        start_rss_mib=start_rss_mib,
        loaded_rss_mib=loaded_rss_mib,
    )


@contextmanager
def opened_shop(folder: Path) -> Iterator[Open]:
    """The whole shop, furnished, and the bare server beside it."""
    from vitrina.platform.embedded.launcher import Shop, listening
    from vitrina.platform.embedded.supervisor import Embedded

    with Embedded(folder) as stores, listening(0) as listener, listening(0) as other:
        _furnish(stores.settings)
        shop = Shop(listener, workers=1, logs=stores.logs)
        try:
            shop.open()
            web = _child_with("vitrina.entrypoints.http:app")
            with _hello_server(web, other) as hello:
                yield Open(
                    port=listener.getsockname()[1],
                    web=web,
                    aws=_child_with("vitrina.platform.embedded.aws"),
                    postgres=_child_with("postgres"),
                    hello_port=other.getsockname()[1],
                    hello=hello,
                )
        finally:
            shop.close()


def _furnish(settings: Any) -> None:
    """The demo collection where it has been built, else products of the same kind."""
    from bench.parts.products import furnish, restock
    from vitrina.studio.build import COLLECTION, LIST
    from vitrina.studio.service import install

    if (COLLECTION / LIST).exists():
        install(settings)
    else:
        furnish(settings)
    restock(settings)


@contextmanager
def _hello_server(web: psutil.Process, other: socket.socket) -> Iterator[psutil.Process]:
    """The server of the web process with another application, all options the same."""
    command = [
        "bench.parts.hello:hello" if part == "vitrina.entrypoints.http:app" else part
        for part in web.cmdline()
        if part != "--factory"
    ]
    command[command.index("--fd") + 1] = str(other.fileno())
    command[command.index("--lifespan") + 1] = "off"
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        command, pass_fds=[other.fileno()], env={**os.environ, "PYTHONPATH": paths}
    )
    try:
        _wait_until_answered(other.getsockname()[1])
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def fresh_schema_cpu_s(folder: Path) -> float:
    """CPU of bringing an empty database to today's schema: of the command and of PostgreSQL."""
    from vitrina.platform.embedded.supervisor import Embedded

    with Embedded(folder):
        address = os.environ["DATABASE_URL"]
        fresh = address.rpartition("/")[0] + "/fresh"
        script = (
            "import psycopg, sys; "
            "psycopg.connect(sys.argv[1], autocommit=True).execute('CREATE DATABASE fresh')"
        )
        subprocess.run([sys.executable, "-c", script, address], check=True)
        postgres = _child_with("postgres")
        before_s = _tree_cpu_s(postgres) + _own_children_cpu_s()
        upgrade = (
            "from vitrina.platform.migrate import upgrade; from vitrina.settings import Settings;"
            " assert upgrade(Settings())"
        )
        environment = {**os.environ, "DATABASE_URL": fresh}
        subprocess.run([sys.executable, "-c", upgrade], check=True, env=environment)
        return _tree_cpu_s(postgres) + _own_children_cpu_s() - before_s


def _compile_into(folder: Path) -> float:
    """Let all processes find their bytecode here, as they would after any first start.

    Returns:
        CPU seconds that this took, which the very first start pays on top.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    start = [sys.executable, "-c", "import uvicorn, uvicorn.main, vitrina.entrypoints.http"]
    used_s = []
    for _ in range(2):
        before_s = _own_children_cpu_s()
        subprocess.run(start, check=True)
        used_s.append(_own_children_cpu_s() - before_s)
    return used_s[0] - used_s[1]


class Shopper:
    """Makes requests, and asks first for what they need."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._host = f"127.0.0.1:{port}"
        products = self.get("/api/v1/products?limit=100")["items"]
        self.slug = products[0]["slug"]
        self.category = products[0]["category"]
        self.sku = self.get(f"/api/v1/products/{self.slug}")["variants"][0]["sku"]
        self.number = 0

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self._address + path, timeout=20) as answer:
            return json.load(answer)

    def write(self, path: str, body: Any, cookie: str) -> Any:
        request = urllib.request.Request(
            self._address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Cookie": cookie},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def reading(self, path: str) -> str:
        """A browser's GET."""
        return (
            f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: text/html,*/*;q=0.8\r\n"
            "Accept-Encoding: gzip, deflate, br\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
            f"Cookie: cart={self.new_cart()}; cart_count=1\r\n\r\n"
        )

    def writing(self, path: str, body: Any, cookie: str, *headers: str) -> str:
        """A browser's POST of JSON."""
        text = json.dumps(body)
        extra = "".join(f"{header}\r\n" for header in headers)
        return (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n"
            f"{extra}\r\n{text}"
        )

    def new_cart(self) -> str:
        from vitrina.kernel.ids import new_id

        return new_id()

    def filled_cart(self) -> str:
        """The cookie of a cart with one unit in it."""
        cookie = f"cart={self.new_cart()}"
        self.write("/api/v1/cart/items", {"sku": self.sku, "quantity": 1}, cookie)
        return cookie

    def unseen(self, path: str, count: int) -> list[str]:
        """Requests for one page that no cache of pages has seen: each is rendered."""
        joint = "&" if "?" in path else "?"
        self.number += count
        return [self.reading(f"{path}{joint}n={self.number - i}") for i in range(count)]

    def order(self) -> str:
        """A checkout of a cart that is filled and quoted already."""
        cookie = self.filled_cart()
        quote = self.write("/api/v1/checkout/quote", {"country": "NL"}, cookie)
        return self.writing(
            "/api/v1/checkout/orders",
            {
                "quote_id": quote["id"],
                "email": "ada@example.com",
                "address": {
                    "name": "Ada Byron",
                    "line1": "Keizersgracht 1",
                    "postal_code": "1015 CJ",
                    "city": "Amsterdam",
                    "country": "NL",
                },
                "payment_token": "4242 4242 4242 4242",
            },
            cookie,
            f"Idempotency-Key: {self.new_cart()}",
        )


RENDERED = 600

_HELLO = Scenario(HELLO, lambda s: [s.reading("/")])
SCENARIOS = (
    Scenario("product JSON", lambda s: [s.reading(f"/api/v1/products/{s.slug}")]),
    Scenario("product page", lambda s: [s.reading(f"/p/{s.slug}")]),
    Scenario("category page", lambda s: [s.reading(f"/c/{s.category}")]),
    Scenario("search", lambda s: [s.reading("/search?q=oak")]),
    Scenario(
        "product JSON, not in the page cache",
        lambda s: s.unseen(f"/api/v1/products/{s.slug}", RENDERED),
        repeats=False,
        connections=FEW,
    ),
    Scenario(
        "product page, not in the page cache",
        lambda s: s.unseen(f"/p/{s.slug}", RENDERED),
        repeats=False,
        connections=FEW,
    ),
    Scenario(
        "category page, not in the page cache",
        lambda s: s.unseen(f"/c/{s.category}", RENDERED),
        repeats=False,
        connections=FEW,
    ),
    Scenario(
        "search, not in the page cache",
        lambda s: s.unseen("/search?q=oak", RENDERED),
        repeats=False,
        connections=FEW,
    ),
    Scenario(
        "add to cart",
        lambda s: [
            s.writing("/api/v1/cart/items", {"sku": s.sku, "quantity": 1}, f"cart={s.new_cart()}")
            for _ in range(300)
        ],
        repeats=False,
        connections=FEW,
        expected=201,
    ),
)


def _scenarios(orders: int) -> tuple[Scenario, ...]:
    return (
        *SCENARIOS,
        Scenario(
            "checkout",
            lambda s: [s.order() for _ in range(orders)],
            repeats=False,
            connections=FEW,
            expected=201,
        ),
    )


def _rows(shop: Open, seconds: float, rounds: int, orders: int) -> list[Row]:
    """Measure everything in turn, ``rounds`` times, and the bare server between any two."""
    shopper = Shopper(shop.port)
    scenarios = _scenarios(orders)
    samples: dict[str, list[Row]] = {name: [] for name in (HELLO, *(s.name for s in scenarios))}
    for number in range(rounds + 1):
        for scenario in scenarios:
            bare = _sample(_HELLO, shopper, shop.hello_port, shop.hello, shop, seconds)
            full = _sample(scenario, shopper, shop.port, shop.web, shop, seconds)
            if number:  # the first round warms what can be warm
                samples[HELLO].append(bare)
                samples[scenario.name].append(full)
    return [_median(rows) for rows in samples.values()]


def _sample(
    scenario: Scenario,
    shopper: Shopper,
    port: int,
    web: psutil.Process,
    shop: Open,
    seconds: float,
) -> Row:
    requests = scenario.requests(shopper)
    processes = (web, shop.aws, shop.postgres)
    before_s = [_tree_cpu_s(process) for process in processes]
    load = _load(port, requests, seconds if scenario.repeats else None, scenario.connections)
    after_s = [_tree_cpu_s(process) for process in processes]
    count = load["requests"]
    if load["statuses"] != {str(scenario.expected): count}:
        raise SystemExit(f"{scenario.name}: unexpected answers {load['statuses']}")
    web_ms, aws_ms, postgres_ms = (
        (after - before) * 1000 / count for before, after in zip(before_s, after_s, strict=True)
    )
    return Row(
        scenario.name,
        requests_per_s=count / load["seconds"],
        web_cpu_ms=web_ms,
        aws_cpu_ms=aws_ms,
        postgres_cpu_ms=postgres_ms,
        median_ms=load["median_ms"],
        answered=count,
    )


def _median(rows: list[Row]) -> Row:
    def middle(field: str) -> float:
        return statistics.median(getattr(row, field) for row in rows)

    return Row(
        rows[0].name,
        requests_per_s=middle("requests_per_s"),
        web_cpu_ms=middle("web_cpu_ms"),
        aws_cpu_ms=middle("aws_cpu_ms"),
        postgres_cpu_ms=middle("postgres_cpu_ms"),
        median_ms=middle("median_ms"),
        answered=sum(row.answered for row in rows),
    )


def _load(
    port: int, requests: list[str], seconds: float | None, connections: int
) -> dict[str, Any]:
    task = {
        "port": port,
        "requests": requests,
        "seconds": seconds,
        "connections": min(connections, len(requests)) if seconds is None else connections,
    }
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "parts" / "load.py"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise SystemExit(f"the load generator failed:\n{done.stderr}")
    return json.loads(done.stdout)


def cpu_s(process: psutil.Process) -> float:
    """User and system time of a process so far, seconds."""
    # The name, in brackets, may hold spaces; fields 14 and 15 count from before it.
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _tree_cpu_s(process: psutil.Process) -> float:
    """As ``cpu_s``, of a process and its children, also those that have ended."""
    total_s = 0.0
    for member in (process, *process.children(recursive=True)):
        try:
            fields = Path(f"/proc/{member.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue  # it has ended since, and counts with its parent
        total_s += sum(map(int, fields[11:15])) / _TICKS
    return total_s


def _own_children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def rss_mib(process: psutil.Process) -> float:
    """Resident memory of a process, MiB."""
    return process.memory_info().rss / 2**20


def _child_with(part: str) -> psutil.Process:
    """The first descendant of ours whose command line has this part."""
    for child in psutil.Process().children(recursive=True):
        if any(part in argument for argument in child.cmdline()):
            return child
    raise SystemExit(f"no process runs {part}")


def _wait_until_answered(port: int) -> None:
    deadline_s = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return


def _best_interpreter() -> Path:
    """Debian's, where it is of our version and can run the shop; else the one we run on."""
    same = f"import sys; assert sys.version_info[:2] == {sys.version_info[:2]}"
    if DEBIAN_PYTHON.exists():
        asked = subprocess.run([DEBIAN_PYTHON, "-c", same], stderr=subprocess.DEVNULL)
        if asked.returncode == 0:
            return DEBIAN_PYTHON
    return Path(sys.executable)


def _become(interpreter: Path) -> None:
    """Go on as this interpreter, with the packages of the present one and no others."""
    if interpreter.resolve() == Path(sys.executable).resolve():
        return
    with tempfile.TemporaryDirectory(prefix="vitrina-python-") as folder:
        subprocess.run([interpreter, "-m", "venv", "--without-pip", folder], check=True)
        packages = [path for path in sys.path if path.endswith("site-packages")]
        own = next(Path(folder).glob("lib/python*/site-packages"))
        (own / "bench.pth").write_text("\n".join((str(ROOT / "src"), *packages)) + "\n")
        python = Path(folder, "bin", "python")
        # The environment has to outlive this process's place in memory, so it runs as a child.
        done = subprocess.run([python, *sys.argv, "--python", python])
    sys.exit(done.returncode)


def _interpreter() -> str:
    return f"Python {platform.python_version()} of {Path(sys.executable).resolve()}"


def _machine() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{os.cpu_count()} cores of {models[0] if models else platform.machine()}"


def as_markdown(results: Results) -> str:
    """The page of evidence."""
    hello = results.rows[0]
    lines = [
        "# What the web process costs",
        "",
        f"Measured by `bench/http.py`, {results.measured_at}; {results.machine}; load average"
        f" {results.load_average:.1f} before; {results.interpreter}. One web process, asked over"
        f" 127.0.0.1 by a second process on {CONNECTIONS} connections ({FEW} for what is not in"
        " the page cache), in turn with a bare ASGI hello on a server with the same options."
        " Medians.",
        "",
        "CPU is milliseconds per request, user and system. AWS and PostgreSQL are the embedded"
        " ones: on AWS their work is done elsewhere. Requests per second are those of the whole"
        " machine, the load generator and the stores included.",
        "",
        "| Request | requests/s | web CPU | AWS CPU | PostgreSQL CPU | of hello | median ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in results.rows:
        share = hello.web_cpu_ms / row.web_cpu_ms
        lines.append(
            f"| {row.name} | {row.requests_per_s:,.0f} | {row.web_cpu_ms:.3f}"
            f" | {row.aws_cpu_ms:.3f} | {row.postgres_cpu_ms:.3f} | {share:.2f}"
            f" | {row.median_ms:.1f} |"
        )
    lines += [
        "",
        "| Promise | target | measured |",
        "|---|---:|---:|",
        *(
            f"| {name}, warm, web CPU | ≤ {WARM_CPU_TARGET_MS:g} ms | {row.web_cpu_ms:.3f} ms |"
            for name in ("product JSON", "product page")
            for row in results.rows
            if row.name == name
        ),
        f"| Fresh schema, CPU with PostgreSQL's | ≤ {SCHEMA_CPU_TARGET_S:g} s"
        f" | {results.schema_cpu_s:.2f} s |",
        f"| Web process start, CPU | ≤ {START_CPU_TARGET_S:g} s | {results.start_cpu_s:.2f} s |",
        "| The same, the very first time, compiling all modules | |"
        f" + {results.compiling_cpu_s:.2f} s |",
        f"| Web process, memory at start | | {results.start_rss_mib:.0f} MiB |",
        f"| Web process, memory after load | ≤ {LOADED_RSS_TARGET_MIB:g} MiB"
        f" | {results.loaded_rss_mib:.0f} MiB |",
        "",
        "“Of hello” is the bare server's CPU per request divided by ours: 1.00 would cost nothing.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
