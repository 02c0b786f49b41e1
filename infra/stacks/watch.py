"""Who rings whom when something is wrong, and what to look at then."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_synthetics as synthetics
from constructs import Construct

from infra.constructs import house
from infra.constructs import watch_alarms as bells
from infra.constructs import watch_dashboards as dashboards
from infra.constructs import watch_guards as guards
from infra.stacks.data import Data
from infra.stacks.domain import Domain
from infra.stacks.network import Network
from infra.stacks.pipeline import Pipeline
from infra.stacks.storage import Storage
from infra.stacks.web import Web

FUNCTIONS = Path(__file__).parent.parent / "functions"
WORLD = "us-east-1"  # CloudFront, its firewall and Trusted Advisor speak there only
REPORTS = "reports"
ADVISERS = ("trusted-advisor", "cost-optimization-hub", "compute-optimizer")
# Services that ring, each only for this account.
RINGERS = ("cloudwatch", "events", "budgets", "costalerts")

QUERIES = {
    "errors": (
        'fields time, event, path, exception | filter level = "error" | sort time desc | limit 100'
    ),
    "slowest pages": (
        'filter event = "request" | stats count() as requests, pct(ms, 50), pct(ms, 99)'
        " by route | sort requests desc | limit 50"
    ),
    "answers by status": ('filter event = "request" | stats count() by status, bin(5m)'),
    "one request": 'fields @message | filter request_id = "…" | sort time asc',
    "payments without answer": (
        "fields time, event, order"
        ' | filter event in ["payment.answer_lost", "payment.provider_silent"]'
        " | sort time desc | limit 100"
    ),
    "orders an hour": 'filter event = "order.placed" | stats count() by bin(1h)',
}


class Watch(house.HouseStack):
    """Bells, dashboards, a robot shopper, saved questions, guards, and what AWS advises.

    Attributes:
        alarms: the topic that every bell rings; the operator's mailbox hears it.
        down: the one bell that means: nobody can shop. Experiments stop when it rings.
        reports: bucket for the trail (``trail/``), the robot (``robot/``) and advice (``advice/``).
        advisor: the function that collects advice.
        key: encrypts topic, reports, and the function's environment.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: house.Site,
        network: Network,
        storage: Storage,
        data: Data,
        pipeline: Pipeline,
        web: Web,
        domain: Domain,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: alarms, dashboards, guards")
        self._namespace = f"Vitrina/{site.prefix}"
        self._logs_key = network.logs_key
        self.key = house.customer_key(self, "Key", site, of="alarms and reports")
        self.alarms = topic(self, site, self.key, name="alarms")
        self.reports = self._reports(storage)

        orders, errors = self._from_log(web)
        zones = self.availability_zones[: site.profile.network.zones]
        rung = bells.web_bells(self, site, web, self.alarms, zones)
        bells.data_bells(self, site, data, self.alarms)
        bells.pipeline_bells(self, site, pipeline, self.alarms)
        certificate(
            self,
            "OriginCertificateExpires",
            domain.origin_certificate.certificate_arn,
            self.alarms,
        )
        self._unusual(web, orders, errors)
        robot = self._robot() if site.profile.watch.canary_minutes else None
        self.down = self._down(rung, robot)
        self.advisor = self._advisor()

        seen: list[cloudwatch.IAlarm] = [*rung.values(), *([robot] if robot else [])]
        dashboards.shop_health(self, site, web, seen, orders, errors)
        dashboards.data(self, site, data)
        dashboards.pipeline(self, site, pipeline)
        dashboards.cost(self, site, self._namespace, list(ADVISERS))
        for name, query in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                f"Query{name.title().replace(' ', '')}",
                name=f"{site.prefix}/{name}",
                query_string=query,
                log_group_names=[f"/{site.prefix}/web"],
            )

        guards.budget(self, site, self.alarms)
        if site.profile.watch.has_guards:
            guards.guards(self, site, self.alarms)
            guards.odd_spending(self, site, self.alarms)
            guards.trail(
                self,
                site,
                bucket=self.reports,
                key=self.key,
                log_group=house.log_group(self, "TrailLog", site, key=self._logs_key),
            )

    def _reports(self, storage: Storage) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Reports",
            bucket_name=self.site.named(REPORTS),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=storage.logs,
            server_access_logs_prefix="s3/reports/",
            lifecycle_rules=[
                s3.LifecycleRule(id="robot", prefix="robot/", expiration=Duration.days(30)),
                s3.LifecycleRule(
                    id="trail",
                    prefix="trail/",
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
                            transition_after=Duration.days(90),
                        )
                    ],
                    expiration=Duration.days(max(self.site.profile.watch.log_days, 91)),
                ),
                s3.LifecycleRule(
                    id="old",
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(2),
                ),
            ],
            removal_policy=self.site.removal,
        )

    def _under(self, folder: str) -> str:
        return f"arn:aws:s3:::{self.site.named(REPORTS)}/{folder}/*"

    def _from_log(self, web: Web) -> tuple[cloudwatch.IMetric, cloudwatch.IMetric]:
        """Orders and errors, counted from what the web process logs."""
        counted = []
        for name, pattern in (
            ("Orders", logs.FilterPattern.string_value("$.event", "=", "order.placed")),
            ("Errors", logs.FilterPattern.string_value("$.level", "=", "error")),
        ):
            logs.MetricFilter(
                self,
                f"Count{name}",
                log_group=web.log_group,
                filter_pattern=pattern,
                metric_namespace=self._namespace,
                metric_name=name,
                metric_value="1",
                default_value=0,
            )
            counted.append(
                cloudwatch.Metric(
                    namespace=self._namespace,
                    metric_name=name,
                    statistic="Sum",
                    period=bells.FIVE_MINUTES,
                )
            )
        return counted[0], counted[1]

    def _unusual(self, web: Web, orders: cloudwatch.IMetric, errors: cloudwatch.IMetric) -> None:
        """Where no number is right for every hour, the past says what is usual."""
        requests = bells.requests(web, "RequestCount").with_(period=bells.FIVE_MINUTES)
        for name, metric, what, up in (
            ("UnusualRequests", requests, "The number of requests is", False),
            ("UnusualOrders", orders, "The number of orders is", False),
            ("UnusualErrors", errors, "The number of errors in the log is", True),
        ):
            bells.unusual(self, name, metric, to=self.alarms, what=what, up=up)

    def _robot(self) -> cloudwatch.Alarm:
        """Shops in a real browser; rings when it cannot."""
        every = self.site.profile.watch.canary_minutes
        name = f"{self.site.prefix}-robot"[:21].rstrip("-")
        role = iam.Role(
            self,
            "RobotRole",
            description=f"{self.site.domain}: the robot that shops",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        house.allow(role, ["s3:PutObject"], self._under("robot"))
        house.allow(role, ["s3:GetBucketLocation"], self.reports.bucket_arn)
        house.allow(role, ["kms:GenerateDataKey", "kms:Decrypt"], self.key.key_arn)
        house.allow(
            role,
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            f"arn:aws:logs:{self.site.region}:{self.site.account}"
            f":log-group:/aws/lambda/cwsyn-{name}-*",
        )
        house.allow(
            role,
            ["cloudwatch:PutMetricData"],
            "*",
            conditions={"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}},
        )
        canary = synthetics.Canary(
            self,
            "Robot",
            canary_name=name,
            runtime=synthetics.Runtime.SYNTHETICS_PYTHON_SELENIUM_7_0,
            test=synthetics.Test.custom(
                code=synthetics.Code.from_asset(str(FUNCTIONS / "canary")),
                handler="shop.handler",
            ),
            schedule=synthetics.Schedule.rate(Duration.minutes(every)),
            timeout=Duration.seconds(55),
            memory=cdk.Size.mebibytes(1536),
            environment_variables={"SHOP_URL": f"https://{self.site.domain}/"},
            role=role,
            artifacts_bucket_location=synthetics.ArtifactsBucketLocation(
                bucket=self.reports, prefix="robot"
            ),
            provisioned_resource_cleanup=True,
        )
        return house.ring(
            self,
            "RobotCannotShop",
            canary.metric_success_percent(period=Duration.minutes(every), statistic="Average"),
            at=50,
            below=True,
            to=self.alarms,
            runbook="robot-cannot-shop",
            means="A robot in a browser cannot open the home page or a product.",
            periods=2,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _down(
        self, rung: dict[str, cloudwatch.Alarm], robot: cloudwatch.Alarm | None
    ) -> cloudwatch.CompositeAlarm:
        """One bell above the others. A robot that alone is unhappy may be the robot's trouble."""
        ringing = [
            cloudwatch.AlarmRule.from_alarm(rung[name], cloudwatch.AlarmState.ALARM)
            for name in ("deserted", "failing")
        ]
        if robot:
            slow = cloudwatch.AlarmRule.from_alarm(rung["slow"], cloudwatch.AlarmState.ALARM)
            unhappy = cloudwatch.AlarmRule.from_alarm(robot, cloudwatch.AlarmState.ALARM)
            ringing.append(cloudwatch.AlarmRule.all_of(unhappy, slow))
        down = cloudwatch.CompositeAlarm(
            self,
            "ShopIsDown",
            composite_alarm_name=f"{self.site.prefix}-shop-is-down",
            alarm_rule=cloudwatch.AlarmRule.any_of(*ringing),
            alarm_description=f"The shop is down. {house.RUNBOOKS}/shop-is-down.md",
        )
        down.add_alarm_action(actions.SnsAction(self.alarms))
        down.add_ok_action(actions.SnsAction(self.alarms))
        return down

    def _advisor(self) -> house.ShopFunction:
        """Asks AWS's own advisers every day, and counts what they find."""
        failed = sqs.Queue(
            self,
            "AdvisorFailed",
            queue_name=self.site.named("advisor-failed"),
            retention_period=house.FAILED_KEPT,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self.key,
            enforce_ssl=True,
        )
        function = house.ShopFunction(
            self,
            "Advisor",
            self.site,
            description="Vitrina: collects what AWS advises",
            code=lambda_.Code.from_asset(str(FUNCTIONS / "advisor"), exclude=["__pycache__"]),
            handler="advisor.handle",
            timeout=Duration.minutes(5),
            memory_mib=256,
            at_once=1,
            key=self.key,
            logs_key=self._logs_key,
            environment={
                "ADVICE_BUCKET": self.reports.bucket_name,
                "ADVICE_NAMESPACE": self._namespace,
            },
            dead_letter_queue=failed,
        )
        house.allow(function, ["s3:PutObject"], self._under("advice"))
        house.allow(function, ["kms:GenerateDataKey", "kms:Decrypt"], self.key.key_arn)
        house.allow(
            function,
            ["cloudwatch:PutMetricData"],
            "*",
            conditions={"StringEquals": {"cloudwatch:namespace": self._namespace}},
        )
        # Advisers speak of the whole account; none of these knows a resource to be allowed on.
        house.allow(
            function,
            [
                "trustedadvisor:ListRecommendations",
                "cost-optimization-hub:ListRecommendations",
                "compute-optimizer:GetAutoScalingGroupRecommendations",
                "compute-optimizer:GetLambdaFunctionRecommendations",
                "compute-optimizer:GetRDSDatabaseRecommendations",
                "autoscaling:DescribeAutoScalingGroups",
                "ec2:DescribeInstances",
                "lambda:ListFunctions",
                "lambda:ListProvisionedConcurrencyConfigs",
                "rds:DescribeDBInstances",
                "rds:DescribeDBClusters",
            ],
            "*",
        )
        events.Rule(
            self,
            "AdvisorDaily",
            description=f"{self.site.domain}: collect advice",
            schedule=events.Schedule.cron(hour="5", minute="30"),
            targets=[targets.LambdaFunction(function, retry_attempts=2, dead_letter_queue=failed)],
        )
        bells.function_bells(self, "AdvisorFunction", "advisor", function, self.alarms)
        house.ring(
            self,
            "AdvisorGivenUp",
            bells.queue(self.site, "advisor-failed", "ApproximateNumberOfMessagesVisible"),
            at=1,
            to=self.alarms,
            runbook="failed-messages",
            means="Collecting advice was given up: advisor-failed.",
        )
        return function


class WorldWatch(house.HouseStack):
    """What can be watched in us-east-1 only: CloudFront, its firewall, Trusted Advisor.

    Args:
        distribution_id: of CloudFront.
        firewall: name of the web ACL's metric; None means there is none.
        certificate_arn: of the certificate that shoppers see; None while none is known.

    Attributes:
        alarms: the topic here; the operator's mailbox hears it, too.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: house.Site,
        *,
        distribution_id: str | None = None,
        firewall: str | None = None,
        certificate_arn: str | None = None,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: alarms of delivery and advice")
        self.key = house.customer_key(self, "Key", site, of="alarms of delivery")
        self.alarms = topic(self, site, self.key, name="world-alarms")
        # By its address: the rule would add a statement that lets rules of any account ring.
        bell = sns.Topic.from_topic_arn(self, "Bell", self.alarms.topic_arn)
        events.Rule(
            self,
            "Advice",
            description=f"Trusted Advisor found something {house.RUNBOOKS}/advice.md",
            event_pattern=events.EventPattern(
                source=["aws.trustedadvisor"],
                detail_type=["Trusted Advisor Check Item Refresh Notification"],
                detail={"status": ["ERROR", "WARN"]},
            ),
            targets=[targets.SnsTopic(bell)],
        )
        if distribution_id:
            dashboards.delivery(self, site, distribution_id)
            house.ring(
                self,
                "DeliveryErrors",
                dashboards.cdn(distribution_id, "5xxErrorRate"),
                at=1,
                to=self.alarms,
                runbook="delivery-errors",
                means="One request in a hundred to CloudFront fails.",
                periods=2,
            )
        if firewall:
            house.ring(
                self,
                "FirewallBlocks",
                cloudwatch.Metric(
                    namespace="AWS/WAFV2",
                    metric_name="BlockedRequests",
                    dimensions_map={"WebACL": firewall, "Rule": "ALL"},
                    statistic="Sum",
                    period=bells.FIVE_MINUTES,
                ),
                at=5000,
                to=self.alarms,
                runbook="firewall-blocks",
                means="The firewall turns away an unusual number of requests.",
                periods=2,
            )
        if certificate_arn:
            certificate(self, "CertificateExpires", certificate_arn, self.alarms)


def certificate(scope: Construct, id: str, arn: str, to: sns.ITopic) -> None:
    """AWS renews a certificate 60 days before its end; at 30, something hinders it."""
    house.ring(
        scope,
        id,
        cloudwatch.Metric(
            namespace="AWS/CertificateManager",
            metric_name="DaysToExpiry",
            dimensions_map={"CertificateArn": arn},
            statistic="Minimum",
            period=Duration.days(1),
        ),
        at=30,
        below=True,
        to=to,
        runbook="certificate-expires",
        means="A certificate ends in 30 days, and was not renewed.",
    )


def topic(scope: Construct, site: house.Site, key: kms.Key, *, name: str) -> sns.Topic:
    """Where bells ring: encrypted, TLS only, for this account's services, heard by mail."""
    ours = {"StringEquals": {"aws:SourceAccount": site.account}}
    ringers = [iam.ServicePrincipal(f"{name}.amazonaws.com") for name in RINGERS]
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Ring",
            principals=list(ringers),
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions=ours,
        )
    )
    bell = sns.Topic(
        scope,
        "Alarms",
        topic_name=f"{site.prefix}-{name}",
        display_name=f"{site.domain}: alarms",
        master_key=key,
        enforce_ssl=True,
    )
    bell.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Ring",
            principals=list(ringers),
            actions=["sns:Publish"],
            resources=[bell.topic_arn],
            conditions=ours,
        )
    )
    bell.add_subscription(subscriptions.EmailSubscription(site.operator))
    return bell
