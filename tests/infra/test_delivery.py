"""CloudFront, its firewall, certificates and names."""

import asyncio
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from infra.constructs.edge_firewall import PURCHASES, SECRET_HEADERS
from infra.node import use_wheel_node
from infra.profiles import STARTER, ImpossibleProfile, validate
from tests.infra.templates import Assembly, Resource, flat, statements
from vitrina.platform.web.headers import WORKER_POLICY, SecurityHeaders
from vitrina.platform.web.pagecache import TRACKING

Json = dict[str, Any]


@pytest.fixture(scope="module")
def distribution(standard: Assembly) -> Json:
    config: Json = standard.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    return config


def behaviour(distribution: Json, path: str) -> Json:
    """That of an address, chosen as CloudFront does: the first pattern that fits."""
    for each in distribution["CacheBehaviors"]:
        pattern = re.escape(each["PathPattern"]).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(pattern, path):
            found: Json = each
            return found
    default: Json = distribution["DefaultCacheBehavior"]
    return default


def origins_of(distribution: Json, chosen: Json) -> list[Json]:
    """Where a behaviour's answers come from, the first choice first."""
    name = chosen["TargetOriginId"]
    groups = {group["Id"]: group for group in distribution["OriginGroups"]["Items"]}
    members = [name]
    if name in groups:
        members = [member["OriginId"] for member in groups[name]["Members"]["Items"]]
    by_id = {origin["Id"]: origin for origin in distribution["Origins"]}
    return [by_id[member] for member in members]


def kind_of(origin: Json) -> str:
    if "VpcOriginConfig" in origin:
        return "servers"
    return "snapshot" if "Snapshot" in flat(origin["DomainName"]) else "assets"


def named(standard: Assembly, reference: Any) -> Resource:
    (found,) = [r for r in standard.resources(stack="Delivery") if r.id == reference["Ref"]]
    return found


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/", ["servers", "snapshot"]),
        ("/p/oak-chair", ["servers", "snapshot"]),
        ("/c/chairs", ["servers", "snapshot"]),
        ("/sitemap.xml", ["servers", "snapshot"]),
        ("/assets/models/0123.glb", ["assets"]),
        ("/static/viewer-01234567.js", ["assets", "servers"]),
        ("/static/viewer-worker-01234567.js", ["assets", "servers"]),
        ("/api/v1/products", ["servers"]),
        ("/cart", ["servers"]),
        ("/cart/items", ["servers"]),
        ("/checkout", ["servers"]),
        ("/orders/A-1/cancel", ["servers"]),
        ("/readyz", ["servers"]),
    ],
)
def test_where_an_address_is_answered(distribution: Json, path: str, kinds: list[str]) -> None:
    found = origins_of(distribution, behaviour(distribution, path))

    assert [kind_of(origin) for origin in found] == kinds


def test_pages_come_from_the_snapshot_when_the_servers_fail(distribution: Json) -> None:
    chosen = behaviour(distribution, "/p/oak-chair")
    (group,) = [
        g for g in distribution["OriginGroups"]["Items"] if g["Id"] == chosen["TargetOriginId"]
    ]
    servers, snapshot = origins_of(distribution, chosen)

    assert group["FailoverCriteria"]["StatusCodes"]["Items"] == [500, 502, 503, 504]
    assert snapshot["OriginPath"] == "/pages"
    # Nobody waits long for servers that are gone.
    assert servers["ConnectionAttempts"] * servers["ConnectionTimeout"] <= 6


def test_no_purchase_is_sent_twice(distribution: Json) -> None:
    writing = [b for b in distribution["CacheBehaviors"] if "POST" in b["AllowedMethods"]]

    assert "POST" not in distribution["DefaultCacheBehavior"]["AllowedMethods"]
    assert len(writing) >= 4
    for each in writing:
        assert [kind_of(origin) for origin in origins_of(distribution, each)] == ["servers"]


@pytest.mark.parametrize("path", ["/api/v1/cart", "/cart", "/checkout", "/orders/1"])
def test_what_is_one_shoppers_is_never_kept(distribution: Json, path: str) -> None:
    chosen = behaviour(distribution, path)

    # CachingDisabled and AllViewerExceptHostHeader, by the ids AWS gave them.
    assert chosen["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert chosen["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(chosen["AllowedMethods"])


def test_pages_are_kept_by_address_alone_and_as_long_as_they_say(
    standard: Assembly, distribution: Json
) -> None:
    chosen = behaviour(distribution, "/c/chairs")
    policy = named(standard, chosen["CachePolicyId"])["CachePolicyConfig"]
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]

    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    assert key["EnableAcceptEncodingBrotli"] and key["EnableAcceptEncodingGzip"]
    # With more than 0, what says no-store would be kept.
    assert (policy["MinTTL"], policy["DefaultTTL"]) == (0, 0)
    assert policy["MaxTTL"] >= 86_400  # stale-if-error reaches back as far
    assert "OriginRequestPolicyId" not in chosen  # so that no cookie reaches a public page


@pytest.mark.parametrize("path", ["/assets/models/01.glb", "/static/storefront-01234567.css"])
def test_files_are_kept_for_ever(standard: Assembly, distribution: Json, path: str) -> None:
    chosen = behaviour(distribution, path)
    policy = named(standard, chosen["CachePolicyId"])["CachePolicyConfig"]
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]

    assert policy["DefaultTTL"] == policy["MaxTTL"] == 365 * 86_400
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert chosen["AllowedMethods"] == ["GET", "HEAD"]


def test_models_pass_as_they_are_stored(distribution: Json) -> None:
    assert behaviour(distribution, "/assets/models/01.glb")["Compress"] is False
    assert behaviour(distribution, "/static/viewer-01234567.js")["Compress"] is True


def test_buckets_are_read_with_a_signature(standard: Assembly, distribution: Json) -> None:
    buckets = [o for o in distribution["Origins"] if "S3OriginConfig" in o]
    access = standard.one("AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]

    assert len(buckets) >= 2
    assert all("OriginAccessControlId" in origin for origin in buckets)
    assert access["SigningBehavior"] == "always"
    assert access["SigningProtocol"] == "sigv4"


def test_only_cloudfront_of_this_account_may_read_the_buckets(standard: Assembly) -> None:
    policies = {
        flat(policy["Bucket"]): statements(policy["PolicyDocument"])
        for policy in standard.resources("AWS::S3::BucketPolicy", stack="Storage")
    }
    readers = {
        bucket: [s for s in found if s.get("Sid") == "CloudFrontReads"]
        for bucket, found in policies.items()
    }
    open_ones = {bucket for bucket, found in readers.items() if found}

    assert {name[1:7] for name in open_ones} == {"Assets", "Snapsh"}
    for found in filter(None, readers.values()):
        (statement,) = found
        assert statement["Action"] == ["s3:GetObject"]
        assert statement["Condition"]["StringEquals"] == {"AWS:SourceAccount": "123456789012"}


def test_tls_and_protocols(distribution: Json) -> None:
    assert distribution["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert distribution["ViewerCertificate"]["SslSupportMethod"] == "sni-only"
    assert distribution["HttpVersion"] == "http2and3"
    assert distribution["IPV6Enabled"] is True
    for each in [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]:
        assert each["ViewerProtocolPolicy"] == "redirect-to-https"


def test_servers_are_reached_inside_the_vpc_and_by_tls(
    standard: Assembly, distribution: Json
) -> None:
    origin = standard.one("AWS::CloudFront::VpcOrigin")["VpcOriginEndpointConfig"]
    names = {o["DomainName"] for o in distribution["Origins"] if "VpcOriginConfig" in o}
    certificate = standard.one("AWS::CertificateManager::Certificate", stack="Domain")

    assert origin["OriginProtocolPolicy"] == "https-only"
    assert origin["OriginSSLProtocols"] == ["TLSv1.2"]
    assert names == {certificate["DomainName"]}


def test_the_load_balancer_lets_in_its_own_subnets_only(standard: Assembly) -> None:
    rules = standard.resources("AWS::EC2::SecurityGroupIngress", stack="Delivery")

    its_own = {
        subnet["CidrBlock"]
        for subnet in standard.resources("AWS::EC2::Subnet", stack="Network")
        if {"Key": "aws-cdk:subnet-name", "Value": "app"} in subnet["Tags"]
    }

    assert len(its_own) == 3
    assert {rule["CidrIp"] for rule in rules} == its_own
    for rule in rules:
        assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (443, 443, "tcp")


def test_what_is_asked_is_logged_without_cookies(distribution: Json) -> None:
    assert "Logs" in flat(distribution["Logging"]["Bucket"])
    assert distribution["Logging"]["Prefix"] == "cdn/"
    assert distribution["Logging"]["IncludeCookies"] is False


@pytest.mark.parametrize(
    ("name", "price_class"),
    [("dev", "100"), ("starter", "100"), ("standard", "100"), ("scale", "All")],
)
def test_places_by_profile(assemblies: dict[str, Assembly], name: str, price_class: str) -> None:
    config = assemblies[name].one("AWS::CloudFront::Distribution")["DistributionConfig"]

    assert config["PriceClass"] == f"PriceClass_{price_class}"


def test_one_more_cache_before_the_buckets_where_the_profile_pays_for_it(
    assemblies: dict[str, Assembly],
) -> None:
    for name, shielded in (("starter", False), ("standard", True)):
        config = assemblies[name].one("AWS::CloudFront::Distribution")["DistributionConfig"]
        buckets = [o for o in config["Origins"] if "S3OriginConfig" in o]
        assert {"OriginShield" in origin for origin in buckets} == {shielded}


def test_a_profile_without_vpc_origin_is_refused() -> None:
    with pytest.raises(ImpossibleProfile, match="no public address"):
        validate(replace(STARTER, edge=replace(STARTER.edge, vpc_origin=False)))


# --- headers


def shop_headers(answer: Response) -> dict[str, str]:
    """What the web process itself sends over HTTPS."""
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Json:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    asyncio.run(SecurityHeaders(answer, https=True)(scope, receive, send))
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return {n: v for n, v in found.items() if n not in ("content-length", "content-type")}


def policy_headers(standard: Assembly, reference: Any) -> dict[str, str]:
    """What a response-headers policy adds."""
    config = named(standard, reference)["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    added = {
        item["Header"].lower(): item["Value"] for item in config["CustomHeadersConfig"]["Items"]
    }
    transport = security["StrictTransportSecurity"]
    added["strict-transport-security"] = f"max-age={transport['AccessControlMaxAgeSec']}"
    assert not transport.get("IncludeSubdomains")
    assert not transport.get("Preload")
    added["content-security-policy"] = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    if "ContentTypeOptions" in security:
        added["x-content-type-options"] = "nosniff"
    if "ReferrerPolicy" in security:
        added["referrer-policy"] = security["ReferrerPolicy"]["ReferrerPolicy"]
    return added


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/p/oak-chair", HTMLResponse("")),
        ("/assets/models/01.glb", JSONResponse({})),
        (
            "/static/viewer-worker-01234567.js",
            Response(headers={"Content-Security-Policy": WORKER_POLICY}),
        ),
    ],
    ids=["page", "data", "worker"],
)
def test_answers_without_the_shop_have_the_shops_headers(
    standard: Assembly, distribution: Json, path: str, answer: Response
) -> None:
    chosen = behaviour(distribution, path)

    added = policy_headers(standard, chosen["ResponseHeadersPolicyId"])

    assert added == shop_headers(answer)


def test_headers_that_the_shop_sends_win(standard: Assembly) -> None:
    for policy in standard.resources("AWS::CloudFront::ResponseHeadersPolicy"):
        config = policy["ResponseHeadersPolicyConfig"]
        for name, header in config["SecurityHeadersConfig"].items():
            assert header["Override"] is (name == "ContentTypeOptions"), name
        assert not any(item["Override"] for item in config["CustomHeadersConfig"]["Items"])


# --- scripts at the edge, run by the Node that is there anyway


def run_script(standard: Assembly, name: str, request: Json, tmp_path: Path) -> Json:
    function = standard.one("AWS::CloudFront::Function", Name=f"shop-example-{name}")
    code = function["FunctionCode"]
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    assert len(code) < 10 * 1024  # as long as CloudFront takes
    program = tmp_path / "function.js"
    event = json.dumps({"request": request})
    program.write_text(f"{code}\nconsole.log(JSON.stringify(handler({event})));")
    run = subprocess.run(
        [str(use_wheel_node()), str(program)], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    answer: Json = json.loads(run.stdout)
    return answer


def request_for(
    uri: str, query: Json | None = None, *, host: str = "shop.example", method: str = "GET"
) -> Json:
    return {
        "method": method,
        "uri": uri,
        "querystring": query or {},
        "headers": {"host": {"value": host}},
    }


def test_a_campaign_makes_no_page_of_its_own(standard: Assembly, tmp_path: Path) -> None:
    query = {f"{prefix.decode()}x": {"value": "1"} for prefix in TRACKING}
    asked = request_for("/c/chairs", {**query, "q": {"value": "oak"}})

    answer = run_script(standard, "pages", asked, tmp_path)

    assert answer["uri"] == "/c/chairs"
    assert answer["querystring"] == {"q": {"value": "oak"}}


def test_another_name_leads_to_the_first(standard: Assembly, tmp_path: Path) -> None:
    colours = {"value": "a", "multiValue": [{"value": "a"}, {"value": "b%20c"}]}
    query = {"colour": colours, "plain": {"value": ""}}
    asked = request_for("/c/chairs", query, host="www.shop.example")

    answer = run_script(standard, "pages", asked, tmp_path)

    assert answer["statusCode"] == 301
    assert answer["headers"]["location"]["value"] == (
        "https://shop.example/c/chairs?colour=a&colour=b%20c&plain"
    )


def test_a_form_sent_to_another_name_stays_a_form(standard: Assembly, tmp_path: Path) -> None:
    asked = request_for("/cart/items", host="www.shop.example", method="POST")

    answer = run_script(standard, "pages", asked, tmp_path)

    assert answer["statusCode"] == 308
    assert answer["headers"]["location"]["value"] == "https://shop.example/cart/items"


def test_an_asset_is_found_by_its_key(standard: Assembly, tmp_path: Path) -> None:
    answer = run_script(standard, "assets", request_for("/assets/models/01.glb"), tmp_path)

    assert answer["uri"] == "/models/01.glb"


# --- firewall


@pytest.fixture(scope="module")
def rules(standard: Assembly) -> dict[str, Json]:
    acl = standard.one("AWS::WAFv2::WebACL")
    assert acl.stack == "Edge"
    assert acl["Scope"] == "CLOUDFRONT"
    return {rule["Name"]: rule for rule in acl["Rules"]}


def test_managed_rules_are_in_force(rules: dict[str, Json]) -> None:
    managed = {n: r for n, r in rules.items() if "ManagedRuleGroupStatement" in r["Statement"]}

    assert managed.keys() == {
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesSQLiRuleSet",
    }
    assert all(rule["OverrideAction"] == {"None": {}} for rule in managed.values())


def test_purchases_are_limited_more_strictly(rules: dict[str, Json]) -> None:
    everything, purchases = (
        rules[name]["Statement"]["RateBasedStatement"]
        for name in ("limit-requests", "limit-purchases")
    )

    assert everything["AggregateKeyType"] == purchases["AggregateKeyType"] == "IP"
    assert "ScopeDownStatement" not in everything
    rates = [s["Limit"] / s["EvaluationWindowSec"] for s in (purchases, everything)]
    assert rates[0] * 10 < rates[1]
    for name in ("limit-requests", "limit-purchases"):
        response = rules[name]["Action"]["Block"]["CustomResponse"]
        assert response["ResponseCode"] == 429


@pytest.mark.parametrize(
    ("path", "is_purchase"),
    [
        ("/checkout", True),
        ("/checkout/confirm/abc", True),
        ("/orders/A-1/cancel", True),
        ("/api/v1/orders", True),
        ("/api/v1/checkout/quote", True),
        ("/cart/items", False),
        ("/api/v1/products", False),
        ("/c/orders", False),
    ],
)
def test_what_counts_as_a_purchase(path: str, is_purchase: bool) -> None:
    assert bool(re.search(PURCHASES, path)) is is_purchase


def test_refusals_are_logged_without_secrets(standard: Assembly) -> None:
    logging = standard.one("AWS::WAFv2::LoggingConfiguration")
    group = standard.one("AWS::Logs::LogGroup", stack="Edge")

    assert group["LogGroupName"].startswith("aws-waf-logs-")
    assert "KmsKeyId" in group.properties
    assert [f["SingleHeader"]["Name"] for f in logging["RedactedFields"]] == list(SECRET_HEADERS)


def test_the_firewall_stands_before_cloudfront(distribution: Json) -> None:
    assert "FirewallAcl" in flat(distribution["WebACLId"])


# --- names


def records(standard: Assembly) -> dict[tuple[str, str], Resource]:
    return {
        (str(record["Name"]).rstrip("."), str(record["Type"])): record
        for record in standard.resources("AWS::Route53::RecordSet")
    }


def test_every_name_leads_to_cloudfront_by_both_protocols(standard: Assembly) -> None:
    found = records(standard)
    for name in ("shop.example", "www.shop.example"):
        for kind in ("A", "AAAA", "HTTPS"):
            target = found[name, kind]["AliasTarget"]
            assert "Distribution" in flat(target["DNSName"])
            assert "Failover" not in found[name, kind].properties  # which would be refused


def test_the_origins_name_follows_its_health(standard: Assembly) -> None:
    record = records(standard)["origin.shop.example", "A"]

    assert record["Failover"] == "PRIMARY"
    assert record["AliasTarget"]["EvaluateTargetHealth"] is True
    assert "Balancer" in flat(record["AliasTarget"]["DNSName"])


def test_only_amazon_may_issue_certificates(standard: Assembly) -> None:
    values = records(standard)["shop.example", "CAA"]["ResourceRecords"]

    assert values == [
        '0 issue "amazon.com"',
        '0 issuewild ";"',
        '0 iodef "mailto:operations@shop.example"',
    ]


def test_certificates_are_proved_by_the_zone(standard: Assembly) -> None:
    certificate = standard.one("AWS::CertificateManager::Certificate", stack="Edge")

    assert certificate["DomainName"] == "shop.example"
    assert certificate["SubjectAlternativeNames"] == ["www.shop.example"]
    assert certificate["ValidationMethod"] == "DNS"


def test_names_are_signed_where_the_profile_says_so(assemblies: dict[str, Assembly]) -> None:
    assert not assemblies["standard"].resources("AWS::Route53::DNSSEC")
    signed = assemblies["scale"]
    key = signed.one("AWS::KMS::Key", stack="Edge", KeySpec="ECC_NIST_P256")

    assert signed.one("AWS::Route53::DNSSEC").stack == "Edge"
    assert key["KeyUsage"] == "SIGN_VERIFY"
    assert "dnssec-route53.amazonaws.com" in json.dumps(key["KeyPolicy"])


def test_health_is_asked_from_outside_and_rings(standard: Assembly) -> None:
    checks = {
        check.id: check["HealthCheckConfig"]
        for check in standard.resources("AWS::Route53::HealthCheck")
    }
    alarms = standard.resources("AWS::CloudWatch::Alarm", stack="Edge")

    assert {check["ResourcePath"] for check in checks.values()} == {"/", "/readyz"}
    for check in checks.values():
        assert check["Type"] == "HTTPS"
        assert check["EnableSNI"] is True
        assert check["FullyQualifiedDomainName"] == "shop.example"
    asked = {json.dumps(alarm["Dimensions"]) for alarm in alarms}
    assert len(alarms) == len(asked) == len(checks) == 2
    assert all(any(check in each for each in asked) for check in checks)
    for alarm in alarms:
        assert alarm["AlarmActions"]
        assert alarm["TreatMissingData"] == "breaching"
