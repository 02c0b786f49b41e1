"""What people look at when a bell rings, and on a quiet morning."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs import house
from infra.constructs import watch_alarms as measured
from infra.stacks.data import Data
from infra.stacks.pipeline import Pipeline
from infra.stacks.web import Web
from vitrina.platform import resources

WORLD = "us-east-1"  # where CloudFront and billing count


def shop_health(
    scope: Construct,
    site: house.Site,
    web: Web,
    alarms: list[cloudwatch.IAlarm],
    orders: cloudwatch.IMetric,
    errors: cloudwatch.IMetric,
) -> None:
    _board(
        scope,
        site,
        "shop",
        [cloudwatch.AlarmStatusWidget(title="Bells", alarms=alarms, width=24)],
        [
            _graph("Requests a minute", measured.requests(web, "RequestCount")),
            _graph("Orders", orders),
            _graph("Answers 5xx", measured.failures(web)),
            _graph("Errors in the log", errors),
        ],
        [
            _graph(
                "Time to answer",
                *(
                    measured.requests(web, "TargetResponseTime", statistic=share)
                    for share in ("p50", "p90", "p99")
                ),
            ),
            _graph(
                "Instances",
                measured.hosts(web, "HealthyHostCount", statistic="Minimum"),
                measured.hosts(web, "UnHealthyHostCount", statistic="Maximum"),
            ),
            _graph(
                "Requests a second per instance",
                cloudwatch.Metric(
                    namespace="Vitrina",
                    metric_name="RequestsPerInstance",
                    dimensions_map=web.metric_dimensions,
                    period=measured.MINUTE,
                ),
            ),
        ],
    )


def pipeline(scope: Construct, site: house.Site, queues: Pipeline) -> None:
    _board(
        scope,
        site,
        "pipeline",
        *(
            [
                _graph(
                    f"{name}: waiting",
                    measured.queue(site, name, "ApproximateNumberOfMessagesVisible"),
                ),
                _graph(
                    f"{name}: oldest, seconds",
                    measured.queue(site, name, "ApproximateAgeOfOldestMessage"),
                ),
                _graph(
                    f"{name}: given up",
                    measured.queue(
                        site, work.declared.failed_name, "ApproximateNumberOfMessagesVisible"
                    ),
                ),
            ]
            for name, work in queues.queues.items()
        ),
        [
            _graph(
                f"{name}: calls, errors, throttles",
                function.metric_invocations(),
                function.metric_errors(),
                function.metric_throttles(),
            )
            for name, function in queues.functions.items()
        ],
    )


def data(scope: Construct, site: house.Site, stored: Data) -> None:
    _board(
        scope,
        site,
        "data",
        [
            _graph("Database: CPU, %", measured.database(stored, "CPUUtilization")),
            _graph("Connections", measured.database(stored, "DatabaseConnections")),
            _graph("Free disk, bytes", measured.database(stored, "FreeStorageSpace")),
            _graph(
                "Latency, seconds",
                measured.database(stored, "ReadLatency"),
                measured.database(stored, "WriteLatency"),
            ),
        ],
        *(
            [
                _graph(
                    f"{declared.name}: units used",
                    measured.table(site, declared, "ConsumedReadCapacityUnits"),
                    measured.table(site, declared, "ConsumedWriteCapacityUnits"),
                ),
                _graph(
                    f"{declared.name}: turned away",
                    measured.table(site, declared, "ReadThrottleEvents"),
                    measured.table(site, declared, "WriteThrottleEvents"),
                ),
            ]
            for declared in resources.TABLES
        ),
    )


def cost(scope: Construct, site: house.Site, namespace: str, advisers: list[str]) -> None:
    """What is spent, and what AWS would spend less on."""
    day = Duration.days(1)
    _board(
        scope,
        site,
        "cost",
        [
            _graph(
                "This month so far, USD",
                cloudwatch.Metric(
                    namespace="AWS/Billing",
                    metric_name="EstimatedCharges",
                    dimensions_map={"Currency": "USD"},
                    statistic="Maximum",
                    period=Duration.hours(6),
                    region=WORLD,
                ),
            ),
            _graph(
                "Findings",
                *(
                    cloudwatch.Metric(
                        namespace=namespace,
                        metric_name="Findings",
                        dimensions_map={"Adviser": adviser},
                        statistic="Maximum",
                        period=day,
                        label=adviser,
                    )
                    for adviser in advisers
                ),
            ),
        ],
        [
            cloudwatch.TextWidget(
                width=24,
                markdown=(
                    f"The month's budget is **{site.profile.watch.budget_usd} USD**."
                    " Estimated charges need billing alerts to be switched on once"
                    " in the account's billing preferences."
                ),
            )
        ],
    )


def delivery(scope: Construct, site: house.Site, distribution_id: str) -> None:
    """How models and pages reach shoppers."""
    _board(
        scope,
        site,
        "delivery",
        [
            _graph("Requests", cdn(distribution_id, "Requests", statistic="Sum")),
            _graph("Bytes to shoppers", cdn(distribution_id, "BytesDownloaded", statistic="Sum")),
            _graph("Served from the edge, %", cdn(distribution_id, "CacheHitRate")),
        ],
        [
            _graph(
                "Errors, %",
                cdn(distribution_id, "4xxErrorRate"),
                cdn(distribution_id, "5xxErrorRate"),
            ),
            _graph(
                "Origin's first byte, ms",
                cdn(distribution_id, "OriginLatency", statistic="p90"),
            ),
        ],
    )


def cdn(distribution_id: str, name: str, *, statistic: str = "Average") -> cloudwatch.Metric:
    """What CloudFront counts of a distribution; in us-east-1 only."""
    return cloudwatch.Metric(
        namespace="AWS/CloudFront",
        metric_name=name,
        dimensions_map={"DistributionId": distribution_id, "Region": "Global"},
        statistic=statistic,
        period=measured.FIVE_MINUTES,
        region=WORLD,
    )


def _board(
    scope: Construct, site: house.Site, name: str, *rows: Sequence[cloudwatch.IWidget]
) -> None:
    cloudwatch.Dashboard(
        scope,
        f"{name.capitalize()}Dashboard",
        dashboard_name=f"{site.prefix}-{name}",
        default_interval=Duration.hours(12),
        widgets=[list(row) for row in rows],
    )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=6)
