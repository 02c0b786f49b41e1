"""Any product, category and model manifest that keeps the rules of the shop."""

from datetime import UTC, datetime

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from vitrina.catalogue.model import (
    Category,
    Dimensions,
    Option,
    Product,
    PublicationState,
    Variant,
)
from vitrina.kernel.ids import new_id
from vitrina.kernel.money import Money
from vitrina.models3d.model import Level, Manifest, Poster

LETTERS = st.characters(exclude_categories=("Cc", "Cs"))
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(str.strip)
PROSE = st.text(LETTERS | st.sampled_from("\n\t\r"), max_size=60)
WORDS = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SIZES = st.integers(0, 2**40)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    looks = draw(st.lists(NAMES, max_size=3, unique=True))
    return Manifest(
        source_sha256=draw(st.from_regex(r"[0-9a-f]{64}", fullmatch=True)),
        pipeline=draw(NAMES),
        tier=draw(st.sampled_from(("core", "full"))),
        levels=(Level("full", draw(NAMES), draw(SIZES), draw(SIZES), draw(SIZES)),),
        posters=tuple(
            Poster(look, draw(NAMES), draw(SIZES), draw(SIZES), draw(SIZES))
            for look in ["", *looks]
        ),
        variants=tuple(looks),
        bounds_min_m=draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)),
        bounds_max_m=draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)),
        animations=draw(st.integers(0, 9)),
    )


@st.composite
def products(draw: st.DrawFn, slugs: SearchStrategy[str] = WORDS) -> Product:
    slug = draw(slugs)
    options = tuple(
        Option(name, tuple(draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))))
        for name in draw(st.lists(NAMES, max_size=2, unique=True))
    )
    choices = draw(
        st.lists(
            st.tuples(*(st.sampled_from(option.values) for option in options)),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    created_at = draw(MOMENTS)
    return Product(
        id=new_id(),
        slug=slug,
        title=draw(NAMES),
        summary=draw(PROSE),
        description=draw(PROSE),
        category=draw(st.sampled_from(("", "chairs"))),
        tags=tuple(draw(st.lists(NAMES, max_size=3, unique=True))),
        options=options,
        variants=tuple(
            Variant(
                sku=f"{slug.upper()}.{number}",
                choices=choice,
                price=Money(draw(st.integers(0, 10**9)), "EUR"),
                stock_key=draw(NAMES),
                material_variant=draw(st.just("") | NAMES),
            )
            for number, choice in enumerate(choices)
        ),
        dimensions=draw(
            st.none() | st.builds(Dimensions, *[st.floats(0.0001, 999.0) for _ in range(3)])
        ),
        model=draw(st.none() | manifests()),
        state=draw(st.sampled_from(PublicationState)),
        created_at=created_at,
        updated_at=draw(MOMENTS),
        published_at=draw(st.none() | MOMENTS),
    )


def categories() -> SearchStrategy[Category]:
    return st.builds(Category, WORDS, NAMES, st.integers(-1000, 1000), NAMES)
