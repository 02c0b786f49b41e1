"""The Lambda functions: what AWS calls with a batch of messages."""

from functools import cache
from typing import Any

from vitrina.entrypoints.jobs import Job, run_job
from vitrina.entrypoints.wiring import Services, build
from vitrina.platform import log as logs
from vitrina.platform.log import get_logger
from vitrina.settings import Settings

log = get_logger()


def events(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Run each record as one job, and name to SQS those that must come again."""
    failed = []
    for record in event["Records"]:
        try:
            run_job(Job.parse(record["body"]), services())
        except Exception:
            log.exception("job.failed", message_id=record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


@cache
def services() -> Services:
    """Built at the first record, kept while the function is warm."""
    settings = Settings()
    logs.configure(settings.log_level)
    return build(settings)
