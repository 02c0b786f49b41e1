"""Who may ask at all: rules at the edge, before anything of ours runs."""

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.constructs import house

# Written by AWS and kept up to date by it; together 1,150 of the 1,500 capacity units that are
# included in a web ACL's price.
MANAGED = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesSQLiRuleSet",
)
# One address is sometimes a whole office. A page is some thirty requests, and most are files.
WINDOW_S = 60
REQUESTS_A_WINDOW = 2000
# Nobody pays twenty times a minute; who tries stolen cards does.
PURCHASES_WINDOW_S = 300
PURCHASES_A_WINDOW = 100
PURCHASES = r"^/(api/v[0-9]+/)?(checkout|orders)(/|$)"
# What would let somebody who reads the log be somebody else.
SECRET_HEADERS = ("authorization", "cookie")


class Firewall(Construct):
    """A web ACL for CloudFront; lives in us-east-1.

    Attributes:
        acl: the web ACL.
        log_group: every refused or counted request, without its secrets.
    """

    def __init__(self, scope: Construct, id: str, site: house.Site, *, logs_key: kms.IKey) -> None:
        super().__init__(scope, id)
        limits = [
            _limit("requests", REQUESTS_A_WINDOW, window_s=WINDOW_S),
            _limit(
                "purchases",
                PURCHASES_A_WINDOW,
                window_s=PURCHASES_WINDOW_S,
                only=_all_of(_method("POST"), _path(PURCHASES)),
            ),
        ]
        self.acl = waf.CfnWebACL(
            self,
            "Acl",
            name=f"{site.prefix}-edge",
            description=f"{site.domain}: before CloudFront",
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_measured("edge"),
            rules=_in_order([*limits, *(_managed(name) for name in MANAGED)]),
        )
        # WAF writes to groups with this beginning only.
        self.log_group = house.log_group(
            self, "Log", site, key=logs_key, name=f"aws-waf-logs-{site.prefix}"
        )
        waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            log_destination_configs=[self.log_group],
            redacted_fields=[
                waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
                for name in SECRET_HEADERS
            ],
            # What was let through is in CloudFront's own log already.
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [
                            {"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT")
                        ],
                    }
                ],
            },
        )


_Rule = waf.CfnWebACL.RuleProperty
_Statement = waf.CfnWebACL.StatementProperty


def _in_order(rules: Sequence[dict[str, object]]) -> list[_Rule]:
    return [
        _Rule(priority=number, **rule)  # type: ignore[arg-type]
        for number, rule in enumerate(rules)
    ]


def _managed(name: str) -> dict[str, object]:
    return {
        "name": name,
        "override_action": waf.CfnWebACL.OverrideActionProperty(none={}),
        "visibility_config": _measured(name),
        "statement": _Statement(
            managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=name
            )
        ),
    }


def _limit(
    name: str, requests: int, *, window_s: int, only: _Statement | None = None
) -> dict[str, object]:
    """Refuse an address that asks more often, for as long as it does; 429 says why."""
    return {
        "name": f"limit-{name}",
        "action": waf.CfnWebACL.RuleActionProperty(
            block=waf.CfnWebACL.BlockActionProperty(
                custom_response=waf.CfnWebACL.CustomResponseProperty(
                    response_code=429,
                    response_headers=[
                        waf.CfnWebACL.CustomHTTPHeaderProperty(
                            name="Retry-After", value=str(window_s)
                        )
                    ],
                )
            )
        ),
        "visibility_config": _measured(f"limit-{name}"),
        "statement": _Statement(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                limit=requests,
                aggregate_key_type="IP",
                evaluation_window_sec=window_s,
                scope_down_statement=only,
            )
        ),
    }


def _all_of(*statements: _Statement) -> _Statement:
    return _Statement(and_statement=waf.CfnWebACL.AndStatementProperty(statements=list(statements)))


def _method(name: str) -> _Statement:
    return _Statement(
        byte_match_statement=waf.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(method={}),
            positional_constraint="EXACTLY",
            search_string=name,
            text_transformations=[_transformation("NONE")],
        )
    )


def _path(pattern: str) -> _Statement:
    # Decoded and straightened first, so that "/%63heckout" and "//checkout" are checkout too.
    return _Statement(
        regex_match_statement=waf.CfnWebACL.RegexMatchStatementProperty(
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
            regex_string=pattern,
            text_transformations=[
                _transformation("URL_DECODE"),
                _transformation("NORMALIZE_PATH", 1),
            ],
        )
    )


def _transformation(kind: str, priority: int = 0) -> waf.CfnWebACL.TextTransformationProperty:
    return waf.CfnWebACL.TextTransformationProperty(priority=priority, type=kind)


def _measured(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )
