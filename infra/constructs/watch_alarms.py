"""The bells, by part of the shop. Each names the page in docs/runbooks that says what to do."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs import house
from infra.profiles import Database
from infra.stacks.data import Data
from infra.stacks.pipeline import Pipeline
from infra.stacks.web import Web
from vitrina.platform import resources

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)

SLOW_S = 1.0  # a page that a shopper waits for longer than this, feels broken
REFUSED_A_MINUTE = 20  # answers 5xx
BUSY_PERCENT = 80
SPACE_LEFT = 0.1  # of the disk
LAG_S = 30
OLDEST_S = 300
# What RDS divides the memory by to find how many may connect, and where it stops.
BYTES_PER_CONNECTION = 9_531_392
MOST_CONNECTIONS = 5000
MOST_SERVERLESS_CONNECTIONS = 2000  # with a least capacity below one unit
# The operations whose failures DynamoDB counts one by one, as far as the shop calls them.
OPERATIONS = ("GetItem", "BatchGetItem", "Query", "PutItem")


def requests(web: Web, name: str, *, statistic: str = "Sum") -> cloudwatch.Metric:
    """What the load balancer counts, a minute at a time."""
    return cloudwatch.Metric(
        namespace="AWS/ApplicationELB",
        metric_name=name,
        dimensions_map={"LoadBalancer": web.load_balancer.load_balancer_full_name},
        statistic=statistic,
        period=MINUTE,
    )


def hosts(web: Web, name: str, *, zone: str | None = None, statistic: str) -> cloudwatch.Metric:
    """Instances as the load balancer sees them, in one zone or in all of them."""
    dimensions = {
        "LoadBalancer": web.load_balancer.load_balancer_full_name,
        "TargetGroup": web.target_group.target_group_full_name,
    }
    return cloudwatch.Metric(
        namespace="AWS/ApplicationELB",
        metric_name=name,
        dimensions_map={**dimensions, "AvailabilityZone": zone} if zone else dimensions,
        statistic=statistic,
        period=MINUTE,
    )


def failures(web: Web) -> cloudwatch.MathExpression:
    """Answers 5xx a minute, the instances' and the load balancer's own."""
    return cloudwatch.MathExpression(
        expression="FILL(theirs, 0) + FILL(own, 0)",
        using_metrics={
            "theirs": requests(web, "HTTPCode_Target_5XX_Count"),
            "own": requests(web, "HTTPCode_ELB_5XX_Count"),
        },
        period=MINUTE,
        label="5xx",
    )


def database(data: Data, name: str, *, statistic: str = "Average") -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/RDS",
        metric_name=name,
        dimensions_map=data.database_dimensions,
        statistic=statistic,
        period=FIVE_MINUTES,
    )


def table(site: house.Site, declared: resources.Table, name: str, **more: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=name,
        dimensions_map={"TableName": site.named(declared.name), **more},
        statistic="Sum",
        period=MINUTE,
    )


def queue(site: house.Site, name: str, metric: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=metric,
        dimensions_map={"QueueName": site.named(name)},
        statistic="Maximum",
        period=MINUTE,
    )


def web_bells(
    scope: Construct, site: house.Site, web: Web, to: sns.ITopic, zones: list[str]
) -> dict[str, cloudwatch.Alarm]:
    """What shoppers notice first. By name, for what is made of several."""
    bells = {
        "failing": house.ring(
            scope,
            "WebErrors",
            failures(web),
            at=REFUSED_A_MINUTE,
            to=to,
            runbook="web-errors",
            means="Shoppers get errors instead of pages.",
            periods=3,
            of=5,
        ),
        "deserted": house.ring(
            scope,
            "NobodyServes",
            hosts(web, "HealthyHostCount", statistic="Minimum"),
            at=0,
            below=True,
            to=to,
            runbook="nobody-serves",
            means="No instance is healthy.",
            periods=2,
            missing=cloudwatch.TreatMissingData.BREACHING,
        ),
        "slow": house.ring(
            scope,
            "SlowPages",
            requests(web, "TargetResponseTime", statistic="p99"),
            at=SLOW_S,
            to=to,
            runbook="slow-pages",
            means=f"One page in a hundred takes {SLOW_S:g} s or longer.",
            periods=5,
            of=10,
        ),
        "full": house.ring(
            scope,
            "InstancesAtMaximum",
            cloudwatch.Metric(
                namespace="AWS/AutoScaling",
                metric_name="GroupDesiredCapacity",
                dimensions_map={"AutoScalingGroupName": web.group.auto_scaling_group_name},
                statistic="Maximum",
                period=MINUTE,
            ),
            at=site.profile.web.max_instances,
            to=to,
            runbook="instances-at-maximum",
            means="As many instances run as may run: the next visitors wait.",
            periods=5,
        ),
    }
    for number, zone in enumerate(zones, start=1):
        bells[f"zone {number}"] = house.ring(
            scope,
            f"UnhealthyInZone{number}",
            hosts(web, "UnHealthyHostCount", zone=zone, statistic="Minimum"),
            at=1,
            to=to,
            runbook="unhealthy-instances",
            means=f"An instance in the region's zone number {number} does not get well.",
            periods=5,
        )
    return bells


def data_bells(scope: Construct, site: house.Site, data: Data, to: sns.ITopic) -> None:
    shape = site.profile.database
    house.ring(
        scope,
        "DatabaseCpu",
        database(data, "CPUUtilization"),
        at=BUSY_PERCENT,
        to=to,
        runbook="database-cpu",
        means="The database computes more than it should have to.",
        periods=3,
    )
    house.ring(
        scope,
        "DatabaseConnections",
        database(data, "DatabaseConnections", statistic="Maximum"),
        at=int(connections(shape) * BUSY_PERCENT / 100),
        to=to,
        runbook="database-connections",
        means=f"{BUSY_PERCENT} % of the database's connections are taken.",
        periods=2,
    )
    if shape.kind == "serverless":
        house.ring(
            scope,
            "DatabaseCapacity",
            database(data, "ACUUtilization"),
            at=90,
            to=to,
            runbook="database-cpu",
            means="Aurora is at the most it may grow to.",
            periods=3,
        )
    else:
        house.ring(
            scope,
            "DatabaseStorage",
            database(data, "FreeStorageSpace", statistic="Minimum"),
            at=int(shape.storage_gib * SPACE_LEFT * 2**30),
            below=True,
            to=to,
            runbook="database-storage",
            means="The database's disk is nearly full.",
        )
    if shape.kind != "instance":
        is_aurora = shape.kind == "serverless"  # which counts in milliseconds
        house.ring(
            scope,
            "ReplicaLag",
            database(
                data,
                "AuroraReplicaLagMaximum" if is_aurora else "ReplicaLag",
                statistic="Maximum",
            ),
            at=LAG_S * 1000 if is_aurora else LAG_S,
            to=to,
            runbook="replica-lag",
            means=f"A copy of the database is {LAG_S} s behind.",
            periods=2,
        )
    for declared in resources.TABLES:
        name = declared.name.capitalize()
        house.ring(
            scope,
            f"{name}Throttled",
            _sum(
                {
                    "reads": table(site, declared, "ReadThrottleEvents"),
                    "writes": table(site, declared, "WriteThrottleEvents"),
                }
            ),
            at=10,
            to=to,
            runbook="table-throttled",
            means=f"DynamoDB turns away requests to the table {declared.name}.",
            periods=3,
            of=5,
        )
        house.ring(
            scope,
            f"{name}Errors",
            _sum(
                {
                    name[0].lower() + name[1:]: table(
                        site, declared, "SystemErrors", Operation=name
                    )
                    for name in OPERATIONS
                }
            ),
            at=5,
            to=to,
            runbook="table-errors",
            means=f"DynamoDB fails on the table {declared.name}.",
            periods=2,
            of=3,
        )


def pipeline_bells(scope: Construct, site: house.Site, pipeline: Pipeline, to: sns.ITopic) -> None:
    for work in pipeline.queues.values():
        declared = work.declared
        name = declared.name.capitalize()
        house.ring(
            scope,
            f"{name}Wait",
            queue(site, declared.name, "ApproximateAgeOfOldestMessage"),
            at=max(OLDEST_S, declared.visibility_timeout_s),
            to=to,
            runbook="queue-waits",
            means=f"Work waits too long in the queue {declared.name}.",
            periods=3,
        )
        house.ring(
            scope,
            f"{name}Failed",
            queue(site, declared.failed_name, "ApproximateNumberOfMessagesVisible"),
            at=1,
            to=to,
            runbook="failed-messages",
            means=f"Work was given up after {declared.attempts} attempts: {declared.failed_name}.",
        )
    for name, function in pipeline.functions.items():
        function_bells(scope, f"{name.capitalize()}Function", name, function, to)


def function_bells(
    scope: Construct, id: str, name: str, function: lambda_.IFunction, to: sns.ITopic
) -> None:
    house.ring(
        scope,
        f"{id}Errors",
        function.metric_errors(period=FIVE_MINUTES, statistic="Sum"),
        at=5,
        to=to,
        runbook="function-errors",
        means=f"The function {name} fails.",
    )
    house.ring(
        scope,
        f"{id}Throttled",
        function.metric_throttles(period=FIVE_MINUTES, statistic="Sum"),
        at=50,
        to=to,
        runbook="function-throttled",
        means=f"The function {name} is not let run as often as there is work.",
        periods=3,
    )


def unusual(
    scope: Construct, id: str, metric: cloudwatch.IMetric, *, to: sns.ITopic, what: str, up: bool
) -> None:
    """A bell without a number: rings when a metric leaves what its own past foretells.

    Args:
        up: only too many is worth a bell; otherwise too few is, too.
    """
    operator = cloudwatch.ComparisonOperator
    alarm = cloudwatch.AnomalyDetectionAlarm(
        scope,
        id,
        metric=metric,
        std_devs=4,
        evaluation_periods=3,
        comparison_operator=(
            operator.GREATER_THAN_UPPER_THRESHOLD
            if up
            else operator.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD
        ),
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=(
            f"{what} far from what this hour usually has. {house.RUNBOOKS}/unusual-activity.md"
        ),
    )
    alarm.add_alarm_action(actions.SnsAction(to))
    alarm.add_ok_action(actions.SnsAction(to))


def connections(shape: Database) -> int:
    """How many connections the database accepts, as RDS computes it from its memory.

    Raises:
        ValueError: the instance class is of a family whose memory is not known here.
    """
    if shape.kind == "serverless":
        memory_gib, most = shape.max_acu * 2, MOST_SERVERLESS_CONNECTIONS
    else:
        memory_gib, most = memory_of(shape.instance_class), MOST_CONNECTIONS
    return min(most, int(memory_gib * 2**30 / BYTES_PER_CONNECTION))


def memory_of(instance_class: str) -> float:
    """GiB of an RDS class such as ``m8g.large``.

    Raises:
        ValueError: a family whose memory is not known here.
    """
    family, size = instance_class.split(".")
    small = {"micro": 1.0, "small": 2.0, "medium": 4.0}
    if size in small:
        return small[size]
    per_large = {"t": 8.0, "m": 8.0, "r": 16.0, "c": 4.0, "x": 32.0}
    if family[0] not in per_large:
        raise ValueError(f"{instance_class}: how much memory has this family?")
    if size == "large":
        return per_large[family[0]]
    times = size.removesuffix("xlarge") or "1"
    return per_large[family[0]] * 2 * int(times)


def _sum(metrics: dict[str, cloudwatch.IMetric]) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics),
        using_metrics=metrics,
        period=MINUTE,
    )
