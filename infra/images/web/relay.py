"""Sends what the outbox holds to the queue. What the queue asks for, Lambda does."""

import signal
from threading import Event

from vitrina.entrypoints.wiring import build
from vitrina.entrypoints.worker import relay_once
from vitrina.platform import log as logs
from vitrina.settings import Settings

LONGEST_PAUSE_S = 30.0

log = logs.get_logger()


def main() -> None:
    """Relay until SIGTERM; pause ever longer while a neighbour is down."""
    settings = Settings()
    logs.configure(settings.log_level)
    services = build(settings)
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    pause_s = 1.0
    while not stop.is_set():
        try:
            relay_once(services, stop)
            pause_s = 1.0
        except Exception:
            log.exception("relay.failed", next_try_s=pause_s)
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


if __name__ == "__main__":
    main()
