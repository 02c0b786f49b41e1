"""`vitrina studio`: model the demo products, and prove that what ships is what the code makes."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from vitrina.studio import build as studio

app = typer.Typer(no_args_is_help=True, help="Build the demo products.")

Only = Annotated[
    list[str] | None, typer.Option("--only", help="Slug of one product; may be repeated.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@app.command("list", epilog="Example: vitrina studio list")
def list_(as_json: AsJson = False) -> None:
    """List the products the studio can make, with their finishes."""
    rows = {
        item.slug: list(dict.fromkeys(sku.finish for sku in item.skus)) for item in studio.items()
    }
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for slug, finishes in rows.items():
        typer.echo(f"{slug:<24}{', '.join(finishes)}")


@app.command(epilog="Example: vitrina studio build --check")
def build(
    into: Annotated[
        Path,
        typer.Option(file_okay=False, help="Folder for the collection.", show_default="package"),
    ] = studio.COLLECTION,
    only: Only = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; compare with a fresh build.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Model the products, optimise them and photograph every finish.

    Exit status: 0 done, 1 --check found differences or a part is missing, 2 wrong usage.
    """
    began = time.monotonic()
    try:
        count = len(studio.items(only or ()))
    except studio.UnknownItem as error:
        raise typer.BadParameter(str(error), param_hint="--only") from error
    report: list[dict[str, object]] = []

    def progress(made: studio.Made) -> None:
        level = made.manifest.levels[0]
        report.append(
            {
                "slug": made.slug,
                "triangles": level.triangles,
                "source_bytes": made.source_bytes,
                "stored_bytes": len(made.stored),
                "variants": list(made.manifest.variants),
            }
        )
        if not as_json:
            typer.echo(
                f"{len(report):>3} of {count}  {made.slug:<24}{level.triangles:>7,} triangles"
                f"{made.source_bytes // 1024:>6} KB ->{len(made.stored) // 1024:>4} KB"
                f"  {len(made.manifest.variants)} finishes"
            )

    differences = []
    if check:
        differences = studio.check(into, only=only or (), progress=progress)
    else:
        studio.build(into, only=only or (), progress=progress)
    size_bytes = studio.stored_size_bytes(into)
    if as_json:
        found = [{"file": each.file, "what": each.what} for each in differences]
        result = {"products": report, "differences": found, "collection_bytes": size_bytes}
        typer.echo(json.dumps(result, indent=2))
    else:
        for difference in differences:
            typer.echo(f"{into / difference.file}: {difference.what}", err=True)
        verdict = "as the code makes it" if check and not differences else "written"
        if not differences:
            took = time.monotonic() - began
            typer.echo(f"{into}: {size_bytes / 1e6:.1f} MB, {verdict}, {took:.0f} s")
    if differences:
        raise typer.Exit(1)
