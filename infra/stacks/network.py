"""The network: three kinds of subnet in each zone, and who may talk to whom."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.constructs import house

POSTGRES_PORT = 15432  # scanners try the usual one first
HTTPS_PORT = 443
WEB_PORT = 8443  # the web process, behind TLS of its own


class Network(house.HouseStack):
    """The VPC and every security group, so that the rules between parts stand in one place.

        CloudFront ─443─► load balancer ─8443─► web ─15432─► database
                                                 │ functions ─┘
                                                 └─443─► AWS, through gateway endpoints and NAT

    Attributes:
        vpc: subnets ``public`` (NAT gateways only), ``app`` and ``data``.
        logs_key: for every log group of this region.
        load_balancer_security_group: lets nobody in; delivery opens it to CloudFront's VPC origin.
        web_security_group: of the instances.
        functions_security_group: of Lambda functions that need the database.
        models_security_group: of the function that opens strangers' files.
        database_security_group: of PostgreSQL; open to web and functions, and nobody else.
    """

    def __init__(self, scope: Construct, id: str, site: house.Site) -> None:
        super().__init__(scope, id, site, description="Vitrina: the network")
        shape = site.profile.network
        self.logs_key = house.logs_key(self, "LogsKey", site)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(shape.cidr),
            max_azs=shape.zones,
            nat_gateways=1 if shape.nat == "one" else shape.zones,
            restrict_default_security_group=True,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=26,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="app", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20
                ),
                ec2.SubnetConfiguration(
                    name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
            ],
        )
        # Models and catalogue reads are most of the traffic: by these doors they cost nothing.
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            self.vpc.add_gateway_endpoint(
                name, service=service, subnets=[house.subnets_of("app"), house.subnets_of("data")]
            )
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                house.log_group(self, "FlowLogs", site, key=self.logs_key)
            ),
            traffic_type=ec2.FlowLogTrafficType.ALL,
        )

        self.load_balancer_security_group = self._group("LoadBalancer", "the load balancer")
        self.web_security_group = self._group("Web", "the web process")
        self.functions_security_group = self._group("Functions", "Lambda functions")
        self.models_security_group = self._group("Models", "the models pipeline")
        self.database_security_group = self._group("Database", "PostgreSQL")
        self._allow(
            self.load_balancer_security_group, self.web_security_group, WEB_PORT, "requests"
        )
        for client in (self.web_security_group, self.functions_security_group):
            self._allow(client, self.database_security_group, POSTGRES_PORT, "SQL")
        for client in (
            self.web_security_group,
            self.functions_security_group,
            self.models_security_group,
        ):
            # How far it leads, the routes of the subnet decide.
            client.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS_PORT), "HTTPS")

    def _group(self, name: str, of: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self,
            f"{name}Group",
            vpc=self.vpc,
            description=f"{self.site.domain}: {of}",
            allow_all_outbound=False,
        )

    @staticmethod
    def _allow(source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: int, what: str) -> None:
        target.add_ingress_rule(source, ec2.Port.tcp(port), what)
        source.add_egress_rule(target, ec2.Port.tcp(port), what)
