"""``vitrina orders``: what has been ordered, and how each order got where it is."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from vitrina.checkout.model import Order, OrderState, tidy_number
from vitrina.checkout.store import OrderStore
from vitrina.checkout.views import OrderView
from vitrina.cli.stores import HERE, AsJson, Data, Embedded, opened

app = typer.Typer(no_args_is_help=True)


@app.command("list", epilog="Example: vitrina orders list --limit 50 --json")
def list_orders(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
    state: Annotated[OrderState | None, typer.Option(help="Only those in this state.")] = None,
    data: Data = HERE,
    embedded: Embedded = True,
    as_json: AsJson = False,
) -> None:
    """The last orders, newest first.

    Exit status: 0 listed, 1 the stores failed, 2 wrong usage.
    """
    with opened(data, embedded=embedded) as shop, shop.db.connect() as connection:
        orders = OrderStore(connection).newest(limit=limit, state=state)
    if as_json:
        typer.echo(json.dumps([_json(order) for order in orders], ensure_ascii=False))
        return
    if not orders:
        typer.echo("No orders.", err=True)
    for order in orders:
        units = sum(line.quantity for line in order.lines)
        typer.echo(
            f"{order.number}  {_time(order.placed_at)}  {order.state:<16}  "
            f"{order.total!s:>12}  {units:>3} pcs  {order.email}"
        )


@app.command("show", epilog="Example: vitrina orders show 7K3M-9QXD-2V")
def show_order(
    number: Annotated[str, typer.Argument(help="The order's number, such as 7K3M-9QXD-2V.")],
    data: Data = HERE,
    embedded: Embedded = True,
    as_json: AsJson = False,
) -> None:
    """One order with its lines, its money and its history.

    Exit status: 0 shown, 1 there is no such order, 2 wrong usage.
    """
    with opened(data, embedded=embedded) as shop, shop.db.connect() as connection:
        orders = OrderStore(connection)
        order = orders.by_number(tidy_number(number))
        if order is None:
            typer.echo(f"There is no order {number}.", err=True)
            raise typer.Exit(1)
        history = orders.history(order.id)
    if as_json:
        events = [{"at": at.isoformat(), "what": what, **detail} for at, what, detail in history]
        typer.echo(json.dumps({**_json(order), "history": events}, ensure_ascii=False))
        return
    typer.echo("\n".join(_sheet(order)))
    for at, what, detail in history:
        reason = "".join(f", {name}: {value}" for name, value in detail.items())
        typer.echo(f"  {_time(at)}  {what}{reason}")


def _json(order: Order) -> dict[str, Any]:
    return OrderView.of(order).model_dump(mode="json")


def _sheet(order: Order) -> list[str]:
    address = order.address
    place = [address.line1, address.line2, f"{address.postal_code} {address.city}"]
    lines = [
        f"Order {order.number}: {order.state}, payment {order.payment.state}",
        f"  for  {address.name} <{order.email}>",
        f"  to   {', '.join(part for part in place if part)}, {address.country}",
        "",
    ]
    lines += [
        f"  {line.quantity:>3} × {line.name} ({line.sku})  {line.total}" for line in order.lines
    ]
    lines += [f"  shipping  {order.shipping}", f"  total     {order.total}"]
    lines += [f"  contains  {line.tax} {line.label}" for line in order.taxes]
    return [*lines, ""]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
