"""The front-end build: run for real, in a copy, with the packages already installed."""

from __future__ import annotations

import gzip
import hashlib
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import brotli
import pytest

from vitrina.platform import static

REPOSITORY = Path(__file__).resolve().parents[2]
FRONTEND = REPOSITORY / "frontend"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the front end, built once; the root of the copy."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(FRONTEND, root / "frontend", ignore=shutil.ignore_patterns("__pycache__"))
    done = build(root)
    assert done.returncode == 0, done.stderr
    return root


def build(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "frontend" / "build.py", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )


def manifest(root: Path) -> dict[str, str]:
    text = (static_folder(root) / "manifest.json").read_text()
    listed: dict[str, str] = json.loads(text)
    return listed


def static_folder(root: Path) -> Path:
    return root / "src" / "vitrina" / "platform" / "static"


def cpu_of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_everything_a_page_needs_is_built(built: Path) -> None:
    needed = {
        "viewer.js",
        "viewer.css",
        "viewer-worker.js",
        "environment.bin",
        "pictures.js",
        "storefront.js",
        "storefront.css",
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "third-party-notices.txt",
    }
    assert needed <= manifest(built).keys()
    gltfpack = (built / "src" / "vitrina" / "models3d" / "gltfpack.wasm").read_bytes()
    assert gltfpack[:4] == b"\0asm"


def test_a_name_carries_the_fingerprint_of_its_content(built: Path) -> None:
    for logical, served in manifest(built).items():
        content = (static_folder(built) / served).read_bytes()
        print_ = hashlib.sha256(content).hexdigest()[:8].upper()
        stem, dot, extension = logical.rpartition(".")
        assert served == f"{stem}-{print_}{dot}{extension}"


def test_compressed_siblings_hold_the_same_and_are_smaller(built: Path) -> None:
    folder = static_folder(built)
    for served in manifest(built).values():
        content = (folder / served).read_bytes()
        for suffix, decompress in ((".br", brotli.decompress), (".gz", gzip.decompress)):
            sibling = folder / (served + suffix)
            if sibling.exists():
                assert decompress(sibling.read_bytes()) == content
                assert sibling.stat().st_size < len(content)
    worker = folder / manifest(built)["viewer-worker.js"]
    assert worker.with_name(worker.name + ".br").is_file()


def test_the_viewer_keeps_within_its_bytes(built: Path) -> None:
    """The promises of the design: worker with three 140 KB, light 10 KB, element a few."""
    sizes = {
        name: (static_folder(built) / (manifest(built)[name] + ".br")).stat().st_size
        for name in ("viewer.js", "viewer-worker.js", "environment.bin")
    }
    assert sizes["viewer.js"] <= 5 << 10
    assert sizes["viewer-worker.js"] <= 140 << 10
    assert sizes["environment.bin"] <= 10 << 10


def test_the_licences_of_bundled_packages_are_shipped(built: Path) -> None:
    notices = (static_folder(built) / manifest(built)["third-party-notices.txt"]).read_text()
    for package in ("three 0.187.0", "meshoptimizer 1.3.0", "swagger-ui-dist", "gltfpack 1.3.0"):
        assert package in notices


def test_nothing_changed_is_nothing_done_and_quick(built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in static_folder(built).iterdir()}
    cpu_before_s = cpu_of_children_s()
    done = build(built)
    assert done.returncode == 0
    assert done.stdout == ""
    assert cpu_of_children_s() - cpu_before_s < 0.5
    assert {path: path.stat().st_mtime_ns for path in static_folder(built).iterdir()} == before


def test_a_change_is_built_and_the_names_before_it_are_served_once_more(built: Path) -> None:
    before = manifest(built)
    style = built / "frontend" / "viewer" / "viewer.css"
    for colour in ("red", "green"):
        style.write_text(f"a {{ color: {colour} }}\n")
        assert build(built).returncode == 0
        if colour == "red":
            assert (static_folder(built) / before["viewer.css"]).is_file()
    now = manifest(built)
    assert (static_folder(built) / now["viewer.css"]).read_text() == "a{color:green}\n"
    assert not (static_folder(built) / before["viewer.css"]).exists()
    assert now["viewer-worker.js"] == before["viewer-worker.js"]


def test_a_file_that_is_gone_is_built_again(built: Path) -> None:
    file = static_folder(built) / manifest(built)["viewer.js"]
    file.unlink()
    assert build(built).returncode == 0
    assert file.is_file()


def test_a_mistake_in_the_source_stops_the_build_and_names_the_place(built: Path) -> None:
    source = built / "frontend" / "viewer" / "viewer.ts"
    text = source.read_text()
    before = manifest(built)
    try:
        source.write_text(text + "\nconst = 1;\n")
        done = build(built)
        assert done.returncode == 1
        assert "viewer.ts" in done.stderr
        assert manifest(built) == before

        source.write_text(text + '\nconst wrong: number = "text";\nvoid wrong;\n')
        checked = build(built, "--check")
        assert checked.returncode == 1
        assert "TS2322" in checked.stderr
    finally:
        source.write_text(text)


def test_packages_that_cannot_be_had_are_explained(built: Path) -> None:
    lock = built / "frontend" / "package-lock.json"
    settings = built / "frontend" / ".npmrc"
    texts = lock.read_text(), settings.read_text()
    shutil.rmtree(built / "frontend" / "node_modules", ignore_errors=True)
    try:
        lock.write_text(texts[0].replace("0.28.2", "0.28.3"))
        settings.write_text(f"{texts[1]}registry=http://127.0.0.1:9/\nfetch-retries=0\n")
        done = build(built)
        assert done.returncode == 1
        assert "could not be installed" in done.stderr
        assert "npm registry reachable" in done.stderr
    finally:
        lock.write_text(texts[0])
        settings.write_text(texts[1])


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert "://" not in json.dumps(
        {name: p.get("resolved") for name, p in lock["packages"].items()}
    )


def test_the_types_are_right() -> None:
    done = build(REPOSITORY, "--check")
    assert done.returncode == 0, done.stderr


def test_an_address_leads_to_the_built_file() -> None:
    address = static.url("viewer.js")
    assert address.startswith("/static/viewer-")
    assert static.path("viewer.js") == static.FOLDER / address.removeprefix("/static/")
    assert static.path("viewer.js").is_file()


def test_what_is_not_built_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(static.StaticNotBuilt, match=r"no 'nothing.js'; run `make build`"):
        static.url("nothing.js")
    monkeypatch.setattr(static, "FOLDER", tmp_path)
    static.manifest.cache_clear()
    try:
        with pytest.raises(static.StaticNotBuilt, match="not been built; run `make build`"):
            static.url("viewer.js")
    finally:
        static.manifest.cache_clear()


def test_the_baked_light_is_what_the_script_bakes() -> None:
    environment = FRONTEND / "viewer" / "environment"
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bake;"
        "sys.stdout.buffer.write(bake.bake())"
    )
    baked = subprocess.run(
        [sys.executable, "-c", script, environment], capture_output=True, timeout=120, check=True
    ).stdout
    committed = (environment / "studio.bin").read_bytes()
    assert len(baked) == len(committed)
    # Another processor's rounding may move a code by one, which moves its neighbours' residuals.
    differing = sum(a != b for a, b in zip(baked, committed, strict=True))
    assert differing / len(committed) < 0.01
