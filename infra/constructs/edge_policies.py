"""What CloudFront keeps, for how long, and what it says besides."""

import json
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

from infra.constructs import house
from vitrina.platform.web import headers
from vitrina.platform.web.pagecache import TRACKING

SCRIPTS = Path(__file__).parent.parent / "images" / "edge"
UPGRADE = "; upgrade-insecure-requests"
FOR_EVER = Duration.days(365)


@dataclass(frozen=True, slots=True)
class Policies:
    """One of each that a behaviour may want; AWS's own where the plan allows no others.

    Attributes:
        pages: kept as long as the page itself says. The key is path and query, nothing else, so
            cookies do not even reach the shop.
        files: named after their content, so kept as long as anybody asks for them.
        page_headers: what a page needs that comes from the snapshot; the shop's own win.
        data_headers: for everything that is no page.
        worker_headers: a worker's script brings a policy of its own.
    """

    pages: cloudfront.ICachePolicy
    files: cloudfront.ICachePolicy
    page_headers: cloudfront.IResponseHeadersPolicy
    data_headers: cloudfront.IResponseHeadersPolicy
    worker_headers: cloudfront.IResponseHeadersPolicy


def policies(scope: Construct, site: house.Site) -> Policies:
    if not site.profile.edge.custom_policies:
        managed = cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS
        return Policies(
            pages=cloudfront.CachePolicy.USE_ORIGIN_CACHE_CONTROL_HEADERS_QUERY_STRINGS,
            files=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            page_headers=managed,
            data_headers=managed,
            worker_headers=managed,
        )
    return Policies(
        pages=cloudfront.CachePolicy(
            scope,
            "Pages",
            cache_policy_name=f"{site.prefix}-pages",
            comment="What Cache-Control of the shop says; without it, nothing is kept",
            # Anything above 0 would keep what says no-store, and show nothing stale on errors.
            min_ttl=Duration.seconds(0),
            default_ttl=Duration.seconds(0),
            max_ttl=Duration.days(1),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
            cookie_behavior=cloudfront.CacheCookieBehavior.none(),
            header_behavior=cloudfront.CacheHeaderBehavior.none(),
            enable_accept_encoding_brotli=True,
            enable_accept_encoding_gzip=True,
        ),
        files=cloudfront.CachePolicy(
            scope,
            "Files",
            cache_policy_name=f"{site.prefix}-files",
            comment="Immutable: the name changes with the content",
            min_ttl=Duration.seconds(1),
            default_ttl=FOR_EVER,
            max_ttl=FOR_EVER,
            query_string_behavior=cloudfront.CacheQueryStringBehavior.none(),
            cookie_behavior=cloudfront.CacheCookieBehavior.none(),
            header_behavior=cloudfront.CacheHeaderBehavior.none(),
            enable_accept_encoding_brotli=True,
            enable_accept_encoding_gzip=True,
        ),
        page_headers=_headers(
            scope,
            site,
            "pages",
            headers.PAGE_POLICY + UPGRADE,
            {
                "Cross-Origin-Opener-Policy": "same-origin",
                "Permissions-Policy": headers.PERMISSIONS,
            },
            referrer=cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN,
        ),
        data_headers=_headers(scope, site, "data", headers.DATA_POLICY, _SAME_ORIGIN),
        worker_headers=_headers(scope, site, "workers", headers.WORKER_POLICY, _SAME_ORIGIN),
    )


_SAME_ORIGIN = {"Cross-Origin-Resource-Policy": "same-origin"}


def _headers(
    scope: Construct,
    site: house.Site,
    name: str,
    content_security_policy: str,
    more: dict[str, str],
    *,
    referrer: cloudfront.HeadersReferrerPolicy | None = None,
) -> cloudfront.ResponseHeadersPolicy:
    """What ``SecurityHeaders`` adds, for answers that do not come from the shop.

    An answer that brings a header itself keeps it: only the shop knows, for example, which page
    may do what.
    """
    return cloudfront.ResponseHeadersPolicy(
        scope,
        f"{name.capitalize()}Headers",
        response_headers_policy_name=f"{site.prefix}-{name}",
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=Duration.seconds(headers.TWO_YEARS_S), override=False
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=content_security_policy, override=False
            ),
            referrer_policy=(
                cloudfront.ResponseHeadersReferrerPolicy(referrer_policy=referrer, override=False)
                if referrer
                else None
            ),
        ),
        custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
            custom_headers=[
                cloudfront.ResponseCustomHeader(header=header, value=value, override=False)
                for header, value in more.items()
            ]
        ),
    )


def script(
    scope: Construct, id: str, site: house.Site, name: str
) -> list[cloudfront.FunctionAssociation]:
    """One of the scripts that run at the edge for every request, before the cache."""
    code = (SCRIPTS / f"{name}.js").read_text()
    tracking = json.dumps([prefix.decode() for prefix in TRACKING])
    function = cloudfront.Function(
        scope,
        id,
        function_name=f"{site.prefix}-{name}",
        runtime=cloudfront.FunctionRuntime.JS_2_0,
        code=cloudfront.FunctionCode.from_inline(
            code.replace("@host@", site.domain).replace("@tracking@", tracking)
        ),
    )
    return [
        cloudfront.FunctionAssociation(
            function=function, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
        )
    ]
