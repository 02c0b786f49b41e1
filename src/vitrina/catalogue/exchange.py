"""Products in and out as JSON Lines. docs/catalogue-format.md explains the format to merchants.

An import reads its file twice: once to check every line, then to write. So a mistake anywhere
leaves the shop as it was, and the file may be larger than memory.
"""

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any, BinaryIO, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from vitrina.catalogue import service, stock
from vitrina.catalogue.errors import ImportRefused, ImportStopped, LineProblem
from vitrina.catalogue.model import (
    Category,
    Dimensions,
    Option,
    Product,
    PublicationState,
    Variant,
    is_product_id,
    is_sku,
    is_slug,
)
from vitrina.catalogue.plain import product_to_plain
from vitrina.catalogue.service import Catalogue
from vitrina.kernel.errors import ShopError
from vitrina.kernel.ids import new_id
from vitrina.kernel.money import Money
from vitrina.models3d.model import from_plain

MAX_LINE_BYTES = 1 << 20
MAX_PROBLEMS = 50
_BATCH = 200
# Writes wait for the network most of the time.
_WRITERS = 8

T = TypeVar("T")


class _Part(BaseModel):
    """Unknown names are refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid")


class CategoryLine(_Part):
    """A category. Products of the same file may stand on it."""

    type: Literal["category"]
    slug: str
    title: str
    position: int = Field(0, ge=-(10**6), le=10**6)
    blurb: str = ""

    def category(self) -> Category:
        return Category(self.slug, self.title, self.position, self.blurb)


class PriceLine(_Part):
    amount: Decimal = Field(max_digits=24)
    currency: str

    def money(self) -> Money:
        return Money.parse(str(self.amount), self.currency)


class OptionLine(_Part):
    name: str
    values: list[str]


class VariantLine(_Part):
    sku: str
    choices: list[str] = []
    price: PriceLine
    stock_key: str | None = None  # the SKU
    material_variant: str = ""
    stock: int | None = Field(None, ge=0, le=stock.MAX_LEVEL)  # left as it is


class DimensionsLine(_Part):
    width_m: float
    height_m: float
    depth_m: float


class ProductLine(_Part):
    """A product, whole. Of one that is there already, what is left out here takes its default,
    but for its model, its id and its times, which stay."""

    type: Literal["product"]
    id: str | None = None
    slug: str
    title: str
    summary: str = ""
    description: str = ""
    category: str = ""
    tags: list[str] = []
    options: list[OptionLine] = []
    variants: list[VariantLine]
    dimensions: DimensionsLine | None = None
    model: dict[str, Any] | None = None
    state: PublicationState = PublicationState.DRAFT
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    published_at: AwareDatetime | None = None

    def product(self, there: Product | None, now: datetime) -> Product:
        """The product this line stands for.

        Args:
            there: the product as the shop has it; None for a new one.

        Raises:
            ValueError: it breaks a rule of the shop.
        """
        product = Product(
            id=there.id if there else self.id or new_id(),
            slug=self.slug,
            title=self.title,
            summary=self.summary,
            description=self.description,
            category=self.category,
            tags=tuple(self.tags),
            options=tuple(Option(option.name, tuple(option.values)) for option in self.options),
            variants=tuple(
                Variant(
                    sku=variant.sku,
                    choices=tuple(variant.choices),
                    price=variant.price.money(),
                    stock_key=variant.sku if variant.stock_key is None else variant.stock_key,
                    material_variant=variant.material_variant,
                )
                for variant in self.variants
            ),
            dimensions=Dimensions(**self.dimensions.model_dump()) if self.dimensions else None,
            model=from_plain(self.model) if self.model else None,
            state=self.state,
            created_at=self.created_at or (there.created_at if there else now),
            updated_at=self.updated_at or (there.updated_at if there else now),
            published_at=self._published_at(there, now),
            revision=there.revision if there else "",
        )
        if there and "model" not in self.model_fields_set:
            product = replace(product, model=there.model)
        if there and self.updated_at is None and product != there:
            product = replace(product, updated_at=now)
        return product

    def _published_at(self, there: Product | None, now: datetime) -> datetime | None:
        if "published_at" in self.model_fields_set:
            return self.published_at
        if there and there.published_at:
            return there.published_at
        return now if self.state is PublicationState.PUBLISHED else None

    def stock_levels(self) -> dict[str, int]:
        return {
            variant.sku if variant.stock_key is None else variant.stock_key: variant.stock
            for variant in self.variants
            if variant.stock is not None
        }


Line = CategoryLine | ProductLine
_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="type")])


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or, of a dry run, would do."""

    lines: int
    created: int
    updated: int
    unchanged: int
    categories: int  # written; those that were there already as well
    stock_levels: int


def import_lines(
    catalogue: Catalogue, source: BinaryIO, *, now: datetime, dry_run: bool = False
) -> ImportReport:
    """Take products and categories in from JSON Lines.

    A product is the one there already if its id is, else if its slug is; so importing a file
    twice writes it once.

    Args:
        source: seekable; read from its beginning, twice.

    Raises:
        ImportRefused: lists the lines that cannot be taken in. Nothing was written.
        ImportStopped: a line that was sound before could not be written. Lines before it were;
            the same import again goes on from there.
    """
    report = _Check(catalogue, now).run(source)
    if not dry_run:
        _write(catalogue, source, now)
    return report


def export_lines(catalogue: Catalogue, *, with_stock: bool = False) -> Iterator[str]:
    """All categories and products, whatever their state, one JSON line each, without its end.

    Args:
        with_stock: also say how many pieces there are; importing such a file sets them.
    """
    for category in catalogue.store.categories():
        yield _json(
            {
                "type": "category",
                "slug": category.slug,
                "title": category.title,
                "position": category.position,
                "blurb": category.blurb,
            }
        )
    for batch in _batches(catalogue.store.products()):
        levels: dict[str, int] = {}
        if with_stock:
            keys = [key for product in batch for key in product.stock_keys]
            levels = stock.levels(catalogue.db, keys)
        for product in batch:
            yield _json(product_line(product, levels))


def product_line(product: Product, levels: Mapping[str, int]) -> dict[str, Any]:
    """A product as a line of this format, with the stock of those keys that ``levels`` has."""
    plain = {"type": "product", **product_to_plain(product)}
    for line, variant in zip(plain["variants"], product.variants, strict=True):
        line["price"] = {"amount": variant.price.decimal, "currency": variant.price.currency}
        if variant.stock_key in levels:
            line["stock"] = levels[variant.stock_key]
    return plain


@dataclass(slots=True)
class _Check:
    """The first reading: every line on its own, against the others, and against the shop."""

    catalogue: Catalogue
    now: datetime
    problems: list[LineProblem] = field(default_factory=list)
    first_line: dict[str, int] = field(default_factory=dict)  # where a name was first used
    shelves_needed: dict[str, int] = field(default_factory=dict)  # category -> first line
    shelves: set[str] = field(default_factory=set)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    categories: int = 0
    stock_levels: int = 0

    def run(self, source: BinaryIO) -> ImportReport:
        self.shelves = {category.slug for category in self.catalogue.store.categories()}
        lines = 0
        for batch in _batches(_raw_lines(source)):
            lines += len(batch)
            products = []
            for number, raw in batch:
                try:
                    line = _parsed(raw)
                    if isinstance(line, CategoryLine):
                        self._category(number, line)
                    else:
                        products.append((number, line))
                except ValueError as error:
                    self._problem(number, error)
            self._products(products)
            if len(self.problems) >= MAX_PROBLEMS:
                break
        else:
            for slug, number in self.shelves_needed.items():
                if slug not in self.shelves:
                    self._problem(number, f"category {slug!r} is neither in the file nor the shop")
        if self.problems:
            raise ImportRefused(sorted(self.problems)[:MAX_PROBLEMS])
        return ImportReport(
            lines,
            self.created,
            self.updated,
            self.unchanged,
            self.categories,
            self.stock_levels,
        )

    def _category(self, number: int, line: CategoryLine) -> None:
        category = line.category()
        self._once(number, "category", category.slug)
        self.shelves.add(category.slug)
        self.categories += 1

    def _products(self, lines: list[tuple[int, ProductLine]]) -> None:
        found = _there(self.catalogue, [line for _, line in lines])
        for number, line in lines:
            try:
                there = found.product(line)
                product = line.product(there, self.now)
                self._product(number, product, found)
            except ValueError as error:
                self._problem(number, error)
                continue
            if there is None:
                self.created += 1
            elif product == there:
                self.unchanged += 1
            else:
                self.updated += 1
            self.stock_levels += len(line.stock_levels())

    def _product(self, number: int, product: Product, found: "_There") -> None:
        currency = product.variants[0].price.currency
        if currency != self.catalogue.currency:
            raise ValueError(
                f"priced in {currency}, but this shop sells in {self.catalogue.currency}"
            )
        self._once(number, "slug", product.slug)
        self._once(number, "id", product.id)
        for variant in product.variants:
            self._once(number, "SKU", variant.sku)
        for name in found.owned_by_others(product):
            raise ValueError(f"{name} belongs to another product of the shop")
        if product.category:
            self.shelves_needed.setdefault(product.category, number)

    def _once(self, number: int, kind: str, name: str) -> None:
        first = self.first_line.setdefault(f"{kind} {name}", number)
        if first != number:
            raise ValueError(f"{kind} {name!r} stands on line {first} already")

    def _problem(self, number: int, problem: ValueError | str) -> None:
        self.problems.append(LineProblem(number, str(problem)))


@dataclass(frozen=True, slots=True)
class _There:
    """What the shop has of the products some lines name."""

    products: dict[str, Product]  # by id
    owners: dict[str, str]  # "SLUG#…" or "SKU#…" -> product id

    def product(self, line: ProductLine) -> Product | None:
        """The product a line is about.

        Raises:
            ValueError: the slug is a former address of another product.
        """
        if line.id in self.products:
            return self.products[line.id]
        product = self.products.get(self.owners.get(f"SLUG#{line.slug}", ""))
        if product and product.slug != line.slug:
            raise ValueError(
                f"slug {line.slug!r} is a former address of the product {product.slug!r}"
            )
        return product

    def owned_by_others(self, product: Product) -> Iterator[str]:
        keys = {f"SLUG#{product.slug}": f"slug {product.slug!r}"}
        keys |= {f"SKU#{variant.sku}": f"SKU {variant.sku!r}" for variant in product.variants}
        for key, name in keys.items():
            if self.owners.get(key, product.id) != product.id:
                yield name


def _there(catalogue: Catalogue, lines: list[ProductLine]) -> _There:
    slugs = {line.slug for line in lines if is_slug(line.slug)}
    skus = {variant.sku for line in lines for variant in line.variants if is_sku(variant.sku)}
    owners = catalogue.store.owners(slugs, skus)
    ids = {line.id for line in lines if line.id and is_product_id(line.id)}
    ids |= {owner for key, owner in owners.items() if key.startswith("SLUG#")}
    return _There({product.id: product for product in catalogue.store.get_many(ids)}, owners)


def _write(catalogue: Catalogue, source: BinaryIO, now: datetime) -> None:
    """The second reading. Categories come first, wherever they stand in the file."""
    for number, raw in _raw_lines(source):
        line = _parsed(raw)
        if isinstance(line, CategoryLine):
            with _stops_at(number):
                service.save_category(catalogue, line.category())
    with ThreadPoolExecutor(_WRITERS) as writers:
        for batch in _batches(_raw_lines(source)):
            lines = [
                (number, line)
                for number, raw in batch
                if isinstance(line := _parsed(raw), ProductLine)
            ]
            found = _there(catalogue, [line for _, line in lines])
            writing = [
                writers.submit(_write_product, catalogue, number, line, found, now)
                for number, line in lines
            ]
            for future in writing:
                future.result()
            levels = [(number, line.stock_levels()) for number, line in lines]
            if any(wanted for _, wanted in levels):
                with _stops_at(lines[0][0]):
                    service.set_stock(
                        catalogue, {key: n for _, wanted in levels for key, n in wanted.items()}
                    )


def _write_product(
    catalogue: Catalogue, number: int, line: ProductLine, found: _There, now: datetime
) -> None:
    with _stops_at(number):
        there = found.product(line)
        product = line.product(there, now)
        if product != there:
            service.write_product(catalogue, product, now=now)


@contextmanager
def _stops_at(number: int) -> Iterator[None]:
    try:
        yield
    except (ShopError, ValueError) as error:
        raise ImportStopped(number, str(error)) from error


def _raw_lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers, from the beginning.

    A line that is too long ends the reading, cut off where it became too long.
    """
    source.seek(0)
    number = 0
    while raw := source.readline(MAX_LINE_BYTES + 1):
        number += 1
        if raw.strip():
            yield number, raw
        if len(raw) > MAX_LINE_BYTES:
            return


def _parsed(raw: bytes) -> Line:
    """
    Raises:
        ValueError: not a line of this format; says in which field and why.
    """
    if len(raw) > MAX_LINE_BYTES:
        raise ValueError(f"the line is longer than {MAX_LINE_BYTES} bytes")
    try:
        return _LINE.validate_json(raw.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {message}" if place else message) from error


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    source = iter(values)
    while batch := list(islice(source, _BATCH)):
        yield batch


def _json(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
