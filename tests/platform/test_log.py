"""Log lines are JSON, whoever wrote them, and never break the one who logs."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import pytest

from vitrina.platform import log

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    log.configure("info")

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield read
    log.request_id.set("")


def test_an_event_is_a_line_with_its_details(lines: Lines) -> None:
    log.get_logger().info("order.placed", number="7K3M", total=129.5, note="schön\nund gut")

    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "event": "order.placed",
        "level": "info",
        "number": "7K3M",
        "total": 129.5,
        "note": "schön\nund gut",
    }


def test_a_line_carries_the_request_it_belongs_to_in_every_thread(lines: Lines) -> None:
    log.request_id.set("request-1")
    context = copy_context()
    thread = threading.Thread(target=context.run, args=(log.get_logger().warning, "elsewhere"))
    thread.start()
    thread.join()

    assert [line["request_id"] for line in lines()] == ["request-1"]


def test_vendors_lines_come_out_alike(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid %s received", "request")
    logging.getLogger("botocore.retries").info("too much")

    assert [(line["event"], line["logger"]) for line in lines()] == [
        ("Invalid request received", "uvicorn.error")
    ]


def test_an_exception_brings_its_traceback(lines: Lines) -> None:
    try:
        raise ValueError("wilted")
    except ValueError:
        log.get_logger().exception("rose.failed", rose="Alba")

    (line,) = lines()
    assert (line["event"], line["level"], line["rose"]) == ("rose.failed", "error", "Alba")
    assert "ValueError: wilted" in line["exception"]


@pytest.mark.parametrize("name", ["message", "name", "args", "levelname", "msg", "exc_text"])
def test_no_name_of_a_detail_is_forbidden(lines: Lines, name: str) -> None:
    log.get_logger().info("named", **{name: "mine"})

    assert [line[name] for line in lines()] == ["mine"]


def test_a_detail_of_any_type_can_be_written(lines: Lines) -> None:
    log.get_logger().info("odd", value=object, percent="100 %s")

    (line,) = lines()
    assert line["value"] == "<class 'object'>"
    assert line["percent"] == "100 %s"


def test_what_lies_below_the_level_is_not_written(lines: Lines) -> None:
    log.configure("warning")
    log.get_logger().info("quiet")
    log.get_logger().warning("loud")

    assert [line["event"] for line in lines()] == ["loud"]


def test_configuring_twice_writes_once(lines: Lines) -> None:
    log.configure("info")
    log.get_logger().info("once")

    assert len(lines()) == 1
