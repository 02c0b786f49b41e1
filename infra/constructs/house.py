"""What every stack inherits, so that encryption, logs and alarms need not be remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import (
    Duration,
)
from aws_cdk import (
    aws_cloudwatch as cloudwatch,
)
from aws_cdk import (
    aws_cloudwatch_actions as actions,
)
from aws_cdk import (
    aws_ec2 as ec2,
)
from aws_cdk import (
    aws_iam as iam,
)
from aws_cdk import (
    aws_kms as kms,
)
from aws_cdk import (
    aws_lambda as lambda_,
)
from aws_cdk import (
    aws_logs as logs,
)
from aws_cdk import (
    aws_sns as sns,
)
from aws_cdk import (
    aws_sqs as sqs,
)
from constructs import Construct

from infra.profiles import Profile, prefix_of
from vitrina.platform import resources
from vitrina.settings import Settings, variable_of

FAILED_KEPT = Duration.days(14)  # the most SQS keeps a message
RUNBOOKS = "docs/runbooks"  # in this repository, wherever it is kept


@dataclass(frozen=True, slots=True)
class Site:
    """Which shop is built, where, and how big: what every stack is told.

    Attributes:
        region: of this stack's copy; the standby's stacks have another than the profile's first.
        release: names the folder in the releases bucket whose bundles run.
        operator: e-mail address that bells and budgets write to.
    """

    profile: Profile
    domain: str
    account: str
    region: str
    release: str
    operator: str

    @property
    def prefix(self) -> str:
        return prefix_of(self.domain)

    @property
    def is_standby(self) -> bool:
        return self.region != self.profile.region

    def named(self, logical: str) -> str:
        """The real name of a declared table, queue or bucket, as the running shop makes it."""
        return Settings.model_construct(prefix=self.prefix).named(logical)

    @property
    def removal(self) -> cdk.RemovalPolicy:
        """What becomes of data when its stack goes."""
        keeps = self.profile.keeps_data
        return cdk.RemovalPolicy.RETAIN if keeps else cdk.RemovalPolicy.DESTROY

    @property
    def log_retention(self) -> logs.RetentionDays:
        return _RETENTION[self.profile.watch.log_days]


class HouseStack(cdk.Stack):
    """A stack of the shop: tagged, and with zones that need no look-up."""

    def __init__(self, scope: Construct, id: str, site: Site, *, description: str) -> None:
        super().__init__(
            scope,
            id,
            env=cdk.Environment(account=site.account, region=site.region),
            description=description,
            stack_name=f"{site.prefix}-{id.lower()}",
            termination_protection=site.profile.keeps_data,
            cross_region_references=True,
        )
        self.site = site
        cdk.Tags.of(self).add("shop", site.domain)
        cdk.Tags.of(self).add("profile", site.profile.name)
        cdk.Tags.of(self).add("part", id.lower())

    @property
    def availability_zones(self) -> list[str]:
        # Which letters a region has, CloudFormation knows when it deploys.
        return [cdk.Fn.select(number, cdk.Fn.get_azs()) for number in range(3)]


def subnets_of(group: str) -> ec2.SubnetSelection:
    """Those of one kind in every zone: ``public``, ``app`` or ``data``."""
    return ec2.SubnetSelection(subnet_group_name=group)


def environment(**settings: str) -> dict[str, str]:
    """Environment variables for the shop's processes, by the names of the fields of ``Settings``.

    Raises:
        ValueError: there is no such setting.
    """
    unknown = settings.keys() - Settings.model_fields.keys()
    if unknown:
        raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
    return {variable_of(name): value for name, value in sorted(settings.items())}


def customer_key(scope: Construct, id: str, site: Site, *, of: str) -> kms.Key:
    """A key of the shop's own, turned every year.

    Args:
        of: what it encrypts, for people who read a list of keys.
    """
    return kms.Key(
        scope,
        id,
        description=f"{site.domain}: {of}",
        enable_key_rotation=True,
        removal_policy=site.removal,
        pending_window=Duration.days(30 if site.profile.keeps_data else 7),
    )


def logs_key(scope: Construct, id: str, site: Site) -> kms.Key:
    """A key that CloudWatch Logs may use for the log groups of this account and region."""
    key = customer_key(scope, id, site, of="logs")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{site.region}.amazonaws.com")],
            actions=[
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
                "kms:Describe*",
            ],
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": (
                        f"arn:aws:logs:{site.region}:{site.account}:log-group:*"
                    )
                }
            },
        )
    )
    return key


def log_group(
    scope: Construct, id: str, site: Site, *, key: kms.IKey, name: str | None = None
) -> logs.LogGroup:
    """Encrypted, and kept as long as the profile says."""
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        encryption_key=key,
        retention=site.log_retention,
        removal_policy=site.removal,
    )


def allow(
    grantee: iam.IGrantable,
    actions: Sequence[str],
    *arns: str,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Let a role do what its code calls, on what it calls it on, and no more."""
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            actions=list(actions),
            resources=list(arns),
            conditions=dict(conditions) if conditions else None,
        )
    )


class WorkQueue(Construct):
    """A declared queue with the one beside it for what failed; both encrypted, TLS only.

    Attributes:
        jobs: the queue.
        failed: where messages lie that failed as often as the declaration allows.
    """

    def __init__(
        self, scope: Construct, id: str, site: Site, declared: resources.Queue, *, key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        self.declared = declared
        self.failed = sqs.Queue(
            self,
            "Failed",
            queue_name=site.named(declared.failed_name),
            retention_period=FAILED_KEPT,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
        )
        self.jobs = sqs.Queue(
            self,
            "Jobs",
            queue_name=site.named(declared.name),
            visibility_timeout=Duration.seconds(declared.visibility_timeout_s),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.failed, max_receive_count=declared.attempts
            ),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
        )


class ShopFunction(lambda_.Function):
    """A Lambda function: Graviton, traced, encrypted, its log kept and its concurrency bounded.

    Args:
        at_once: how many may run side by side; reserved, so that nobody else can use them up.
        vpc: only for a function that speaks to something inside it, or must not get out.
        subnets: the kind of subnet it stands in there.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: Site,
        *,
        code: lambda_.Code,
        handler: str,
        timeout: Duration,
        memory_mib: int,
        at_once: int,
        key: kms.IKey,
        logs_key: kms.IKey,
        description: str,
        runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_14,
        environment: Mapping[str, str] | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: str = "app",
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(
            scope,
            id,
            description=description,
            code=code,
            handler=handler,
            runtime=runtime,
            architecture=lambda_.Architecture.ARM_64,
            timeout=timeout,
            memory_size=memory_mib,
            reserved_concurrent_executions=at_once,
            tracing=lambda_.Tracing.ACTIVE,
            environment=dict(environment or {}),
            environment_encryption=key,
            log_group=log_group(scope, f"{id}Log", site, key=logs_key),
            logging_format=lambda_.LoggingFormat.JSON,
            vpc=vpc,
            vpc_subnets=subnets_of(subnets) if vpc else None,
            security_groups=list(security_groups) if security_groups else None,
            **more,
        )


def ring(
    scope: Construct,
    id: str,
    metric: cloudwatch.IMetric,
    *,
    at: float,
    to: sns.ITopic,
    runbook: str,
    means: str,
    periods: int = 1,
    of: int | None = None,
    below: bool = False,
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
) -> cloudwatch.Alarm:
    """A bell: an alarm that tells people, and says what to do about it.

    Args:
        at: rings when the metric reaches this; with ``below``, when it falls to it.
        runbook: name of the page in docs/runbooks, without its ending.
        means: what is wrong when it rings, one sentence.
        periods: rings when so many periods of the last ``of`` are beyond.
    """
    operator = cloudwatch.ComparisonOperator
    alarm = cloudwatch.Alarm(
        scope,
        id,
        metric=metric,
        threshold=at,
        comparison_operator=(
            operator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
            if below
            else operator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        evaluation_periods=of or periods,
        datapoints_to_alarm=periods,
        treat_missing_data=missing,
        alarm_description=f"{means} {RUNBOOKS}/{runbook}.md",
    )
    alarm.add_alarm_action(actions.SnsAction(to))
    alarm.add_ok_action(actions.SnsAction(to))
    return alarm


_RETENTION: dict[int, logs.RetentionDays] = {
    days: getattr(logs.RetentionDays, name)
    for days, name in {
        1: "ONE_DAY",
        3: "THREE_DAYS",
        5: "FIVE_DAYS",
        7: "ONE_WEEK",
        14: "TWO_WEEKS",
        30: "ONE_MONTH",
        60: "TWO_MONTHS",
        90: "THREE_MONTHS",
        120: "FOUR_MONTHS",
        150: "FIVE_MONTHS",
        180: "SIX_MONTHS",
        365: "ONE_YEAR",
        400: "THIRTEEN_MONTHS",
        545: "EIGHTEEN_MONTHS",
        731: "TWO_YEARS",
        1096: "THREE_YEARS",
        1827: "FIVE_YEARS",
        2192: "SIX_YEARS",
        3653: "TEN_YEARS",
    }.items()
}
