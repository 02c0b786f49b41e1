"""The cache: how long, how much, how often, and what when the source is down."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from vitrina.kernel.errors import NotFound, Unavailable
from vitrina.platform.cache import RETRY_AFTER_S, Cache, Limits


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Source:
    """Counts how often it is asked; answers with the count, or raises what it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self) -> int:
        self.calls += 1
        if self.error:
            raise self.error
        return self.calls


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source() -> Source:
    return Source()


def test_a_value_is_served_from_memory_until_it_is_due(clock: Clock, source: Source) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5), clock)

    assert cache.get("a", source) == 1
    clock.now_s += 4.999
    assert cache.get("a", source) == 1
    clock.now_s += 0.001
    assert cache.get("a", source) == 2


def test_a_hundred_threads_that_ask_for_a_cold_key_make_one_call(clock: Clock) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5), clock)
    source = Source()
    arrived = threading.Semaphore(0)

    def load() -> int:
        # The load takes as long as others still have to come.
        for _ in range(100):
            assert arrived.acquire(timeout=5)
        return source()

    def ask(_: int) -> int:
        arrived.release()
        return cache.get("a", load)

    with ThreadPoolExecutor(100) as threads:
        assert set(threads.map(ask, range(100))) == {1}
    assert source.calls == 1


def test_without_an_age_callers_at_the_same_time_share_a_load_and_later_ones_do_not(
    clock: Clock, source: Source
) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=0), clock)

    assert (cache.get("a", source), cache.get("a", source)) == (1, 2)
    assert len(cache) == 0


def test_the_least_recently_used_makes_room(clock: Clock, source: Source) -> None:
    cache: Cache[str, int] = Cache(Limits(2, max_age_s=5), clock)
    cache.get("a", source)
    cache.get("b", source)
    cache.get("a", source)
    cache.get("c", source)

    assert len(cache) == 2
    assert cache.get("a", source) == 1
    assert cache.get("b", source) == 4


def test_an_invalidated_key_is_loaded_anew(clock: Clock, source: Source) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5), clock)
    cache.get("a", source)
    cache.get("b", source)

    cache.invalidate("a")

    assert cache.get("a", source) == 3
    assert cache.get("b", source) == 2


def test_what_was_loaded_before_an_invalidation_is_not_kept(clock: Clock) -> None:
    cache: Cache[str, str] = Cache(Limits(10, max_age_s=5), clock)
    reading, written = threading.Event(), threading.Event()

    def slow_read() -> str:
        reading.set()
        written.wait(5)
        return "before the write"

    with ThreadPoolExecutor(1) as other:
        early = other.submit(cache.get, "a", slow_read)
        assert reading.wait(5)
        cache.invalidate("a")
        assert cache.get("a", lambda: "after the write") == "after the write"
        written.set()
        assert early.result(5) == "before the write"
    assert cache.get("a", lambda: "never asked") == "after the write"


def test_that_there_is_none_is_remembered_briefly(clock: Clock, source: Source) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5, missing_age_s=1), clock)
    source.error = NotFound("no such thing")

    for _ in range(2):
        with pytest.raises(NotFound, match="no such thing"):
            cache.get("a", source)
    assert source.calls == 1
    source.error = None
    clock.now_s += 1
    assert cache.get("a", source) == 2


def test_while_the_source_is_down_the_old_value_stands_in_for_a_while(
    clock: Clock, source: Source
) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5, max_stale_s=60), clock)
    cache.get("a", source)
    source.error = Unavailable("down")

    clock.now_s += 64.999
    assert cache.get("a", source) == 1
    clock.now_s += 0.001
    with pytest.raises(Unavailable, match="down"):
        cache.get("a", source)


def test_a_source_that_is_down_is_not_asked_at_every_turn_and_found_again_when_it_is_back(
    clock: Clock, source: Source
) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5, max_stale_s=60), clock)
    cache.get("a", source)
    source.error = Unavailable("down")
    clock.now_s += 5

    for _ in range(10):
        assert cache.get("a", source) == 1
    assert source.calls == 2
    source.error = None
    clock.now_s += RETRY_AFTER_S
    assert cache.get("a", source) == 3


def test_while_one_tries_a_source_that_is_down_the_others_do_not_wait(
    clock: Clock, source: Source
) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5, max_stale_s=60), clock)
    cache.get("a", source)
    source.error = Unavailable("down")
    clock.now_s += 5
    cache.get("a", source)
    clock.now_s += RETRY_AFTER_S
    trying, give_up = threading.Event(), threading.Event()

    def hang() -> int:
        trying.set()
        give_up.wait(5)
        raise Unavailable("timed out")

    with ThreadPoolExecutor(1) as other:
        slow = other.submit(cache.get, "a", hang)
        assert trying.wait(5)
        assert cache.get("a", source) == 1
        give_up.set()
        assert slow.result(5) == 1


@pytest.mark.parametrize("mistake", [ValueError("a mistake"), KeyboardInterrupt()])
def test_other_errors_reach_everybody_and_leave_nothing_behind(
    clock: Clock, source: Source, mistake: BaseException
) -> None:
    cache: Cache[str, int] = Cache(Limits(10, max_age_s=5, max_stale_s=60), clock)
    cache.get("a", source)
    clock.now_s += 5

    def fail() -> int:
        raise mistake

    with pytest.raises(type(mistake)):
        cache.get("a", fail)
    assert cache.get("a", source) == 2


@pytest.mark.parametrize(
    "limits",
    [
        lambda: Limits(0, 5),
        lambda: Limits(1, -1),
        lambda: Limits(1, 5, max_stale_s=-1),
        lambda: Limits(1, 5, missing_age_s=-1),
    ],
)
def test_limits_out_of_range_are_refused(limits: Callable[[], Limits]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        limits()
