"""Who did what in the account, who should not have, and what it costs."""

import json

from aws_cdk import aws_accessanalyzer as accessanalyzer
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_ce as ce
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_securityhub as securityhub
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs import house

SEVERE = 7  # GuardDuty's "high" begins here
SPENT_PERCENT = (50, 80, 100)
ANOMALY_USD = 50
# GuardDuty's features that watch what the shop is made of.
FEATURES = ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "EBS_MALWARE_PROTECTION")


def trail(
    scope: Construct,
    site: house.Site,
    *,
    bucket: s3.Bucket,
    key: kms.Key,
    log_group: logs.ILogGroup,
) -> None:
    """Every call to AWS, in every region, where a changed or missing file is noticed."""
    name = f"{site.prefix}-trail"
    arn = f"arn:aws:cloudtrail:{site.region}:{site.account}:trail/{name}"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="TrailEncrypts",
            principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
            actions=["kms:GenerateDataKey*", "kms:DescribeKey"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceArn": arn}},
        )
    )
    cloudtrail.Trail(
        scope,
        "Trail",
        trail_name=name,
        bucket=bucket,
        s3_key_prefix="trail",
        is_multi_region_trail=True,
        include_global_service_events=True,
        enable_file_validation=True,
        encryption_key=key,
        send_to_cloud_watch_logs=True,
        cloud_watch_log_group=log_group,
        insight_types=[
            cloudtrail.InsightType.API_CALL_RATE,
            cloudtrail.InsightType.API_ERROR_RATE,
        ],
    )


def guards(scope: Construct, site: house.Site, to: sns.ITopic) -> None:
    """GuardDuty looks for intruders, Security Hub for mistakes, the analyzer for open doors."""
    guardduty.CfnDetector(
        scope,
        "GuardDuty",
        enable=True,
        finding_publishing_frequency="FIFTEEN_MINUTES",
        features=[
            guardduty.CfnDetector.CFNFeatureConfigurationProperty(name=name, status="ENABLED")
            for name in FEATURES
        ],
    )
    securityhub.CfnHub(
        scope,
        "SecurityHub",
        enable_default_standards=True,
        auto_enable_controls=True,
        control_finding_generator="SECURITY_CONTROL",
    )
    accessanalyzer.CfnAnalyzer(
        scope, "AccessAnalyzer", analyzer_name=f"{site.prefix}-access", type="ACCOUNT"
    )
    # By its address: the rule would add a statement that lets rules of any account ring.
    bell = sns.Topic.from_topic_arn(scope, "Bell", to.topic_arn)
    for name, what, pattern in (
        (
            "Intruder",
            "GuardDuty found something severe",
            events.EventPattern(
                source=["aws.guardduty"],
                detail_type=["GuardDuty Finding"],
                detail={"severity": [{"numeric": [">=", SEVERE]}]},
            ),
        ),
        (
            "OpenDoor",
            "something of ours can be reached from outside the account",
            events.EventPattern(
                source=["aws.access-analyzer"],
                detail_type=["Access Analyzer Finding"],
                detail={"status": ["ACTIVE"]},
            ),
        ),
        (
            "Mistake",
            "Security Hub found a severe mistake",
            events.EventPattern(
                source=["aws.securityhub"],
                detail_type=["Security Hub Findings - Imported"],
                detail={
                    "findings": {
                        "Severity": {"Label": ["CRITICAL", "HIGH"]},
                        "Workflow": {"Status": ["NEW"]},
                        "RecordState": ["ACTIVE"],
                    }
                },
            ),
        ),
    ):
        events.Rule(
            scope,
            name,
            description=f"{what} {house.RUNBOOKS}/security-finding.md",
            event_pattern=pattern,
            targets=[targets.SnsTopic(bell)],
        )


def budget(scope: Construct, site: house.Site, to: sns.ITopic) -> None:
    """A word when half, four fifths and all of the month's money is spent, or will be."""
    budgets.CfnBudget(
        scope,
        "Budget",
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_name=f"{site.prefix}-month",
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(
                amount=site.profile.watch.budget_usd, unit="USD"
            ),
        ),
        notifications_with_subscribers=[
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                ),
                subscribers=[
                    budgets.CfnBudget.SubscriberProperty(
                        subscription_type="SNS", address=to.topic_arn
                    )
                ],
            )
            for kind, percent in (
                *(("ACTUAL", percent) for percent in SPENT_PERCENT),
                ("FORECASTED", 100),
            )
        ],
    )


def odd_spending(scope: Construct, site: house.Site, to: sns.ITopic) -> None:
    """A word when a service costs far more than it used to. An account has one such monitor."""
    monitor = ce.CfnAnomalyMonitor(
        scope,
        "Spending",
        monitor_name=f"{site.prefix}-services",
        monitor_type="DIMENSIONAL",
        monitor_dimension="SERVICE",
    )
    ce.CfnAnomalySubscription(
        scope,
        "OddSpending",
        subscription_name=f"{site.prefix}-odd-spending",
        frequency="IMMEDIATE",
        monitor_arn_list=[monitor.attr_monitor_arn],
        subscribers=[
            ce.CfnAnomalySubscription.SubscriberProperty(type="SNS", address=to.topic_arn)
        ],
        threshold_expression=json.dumps(
            {
                "Dimensions": {
                    "Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "MatchOptions": ["GREATER_THAN_OR_EQUAL"],
                    "Values": [str(ANOMALY_USD)],
                }
            }
        ),
    )
