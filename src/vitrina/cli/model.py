"""``vitrina model``: look into 3D models and make them small, without a shop."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.models3d.errors import ModelRefused
from vitrina.models3d.inspection import Inspection
from vitrina.models3d.inspection import inspect as look_into
from vitrina.models3d.model import to_plain
from vitrina.models3d.service import Prepared, prepare

app = typer.Typer(no_args_is_help=True, help="Check and optimise 3D models.")

Files = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, help="One or more .glb files.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@app.command(epilog="Example: vitrina model inspect chair.glb --json")
def inspect(files: Files, as_json: AsJson = False) -> None:
    """Say what is in each model: triangles, textures, finishes, size.

    Exit status: 0 all are sound, 1 a model was refused, 2 wrong usage.
    """
    reports: list[dict[str, Any]] = []
    refused = False
    for file in files:
        try:
            found = look_into(file.read_bytes())
        except ModelRefused as refusal:
            refused = True
            reports.append(_refusal(file, refusal, as_json=as_json))
            continue
        reports.append({"file": str(file), **asdict(found), "size_m": found.size_m})
        if not as_json:
            _show_inspection(file, found)
    _finish(reports, refused=refused, as_json=as_json)


@app.command(epilog="Example: vitrina model optimise chair.glb --into small")
def optimise(
    files: Files,
    into: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for the results; made if missing.")
    ],
    as_json: AsJson = False,
) -> None:
    """Send each model through the pipeline; writes NAME.glb and its manifest, NAME.json.

    Exit status: 0 done, 1 a model was refused (nothing is written for it), 2 wrong usage.
    """
    twins = sorted({file.stem for file in files if [f.stem for f in files].count(file.stem) > 1})
    if twins:
        raise typer.BadParameter(f"two files are called {twins[0]}: their results would collide")
    into.mkdir(parents=True, exist_ok=True)
    if any((into / f"{file.stem}.glb").resolve() == file.resolve() for file in files):
        raise typer.BadParameter("the results would replace the sources", param_hint="--into")
    reports: list[dict[str, Any]] = []
    refused = False
    for file in files:
        source = file.read_bytes()
        try:
            prepared = prepare(source)
        except ModelRefused as refusal:
            refused = True
            reports.append(_refusal(file, refusal, as_json=as_json))
            continue
        _write(into / f"{file.stem}.glb", prepared.glb)
        manifest = json.dumps(to_plain(prepared.manifest), indent=2, ensure_ascii=False) + "\n"
        _write(into / f"{file.stem}.json", manifest.encode())
        reports.append(_report(file, len(source), prepared))
        if not as_json:
            _show_result(file, len(source), prepared)
    _finish(reports, refused=refused, as_json=as_json)


def _finish(reports: list[dict[str, Any]], *, refused: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(reports, indent=2, ensure_ascii=False))
    if refused:
        raise typer.Exit(1)


def _refusal(file: Path, refusal: ModelRefused, *, as_json: bool) -> dict[str, Any]:
    if not as_json:
        typer.echo(f"{file}: {refusal}", err=True)
    return {
        "file": str(file),
        "refused": refusal.code,
        "problem": refusal.problem,
        "advice": refusal.advice,
    }


def _report(file: Path, source_bytes: int, prepared: Prepared) -> dict[str, Any]:
    return {
        "file": str(file),
        "source_bytes": source_bytes,
        "steps": [asdict(report) for report in prepared.reports],
        "manifest": to_plain(prepared.manifest),
        "notes": list(prepared.notes),
    }


def _show_inspection(file: Path, found: Inspection) -> None:
    width, height, depth = found.size_m
    typer.echo(f"{file}: {_kib(found.size_bytes)}")
    typer.echo(
        f"  triangles {found.triangles:,}, meshes {found.meshes}, materials {found.materials}; "
        f"geometry {_kib(found.geometry_bytes)}"
    )
    typer.echo(f"  {width:.3f} × {height:.3f} × {depth:.3f} m (width × height × depth)")
    for texture in found.textures:
        role = " and ".join(texture.roles) or "shown by nothing"
        size = f"{texture.width_px} × {texture.height_px}"
        typer.echo(
            f"  texture {size:<13}{_kib(texture.size_bytes):>12}  {texture.mime:<11}{role:<18}"
            f"{texture.name}".rstrip()
        )
    if found.textures:
        typer.echo(f"  textures take {_kib(found.texture_memory_bytes)} on the graphics card")
    for label, names in (("finishes", found.variants), ("extensions", found.extensions)):
        if names:
            typer.echo(f"  {label}: {', '.join(names)}")
    if found.animations:
        typer.echo(f"  animations: {found.animations}")
    for label, text in (("copyright", found.copyright), ("made with", found.generator)):
        if text:
            typer.echo(f"  {label}: {text}")


def _show_result(file: Path, source_bytes: int, prepared: Prepared) -> None:
    level = prepared.manifest.levels[0]
    share = level.stored_bytes / source_bytes
    typer.echo(
        f"{file}: {_kib(source_bytes)} -> {_kib(level.stored_bytes)} to download ({share:.1%}), "
        f"{level.triangles:,} triangles"
    )
    for step in prepared.reports:
        typer.echo(
            f"  {step.step:<10}{_kib(step.size_bytes):>12} after it, {step.took_s:.1f} s, "
            f"{step.cpu_s:.1f} s of CPU"
        )
    for note in prepared.notes:
        typer.echo(f"  Note: {note}")


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _kib(size_bytes: int) -> str:
    return f"{size_bytes / 1024:,.1f} KiB"
