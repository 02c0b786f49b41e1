"""A product from a raw 3D model: optimised, photographed, published and put on the shelf."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product as every_combination

import brotli

from vitrina.catalogue import service
from vitrina.catalogue.errors import NoModel, SkuTaken, SlugTaken
from vitrina.catalogue.model import (
    Category,
    Dimensions,
    Option,
    Product,
    PublicationState,
    Variant,
    check_slug,
)
from vitrina.catalogue.service import Catalogue
from vitrina.kernel.errors import Unavailable
from vitrina.kernel.ids import new_id, slug_of
from vitrina.kernel.money import Money
from vitrina.models3d import service as models3d
from vitrina.models3d.model import Manifest
from vitrina.models3d.pictures import POSTER_PX
from vitrina.models3d.service import Prepared
from vitrina.platform.objects import ObjectStore

FINISH = "Finish"

# Draws a GLB in each of these looks; "" is the look it has by itself.
Photograph = Callable[[bytes, Sequence[str]], dict[str, bytes]]


@dataclass(frozen=True, slots=True)
class NewProduct:
    """What a merchant says about a product to add. The rest follows from its model."""

    title: str
    price: Money
    slug: str = ""  # "" = from the title
    category: str = ""  # title or slug of a category; a new one is made
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    sku: str = ""  # "" = the slug in capitals; each variant's choices are added to it
    options: tuple[Option, ...] = ()  # beside the finish
    stock: int = 0  # of each variant
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """The product as saved, and what a person should know about it."""

    product: Product
    notes: tuple[str, ...]


def add_product(
    catalogue: Catalogue,
    assets: ObjectStore,
    new: NewProduct,
    model: bytes | None,
    *,
    photograph: Photograph | None,
    now: datetime,
) -> Added:
    """Put a product into the shop. Each look of its model becomes a finish one can buy.

    The product is saved last: until then nothing shows, and what is refused leaves nothing behind
    but perhaps files in the bucket that the next attempt finds there.

    Args:
        model: a raw GLB; None for a product without a 3D view.
        photograph: None leaves the pictures for later.

    Raises:
        ValueError: the product breaks a rule of the shop; says which.
        ModelRefused: the model cannot be used; says why and what to do.
        SlugTaken, SkuTaken, WrongCurrency: see ``service.save_product``.
    """
    slug = new.slug or slug_of(new.title)
    if not slug:
        raise ValueError(f"no address can be made of {new.title!r}: give a slug, such as oak-chair")
    check_slug(slug, "a product's slug")
    draft = _product(new, slug, None, now)
    _check_free(catalogue, draft)
    notes: list[str] = []
    manifest = None
    if model is not None:
        prepared = models3d.prepare(model)
        notes += prepared.notes
        draft = _product(new, slug, prepared.manifest, now)
        _check_free(catalogue, draft)
        posters, why_neutral = _posters(photograph, prepared.glb, prepared.manifest, slug)
        notes += why_neutral
        manifest = models3d.publish(assets, prepared, posters)
    service.set_stock(catalogue, dict.fromkeys(draft.stock_keys, new.stock))
    category = _category(catalogue, new.category)
    saved = service.save_product(
        catalogue, replace(draft, category=category, model=manifest), now=now
    )
    return Added(saved, tuple(notes))


def photograph_product(
    catalogue: Catalogue,
    assets: ObjectStore,
    slug: str,
    *,
    photograph: Photograph,
    now: datetime,
) -> Product:
    """Take the pictures of a product's published model, anew or for the first time.

    Raises:
        UnknownProduct: there is none.
        NoModel: it has no 3D model.
        ChromiumMissing, PicturesUnavailable: the pictures could not be taken; nothing changed.
    """
    product = service.find_product(catalogue, slug)
    if product.model is None:
        raise NoModel(slug)
    stored = assets.get(product.model.levels[0].key)
    glb = brotli.decompress(stored.data) if stored.content_encoding == "br" else stored.data
    posters = photograph(glb, product.model.variants)
    # The level is there already: only the pictures are new.
    prepared = Prepared(glb, stored.data, product.model, notes=(), reports=())
    manifest = models3d.publish(assets, prepared, posters)
    return service.save_product(catalogue, replace(product, model=manifest), now=now)


def _product(new: NewProduct, slug: str, manifest: Manifest | None, now: datetime) -> Product:
    options = list(new.options)
    looks = manifest.variants if manifest else ()
    finishes = _labels(looks)
    if len(looks) > 1:
        options.append(Option(FINISH, tuple(finishes)))
    variants = []
    for choices in every_combination(*(option.values for option in options)):
        look = looks[0] if looks else ""
        if len(looks) > 1:
            look = finishes[choices[-1]]
        sku = "-".join([new.sku or slug.upper(), *_sku_parts(options, choices)])
        variants.append(Variant(sku, choices, new.price, stock_key=sku, material_variant=look))
    return Product(
        id=new_id(),
        slug=slug,
        title=new.title,
        summary=new.summary,
        description=new.description,
        category="",
        tags=new.tags,
        options=tuple(options),
        variants=tuple(variants),
        dimensions=_dimensions(manifest) if manifest else None,
        model=None,
        state=PublicationState.DRAFT if new.is_draft else PublicationState.PUBLISHED,
        created_at=now,
        updated_at=now,
        published_at=None if new.is_draft else now,
    )


def _labels(looks: Sequence[str]) -> dict[str, str]:
    """What shoppers read -> the look's name in the model: ``Dark oak`` -> ``dark_oak``."""
    labels = {" ".join(look.replace("_", " ").split()).capitalize(): look for look in looks}
    return labels if len(labels) == len(looks) else {look: look for look in looks}


def _sku_parts(options: Sequence[Option], choices: Sequence[str]) -> list[str]:
    """One part per choice: its words, or its number where they leave nothing of their own."""
    parts = []
    for option, choice in zip(options, choices, strict=True):
        words = [slug_of(value).upper() for value in option.values]
        is_telling = all(words) and len(set(words)) == len(words)
        place = option.values.index(choice)
        parts.append(words[place] if is_telling else str(place + 1))
    return parts


def _dimensions(manifest: Manifest) -> Dimensions | None:
    """The size of the model, to a millimetre, also of a flat one; none when it is absurd."""
    width_m, height_m, depth_m = (
        max(round(high - low, 3), 0.001)
        for low, high in zip(manifest.bounds_min_m, manifest.bounds_max_m, strict=True)
    )
    try:
        return Dimensions(width_m, height_m, depth_m)
    except ValueError:
        return None


def _check_free(catalogue: Catalogue, product: Product) -> None:
    """Before minutes of work: the save decides."""
    skus = {variant.sku for variant in product.variants}
    owned = catalogue.store.owners({product.slug}, skus)
    if f"SLUG#{product.slug}" in owned:
        raise SlugTaken(product.slug)
    for sku in sorted(skus):
        if f"SKU#{sku}" in owned:
            raise SkuTaken(sku)


def _posters(
    photograph: Photograph | None, glb: bytes, manifest: Manifest, slug: str
) -> tuple[dict[str, bytes], list[str]]:
    later = f"It shows a neutral picture until `vitrina product poster {slug}` takes its own."
    neutral = {"": models3d.neutral_poster(manifest, size_px=POSTER_PX)}
    if photograph is None:
        return neutral, [later]
    try:
        return photograph(glb, manifest.variants), []
    except Unavailable as error:
        return neutral, [f"No pictures were taken: {error}. {later}"]


def _category(catalogue: Catalogue, named: str) -> str:
    """The slug of the category of this name; one that is not there yet is made."""
    slug = slug_of(named)
    if named and not any(slug == category.slug for category in catalogue.store.categories()):
        service.save_category(catalogue, Category(slug, named.strip()))
    return slug
