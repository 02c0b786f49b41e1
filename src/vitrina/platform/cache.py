"""A small in-process cache: bounded in size and age, one load per key however many ask.

                 max_age_s                max_stale_s
    loaded ─────────────────► due ─────────────────────────► gone
      served from memory        loaded anew; served only
                                while the source is down

What a process writes itself it invalidates at once; what another process writes is seen after
``max_age_s`` at the latest.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Generic, NoReturn, TypeVar

from vitrina.kernel.errors import NotFound, Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


# While the source is down, one caller per key asks it again after this; the others do not wait.
RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class _Found(Generic[V]):
    value: V
    loaded_s: float
    retry_at_s: float | None = None  # set while the source is down

    def answer(self) -> V:
        return self.value


@dataclass(frozen=True, slots=True)
class _Missing:
    error: NotFound
    loaded_s: float

    def answer(self) -> NoReturn:
        # Without the frames that it passed through the last time, which would gather.
        raise self.error.with_traceback(None)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a cache remembers, and for how long."""

    max_entries: int  # the least recently used makes room for one more
    max_age_s: float  # served without asking again; 0 only shares loads that are under way
    max_stale_s: float = 0.0  # beyond max_age_s, served while the source raises Unavailable
    missing_age_s: float = 1.0  # how long a NotFound is remembered; never beyond max_age_s

    def __post_init__(self) -> None:
        if self.max_entries < 1 or min(self.max_age_s, self.max_stale_s, self.missing_age_s) < 0:
            raise ValueError(f"out of range: {self}")


class Cache(Generic[K, V]):
    """Remembers what a load function gave. Threads may share it.

    Args:
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[K, _Found[V] | _Missing] = OrderedDict()
        self._flights: dict[K, Future[V]] = {}

    def get(self, key: K, load: Callable[[], V]) -> V:
        """The value of ``key``, from memory or from ``load``.

        Of callers who meet a key that is absent or due, one loads and the others wait for it.

        Raises:
            NotFound: as ``load`` raised it, now or a moment ago.
            Exception: whatever else ``load`` raised, when nothing may stand in for it.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._is_fresh(entry):
                self._entries.move_to_end(key)
                return entry.answer()
            flight = self._flights.get(key)
            if flight is None:
                leads, flight = True, self._flights.setdefault(key, Future())
            elif isinstance(entry, _Found) and entry.retry_at_s and self._may_stand_in(entry):
                return entry.value
            else:
                leads = False
        if leads:
            self._fly(key, load, flight, entry)
        return flight.result()

    def invalidate(self, key: K) -> None:
        """Forget a key. A load under way answers those who wait for it, and is not kept."""
        with self._lock:
            self._entries.pop(key, None)
            self._flights.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._flights.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def _is_fresh(self, entry: _Found[V] | _Missing) -> bool:
        now_s = self._clock()
        if isinstance(entry, _Missing):
            return now_s - entry.loaded_s < min(self._limits.missing_age_s, self._limits.max_age_s)
        if entry.retry_at_s is not None:
            return now_s < entry.retry_at_s and self._may_stand_in(entry)
        return now_s - entry.loaded_s < self._limits.max_age_s

    def _may_stand_in(self, old: _Found[V]) -> bool:
        return self._clock() - old.loaded_s < self._limits.max_age_s + self._limits.max_stale_s

    def _fly(
        self,
        key: K,
        load: Callable[[], V],
        flight: Future[V],
        old: _Found[V] | _Missing | None,
    ) -> None:
        started_s = self._clock()
        try:
            value = load()
        except NotFound as missing:
            self._land(key, flight, _Missing(missing, started_s))
            flight.set_exception(missing)
        except Unavailable as error:
            if isinstance(old, _Found) and self._may_stand_in(old):
                self._land(key, flight, replace(old, retry_at_s=self._clock() + RETRY_AFTER_S))
                flight.set_result(old.value)
            else:
                self._land(key, flight, None)
                flight.set_exception(error)
        except BaseException as error:
            self._land(key, flight, None)
            flight.set_exception(error)
        else:
            self._land(key, flight, _Found(value, started_s))
            flight.set_result(value)

    def _land(self, key: K, flight: Future[V], entry: _Found[V] | _Missing | None) -> None:
        """Keep what a load brought, unless the key was invalidated while it was under way."""
        with self._lock:
            if self._flights.get(key) is not flight:
                return
            del self._flights[key]
            if entry is None or self._limits.max_age_s == 0:
                self._entries.pop(key, None)
                return
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self._limits.max_entries:
                self._entries.popitem(last=False)
