"""Bells ring somebody, and whoever hears one finds a page that says what to do."""

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from infra.constructs.house import RUNBOOKS
from tests.infra.templates import Assembly, Resource, flat, statements
from vitrina.platform import resources

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
WHOLE_SHOPS = ("standard", "dev", "starter", "scale", "standby")


@pytest.fixture(params=WHOLE_SHOPS)
def shop(request: pytest.FixtureRequest, assemblies: dict[str, Assembly]) -> Assembly:
    return assemblies[request.param]


def bells(shop: Assembly) -> list[Resource]:
    return [*shop.resources(ALARM), *shop.resources(COMPOSITE)]


def page_of(bell: Resource) -> str:
    """The runbook its text names."""
    named = re.search(rf"{re.escape(RUNBOOKS)}/([a-z0-9-]+\.md)$", bell["AlarmDescription"])
    assert named, f"{bell} names no runbook: {bell['AlarmDescription']}"
    return named[1]


def watched(shop: Assembly, namespace: str) -> set[tuple[str, str]]:
    """Metrics that ring, with what they are of."""
    found = set()
    for bell in shop.resources(ALARM):
        metrics = [
            m["MetricStat"]["Metric"]
            for m in bell.properties.get("Metrics", [])
            if "MetricStat" in m
        ] or [bell.properties]
        for metric in metrics:
            if metric.get("Namespace") == namespace:
                of = next((flat(d["Value"]) for d in metric.get("Dimensions", [])), "")
                found.add((metric["MetricName"], of))
    return found


def test_every_bell_rings_somebody(shop: Assembly) -> None:
    # A bell whose only action is to change the number of instances is scaling's own.
    deaf = [str(bell) for bell in bells(shop) if not bell.properties.get("AlarmActions")]

    assert deaf == []


def test_every_bell_says_when_it_is_over(shop: Assembly) -> None:
    assert [str(bell) for bell in bells(shop) if not bell.properties.get("OKActions")] == []


def test_every_bell_has_its_page(shop: Assembly, root: Path) -> None:
    for bell in bells(shop):
        assert (root / "docs/runbooks" / page_of(bell)).is_file(), str(bell)


def test_every_page_has_its_bell(assemblies: dict[str, Assembly], root: Path) -> None:
    text = "".join(json.dumps(shop.templates, ensure_ascii=False) for shop in assemblies.values())
    # Money has its own service, which sends no text of ours.
    without_text = {"README.md", "spending.md"}
    pages = {page.name for page in (root / "docs/runbooks").glob("*.md")} - without_text

    assert {page for page in pages if f"{RUNBOOKS}/{page}" not in text} == set()


def test_the_pages_name_each_other_rightly(root: Path) -> None:
    folder = root / "docs/runbooks"
    for page in folder.glob("*.md"):
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            assert (folder / target).is_file(), f"{page.name} names {target}"


def test_the_index_has_every_page(root: Path) -> None:
    folder = root / "docs/runbooks"
    listed = set(re.findall(r"\]\(([^)]+)\)", (folder / "README.md").read_text()))

    assert listed == {page.name for page in folder.glob("*.md")} - {"README.md"}


def test_a_page_says_what_to_do_and_when_it_is_over(root: Path) -> None:
    for page in (root / "docs/runbooks").glob("*.md"):
        if page.name != "README.md":
            text = page.read_text()
            assert re.search(r"^## What to do\n\n1\. ", text, re.MULTILINE), page.name
            assert "## When it is over" in text, page.name


def test_each_queue_rings_for_waiting_and_for_failed_work(shop: Assembly) -> None:
    rung = watched(shop, "AWS/SQS")
    for queue in (*resources.QUEUES, resources.Queue("models", 1, 1)):
        assert ("ApproximateAgeOfOldestMessage", f"shop-example-{queue.name}") in rung
        assert (
            "ApproximateNumberOfMessagesVisible",
            f"shop-example-{queue.failed_name}",
        ) in rung


def test_each_table_rings_for_throttles_and_errors(shop: Assembly) -> None:
    rung = {name for name, _ in watched(shop, "AWS/DynamoDB")}

    assert rung == {"ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors"}
    of_tables = [b for b in shop.resources(ALARM) if "DynamoDB" in b["AlarmDescription"]]
    assert len(of_tables) == 2 * len(resources.TABLES)


def test_each_function_of_the_shop_rings_for_errors_and_throttles(standard: Assembly) -> None:
    functions = [
        function
        for stack in ("Pipeline", "Watch")
        for function in standard.resources("AWS::Lambda::Function", stack=stack)
        if "Vitrina" in function.properties.get("Description", "")
    ]
    rung = watched(standard, "AWS/Lambda")

    assert len([r for r in rung if r[0] == "Errors"]) == len(functions) == 3
    assert len([r for r in rung if r[0] == "Throttles"]) == len(functions)


def test_the_database_rings_before_it_is_full_or_busy(standard: Assembly) -> None:
    rung = {name for name, _ in watched(standard, "AWS/RDS")}

    assert rung >= {"CPUUtilization", "FreeStorageSpace", "DatabaseConnections"}


def test_a_cluster_rings_when_a_reader_is_behind(assemblies: dict[str, Assembly]) -> None:
    assert "ReplicaLag" in {name for name, _ in watched(assemblies["scale"], "AWS/RDS")}


def test_each_zone_rings_for_itself(standard: Assembly) -> None:
    zones = [
        dimension["Value"]
        for bell in standard.resources(ALARM, stack="Watch")
        for dimension in bell.properties.get("Dimensions", [])
        if dimension["Name"] == "AvailabilityZone"
    ]

    assert [zone["Fn::Select"][0] for zone in zones] == [0, 1, 2]


def test_no_instances_at_all_is_no_reason_for_silence(standard: Assembly) -> None:
    bell = standard.one(ALARM, MetricName="HealthyHostCount")

    assert bell["TreatMissingData"] == "breaching"


def test_the_past_says_what_is_usual(shop: Assembly) -> None:
    bands = [
        bell
        for bell in shop.resources(ALARM, stack="Watch")
        if bell.properties.get("ThresholdMetricId")
    ]

    assert len(bands) == 3
    for bell in bands:
        assert any("ANOMALY_DETECTION_BAND" in m.get("Expression", "") for m in bell["Metrics"])


def test_one_bell_stands_above_the_others(standard: Assembly) -> None:
    bell = standard.one(COMPOSITE, stack="Watch")

    assert bell["AlarmName"] == "shop-example-shop-is-down"
    rule = flat(bell["AlarmRule"])
    for part in ("NobodyServes", "WebErrors", "RobotCannotShop"):
        assert part in rule


def test_topics_are_encrypted_and_only_our_account_rings(shop: Assembly) -> None:
    for topic in shop.resources("AWS::SNS::Topic"):
        assert "KmsMasterKeyId" in topic.properties, str(topic)
    for policy in shop.resources("AWS::SNS::TopicPolicy"):
        for statement in statements(policy["PolicyDocument"]):
            if statement["Effect"] == "Allow":
                assert statement["Condition"] == {
                    "StringEquals": {"aws:SourceAccount": "123456789012"}
                }, str(policy)


def test_the_operator_hears_every_topic(shop: Assembly) -> None:
    heard = {
        (s.stack, flat(s["TopicArn"]))
        for s in shop.resources("AWS::SNS::Subscription")
        if s["Endpoint"] == "operations@shop.example"
    }

    assert len(heard) == len(shop.resources("AWS::SNS::Topic"))


def test_a_robot_shops_where_the_profile_wants_one(assemblies: dict[str, Assembly]) -> None:
    robot = assemblies["standard"].one("AWS::Synthetics::Canary")

    assert robot["Schedule"]["Expression"] == "rate(5 minutes)"
    assert robot["RunConfig"]["EnvironmentVariables"]["SHOP_URL"] == "https://shop.example/"
    assert assemblies["dev"].resources("AWS::Synthetics::Canary") == []


def test_the_robot_looks_for_what_the_pages_have(root: Path) -> None:
    robot = (root / "infra/functions/canary/python/shop.py").read_text()
    pages = root / "src/vitrina/storefront/templates"

    assert 'a[href*="/p/"]' in robot
    assert 'href="/p/' in (pages / "home.html").read_text()
    assert "img.product-3d-poster" in robot
    assert '<img class="product-3d-poster"' in (pages / "parts.html").read_text()


def test_the_firewall_s_bell_counts_what_the_firewall_counts(shop: Assembly) -> None:
    acl = shop.one("AWS::WAFv2::WebACL")
    bell = shop.one(ALARM, MetricName="BlockedRequests")

    assert {"Name": "WebACL", "Value": acl["VisibilityConfig"]["MetricName"]} in bell["Dimensions"]


def test_questions_ask_for_what_is_logged(standard: Assembly, root: Path) -> None:
    source = "".join(path.read_text() for path in (root / "src/vitrina").rglob("*.py"))
    queries = standard.resources("AWS::Logs::QueryDefinition")

    assert len(queries) == 6
    for query in queries:
        for event in re.findall(r'"([a-z]+\.[a-z_]+)"', query["QueryString"]):
            assert f'"{event}"' in source, event
        assert query["LogGroupNames"] == ["/shop-example/web"]


def test_metrics_count_what_is_logged(standard: Assembly, root: Path) -> None:
    patterns = {f["FilterPattern"] for f in standard.resources("AWS::Logs::MetricFilter")}

    assert patterns >= {'{ $.event = "order.placed" }', '{ $.level = "error" }'}
    assert 'log.info("order.placed"' in (root / "src/vitrina/checkout/service.py").read_text()


@pytest.mark.parametrize("profile", ["standard", "scale"])
def test_guards_watch_the_account(assemblies: dict[str, Assembly], profile: str) -> None:
    shop = assemblies[profile]

    assert shop.one("AWS::GuardDuty::Detector")["Enable"] is True
    assert shop.one("AWS::SecurityHub::Hub")["EnableDefaultStandards"] is True
    assert shop.one("AWS::AccessAnalyzer::Analyzer")["Type"] == "ACCOUNT"
    trail = shop.one("AWS::CloudTrail::Trail")
    assert trail["IsMultiRegionTrail"] is True
    assert trail["EnableLogFileValidation"] is True
    assert trail["IncludeGlobalServiceEvents"] is True
    assert "KMSKeyId" in trail.properties
    assert "CloudWatchLogsLogGroupArn" in trail.properties


def test_dev_has_little(assemblies: dict[str, Assembly]) -> None:
    for kind in (
        "AWS::GuardDuty::Detector",
        "AWS::SecurityHub::Hub",
        "AWS::CloudTrail::Trail",
        "AWS::CE::AnomalyMonitor",
    ):
        assert assemblies["dev"].resources(kind) == []


def test_money_rings_before_it_is_spent(shop: Assembly) -> None:
    budget = shop.one("AWS::Budgets::Budget")
    told = [n["Notification"] for n in budget["NotificationsWithSubscribers"]]

    assert {"FORECASTED", "ACTUAL"} == {n["NotificationType"] for n in told}
    assert min(n["Threshold"] for n in told if n["NotificationType"] == "ACTUAL") == 50


# ── The collector of advice ──────────────────────────────────────────────────────────────────────

NOW = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def advisor() -> ModuleType:
    path = Path(__file__).parents[2] / "infra/functions/advisor/advisor.py"
    spec = importlib.util.spec_from_file_location("advisor", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Account:
    """An AWS account as the collector sees it: it keeps what it is sent."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.figures: dict[tuple[str, str], float] = {}

    def client(self, service: str, **_: object) -> "Account":
        assert service in ("s3", "cloudwatch")
        return self

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        assert ContentType == "application/json"
        self.objects[f"{Bucket}/{Key}"] = json.loads(Body)

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        assert Namespace == "Vitrina/shop"
        for figure in MetricData:
            self.figures[figure["Dimensions"][0]["Value"], figure["MetricName"]] = figure["Value"]


def says(*findings: dict[str, Any]) -> Callable[[object], Iterator[dict[str, Any]]]:
    return lambda _: iter(findings)


def refuses(error: Exception) -> Callable[[object], Iterator[dict[str, Any]]]:
    def ask(_: object) -> Iterator[dict[str, Any]]:
        raise error
        yield {}

    return ask


def test_advice_is_kept_and_counted(advisor: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account()
    monkeypatch.setattr(advisor, "ADVISERS", {"hub": says({"id": 1, "at": NOW}, {"id": 2})})

    said = advisor.collect(account, bucket="reports", namespace="Vitrina/shop", now=NOW)

    assert said == {"hub": 2}
    kept = account.objects["reports/advice/hub/2026-03-01.json"]
    assert [finding["id"] for finding in kept["advice"]] == [1, 2]
    assert account.figures == {("hub", "Answers"): 1.0, ("hub", "Findings"): 2.0}


def test_an_adviser_without_support_plan_says_so_and_the_others_are_asked(
    advisor: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account()
    refusal = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}},
        "ListRecommendations",
    )
    monkeypatch.setattr(
        advisor,
        "ADVISERS",
        {"trusted-advisor": refuses(refusal), "hub": says({"id": 1})},
    )

    said = advisor.collect(account, bucket="reports", namespace="Vitrina/shop", now=NOW)

    assert "Business Support+" in said["trusted-advisor"]
    assert said["hub"] == 1
    assert "advice.missing" in capsys.readouterr().out
    kept = account.objects["reports/advice/trusted-advisor/2026-03-01.json"]
    assert "Business Support+" in kept["silence"]
    # Silence is no "nothing found".
    assert account.figures["trusted-advisor", "Answers"] == 0.0
    assert ("trusted-advisor", "Findings") not in account.figures


def test_an_adviser_that_cannot_be_reached_stops_nobody(
    advisor: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account()
    unreachable = ConnectTimeoutError(endpoint_url="https://example.invalid")
    monkeypatch.setattr(advisor, "ADVISERS", {"a": refuses(unreachable), "b": says()})

    said = advisor.collect(account, bucket="reports", namespace="Vitrina/shop", now=NOW)

    assert "ConnectTimeoutError" in said["a"]
    assert said["b"] == 0


def test_a_full_bucket_of_advice_has_an_end(
    advisor: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account()
    monkeypatch.setattr(advisor, "MOST", 10)
    monkeypatch.setattr(advisor, "ADVISERS", {"endless": says(*({"id": n} for n in range(99)))})

    said = advisor.collect(account, bucket="reports", namespace="Vitrina/shop", now=NOW)

    assert said == {"endless": 10}


def test_the_collector_may_call_what_it_calls(standard: Assembly, root: Path) -> None:
    source = (root / "infra/functions/advisor/advisor.py").read_text()
    asked = {
        "compute-optimizer:"
        + "".join(part.title() for part in name.split("_")).replace("Rds", "RDS")
        for name in re.findall(r"client\.(get_\w+_recommendations)", source)
    }
    granted = {
        action
        for policy in standard.resources("AWS::IAM::Policy", stack="Watch")
        if "Advisor" in policy.id
        for statement in statements(policy["PolicyDocument"])
        for action in statement["Action"]
    }

    assert asked | {"trustedadvisor:ListRecommendations"} <= granted
    assert {a for a in granted if a.startswith("compute-optimizer:")} == asked
