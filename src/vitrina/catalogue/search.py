"""Full-text search with facets: an SQLite FTS5 projection of the table, in this process's memory.

It is built from the table at the first use, asks the table for changes at a bounded age, and is
thrown away with the process. docs/decisions/ says what serves search at which size, with numbers.

    words as typed ──fold──► tokens ──no such word? nearest one known──► FTS5 ──► filters, facets
"""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from json import dumps, loads
from typing import Literal

from vitrina.catalogue.model import Count, Facets, ListedProduct, Product, Results
from vitrina.catalogue.plain import listed_from_plain, listed_to_plain, time_to_plain
from vitrina.catalogue.store import CatalogueStore, Change
from vitrina.kernel.errors import Unavailable
from vitrina.kernel.money import Money
from vitrina.kernel.text import words
from vitrina.models3d.model import Poster

SearchOrder = Literal["relevance", "newest", "price", "price-desc"]

MAX_QUERY_LENGTH = 200
MAX_WORDS = 12
MAX_FACET_VALUES = 50
# How much more a word counts in the title than in the description.
_TITLE, _TAGS, _SUMMARY, _DESCRIPTION = 10.0, 4.0, 2.0, 1.0
# Writers' clocks may differ, and an index of DynamoDB may be late, by this much in all.
_OVERLAP = timedelta(minutes=1)
# From this many changes on, a new index aside is faster than changing the one in use.
_REBUILD_FROM = 500
_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What the results must be, beside matching the words. All of it must hold."""

    category: str | None = None
    tags: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()  # such as ("Finish", "Oak")
    price_min: Money | None = None  # a variant costs this or more …
    price_max: Money | None = None  # … and this or less


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a category holds."""

    count: int
    poster: Poster | None  # of the newest product that has one


class Search:
    """The search of one process. Threads may share it.

    Args:
        max_age_s: seconds after which the table is asked for changes.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        store: CatalogueStore,
        *,
        max_age_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._max_age_s = max_age_s
        self._clock = clock
        self._index: _Index | None = None
        self._checked_s = 0.0
        self._advanced_s = 0.0  # when the index last learnt of a change
        self._stale = False
        self._refreshing = threading.Lock()

    def find(
        self, query: str, filters: Filters, *, order: SearchOrder, limit: int, offset: int
    ) -> Results:
        """Products that match all the words; of an empty query, all products.

        ``Results.next_cursor`` is left to the caller.
        """
        return self._current().find(query, filters, order=order, limit=limit, offset=offset)

    def shelves(self) -> dict[str, Shelf]:
        """What each category with published products holds, by slug."""
        return self._current().shelves()

    def warm(self) -> None:
        """Build the index now, so that no shopper waits for it."""
        self._current()

    def invalidate(self) -> None:
        """Ask for changes before the next search: this process has just written."""
        self._stale = True

    def _current(self) -> "_Index":
        index = self._index
        if index is None or self._stale:
            with self._refreshing:
                if self._index is None or self._stale:
                    self._refresh()
                index = self._index
        elif self._clock() - self._checked_s >= self._max_age_s and self._refreshing.acquire(
            blocking=False
        ):
            # One asks the table; whoever searches meanwhile is served with what there is.
            try:
                self._refresh()
                index = self._index
            finally:
                self._refreshing.release()
        assert index is not None
        return index

    def _refresh(self) -> None:
        self._stale = False
        try:
            if self._index is None or not self._apply_changes(self._index):
                self._index = self._build()
        except Unavailable:
            if self._index is None:
                raise
        self._checked_s = self._clock()

    def _build(self) -> "_Index":
        index = _Index(since=self._store.last_change())
        index.put(self._store.products())
        self._advanced_s = self._clock()
        return index

    def _apply_changes(self, index: "_Index") -> bool:
        """Bring an index up to date; False when building a new one is the better way."""
        # A change may still turn up that was written before the last one seen, but not for long.
        is_settled = self._clock() - self._advanced_s > _OVERLAP.total_seconds()
        since = index.since if is_settled else _before(index.since)
        changed = [change for change in self._store.changes(since) if index.lacks(change)]
        if len(changed) >= _REBUILD_FROM:
            return False
        if changed:
            index.put(self._store.get_many(change.product_id for change in changed))
            index.since = max(index.since, changed[-1].written_at)
            self._advanced_s = self._clock()
        return True


@dataclass(slots=True)
class _Entry:
    """What filters and facets need of a product, without asking SQLite."""

    document: int
    category: str
    title: str  # folded
    labels: frozenset[int]  # its tags and option values
    prices: tuple[int, ...]  # of its variants, minor units, ascending
    listed_at: str
    age: int = 0  # its place among all by newest; 0 is the newest


class _Index:
    """One SQLite database in memory, with the entries beside it."""

    def __init__(self, since: str) -> None:
        self.since = since  # when the last change that is in here was written
        # One connection behind one lock: searching is work for the processor, of which this
        # process has one, and a second connection would need a second copy of the database.
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript(
            """
            CREATE VIRTUAL TABLE words USING fts5(
                title, tags, summary, description, tokenize='unicode61'
            );
            CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
            CREATE TABLE pairs(pair TEXT, word TEXT, PRIMARY KEY (pair, word)) WITHOUT ROWID;
            CREATE TABLE cards(document INTEGER PRIMARY KEY, body TEXT NOT NULL);
            """
        )
        self._db.execute(
            "INSERT INTO words(words, rank) VALUES ('rank', ?)",
            (f"bm25({_TITLE}, {_TAGS}, {_SUMMARY}, {_DESCRIPTION})",),
        )
        self._currency = ""
        self._documents: dict[str, int] = {}  # product id -> document
        self._revisions: dict[str, str] = {}  # of every product seen, published or not
        self._entries: dict[int, _Entry] = {}  # document -> entry, published only
        self._by_age: list[int] = []  # documents, newest first
        self._label_ids: dict[tuple[str, str], int] = {}  # ("", tag) or (option, value)
        self._labels: list[tuple[str, str]] = []
        self._known: set[str] = set()  # words that pairs hold

    def lacks(self, change: Change) -> bool:
        return self._revisions.get(change.product_id) != change.revision

    def put(self, products: Iterable[Product]) -> None:
        """Take products in as they are now; those not published leave the index.

        Readers see all of it or nothing.
        """
        with self._lock:
            self._db.execute("BEGIN")
            for product in products:
                self._remove(product.id)
                self._revisions[product.id] = product.revision
                if product.is_published:
                    self._add(product)
            self._db.execute("COMMIT")
            self._by_age = sorted(
                self._entries,
                key=lambda document: (self._entries[document].listed_at, document),
                reverse=True,
            )
            for age, document in enumerate(self._by_age):
                self._entries[document].age = age

    def find(
        self, query: str, filters: Filters, *, order: SearchOrder, limit: int, offset: int
    ) -> Results:
        with self._lock:
            asked = words(query[:MAX_QUERY_LENGTH])[:MAX_WORDS]
            corrected, relaxed = None, False
            if asked:
                meant = [self._nearest(word) for word in asked]
                corrected = " ".join(meant) if meant != asked else None
                scores = self._match(meant, " AND ")
                if not scores and len(meant) > 1:
                    scores = self._match(meant, " OR ")
                    relaxed = bool(scores)
                if not scores:
                    corrected = None
                documents = self._ranked(scores, " ".join(meant))
            else:
                documents = [] if query.strip() else self._by_age
            hits, facets = self._narrow(documents, filters)
            if order == "newest":
                hits.sort(key=lambda entry: entry.age)
            elif order in ("price", "price-desc"):
                hits.sort(key=lambda entry: entry.prices[0], reverse=order == "price-desc")
            return Results(
                items=tuple(self._card(hit.document) for hit in hits[offset : offset + limit]),
                facets=facets,
                total=len(hits),
                next_cursor=None,
                corrected=corrected,
                relaxed=relaxed,
            )

    def shelves(self) -> dict[str, Shelf]:
        with self._lock:
            counts: Counter[str] = Counter()
            posters: dict[str, Poster] = {}
            for document in self._by_age:
                category = self._entries[document].category
                counts[category] += 1
                if category not in posters and (poster := self._card(document).poster):
                    posters[category] = poster
            return {slug: Shelf(count, posters.get(slug)) for slug, count in counts.items()}

    # ── taking in ────────────────────────────────────────────────────────────────────────────

    def _add(self, product: Product) -> None:
        document = self._documents.setdefault(product.id, len(self._documents) + 1)
        chosen = [
            (option.name, value)
            for position, option in enumerate(product.options)
            for value in dict.fromkeys(variant.choices[position] for variant in product.variants)
        ]
        tags = [("", tag) for tag in product.tags]
        listed = ListedProduct.of(product)
        self._currency = listed.lowest_price.currency
        title = " ".join(words(product.title))
        texts = (
            title,
            " ".join(words(" ".join([*product.tags, *(value for _, value in chosen)]))),
            " ".join(words(product.summary)),
            " ".join(words(product.description)),
        )
        self._db.execute(
            "INSERT INTO words(rowid, title, tags, summary, description) VALUES (?, ?, ?, ?, ?)",
            (document, *texts),
        )
        self._db.execute(
            "INSERT INTO cards VALUES (?, ?)",
            (document, dumps(listed_to_plain(listed), ensure_ascii=False)),
        )
        new = set(" ".join(texts).split()) - self._known
        self._known |= new
        self._db.executemany(
            "INSERT INTO pairs VALUES (?, ?)",
            ((pair, word) for word in new for pair in _pairs(word)),
        )
        self._entries[document] = _Entry(
            document=document,
            category=product.category,
            title=title,
            labels=frozenset(self._label_id(label) for label in tags + chosen),
            prices=tuple(sorted({variant.price.minor for variant in product.variants})),
            listed_at=time_to_plain(listed.listed_at),
        )

    def _remove(self, product_id: str) -> None:
        document = self._documents.get(product_id, 0)
        if document in self._entries:
            del self._entries[document]
            self._db.execute("DELETE FROM words WHERE rowid = ?", (document,))
            self._db.execute("DELETE FROM cards WHERE document = ?", (document,))

    def _label_id(self, label: tuple[str, str]) -> int:
        if label not in self._label_ids:
            self._label_ids[label] = len(self._labels)
            self._labels.append(label)
        return self._label_ids[label]

    # ── looking up ───────────────────────────────────────────────────────────────────────────

    def _match(self, wanted: Sequence[str], joined_by: str) -> list[tuple[int, float]]:
        """Documents with their scores, of which less is better, in no order. Words are quoted:
        they hold letters and digits only, and whatever they spell FTS5 takes them for words."""
        expression = joined_by.join(_either(word) for word in wanted)
        return self._db.execute(
            "SELECT rowid, rank FROM words WHERE words MATCH ?", (expression,)
        ).fetchall()

    def _ranked(self, scores: list[tuple[int, float]], title: str) -> list[int]:
        """The product of exactly this title first, then by score; of equals the newest first."""

        entries = ((self._entries[document], score) for document, score in scores)
        places = [(e.title != title, score, e.age, e.document) for e, score in entries]
        return [document for *_, document in sorted(places)]

    def _nearest(self, word: str) -> str:
        """The word itself if any known one begins with it, else the likeliest of those that
        differ by a typo or two, else the word itself."""
        if any(self._has_prefix(form) for form in _forms(word)):
            return word
        budget = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
        if not budget:
            return word
        pairs = sorted(_pairs(word))
        candidates = self._db.execute(
            f"SELECT word FROM pairs WHERE pair IN ({', '.join('?' * len(pairs))}) "  # noqa: S608
            "GROUP BY word ORDER BY count(*) DESC LIMIT ?",
            (*pairs, _CANDIDATES),
        ).fetchall()
        near = [
            (distance, -self._documents_with(candidate), candidate)
            for (candidate,) in candidates
            if (distance := _typos(word, candidate, budget)) <= budget
        ]
        return min((entry for entry in near if entry[1]), default=(0, 0, word))[2]

    def _has_prefix(self, word: str) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM vocabulary WHERE term >= ? AND term < ? LIMIT 1",
            (word, word + "\U0010ffff"),
        ).fetchone()
        return row is not None

    def _documents_with(self, word: str) -> int:
        row = self._db.execute("SELECT doc FROM vocabulary WHERE term = ?", (word,)).fetchone()
        return int(row[0]) if row else 0

    def _narrow(self, documents: Iterable[int], filters: Filters) -> tuple[list[_Entry], Facets]:
        """Those that pass the filters, in the order given, and the facets of all."""
        wanted = [("", tag) for tag in filters.tags] + list(filters.options)
        needed = {self._label_ids.get(label, -1) for label in wanted}
        low = filters.price_min.minor if filters.price_min else 0
        high = filters.price_max.minor if filters.price_max else float("inf")
        entries = [self._entries[document] for document in documents]
        if needed:
            entries = [entry for entry in entries if needed <= entry.labels]
        priced = entries
        if filters.price_min or filters.price_max:
            priced = [e for e in entries if any(low <= price <= high for price in e.prices)]
        hits = priced
        if filters.category is not None:
            entries = [entry for entry in entries if entry.category == filters.category]
            hits = [entry for entry in priced if entry.category == filters.category]
        categories = Counter(entry.category for entry in priced)
        labels = Counter(chain.from_iterable(entry.labels for entry in hits))
        cheapest = min((entry.prices[0] for entry in entries), default=None)
        dearest = max((entry.prices[-1] for entry in entries), default=0)
        tags: list[Count] = []
        options: dict[str, list[Count]] = {}
        for label, count in labels.most_common():
            name, value = self._labels[label]
            (options.setdefault(name, []) if name else tags).append(Count(value, count))
        return hits, Facets(
            categories=_largest(Count(*each) for each in categories.items() if each[0]),
            tags=_largest(tags),
            options=tuple(sorted((name, _largest(counts)) for name, counts in options.items())),
            lowest_price=None if cheapest is None else Money(cheapest, self._currency),
            highest_price=None if cheapest is None else Money(dearest, self._currency),
        )

    def _card(self, document: int) -> ListedProduct:
        (body,) = self._db.execute(
            "SELECT body FROM cards WHERE document = ?", (document,)
        ).fetchone()
        return listed_from_plain(loads(body))


def _before(moment: str) -> str:
    """From when on the table has to be asked for changes that came in late."""
    return time_to_plain(datetime.fromisoformat(moment) - _OVERLAP)


def _largest(counts: Iterable[Count]) -> tuple[Count, ...]:
    ranked = sorted(counts, key=lambda count: (-count.count, count.value))
    return tuple(ranked[:MAX_FACET_VALUES])


def _forms(word: str) -> list[str]:
    """The word, and what it may be the English plural of."""
    forms = [word]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        forms.append(word[:-1])
        if word.endswith("es"):
            forms.append(word[:-2])
        if word.endswith("ies"):
            forms.append(word[:-3] + "y")
    return forms


def _either(word: str) -> str:
    """The word as FTS5 should look for it: whole counts twice, as a beginning once. A single
    letter begins half of all words, so that it must stand alone."""
    forms = [f'"{form}"' for form in _forms(word)]
    if len(word) > 1:
        forms.append(f"{forms[0]}*")
    return f"({' OR '.join(forms)})"


def _pairs(word: str) -> set[str]:
    """Its neighbouring letters, with both ends marked."""
    marked = f"^{word}$"
    return {marked[start : start + 2] for start in range(len(marked) - 1)}


def _typos(one: str, other: str, most: int) -> int:
    """Letters to insert, drop, replace or swap with their neighbour to turn one word into the
    other (optimal string alignment); more than ``most`` when it takes more than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
