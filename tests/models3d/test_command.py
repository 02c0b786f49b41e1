"""``vitrina model``, as typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vitrina.cli.model import app
from vitrina.models3d import preflight
from vitrina.models3d.model import from_plain

from .builders import flat_png, textured_quad


@pytest.fixture
def board(tmp_path: Path) -> Path:
    file = tmp_path / "board.glb"
    file.write_bytes(textured_quad(128).glb())
    return file


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_inspect_says_what_is_in_a_model(board: Path) -> None:
    status, said, _ = run("inspect", board)
    assert status == 0
    assert "triangles 2, meshes 1, materials 2" in said
    assert "2.000 × 1.000 × 0.000 m" in said
    assert "finishes: oak, walnut" in said
    assert "copyright: 2031 Ada" in said


def test_inspect_answers_in_json(board: Path) -> None:
    status, said, _ = run("inspect", "--json", board)
    (report,) = json.loads(said)
    assert status == 0
    assert report["triangles"] == 2
    assert [texture["roles"] for texture in report["textures"]] == [
        ["normal"], ["colour"], ["data"], ["colour"],
    ]  # fmt: skip
    assert report["texture_memory_bytes"] == 4 * (128 * 128 * 4 * 4 // 3)
    assert report["size_m"] == [2, 1, 0]


def test_optimise_writes_a_model_and_its_manifest(board: Path, tmp_path: Path) -> None:
    into = tmp_path / "small"
    status, said, _ = run("optimise", board, "--into", into)
    assert status == 0
    assert "to download" in said
    assert sorted(file.name for file in into.iterdir()) == ["board.glb", "board.json"]
    small = (into / "board.glb").read_bytes()
    preflight.check(small)
    manifest = from_plain(json.loads((into / "board.json").read_text()))
    assert manifest.levels[0].size_bytes == len(small) < len(board.read_bytes())


def test_a_refused_model_leaves_nothing_and_the_others_are_done(
    board: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.glb"
    wrong.write_bytes(flat_png(4, 1, 2, 3))
    into = tmp_path / "small"
    status, _, complaint = run("optimise", wrong, board, "--into", into)
    assert status == 1
    assert "wrong.glb: This is not a GLB file but a picture (image/png)." in complaint
    assert sorted(file.name for file in into.iterdir()) == ["board.glb", "board.json"]


def test_a_refusal_in_json_says_what_and_how_to_mend_it(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.glb"
    wrong.write_bytes(b"")
    status, said, _ = run("inspect", "--json", wrong)
    (report,) = json.loads(said)
    assert status == 1
    assert report["refused"] == "NotAGlb"
    assert report["problem"] == "This is not a GLB file but empty."
    assert "Export the model as binary glTF" in report["advice"]


def test_sources_are_never_replaced(board: Path, tmp_path: Path) -> None:
    before = board.read_bytes()
    status, _, complaint = run("optimise", board, "--into", board.parent)
    assert (status, board.read_bytes()) == (2, before)
    assert "replace the sources" in complaint

    twin = tmp_path / "other" / "board.glb"
    twin.parent.mkdir()
    twin.write_bytes(before)
    assert run("optimise", board, twin, "--into", tmp_path / "small")[0] == 2
    assert not (tmp_path / "small").exists()
