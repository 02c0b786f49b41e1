"""Which job a message asks for. The worker loop and the Lambda function run the very same."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vitrina.checkout import jobs, transitions
from vitrina.checkout.service import Shop


class MalformedJob(ValueError):
    """A message that is no job of ours."""


@dataclass(frozen=True, slots=True)
class Job:
    """One message: what to do, and about which thing."""

    topic: str
    subject: str

    @classmethod
    def parse(cls, body: str) -> "Job":
        """Read the body of a message as ``platform.outbox`` sends it.

        Raises:
            MalformedJob: it is something else, or nobody here does such a job.
        """
        try:
            message = json.loads(body)
            topic, subject = message["topic"], message["subject"]
        except (ValueError, TypeError, KeyError) as error:
            raise MalformedJob(f"not a message of the outbox: {body[:200]!r}") from error
        if not isinstance(subject, str) or not isinstance(topic, str) or topic not in JOBS:
            raise MalformedJob(f"no job for topic {topic!r} and subject {subject!r}")
        return cls(topic, subject)


JOBS: Mapping[str, Callable[[Shop, str], None]] = {
    transitions.SETTLE: jobs.settle_order,
    transitions.PAID: jobs.empty_cart,
    transitions.CANCEL_PAYMENT: jobs.cancel_payment,
}


def run_job(job: Job, shop: Shop) -> None:
    """Do what a message asks for. What it raises means: not done, bring it again."""
    JOBS[job.topic](shop, job.subject)
