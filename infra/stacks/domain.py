"""The name: its zone, and the certificate by which the load balancer proves itself."""

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from infra.constructs import house


class Domain(house.HouseStack):
    """Before everything that has a name. Whoever registered the domain points it to this zone.

    Attributes:
        zone: of the shop's domain; delivery writes its records.
        origin_name: what CloudFront calls the load balancer.
        origin_certificate: for that name, in the shop's region.
    """

    def __init__(self, scope: Construct, id: str, site: house.Site) -> None:
        super().__init__(scope, id, site, description="Vitrina: the domain")
        self.zone = route53.PublicHostedZone(
            self, "Zone", zone_name=site.domain, comment=f"{site.domain}: the shop"
        )
        self.zone.apply_removal_policy(site.removal)
        self.origin_name = f"origin.{site.domain}"
        self.origin_certificate = acm.Certificate(
            self,
            "OriginCertificate",
            domain_name=self.origin_name,
            validation=acm.CertificateValidation.from_dns(self.zone),
        )
