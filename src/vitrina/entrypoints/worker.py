"""The worker process: sends what the outbox holds, and does what the queue asks for.

    python -m vitrina.entrypoints.worker

Two loops in one process, as many processes as one likes. The relay looks into the outbox once a
second; the consumer waits at the queue. SIGTERM ends both after the jobs in hand.
"""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

from vitrina.entrypoints.jobs import Job, run_job
from vitrina.entrypoints.wiring import Services, build
from vitrina.platform import log as logs
from vitrina.platform import migrate, outbox
from vitrina.platform.queue import BATCH, Received
from vitrina.settings import Settings

# How long a message that is due may lie before it is sent.
RELAY_EVERY_S = 1.0
# One call of ReceiveMessage waits so long for a message; so long may a stop have to wait.
RECEIVE_WAIT_S = 5
LONGEST_PAUSE_S = 30.0

log = logs.get_logger()


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    settings = Settings()
    logs.configure(settings.log_level)
    services = build(settings)
    migrate.check(services.db)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("worker.started")
    work(services, stop)
    services.db.dispose()
    log.info("worker.stopped")


def work(services: Services, stop: Event) -> None:
    """Relay and consume until ``stop`` is set and the jobs in hand are done."""
    relay = Thread(target=_repeat, args=("relay", lambda: relay_once(services, stop), stop))
    relay.start()
    with ThreadPoolExecutor(BATCH) as hands:
        _repeat("consumer", lambda: consume_once(services, hands, wait_s=RECEIVE_WAIT_S), stop)
    relay.join()


def relay_once(services: Services, stop: Event) -> None:
    """Send what is due; then wait a moment, unless more may be due already."""
    sent = outbox.relay(services.db, services.events, now=services.now())
    if sent:
        log.info("outbox.sent", messages=sent)
    if sent < outbox.BATCH:
        stop.wait(RELAY_EVERY_S)


def consume_once(services: Services, hands: ThreadPoolExecutor, *, wait_s: int) -> int:
    """Take up to ten messages from the queue and do their jobs, side by side.

    One after the other they could outlast the time the queue hides them while a provider is slow.

    Returns:
        The number of messages taken.
    """
    messages = services.events.receive(wait_s=wait_s)
    for _ in hands.map(lambda message: _handle(services, message), messages):
        pass
    return len(messages)


def _handle(services: Services, message: Received) -> None:
    """Do one job. If it fails the queue brings it again, and puts it aside after a few times."""
    try:
        run_job(Job.parse(message.body), services)
        services.events.done(message)
    except Exception:
        log.exception("job.failed", message_id=message.message_id)


def _repeat(name: str, step: Callable[[], object], stop: Event) -> None:
    """Repeat a step until told to stop; pause ever longer while a neighbour is down."""
    pause_s = 1.0
    while not stop.is_set():
        try:
            step()
            pause_s = 1.0
        except Exception:
            log.exception(f"{name}.failed", next_try_s=pause_s)
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


if __name__ == "__main__":
    main()
