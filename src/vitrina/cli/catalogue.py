"""``vitrina catalogue``: everything in it as a file, out and in."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer

from vitrina.catalogue import exchange
from vitrina.catalogue.errors import ImportRefused
from vitrina.catalogue.exchange import ImportReport
from vitrina.cli.stores import HERE, AsJson, Data, Embedded, opened

app = typer.Typer(no_args_is_help=True, add_completion=False)

_STANDARD = Path("-")


@app.command("import", epilog="Example: vitrina catalogue import products.jsonl --dry-run")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="JSON Lines, as docs/catalogue-format.md says; - reads stdin.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file and say what would happen.")
    ] = False,
    data: Data = HERE,
    embedded: Embedded = True,
    as_json: AsJson = False,
) -> None:
    """Take products and categories in. A mistake in any line, and nothing is written.

    Exit status: 0 imported, 1 the file or the shop refused, 2 wrong usage.
    """
    with _source(file) as source, opened(data, embedded=embedded) as shop:
        try:
            report = exchange.import_lines(shop.catalogue, source, now=shop.now(), dry_run=dry_run)
        except ImportRefused as refusal:
            if not as_json:
                raise
            problems = [asdict(problem) for problem in refusal.problems]
            typer.echo(json.dumps({"imported": False, "problems": problems}))
            raise typer.Exit(1) from refusal
    if as_json:
        typer.echo(json.dumps({"imported": not dry_run, **asdict(report)}))
    else:
        typer.echo(_sentence(report, dry_run=dry_run))


@app.command("export", epilog="Example: vitrina catalogue export products.jsonl")
def export_file(
    file: Annotated[Path, typer.Argument(help="Where to; - writes to stdout.")],
    with_stock: Annotated[
        bool, typer.Option("--with-stock", help="Also say how many pieces there are.")
    ] = False,
    data: Data = HERE,
    embedded: Embedded = True,
    as_json: AsJson = False,
) -> None:
    """Write all categories and products, whatever their state.

    A file appears only when it is whole.

    Exit status: 0 exported, 1 the stores or the file failed, 2 wrong usage.
    """
    if as_json and file == _STANDARD:
        raise typer.BadParameter("with --json give a file: stdout is taken", param_hint="file")
    lines = 0
    with opened(data, embedded=embedded) as shop, _target(file) as target:
        for line in exchange.export_lines(shop.catalogue, with_stock=with_stock):
            target.write(line + "\n")
            lines += 1
    if as_json:
        typer.echo(json.dumps({"file": str(file), "lines": lines}))
    else:
        typer.echo(f"{lines} lines written to {file}", err=file == _STANDARD)


@contextmanager
def _source(file: Path) -> Iterator[BinaryIO]:
    """The file, or what stdin holds: it is read twice, so that goes through a file on the disk."""
    if file != _STANDARD:
        try:
            source = file.open("rb")
        except OSError as error:
            raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="file") from error
        with source:
            yield source
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        yield copy


@contextmanager
def _target(file: Path) -> Iterator[TextIO]:
    if file == _STANDARD:
        yield sys.stdout
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    except OSError as error:
        raise typer.BadParameter(f"{file.parent}: {error.strerror}", param_hint="file") from error
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as target:
            yield target
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _sentence(report: ImportReport, *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    return (
        f"{report.lines} lines: {report.created} products {would}created, {report.updated} "
        f"{would}updated, {report.unchanged} unchanged; {report.categories} categories and "
        f"{report.stock_levels} stock levels {would}written"
    )
