"""What the platform was commissioned to be, row by row: a checklist of the template.

Each test is named after its row of the requirements. What a template cannot show (that pages are
fast, that a failover works) is shown by benchmarks and drills; docs/requirements.md says where.
"""

from typing import Any

import pytest

from tests.infra.templates import Assembly, Resource, everything_in, flat, statements
from vitrina.entrypoints import aws_lambda

ZONES = 3
ANYWHERE = ("0.0.0.0/0", "::/0")


@pytest.fixture(scope="module")
def group(standard: Assembly) -> Resource:
    return standard.one("AWS::AutoScaling::AutoScalingGroup")


@pytest.fixture(scope="module")
def balancer(standard: Assembly) -> Resource:
    return standard.one("AWS::ElasticLoadBalancingV2::LoadBalancer")


@pytest.fixture(scope="module")
def targets(standard: Assembly) -> Resource:
    return standard.one("AWS::ElasticLoadBalancingV2::TargetGroup")


@pytest.fixture(scope="module")
def database(standard: Assembly) -> Resource:
    return standard.one("AWS::RDS::DBInstance")


@pytest.fixture(scope="module")
def tables(standard: Assembly) -> list[Resource]:
    return standard.resources("AWS::DynamoDB::GlobalTable")


@pytest.fixture(scope="module")
def functions(standard: Assembly) -> list[Resource]:
    return standard.resources("AWS::Lambda::Function", stack="Pipeline")


def attributes(resource: Resource, name: str) -> dict[str, str]:
    return {entry["Key"]: entry["Value"] for entry in resource[name]}


# --- Highly available


def test_ha_1_what_fails_is_replaced_by_itself(group: Resource, database: Resource) -> None:
    assert "ELB" in group["HealthCheckType"].split(",")
    assert database["MultiAZ"] is True


def test_ha_2_ec2_and_rds_run_in_several_zones(
    standard: Assembly, group: Resource, database: Resource
) -> None:
    (subnets,) = standard.resources("AWS::RDS::DBSubnetGroup")

    assert len(group["VPCZoneIdentifier"]) == ZONES
    assert int(group["MinSize"]) >= ZONES
    assert len(subnets["SubnetIds"]) == ZONES
    assert database["MultiAZ"] is True


def test_ha_3_load_is_balanced_over_the_instances_of_every_zone(
    balancer: Resource, targets: Resource, group: Resource
) -> None:
    assert len(balancer["Subnets"]) == ZONES
    assert group["TargetGroupARNs"] == [{"Ref": targets.id}]
    assert attributes(targets, "TargetGroupAttributes")["load_balancing.cross_zone.enabled"] == (
        "true"
    )


def test_ha_6_a_zone_can_fail(standard: Assembly, group: Resource, balancer: Resource) -> None:
    attributes_of = attributes(balancer, "LoadBalancerAttributes")
    gateways = standard.resources("AWS::EC2::NatGateway")

    assert attributes_of["zonal_shift.config.enabled"] == "true"
    assert len(gateways) == ZONES, "a zone's way out does not lead through another"
    assert int(group["MinSize"]) >= 2
    strategy = group["AvailabilityZoneDistribution"]["CapacityDistributionStrategy"]
    assert strategy == "balanced-best-effort"


def test_ha_6_the_loss_of_a_zone_is_practised(standard: Assembly) -> None:
    practised = {e["Tags"]["Name"] for e in standard.resources("AWS::FIS::ExperimentTemplate")}
    shift = standard.one("AWS::ARCZonalShift::ZonalAutoshiftConfiguration")

    assert {"shop-example-zone-loss", "shop-example-database-failover"} <= practised
    assert shift["ZonalAutoshiftStatus"] == "ENABLED"
    assert shift["PracticeRunConfiguration"]["OutcomeAlarms"]


# --- Scales


def test_sc_1_spikes_are_met_early_and_ahead(standard: Assembly) -> None:
    kinds = {
        policy["PolicyType"] for policy in standard.resources("AWS::AutoScaling::ScalingPolicy")
    }

    assert kinds == {"TargetTrackingScaling", "PredictiveScaling"}
    assert len(standard.resources("AWS::AutoScaling::ScheduledAction")) == 2


def test_sc_2_the_group_adjusts_itself(standard: Assembly, group: Resource) -> None:
    tracked = [
        policy
        for policy in standard.resources("AWS::AutoScaling::ScalingPolicy")
        if policy["PolicyType"] == "TargetTrackingScaling"
    ]

    assert int(group["MaxSize"]) >= 10 * int(group["MinSize"])
    assert len(tracked) == 2, "on requests, and on the processor as a guard"


def test_sc_3_lambda_scales_with_demand_up_to_a_bound(
    standard: Assembly, functions: list[Resource]
) -> None:
    mappings = standard.resources("AWS::Lambda::EventSourceMapping")
    bounds = {function["ReservedConcurrentExecutions"] for function in functions}

    assert {m["ScalingConfig"]["MaximumConcurrency"] for m in mappings} == bounds == {10, 5}


def test_sc_4_dynamodb_scales_by_itself(tables: list[Resource]) -> None:
    assert {table["BillingMode"] for table in tables} == {"PAY_PER_REQUEST"}


def test_sc_5_s3_holds_models_pictures_and_files(standard: Assembly) -> None:
    names = {b["BucketName"] for b in standard.resources("AWS::S3::Bucket", stack="Storage")}

    assert {f"shop-example-{n}" for n in ("uploads", "assets", "snapshot")} <= names


# --- Performs


def test_pe_5_dynamodb_is_reached_without_a_detour(standard: Assembly) -> None:
    doors = {
        flat(endpoint["ServiceName"]).rpartition(".")[2]
        for endpoint in standard.resources("AWS::EC2::VPCEndpoint", stack="Network")
    }

    assert doors == {"s3", "dynamodb"}


def test_pe_6_the_load_balancer_spares_instances_that_are_not_ready(targets: Resource) -> None:
    assert targets["HealthCheckPath"] == "/readyz"
    assert int(attributes(targets, "TargetGroupAttributes")["slow_start.duration_seconds"]) > 0


# --- Secure


def test_se_1_no_instance_or_database_has_a_public_address(
    standard: Assembly, balancer: Resource, database: Resource
) -> None:
    assert balancer["Scheme"] == "internal"
    assert database["PubliclyAccessible"] is False
    for subnet in standard.resources("AWS::EC2::Subnet"):
        assert subnet["MapPublicIpOnLaunch"] is False


def test_se_1_what_goes_through_the_network_is_recorded(standard: Assembly) -> None:
    flow_log = standard.one("AWS::EC2::FlowLog")

    assert flow_log["TrafficType"] == "ALL"


def test_se_2_no_role_may_do_everything(standard: Assembly) -> None:
    for policy in standard.resources("AWS::IAM::Policy"):
        for statement in statements(policy["PolicyDocument"]):
            if statement["Effect"] == "Allow":
                for action in statement["Action"]:
                    assert not action.endswith(":*"), f"{policy}: {action}"
                    assert action != "*", str(policy)


def test_se_2_a_star_for_a_resource_is_where_aws_knows_nothing_else(
    standard: Assembly,
) -> None:
    takes_only_a_star = {
        "cloudwatch:PutMetricData",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    for stack in ("Data", "Network", "Pipeline", "Storage", "Web"):
        for policy in standard.resources("AWS::IAM::Policy", stack=stack):
            for statement in statements(policy["PolicyDocument"]):
                if "*" in statement["Resource"]:
                    assert set(statement["Action"]) <= takes_only_a_star, str(policy)


def test_se_3_no_security_group_lets_the_world_in(standard: Assembly) -> None:
    inline = [
        rule
        for resource in standard.resources("AWS::EC2::SecurityGroup")
        for rule in resource.properties.get("SecurityGroupIngress", [])
    ]
    apart = [r.properties for r in standard.resources("AWS::EC2::SecurityGroupIngress")]

    for rule in (*inline, *apart):
        assert rule.get("CidrIp") not in ANYWHERE
        assert rule.get("CidrIpv6") not in ANYWHERE
        assert rule["IpProtocol"] == "tcp"


def test_se_3_only_web_and_functions_reach_the_database(standard: Assembly) -> None:
    (database,) = [
        g for g in standard.resources("AWS::EC2::SecurityGroup") if g.id.startswith("DatabaseGroup")
    ]
    sources = {
        flat(rule["SourceSecurityGroupId"]).strip("{").split("Group")[0]
        for rule in standard.resources("AWS::EC2::SecurityGroupIngress")
        if database.id in flat(rule["GroupId"])
    }

    assert sources == {"Web", "Functions"}


def test_se_3_the_default_security_group_is_closed(standard: Assembly) -> None:
    assert len(standard.resources("Custom::VpcRestrictDefaultSG")) == 1


def test_se_4_everything_is_encrypted_at_rest_with_keys_of_our_own(
    standard: Assembly, database: Resource, tables: list[Resource], functions: list[Resource]
) -> None:
    assert database["StorageEncrypted"] is True and "KmsKeyId" in database.properties
    assert all(table["SSESpecification"]["SSEType"] == "KMS" for table in tables)
    assert all("KmsKeyArn" in function.properties for function in functions)
    assert all("KmsMasterKeyId" in q.properties for q in standard.resources("AWS::SQS::Queue"))
    assert all(
        "EncryptionKeyArn" in v.properties for v in standard.resources("AWS::Backup::BackupVault")
    )
    assert all(
        "KmsKeyId" in log.properties
        for stack in ("Data", "Network", "Pipeline", "Web")
        for log in standard.resources("AWS::Logs::LogGroup", stack=stack)
    )
    assert all("BucketEncryption" in b.properties for b in standard.resources("AWS::S3::Bucket"))


def test_se_4_keys_turn_every_year(standard: Assembly) -> None:
    for key in standard.resources("AWS::KMS::Key"):
        if key.properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT":
            assert key["EnableKeyRotation"] is True, str(key)


def test_se_5_everything_is_encrypted_in_transit_also_inside(
    standard: Assembly, targets: Resource
) -> None:
    listener = standard.one("AWS::ElasticLoadBalancingV2::Listener")
    parameters = standard.one("AWS::RDS::DBParameterGroup")

    assert listener["Protocol"] == "HTTPS" and "TLS13" in listener["SslPolicy"]
    assert targets["Protocol"] == "HTTPS"
    assert parameters["Parameters"]["rds.force_ssl"] == "1"


def test_se_5_queues_and_buckets_refuse_plain_http(standard: Assembly) -> None:
    for kind, thing in (("AWS::SQS::Queue", "QueuePolicy"), ("AWS::S3::Bucket", "BucketPolicy")):
        guarded = {
            flat(name).strip("{}")
            for policy in standard.resources(f"{kind.rpartition('::')[0]}::{thing}")
            if any(
                s["Effect"] == "Deny"
                and s.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
                for s in statements(policy["PolicyDocument"])
            )
            for name in (policy.properties.get("Queues") or [policy.properties.get("Bucket")])
        }
        assert guarded == {resource.id for resource in standard.resources(kind)}


def test_se_6_trusted_advisor_s_security_checks_reach_the_operator(standard: Assembly) -> None:
    (rule,) = (
        r
        for r in standard.resources("AWS::Events::Rule")
        if r.properties.get("EventPattern", {}).get("source") == ["aws.trustedadvisor"]
    )

    assert rule.stack == "WorldWatch"  # where Trusted Advisor speaks
    assert rule["EventPattern"]["detail"]["status"] == ["ERROR", "WARN"]
    assert "Alarms" in flat(rule["Targets"][0]["Arn"])


def test_se_7_cloudwatch_rings_for_unusual_activity(standard: Assembly) -> None:
    unusual = [
        bell
        for bell in standard.resources("AWS::CloudWatch::Alarm")
        if bell.properties.get("ThresholdMetricId")
    ]

    assert {b["AlarmDescription"].split(" is far")[0] for b in unusual} == {
        "The number of requests",
        "The number of orders",
        "The number of errors in the log",
    }
    assert standard.one("AWS::GuardDuty::Detector")["Enable"] is True
    assert standard.one("AWS::CloudTrail::Trail")["IsMultiRegionTrail"] is True


def test_se_8_no_template_and_no_process_carries_a_password(
    standard: Assembly, database: Resource, functions: list[Resource]
) -> None:
    def texts(value: Any) -> str:
        return " ".join(inner for inner in everything_in(value) if isinstance(inner, str))

    assert "MasterUserPassword" not in database.properties
    for function in functions:
        assert "password=" not in texts(function.properties.get("Environment", {})).lower()


# --- Costs what is used


def test_co_1_capacity_follows_the_load(group: Resource) -> None:
    distribution = group["MixedInstancesPolicy"]["InstancesDistribution"]

    assert distribution["OnDemandPercentageAboveBaseCapacity"] < 100, "a part of it is spot"
    assert group["CapacityRebalance"] is True


def test_co_2_lambda_runs_on_graviton_and_only_for_messages(
    standard: Assembly, functions: list[Resource]
) -> None:
    assert {tuple(function["Architectures"]) for function in functions} == {("arm64",)}
    assert standard.resources("AWS::Lambda::Version", stack="Pipeline") == []


def test_co_3_s3_moves_what_is_old_to_cheaper_classes(standard: Assembly) -> None:
    classes = {
        bucket["BucketName"].removeprefix("shop-example-"): [
            transition["StorageClass"]
            for rule in bucket["LifecycleConfiguration"]["Rules"]
            for transition in rule.get("Transitions", [])
        ]
        for bucket in standard.resources("AWS::S3::Bucket", stack="Storage")
    }

    assert classes["assets"] == ["INTELLIGENT_TIERING"]
    assert classes["uploads"] == ["STANDARD_IA", "GLACIER_IR"]
    assert classes["logs"] == ["GLACIER_IR"]


def test_co_4_cloudwatch_and_budgets_watch_usage_and_cost(standard: Assembly) -> None:
    boards = {b["DashboardName"] for b in standard.resources("AWS::CloudWatch::Dashboard")}
    budget = standard.one("AWS::Budgets::Budget")["NotificationsWithSubscribers"]

    assert "shop-example-cost" in boards
    assert "FORECASTED" in {n["Notification"]["NotificationType"] for n in budget}
    assert standard.one("AWS::CE::AnomalyMonitor")["MonitorDimension"] == "SERVICE"


def test_co_5_what_is_under_used_is_asked_for_every_day(standard: Assembly) -> None:
    (daily,) = (
        r
        for r in standard.resources("AWS::Events::Rule", stack="Watch")
        if "ScheduleExpression" in r.properties
    )

    assert daily["ScheduleExpression"] == "cron(30 5 * * ? *)"
    assert "Advisor" in flat(daily["Targets"][0]["Arn"])


def test_co_6_a_starter_pays_for_little(assemblies: dict[str, Assembly]) -> None:
    starter = assemblies["starter"]
    group = starter.one("AWS::AutoScaling::AutoScalingGroup")

    assert int(group["MinSize"]) == 2
    assert len(starter.resources("AWS::EC2::NatGateway")) == 1
    assert starter.one("AWS::RDS::DBInstance")["DBInstanceClass"] == "db.t4g.small"


# --- The services


def test_sv_3_s3_holds_models_and_pictures_for_cloudfront(standard: Assembly) -> None:
    readers = [
        policy
        for policy in standard.resources("AWS::S3::BucketPolicy", stack="Storage")
        if "cloudfront.amazonaws.com" in flat(policy["PolicyDocument"])
    ]

    assert len(readers) == 2


def test_sv_4_a_load_balancer_stands_before_the_servers(balancer: Resource) -> None:
    assert balancer["Type"] == "application"
    settings = attributes(balancer, "LoadBalancerAttributes")
    assert settings["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert settings["deletion_protection.enabled"] == "true"
    assert settings["access_logs.s3.enabled"] == "true"


def test_sv_5_ec2_runs_the_shop(standard: Assembly, group: Resource) -> None:
    template = standard.one("AWS::EC2::LaunchTemplate")
    script = flat(template["LaunchTemplateData"]["UserData"])

    assert "uvicorn --factory vitrina.entrypoints.http:app" in script
    types = group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert [entry["InstanceType"] for entry in types] == ["m8g.large", "m7g.large", "m6g.large"]


def test_sv_6_lambda_does_what_nobody_waits_for(functions: list[Resource]) -> None:
    handlers = {function.properties.get("Handler") for function in functions}

    assert "vitrina.entrypoints.aws_lambda.events" in handlers
    assert callable(aws_lambda.events)


def test_sv_7_rds_holds_orders_in_two_zones_and_can_go_back_in_time(database: Resource) -> None:
    assert (database["Engine"], database["MultiAZ"]) == ("postgres", True)
    assert database["BackupRetentionPeriod"] == 35


def test_sv_8_dynamodb_holds_catalogue_and_carts(tables: list[Resource]) -> None:
    assert {table["TableName"] for table in tables} == {
        "shop-example-catalogue",
        "shop-example-carts",
    }


def test_sv_9_cloudwatch_measures_shows_and_rings(standard: Assembly) -> None:
    boards = {b["DashboardName"] for b in standard.resources("AWS::CloudWatch::Dashboard")}
    watched = {
        bell.properties.get("Namespace") for bell in standard.resources("AWS::CloudWatch::Alarm")
    }

    assert boards == {
        f"shop-example-{name}" for name in ("shop", "delivery", "data", "pipeline", "cost")
    }
    assert watched >= {
        "AWS/ApplicationELB",
        "AWS/AutoScaling",
        "AWS/RDS",
        "AWS/SQS",
        "AWS/Lambda",
        "AWS/CloudFront",
        "AWS/WAFV2",
        "AWS/CertificateManager",
        "CloudWatchSynthetics",
    }


def test_sv_10_advice_on_cost_security_and_performance_is_collected(standard: Assembly) -> None:
    asked = {
        action
        for policy in standard.resources("AWS::IAM::Policy", stack="Watch")
        for statement in statements(policy["PolicyDocument"])
        for action in statement["Action"]
    }

    assert asked >= {
        "trustedadvisor:ListRecommendations",
        "cost-optimization-hub:ListRecommendations",
        "compute-optimizer:GetAutoScalingGroupRecommendations",
    }


# --- The trade-offs


def test_tr_1_pages_are_served_by_instances_and_jobs_by_functions(
    standard: Assembly, targets: Resource, functions: list[Resource]
) -> None:
    assert targets["TargetType"] == "instance"
    mapped = standard.resources("AWS::Lambda::EventSourceMapping")
    assert len(mapped) == len(functions) == 2
    assert all(m["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for m in mapped)


def test_tr_2_what_must_be_right_together_is_in_rds_and_what_must_scale_in_dynamodb(
    database: Resource, tables: list[Resource]
) -> None:
    assert database["Engine"] == "postgres"
    assert {table["BillingMode"] for table in tables} == {"PAY_PER_REQUEST"}


# --- The edge


@pytest.fixture(scope="module")
def edge(standard: Assembly) -> dict[str, Any]:
    config: dict[str, Any] = standard.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    return config


def behaviours(edge: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["DefaultCacheBehavior"], *edge["CacheBehaviors"]]


def test_ha_4_route_53_asks_for_health_and_fails_over(
    standard: Assembly, edge: dict[str, Any]
) -> None:
    asked = {
        check["HealthCheckConfig"]["ResourcePath"]
        for check in standard.resources("AWS::Route53::HealthCheck")
    }
    origin = standard.one("AWS::Route53::RecordSet", Failover="PRIMARY")
    pages = edge["DefaultCacheBehavior"]["TargetOriginId"]

    assert asked == {"/", "/readyz"}
    assert origin["AliasTarget"]["EvaluateTargetHealth"] is True
    assert pages in {group["Id"] for group in edge["OriginGroups"]["Items"]}


def test_ha_5_cloudfront_answers_near_the_shopper(
    assemblies: dict[str, Assembly], edge: dict[str, Any]
) -> None:
    scale = assemblies["scale"].one("AWS::CloudFront::Distribution")["DistributionConfig"]

    assert edge["Enabled"] is True
    assert (edge["HttpVersion"], edge["IPV6Enabled"]) == ("http2and3", True)
    assert scale["PriceClass"] == "PriceClass_All"


def test_pe_4_pages_and_files_are_kept_at_the_edge(
    standard: Assembly, edge: dict[str, Any]
) -> None:
    ours = {policy.id for policy in standard.resources("AWS::CloudFront::CachePolicy")}
    kept = {
        b.get("PathPattern", "*")
        for b in behaviours(edge)
        if flat(b["CachePolicyId"])[1:-1] in ours
    }

    assert {"*", "/assets/*", "/static/*"} <= kept


def test_se_5_cloudfront_speaks_tls_to_shoppers_and_to_the_servers(
    standard: Assembly, edge: dict[str, Any]
) -> None:
    servers = standard.one("AWS::CloudFront::VpcOrigin")["VpcOriginEndpointConfig"]

    assert edge["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert {b["ViewerProtocolPolicy"] for b in behaviours(edge)} == {"redirect-to-https"}
    assert servers["OriginProtocolPolicy"] == "https-only"


def test_sv_1_route_53_leads_every_name_to_cloudfront(standard: Assembly) -> None:
    leads = {
        (record["Name"].rstrip("."), record["Type"])
        for record in standard.resources("AWS::Route53::RecordSet")
        if "Distribution" in flat(record.properties.get("AliasTarget", {}).get("DNSName", ""))
    }

    assert leads == {
        (name, kind)
        for name in ("shop.example", "www.shop.example")
        for kind in ("A", "AAAA", "HTTPS")
    }


def test_sv_2_models_pictures_and_files_come_from_the_buckets_by_cloudfront(
    edge: dict[str, Any],
) -> None:
    from_buckets = {o["Id"] for o in edge["Origins"] if "S3OriginConfig" in o}
    first_choice = {
        group["Id"]: group["Members"]["Items"][0]["OriginId"]
        for group in edge["OriginGroups"]["Items"]
    }
    origin = {
        b.get("PathPattern"): first_choice.get(b["TargetOriginId"], b["TargetOriginId"])
        for b in behaviours(edge)
    }

    assert {origin["/assets/*"], origin["/static/*"]} <= from_buckets


def test_tr_3_large_files_are_coded_once_kept_for_ever_and_fetched_once(
    standard: Assembly, edge: dict[str, Any]
) -> None:
    (models,) = [b for b in behaviours(edge) if b.get("PathPattern") == "/assets/*"]
    (kept,) = [
        policy["CachePolicyConfig"]
        for policy in standard.resources("AWS::CloudFront::CachePolicy")
        if policy.id == models["CachePolicyId"]["Ref"]
    ]
    shielded = [o for o in edge["Origins"] if "S3OriginConfig" in o]

    assert models["Compress"] is False, "stored as small as it gets"
    assert kept["DefaultTTL"] == 365 * 86_400
    key = kept["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["QueryStringsConfig"]["QueryStringBehavior"] == "none"
    assert all(origin["OriginShield"]["Enabled"] for origin in shielded)
    assert edge["PriceClass"] == "PriceClass_100", "the places that cost least"
