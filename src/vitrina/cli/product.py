"""``vitrina product``: add products, and change what one does to a single one."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from vitrina.catalogue import add_product as adding
from vitrina.catalogue import exchange, service, stock
from vitrina.catalogue.add_product import NewProduct
from vitrina.catalogue.errors import UnknownProduct
from vitrina.catalogue.model import Option, Product, PublicationState, is_sku
from vitrina.cli.stores import HERE, AsJson, Data, Embedded, address_of, opened
from vitrina.entrypoints.wiring import Services
from vitrina.kernel.money import Money
from vitrina.models3d.pictures import Photographer

app = typer.Typer(no_args_is_help=True, add_completion=False)

Slug = Annotated[str, typer.Argument(help="The product's address, such as oak-chair.")]


@app.command(
    epilog='Example: vitrina product add --model chair.glb --title "Oak chair" --price 129.50'
)
def add(
    title: Annotated[str, typer.Option(help="What it is called.")],
    price: Annotated[str, typer.Option(help="In the shop's currency, such as 129.50.")],
    model: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A .glb file; each look becomes a finish."),
    ] = None,
    slug: Annotated[str, typer.Option(help="Its address.", show_default="from the title")] = "",
    category: Annotated[str, typer.Option(help="Title or slug; made if there is none.")] = "",
    summary: Annotated[str, typer.Option(help="One sentence for listings.")] = "",
    description: Annotated[str, typer.Option(help="Text; blank lines part paragraphs.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    sku: Annotated[
        str, typer.Option(help="Beginning of its SKUs.", show_default="the slug in capitals")
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option(help='A choice beside the finish: "Size=S,M,L". May be repeated.'),
    ] = None,
    stock_level: Annotated[
        int, typer.Option("--stock", min=0, max=stock.MAX_LEVEL, help="Pieces of each variant.")
    ] = 10,
    draft: Annotated[bool, typer.Option("--draft", help="Do not show it to shoppers yet.")] = False,
    poster: Annotated[bool, typer.Option(help="Take pictures of the model.")] = True,
    data: Data = HERE,
    embedded: Embedded = True,
    as_json: AsJson = False,
) -> None:
    """Add a product from any GLB file. Whatever is refused, nothing is written.

    Exit status: 0 added, 1 the model or the shop refused, 2 wrong usage.
    """
    source = model.read_bytes() if model else None
    options = tuple(_option(each) for each in option or ())
    with opened(data, embedded=embedded) as shop, closing(Photographer()) as photographer:
        try:
            added = adding.add_product(
                shop.catalogue,
                shop.assets,
                NewProduct(
                    title=title,
                    price=Money.parse(price, shop.settings.currency),
                    slug=slug,
                    category=category,
                    summary=summary,
                    description=description,
                    tags=tuple(tag or ()),
                    sku=sku,
                    options=options,
                    stock=stock_level,
                    is_draft=draft,
                ),
                source,
                photograph=photographer.posters if poster else None,
                now=shop.now(),
            )
        except ValueError as error:
            _refuse(error)
        address = _address(shop, added.product, data, embedded=embedded)
    if as_json:
        _print_json({**_plain(added.product), "url": address, "notes": list(added.notes)})
        return
    skus = ", ".join(variant.sku for variant in added.product.variants)
    typer.echo(f"{added.product.title} ({skus}), {stock_level} of each in stock")
    for note in added.notes:
        typer.echo(f"  Note: {note}")
    shown = "" if added.product.is_published else " (a draft: `vitrina product publish` shows it)"
    typer.echo(f"  {address}{shown}")


@app.command(epilog="Example: vitrina product poster oak-chair")
def poster(
    slug: Slug, data: Data = HERE, embedded: Embedded = True, as_json: AsJson = False
) -> None:
    """Take the pictures of a product's 3D model, for the first time or anew.

    Exit status: 0 taken, 1 there is no such product, no model or no Chromium, 2 wrong usage.
    """
    with opened(data, embedded=embedded) as shop, closing(Photographer()) as photographer:
        product = adding.photograph_product(
            shop.catalogue, shop.assets, slug, photograph=photographer.posters, now=shop.now()
        )
        address = _address(shop, product, data, embedded=embedded)
    posters = product.model.posters if product.model else ()
    if as_json:
        _print_json({**_plain(product), "url": address})
    else:
        typer.echo(f"{len(posters)} pictures of {product.title}\n  {address}")


@app.command("list", epilog="Example: vitrina product list --state draft")
def list_products(
    state: Annotated[
        PublicationState | None, typer.Option(help="Only those in this state.")
    ] = None,
    data: Data = HERE,
    embedded: Embedded = True,
    as_json: AsJson = False,
) -> None:
    """List all products by address, whatever their state."""
    with opened(data, embedded=embedded) as shop:
        products = sorted(
            (
                product
                for product in shop.catalogue.store.products()
                if state is None or product.state is state
            ),
            key=lambda product: product.slug,
        )
        keys = [key for product in products for key in product.stock_keys]
        levels = stock.levels(shop.db, keys)
    if as_json:
        _print_json([exchange.product_line(product, levels) for product in products])
        return
    for product in products:
        pieces = sum(levels[key] for key in product.stock_keys)
        price = str(product.lowest_price)
        if product.highest_price != product.lowest_price:
            price = f"from {price}"
        typer.echo(
            f"{product.slug:<32}{product.state.value:<11}{price:>16}{pieces:>8} in stock"
            f"  {product.title}"
        )


@app.command(epilog="Example: vitrina product publish oak-chair")
def publish(
    slug: Slug, data: Data = HERE, embedded: Embedded = True, as_json: AsJson = False
) -> None:
    """Put a product on the shelf."""
    with opened(data, embedded=embedded) as shop:
        product = service.publish(shop.catalogue, slug, now=shop.now())
        _show_state(shop, product, data, embedded=embedded, as_json=as_json)


@app.command(epilog="Example: vitrina product archive oak-chair")
def archive(
    slug: Slug, data: Data = HERE, embedded: Embedded = True, as_json: AsJson = False
) -> None:
    """Take a product off the shelf. Orders that hold it stay as they are."""
    with opened(data, embedded=embedded) as shop:
        product = service.archive(shop.catalogue, slug, now=shop.now())
        _show_state(shop, product, data, embedded=embedded, as_json=as_json)


@app.command("stock", epilog="Example: vitrina product stock OAK-CHAIR 12")
def stock_of(
    name: Annotated[str, typer.Argument(help="A SKU, or a product's address for all of its.")],
    pieces: Annotated[
        int | None,
        typer.Argument(min=0, max=stock.MAX_LEVEL, help="How many there are; shown if left out."),
    ] = None,
    data: Data = HERE,
    embedded: Embedded = True,
    as_json: AsJson = False,
) -> None:
    """Show how many pieces of a product there are, or say how many."""
    with opened(data, embedded=embedded) as shop:
        keys = _stock_keys(shop, name)
        if pieces is not None:
            service.set_stock(shop.catalogue, dict.fromkeys(keys, pieces))
        levels = stock.levels(shop.db, keys)
    if as_json:
        _print_json(levels)
        return
    for key, available in levels.items():
        typer.echo(f"{key:<40}{available:>8}")


def _stock_keys(shop: Services, name: str) -> Sequence[str]:
    """
    Raises:
        UnknownProduct: neither a SKU nor an address.
    """
    # A name of digits only may be both; a SKU is the narrower meaning.
    product_id = shop.catalogue.store.id_of_sku(name) if is_sku(name) else None
    product = shop.catalogue.store.get(product_id) if product_id else None
    variant = product.variant(name) if product else None
    if variant:
        return [variant.stock_key]
    if is_sku(name) and not name.isdecimal():
        raise UnknownProduct(name)
    return service.find_product(shop.catalogue, name).stock_keys


def _option(text: str) -> Option:
    name, equals, values = text.partition("=")
    if not equals:
        raise typer.BadParameter(f'{text!r} is not like "Size=S,M,L"', param_hint="--option")
    try:
        return Option(name.strip(), tuple(value.strip() for value in values.split(",")))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--option") from error


def _refuse(error: ValueError) -> None:
    typer.echo(f"Not added: {error}.", err=True)
    raise typer.Exit(1) from error


def _show_state(
    shop: Services, product: Product, data: Path, *, embedded: bool, as_json: bool
) -> None:
    address = _address(shop, product, data, embedded=embedded)
    if as_json:
        _print_json({**_plain(product), "url": address})
    else:
        typer.echo(f"{product.title} is {product.state.value}\n  {address}")


def _address(shop: Services, product: Product, data: Path, *, embedded: bool) -> str:
    """Where the product is, or will be once it is published."""
    return f"{address_of(shop, data, embedded=embedded)}/p/{product.slug}"


def _plain(product: Product) -> dict[str, Any]:
    return exchange.product_line(product, {})


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
