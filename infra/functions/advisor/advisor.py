"""Collects what AWS itself would change about this account, once a day.

Three advisers, each asked on its own: Trusted Advisor (security, cost, performance, limits, fault
tolerance), Cost Optimization Hub (what could be saved) and Compute Optimizer (what is too big or
too small). What they say goes to ``advice/<adviser>/<day>.json`` in the bucket, and how much of it
there is to a metric. An adviser that does not answer, because the account lacks its support plan
or has not signed up for it, is said so in the log and in the file; the others are asked still.

Runs in Lambda with nothing but the boto3 that its runtime brings.
"""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

Advice = list[dict[str, Any]]

LIMITS = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 4, "mode": "adaptive"})
# These live in one region, whatever region the shop is in.
WORLD = "us-east-1"
MOST = 5000  # findings kept of one adviser
# What an adviser answers when it is not there for this account.
NOT_FOR_US = {
    "AccessDeniedException": (
        "AWS Trusted Advisor's API needs the support plan Business Support+ or a higher one."
    ),
    "SubscriptionRequiredException": "AWS Support's plan of this account does not include this.",
    "OptInRequiredException": "Nobody has signed this account up for Compute Optimizer.",
    "ValidationException": "Nobody has signed this account up for Cost Optimization Hub.",
}


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry.

    Returns:
        For each adviser how many findings, or why there are none.

    Raises:
        ClientError: the bucket or CloudWatch refuses; Lambda tries again and then gives up loudly.
    """
    del event, context
    return collect(
        boto3.Session(),
        bucket=os.environ["ADVICE_BUCKET"],
        namespace=os.environ["ADVICE_NAMESPACE"],
        now=datetime.now(UTC),
    )


def collect(
    session: boto3.Session, *, bucket: str, namespace: str, now: datetime
) -> dict[str, Any]:
    """Ask every adviser, keep what it says.

    Args:
        namespace: of the metrics ``Findings`` and ``Answers``, by ``Adviser``.
    """
    said: dict[str, Any] = {}
    for adviser, ask in ADVISERS.items():
        advice, silence = _asked(ask, session)
        said[adviser] = silence or len(advice)
        _log("advice.missing" if silence else "advice", adviser=adviser, said=said[adviser])
        _keep(session, bucket, adviser, now, advice, silence)
        _count(session, namespace, adviser, advice, answered=not silence)
    return said


def _asked(
    ask: Callable[[boto3.Session], Iterator[dict[str, Any]]], session: boto3.Session
) -> tuple[Advice, str]:
    """What an adviser says, or why it says nothing."""
    advice: Advice = []
    try:
        for finding in ask(session):
            advice.append(finding)
            if len(advice) == MOST:
                break
    except ClientError as error:
        code = error.response["Error"]["Code"]
        hint = NOT_FOR_US.get(code, "")
        return [], f"{code}: {error.response['Error'].get('Message', '')} {hint}".strip()
    except BotoCoreError as error:
        return [], f"{type(error).__name__}: {error}"
    return advice, ""


def trusted_advisor(session: boto3.Session) -> Iterator[dict[str, Any]]:
    """Recommendations that are not fulfilled."""
    client = session.client("trustedadvisor", region_name=WORLD, config=LIMITS)
    for page in client.get_paginator("list_recommendations").paginate():
        for found in page["recommendationSummaries"]:
            if found["status"] != "ok":
                yield found


def cost_optimization_hub(session: boto3.Session) -> Iterator[dict[str, Any]]:
    """What could be saved, with how much a month."""
    client = session.client("cost-optimization-hub", region_name=WORLD, config=LIMITS)
    for page in client.get_paginator("list_recommendations").paginate():
        yield from page["items"]


def compute_optimizer(session: boto3.Session) -> Iterator[dict[str, Any]]:
    """Instances, groups, functions and databases that are not the right size."""
    client = session.client("compute-optimizer", config=LIMITS)
    for ask, of in (
        (client.get_auto_scaling_group_recommendations, "autoScalingGroupRecommendations"),
        (client.get_lambda_function_recommendations, "lambdaFunctionRecommendations"),
        (client.get_rds_database_recommendations, "rdsDBRecommendations"),
    ):
        token: str | None = None
        for _ in range(50):  # pages
            answer = ask(nextToken=token) if token else ask()
            for found in answer[of]:
                if found.get("finding", found.get("instanceFinding")) not in (
                    "Optimized",
                    "OPTIMIZED",
                ):
                    yield {"kind": of, **found}
            token = answer.get("nextToken")
            if not token:
                break


ADVISERS: dict[str, Callable[[boto3.Session], Iterator[dict[str, Any]]]] = {
    "trusted-advisor": trusted_advisor,
    "cost-optimization-hub": cost_optimization_hub,
    "compute-optimizer": compute_optimizer,
}


def _keep(
    session: boto3.Session, bucket: str, adviser: str, now: datetime, advice: Advice, silence: str
) -> None:
    session.client("s3", config=LIMITS).put_object(
        Bucket=bucket,
        Key=f"advice/{adviser}/{now:%Y-%m-%d}.json",
        Body=json.dumps(
            {"asked": now.isoformat(timespec="seconds"), "silence": silence, "advice": advice},
            default=str,
        ).encode(),
        ContentType="application/json",
    )


def _count(
    session: boto3.Session, namespace: str, adviser: str, advice: Advice, *, answered: bool
) -> None:
    dimensions = [{"Name": "Adviser", "Value": adviser}]
    figures = {"Answers": float(answered)}
    if answered:  # silence is not the same as nothing found
        figures["Findings"] = float(len(advice))
    session.client("cloudwatch", config=LIMITS).put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": "Count"}
            for name, value in figures.items()
        ],
    )


def _log(event: str, **details: object) -> None:
    print(json.dumps({"event": event, **details}))  # noqa: T201 - Lambda's log is its output
