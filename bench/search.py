"""How long the search index takes to build and to answer, and how much memory it holds.

    python -m bench.search           # 10 and 10,000 products
    python -m bench.search 100000    # another size

Needs no shop: products come from a generator with a fixed seed, as the store would give them.
CPU time is that of the process, so other work on the machine changes it little; memory is what
the process grew by (VmRSS), with the products themselves already gone.
"""

import argparse
import gc
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vitrina.catalogue.model import Option, Product, PublicationState, Variant
from vitrina.catalogue.search import Filters, SearchOrder
from vitrina.catalogue.search import _Index as Index
from vitrina.catalogue.store import BEGINNING, Change
from vitrina.kernel.money import Money

SEED = 20260504
KINDS, MATERIALS, LOOKS, COLOURS, ROOMS = (
    words.split()
    for words in (
        "chair armchair stool bench sofa table desk shelf cabinet sideboard lamp pendant vase bowl"
        " mug planter mirror clock basket rug bed wardrobe dresser crib trolley",
        "oak ash walnut beech maple birch steel brass copper aluminium marble terrazzo ceramic"
        " glass linen velvet leather rattan wool cork",
        "round square low tall slim wide folded curved ribbed plain stacked quilted",
        "Black White Oak Walnut Sand Rust Olive Navy Blush Slate",
        "dining living bedroom office hallway garden nursery kitchen",
    )
)

QUERIES: dict[str, str] = {
    "one common word": "chair",
    "two words": "walnut lamp",
    "a beginning": "wal",
    "one letter": "s",
    "a product's name": "",  # filled with a name that there is
    "a typo": "walnt",
    "typos, long": "aluminum cabinnet",
    "nothing": "qqqqqqqq",
    "no words (browse)": "",
}


def names(random_: random.Random, count: int) -> list[str]:
    """Invented words: a shop's names are what makes its vocabulary grow."""
    onsets, vowels = "bdfghjklmnprstv", "aeiou"
    return [
        "".join(
            random_.choice(onsets) + random_.choice(vowels) for _ in range(random_.randint(2, 4))
        )
        for _ in range(count)
    ]


def products(count: int) -> Iterator[Product]:
    """The same products at every run: 3 variants, 130 words of text, 2 to 4 tags on average."""
    random_ = random.Random(SEED)
    invented = names(random_, max(20, count // 3))
    common = names(random_, 2500)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        kind, material, look = (random_.choice(words) for words in (KINDS, MATERIALS, LOOKS))
        finishes = random_.sample(COLOURS, 3)
        price = random_.randint(900, 250_000)
        moment = began + timedelta(minutes=number)
        yield Product(
            id=f"p{number}",
            slug=f"{kind}-{number}",
            title=f"{random_.choice(invented).capitalize()} {look} {material} {kind}",
            summary=f"A {look} {kind} of {material} for the {random_.choice(ROOMS)}.",
            description=" ".join(random_.choices(common, k=110)) + f" {kind} {material}",
            category=f"{kind}s",
            tags=tuple({material, look, random_.choice(ROOMS)}),
            options=(Option("Finish", tuple(finishes)),),
            variants=tuple(
                Variant(
                    f"P{number}-{finish.upper()}",
                    (finish,),
                    Money(price + 500 * place, "EUR"),
                    f"P{number}-{finish}",
                )
                for place, finish in enumerate(finishes)
            ),
            dimensions=None,
            model=None,
            state=PublicationState.PUBLISHED,
            created_at=moment,
            updated_at=moment,
            revision="1",
        )


def resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_ms(work: object, repeats: int) -> list[float]:
    """CPU milliseconds of each call."""
    assert callable(work)
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return taken


def measure(count: int, repeats: int) -> None:
    gc.collect()
    before_mib = resident_mib()
    index = Index(BEGINNING)
    began = time.process_time()
    index.put(products(count))
    generating = time.process_time()
    for _ in products(count):
        pass
    built_s = 2 * generating - began - time.process_time()
    gc.collect()
    print(f"\n{count:,} products")
    print(f"  build               {built_s * 1000:10.0f} ms CPU")
    print(f"  memory              {resident_mib() - before_mib:10.1f} MiB")
    some = next(iter(products(1)))
    change = Change("p0", "2", "2026-02-01T00:00:00.000000Z")
    assert index.lacks(change)
    print(
        f"  take in one change  {statistics.median(cpu_ms(lambda: index.put([some]), 9)):10.2f} ms"
    )

    def ask(query: str, order: SearchOrder = "relevance", filters: Filters | None = None) -> int:
        return index.find(query, filters or Filters(), order=order, limit=24, offset=0).total

    print(f"  {'query':<22}{'found':>8}{'median ms':>12}{'worst ms':>10}   CPU")
    narrow = Filters(category="chairs", tags=("oak",), options=(("Finish", "Black"),))
    rows: Sequence[tuple[str, str, SearchOrder, Filters | None]] = [
        *((name, query or "", "relevance", None) for name, query in QUERIES.items()),
        ("narrowed by facets", "chair", "relevance", narrow),
        ("by price", "chair", "price", None),
    ]
    for name, query, order, filters in rows:
        asked = some.title if name == "a product's name" else query
        found = ask(asked, order, filters)
        taken = cpu_ms(lambda a=asked, o=order, f=filters: ask(a, o, f), repeats)
        print(f"  {name:<22}{found:>8,}{statistics.median(taken):>12.2f}{max(taken):>10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", type=int, default=[10, 10_000])
    parser.add_argument("--repeats", type=int, default=41)
    arguments = parser.parse_args()
    for count in arguments.sizes:
        measure(count, arguments.repeats)


if __name__ == "__main__":
    main()
