"""Delivery: names, certificates, firewall and CloudFront, before everything a shopper sees.

    shopper ─► Route 53 ─► CloudFront ─┬─ /assets/*, /static/* ─► buckets
                 firewall, certificate └─ everything else ──────► load balancer, inside the VPC
                                              pages, if it fails ─► snapshot bucket

What CloudFront uses must live in us-east-1, wherever the shop is: that is ``Edge``.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs import house
from infra.constructs.edge_firewall import Firewall
from infra.constructs.edge_policies import Policies, policies, script
from infra.profiles import Profile
from infra.stacks.domain import Domain
from infra.stacks.network import HTTPS_PORT, Network
from infra.stacks.storage import Storage
from infra.stacks.web import Web
from vitrina.platform import static

EDGE_REGION = "us-east-1"  # CloudFront takes certificates and firewalls from here only
FAILED = (500, 502, 503, 504)
ABSENT = (403, 404)  # 403 is S3's "there is none" for whoever may not list
# Never kept, never failed over: CloudFront repeats reading, and must not repeat a purchase.
PRIVATE_PATHS = ("/api/*", "/cart*", "/checkout*", "/orders*", "/readyz")
WORKERS = f"{static.URL_PREFIX}*worker-????????.js"
# In the snapshot bucket a page's key is this and its path; the front page's is "pages/".
SNAPSHOT_FOLDER = "/pages"
PLACES = {
    "west": cloudfront.PriceClass.PRICE_CLASS_100,
    "most": cloudfront.PriceClass.PRICE_CLASS_200,
    "all": cloudfront.PriceClass.PRICE_CLASS_ALL,
}


class Edge(house.HouseStack):
    """In us-east-1: certificate, firewall, and the bells that ring there only.

    Attributes:
        certificate: for the domain and its ``www``.
        firewall: the web ACL that CloudFront asks first.
        alarms: tells the operator; alarms on CloudFront, Route 53 and bills can use this one only.
        checks: Route 53's health checks by what they ask for: ``pages``, which the snapshot may
            answer, and ``servers``, which only they can.
        check_alarms: one for each, by the same names.
    """

    def __init__(self, scope: Construct, id: str, site: house.Site, domain: Domain) -> None:
        super().__init__(scope, id, site, description="Vitrina: what CloudFront needs in us-east-1")
        logs_key = house.logs_key(self, "LogsKey", site)
        self.certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=site.domain,
            subject_alternative_names=[f"www.{site.domain}"],
            validation=acm.CertificateValidation.from_dns(domain.zone),
            key_algorithm=acm.KeyAlgorithm.EC_PRIME256_V1,
        )
        self.firewall = Firewall(self, "Firewall", site, logs_key=logs_key)
        self.alarms = self._topic()
        self.checks: dict[str, route53.HealthCheck] = {}
        self.check_alarms: dict[str, cloudwatch.Alarm] = {}
        self._check(
            "pages",
            "/",
            means="Shoppers see no pages, not even the snapshot's.",
            runbook="shop-is-down",
        )
        self._check(
            "servers",
            "/readyz",
            means="No server can serve; pages are the snapshot's.",
            runbook="nobody-serves",
        )
        if site.profile.edge.signs_names:
            self._sign(domain.zone)

    def _topic(self) -> sns.Topic:
        key = house.customer_key(self, "AlarmsKey", self.site, of="alarms at the edge")
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsSpeak",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.site.account}},
            )
        )
        topic = sns.Topic(
            self,
            "Alarms",
            topic_name=f"{self.site.prefix}-edge-alarms",
            master_key=key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsSpeak",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.site.account}},
            )
        )
        topic.add_subscription(subscriptions.EmailSubscription(self.site.operator))
        return topic

    def _check(self, name: str, path: str, *, means: str, runbook: str) -> None:
        """Ask from several continents, every half minute, as a shopper would."""
        check = route53.HealthCheck(
            self,
            f"{name.capitalize()}Check",
            type=route53.HealthCheckType.HTTPS,
            fqdn=self.site.domain,
            port=HTTPS_PORT,
            resource_path=path,
            enable_sni=True,
            measure_latency=True,
            request_interval=Duration.seconds(30),
            failure_threshold=3,
        )
        self.checks[name] = check
        self.check_alarms[name] = house.ring(
            self,
            f"{name.capitalize()}Fail",
            cloudwatch.Metric(
                namespace="AWS/Route53",
                metric_name="HealthCheckStatus",
                dimensions_map={"HealthCheckId": check.health_check_id},
                statistic="Minimum",
                period=Duration.minutes(1),
            ),
            at=0,
            below=True,
            periods=2,
            to=self.alarms,
            runbook=runbook,
            means=means,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _sign(self, zone: route53.IPublicHostedZone) -> None:
        """DNSSEC. Route 53 asks for exactly this kind of key, in this region, and not turned."""
        key = kms.Key(
            self,
            "NamesKey",
            description=f"{self.site.domain}: signs the zone",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=self.site.removal,
        )
        signing = route53.KeySigningKey(
            self,
            "NamesSigningKey",
            hosted_zone=zone,
            kms_key=key,
            key_signing_key_name=self.site.prefix.replace("-", "_"),
        )
        route53.CfnDNSSEC(self, "Signed", hosted_zone_id=zone.hosted_zone_id).node.add_dependency(
            signing
        )


class Delivery(house.HouseStack):
    """CloudFront and the names that lead to it.

    Args:
        standby: a load balancer in the other region, to which the origin's name leads when no
            server of this one is well.

    Attributes:
        distribution: what shoppers talk to.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: house.Site,
        network: Network,
        storage: Storage,
        web: Web,
        domain: Domain,
        edge: Edge,
        *,
        standby: elb.IApplicationLoadBalancer | None = None,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: CloudFront and names")
        self._storage, self._domain, self._edge = storage, domain, edge
        self._oac = cloudfront.S3OriginAccessControl(
            self,
            "BucketAccess",
            origin_access_control_name=f"{site.prefix}-buckets",
            description=f"{site.domain}: CloudFront signs what it asks of the buckets",
            signing=cloudfront.Signing.SIGV4_ALWAYS,
        )
        self._policies = policies(self, site)
        self._let_in(network)
        self._servers = self._vpc_origin(web.load_balancer)
        self.distribution = self._distribution()
        self._names(web.load_balancer, standby)

    def _let_in(self, network: Network) -> None:
        """CloudFront's VPC origin has its network interfaces in the load balancer's subnets."""
        for number, subnet in enumerate(
            network.vpc.select_subnets(subnet_group_name="app").subnets
        ):
            ec2.CfnSecurityGroupIngress(
                self,
                f"FromCloudFront{number + 1}",
                group_id=network.load_balancer_security_group.security_group_id,
                description="CloudFront, from inside the VPC",
                ip_protocol="tcp",
                from_port=HTTPS_PORT,
                to_port=HTTPS_PORT,
                cidr_ip=subnet.ipv4_cidr_block,
            )

    def _vpc_origin(self, load_balancer: elb.IApplicationLoadBalancer) -> cloudfront.IOrigin:
        origin = cloudfront.VpcOrigin(
            self,
            "Servers",
            endpoint=cloudfront.VpcOriginEndpoint.application_load_balancer(load_balancer),
            vpc_origin_name=f"{self.site.prefix}-servers",
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            https_port=HTTPS_PORT,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
        )
        # Its certificate is for this name. Two short attempts, then the snapshot answers.
        return origins.VpcOrigin.with_vpc_origin(
            origin,
            domain_name=self._domain.origin_name,
            connection_attempts=2,
            connection_timeout=Duration.seconds(3),
            read_timeout=Duration.seconds(30),
            keepalive_timeout=Duration.seconds(60),
        )

    def _bucket(self, id: str, bucket: s3.IBucket, *, folder: str = "") -> cloudfront.IOrigin:
        """A bucket that CloudFront may read; its policy says so in the stack of the buckets."""
        shield = self.site.profile.edge.origin_shield
        known = s3.Bucket.from_bucket_attributes(
            self,
            id,
            bucket_name=bucket.bucket_name,
            bucket_regional_domain_name=bucket.bucket_regional_domain_name,
            region=self.site.region,
        )
        cdk.Validations.of(known).acknowledge(
            cdk.Acknowledgment(
                id="@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac",
                reason="The storage stack's bucket policy lets CloudFront of this account read.",
            )
        )
        return origins.S3BucketOrigin.with_origin_access_control(
            known,
            origin_access_control=self._oac,
            origin_path=folder or None,
            origin_shield_enabled=shield or None,
            origin_shield_region=self.site.region if shield else None,
        )

    def _distribution(self) -> cloudfront.Distribution:
        profile, keeps = self.site.profile, self._policies
        address = script(self, "PagesScript", self.site, "pages")
        assets = self._bucket("AssetsBucket", self._storage.assets)
        static_files = self._or(assets, self._servers, when=ABSENT)
        snapshot = self._bucket("SnapshotBucket", self._storage.snapshot, folder=SNAPSHOT_FOLDER)
        private = cloudfront.BehaviorOptions(
            origin=self._servers,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            # The servers' certificate is for the origin's name, so that is what they are asked by.
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            function_associations=address,
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=self.site.domain,
            domain_names=[self.site.domain, f"www.{self.site.domain}"],
            certificate=self._edge.certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            enable_ipv6=True,
            price_class=_price_class(profile),
            web_acl_id=self._edge.firewall.acl.attr_arn,
            enable_logging=True,
            log_bucket=self._storage.logs,
            log_file_prefix="cdn/",
            log_includes_cookies=False,
            publish_additional_metrics=True,
            default_behavior=cloudfront.BehaviorOptions(
                origin=self._or(self._servers, snapshot, when=FAILED),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                cache_policy=keeps.pages,
                response_headers_policy=keeps.page_headers,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                compress=True,
                function_associations=address,
            ),
            additional_behaviors={
                "/assets/*": self._files(
                    assets,
                    keeps,
                    # Models are stored coded, pictures are as small as they get.
                    compress=False,
                    functions=script(self, "AssetsScript", self.site, "assets"),
                ),
                WORKERS: self._files(static_files, keeps, is_worker=True),
                f"{static.URL_PREFIX}*": self._files(static_files, keeps),
                **dict.fromkeys(PRIVATE_PATHS, private),
            },
        )
        distribution.apply_removal_policy(self.site.removal)
        return distribution

    def _or(
        self, first: cloudfront.IOrigin, then: cloudfront.IOrigin, *, when: Sequence[int]
    ) -> cloudfront.IOrigin:
        if not self.site.profile.edge.origin_group:
            return first
        return origins.OriginGroup(
            primary_origin=first, fallback_origin=then, fallback_status_codes=list(when)
        )

    @staticmethod
    def _files(
        origin: cloudfront.IOrigin,
        keeps: Policies,
        *,
        compress: bool = True,
        is_worker: bool = False,
        functions: Sequence[cloudfront.FunctionAssociation] = (),
    ) -> cloudfront.BehaviorOptions:
        """Objects that are coded already pass as they are; CloudFront codes the others."""
        return cloudfront.BehaviorOptions(
            origin=origin,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            cache_policy=keeps.files,
            response_headers_policy=keeps.worker_headers if is_worker else keeps.data_headers,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            compress=compress,
            function_associations=list(functions) or None,
        )

    def _names(
        self,
        load_balancer: elb.IApplicationLoadBalancer,
        standby: elb.IApplicationLoadBalancer | None,
    ) -> None:
        zone = self._domain.zone
        to_cloudfront = route53.RecordTarget.from_alias(targets.CloudFrontTarget(self.distribution))
        for prefix, name in (("", self.site.domain), ("Www", f"www.{self.site.domain}")):
            for kind in (route53.ARecord, route53.AaaaRecord, route53.HttpsRecord):
                kind(
                    self,
                    f"{prefix}{kind.__name__}",
                    zone=zone,
                    record_name=name,
                    target=to_cloudfront,
                )
        # CloudFront's health cannot be asked by an alias, the load balancer's can: so it is the
        # origin's name that fails over.
        places = [(route53.Failover.PRIMARY, load_balancer)]
        if standby:
            places.append((route53.Failover.SECONDARY, standby))
        for role, place in places:
            route53.CfnRecordSet(
                self,
                f"Origin{role.value.capitalize()}",
                hosted_zone_id=zone.hosted_zone_id,
                name=self._domain.origin_name,
                type="A",
                alias_target=route53.CfnRecordSet.AliasTargetProperty(
                    dns_name=f"dualstack.{place.load_balancer_dns_name}",
                    hosted_zone_id=place.load_balancer_canonical_hosted_zone_id,
                    evaluate_target_health=True,
                ),
                failover=role.value,
                set_identifier=role.value.lower(),
            )
        route53.CaaRecord(
            self,
            "Issuers",
            zone=zone,
            values=[
                route53.CaaRecordValue(flag=0, tag=route53.CaaTag.ISSUE, value="amazon.com"),
                route53.CaaRecordValue(flag=0, tag=route53.CaaTag.ISSUEWILD, value=";"),
                route53.CaaRecordValue(
                    flag=0, tag=route53.CaaTag.IODEF, value=f"mailto:{self.site.operator}"
                ),
            ],
        )


def _price_class(profile: Profile) -> cloudfront.PriceClass:
    """The flat rates include every place, so nothing is saved by leaving some out."""
    edge = profile.edge
    return PLACES["all" if edge.plan != "pay-as-you-go" else edge.places]
