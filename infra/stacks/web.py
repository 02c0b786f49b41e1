"""The web process on its instances, behind a load balancer that only CloudFront reaches."""

import json
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs import house
from infra.stacks.data import Data
from infra.stacks.domain import Domain
from infra.stacks.network import HTTPS_PORT, WEB_PORT, Network
from infra.stacks.pipeline import Pipeline
from infra.stacks.storage import RELEASES, Storage
from vitrina.platform import resources

IMAGES = Path(__file__).parent.parent / "images"

# What each instance publishes every ten seconds: the requests a second it served since the last.
# EC2's own metrics come once a minute, which is how long a campaign takes to arrive.
METRICS = "Vitrina"
REQUESTS = "RequestsPerInstance"
REQUESTS_EVERY_S = 10
# The guard beside it: requests that cost more than they used to.
CPU_PERCENT = 60

DRAIN_S = 20  # what is under way may take so long
STOP_S = DRAIN_S + 5
WARM_UP = Duration.seconds(60)
LIFETIME = Duration.days(7)
DISK_GIB = 20
HOOK = "drain"


class Web(house.HouseStack):
    """An internal Application Load Balancer before an Auto Scaling group in every zone.

    Attributes:
        load_balancer: has no public address; its security group lets in whom delivery lets in.
        listener: HTTPS, and nothing else is listened to.
        target_group: asks each instance ``/readyz``.
        group: the instances.
        role: what the processes on an instance may do.
        log_group: what they log.
        metric_dimensions: of the requests metric.
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
        domain: Domain,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: the web process")
        self._network, self._storage, self._data, self._pipeline = network, storage, data, pipeline
        self.metric_dimensions = {"Shop": site.prefix}
        self.log_group = house.log_group(
            self, "Log", site, key=network.logs_key, name=f"/{site.prefix}/web"
        )
        self.role = self._role()
        self.group = self._instances()
        self.load_balancer = self._balancer()
        self.target_group = elb.ApplicationTargetGroup(
            self,
            "Instances",
            vpc=network.vpc,
            port=WEB_PORT,
            protocol=elb.ApplicationProtocol.HTTPS,
            target_type=elb.TargetType.INSTANCE,
            targets=[self.group],
            health_check=elb.HealthCheck(
                path="/readyz",
                protocol=elb.Protocol.HTTPS,
                interval=Duration.seconds(5),
                timeout=Duration.seconds(3),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
            deregistration_delay=Duration.seconds(DRAIN_S),
            slow_start=Duration.seconds(30),
            cross_zone_enabled=True,
        )
        self.listener = self.load_balancer.add_listener(
            "Https",
            port=HTTPS_PORT,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[domain.origin_certificate],
            ssl_policy=elb.SslPolicy.TLS13_12_RES_PQ,
            open=False,
            default_target_groups=[self.target_group],
        )
        self._scaling()
        self._draining()

    def _role(self) -> iam.Role:
        """Exactly what the web process and the relay beside it call."""
        role = iam.Role(
            self,
            "Role",
            description=f"{self.site.domain}: the web process",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            # Sessions through Systems Manager: no SSH, no key pair, no open port.
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSSMManagedInstanceCore")
            ],
        )
        storage, data = self._storage, self._data
        catalogue = data.tables[resources.CATALOGUE.name].table_arn
        house.allow(
            role,
            ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"],
            catalogue,
        )
        house.allow(
            role,
            ["dynamodb:Query"],
            *(f"{catalogue}/index/{index.name}" for index in resources.CATALOGUE.indexes),
        )
        house.allow(
            role,
            ["dynamodb:GetItem", "dynamodb:PutItem"],
            data.tables[resources.CARTS.name].table_arn,
        )
        house.allow(role, ["s3:GetObject"], storage.objects(resources.ASSETS.name))
        # Who may not list gets 403 for an absent object, and cannot tell it from a refusal.
        house.allow(role, ["s3:ListBucket"], storage.assets.bucket_arn)
        house.allow(role, ["s3:GetObject"], storage.objects(RELEASES, f"{self.site.release}/*"))
        storage.let_decrypt(role)
        data.let_connect(role)
        queue = self._pipeline.queues[resources.EVENTS.name].jobs
        house.allow(role, ["sqs:GetQueueUrl", "sqs:SendMessage"], queue.queue_arn)
        house.allow(
            role,
            ["kms:Decrypt", "kms:GenerateDataKey"],
            self._pipeline.key.key_arn,
            conditions={
                "StringEquals": {"kms:ViaService": f"sqs.{self.site.region}.amazonaws.com"}
            },
        )
        house.allow(
            role,
            ["cloudwatch:PutMetricData"],
            "*",
            conditions={"StringEquals": {"cloudwatch:namespace": METRICS}},
        )
        house.allow(
            role,
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            self.log_group.log_group_arn,
        )
        return role

    def _instances(self) -> autoscaling.AutoScalingGroup:
        shape = self.site.profile.web
        template = ec2.LaunchTemplate(
            self,
            "Template",
            launch_template_name=f"{self.site.prefix}-web",
            machine_image=ec2.MachineImage.latest_amazon_linux2023(
                cpu_type=ec2.AmazonLinuxCpuType.ARM_64
            ),
            instance_type=ec2.InstanceType(shape.instance_types[0]),
            role=self.role,
            security_group=self._network.web_security_group,
            user_data=ec2.UserData.custom(self._boot()),
            require_imdsv2=True,
            http_put_response_hop_limit=1,
            detailed_monitoring=True,
            ebs_optimized=True,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        DISK_GIB, volume_type=ec2.EbsDeviceVolumeType.GP3, encrypted=True
                    ),
                )
            ],
        )
        half = max(1, shape.min_instances // 2)
        return autoscaling.AutoScalingGroup(
            self,
            "Group",
            auto_scaling_group_name=f"{self.site.prefix}-web",
            vpc=self._network.vpc,
            vpc_subnets=house.subnets_of("app"),
            min_capacity=shape.min_instances,
            max_capacity=shape.max_instances,
            mixed_instances_policy=autoscaling.MixedInstancesPolicy(
                launch_template=template,
                launch_template_overrides=[
                    autoscaling.LaunchTemplateOverrides(instance_type=ec2.InstanceType(name))
                    for name in shape.instance_types
                ],
                instances_distribution=autoscaling.InstancesDistribution(
                    on_demand_base_capacity=shape.on_demand_base,
                    on_demand_percentage_above_base_capacity=shape.on_demand_percent,
                    on_demand_allocation_strategy=(
                        autoscaling.OnDemandAllocationStrategy.PRIORITIZED
                    ),
                    spot_allocation_strategy=(
                        autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED
                    ),
                ),
            ),
            # A spot instance about to go is replaced before it goes.
            capacity_rebalance=True,
            az_capacity_distribution_strategy=(
                autoscaling.CapacityDistributionStrategy.BALANCED_BEST_EFFORT
            ),
            health_checks=autoscaling.HealthChecks.with_additional_checks(
                additional_types=[autoscaling.AdditionalHealthCheckType.ELB],
                grace_period=Duration.seconds(120),
            ),
            default_instance_warmup=WARM_UP,
            max_instance_lifetime=LIFETIME,
            termination_policies=[
                autoscaling.TerminationPolicy.OLDEST_LAUNCH_TEMPLATE,
                autoscaling.TerminationPolicy.DEFAULT,
            ],
            group_metrics=[autoscaling.GroupMetrics.all()],
            # A new release: new instances first, and back to the old ones if they do not get well.
            update_policy=autoscaling.UpdatePolicy.instance_refresh(
                strategy=autoscaling.InstanceRefreshStrategy.ROLLING,
                min_healthy_percentage=100,
                max_healthy_percentage=150 if half > 1 else 200,
                instance_warmup=WARM_UP,
                bake_time=Duration.minutes(5),
                skip_matching=True,
            ),
        )

    def _balancer(self) -> elb.ApplicationLoadBalancer:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            load_balancer_name=f"{self.site.prefix}-web"[:32].rstrip("-"),
            vpc=self._network.vpc,
            vpc_subnets=house.subnets_of("app"),
            internet_facing=False,
            security_group=self._network.load_balancer_security_group,
            deletion_protection=self.site.profile.keeps_data,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            idle_timeout=Duration.seconds(60),
            http2_enabled=True,
        )
        balancer.log_access_logs(self._storage.logs, "alb")
        # A zone that ails can be left with one call, before its instances look unhealthy.
        balancer.set_attribute("zonal_shift.config.enabled", "true")
        return balancer

    def _scaling(self) -> None:
        """More instances when each has enough to do; fewer when the evening is over."""
        shape = self.site.profile.web
        policy = autoscaling.CfnScalingPolicy
        policy(
            self,
            "OnRequests",
            auto_scaling_group_name=self.group.auto_scaling_group_name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=policy.TargetTrackingConfigurationProperty(
                target_value=shape.requests_per_instance,
                customized_metric_specification=policy.CustomizedMetricSpecificationProperty(
                    metrics=[
                        policy.TargetTrackingMetricDataQueryProperty(
                            id="requests",
                            return_data=True,
                            metric_stat=policy.TargetTrackingMetricStatProperty(
                                metric=policy.MetricProperty(
                                    namespace=METRICS,
                                    metric_name=REQUESTS,
                                    dimensions=[
                                        policy.MetricDimensionProperty(name=name, value=value)
                                        for name, value in self.metric_dimensions.items()
                                    ],
                                ),
                                stat="Average",
                                period=REQUESTS_EVERY_S,
                            ),
                        )
                    ]
                ),
            ),
        )
        self.group.scale_on_cpu_utilization("OnCpu", target_utilization_percent=CPU_PERCENT)
        if shape.is_predictive:
            policy(
                self,
                "Ahead",
                auto_scaling_group_name=self.group.auto_scaling_group_name,
                policy_type="PredictiveScaling",
                predictive_scaling_configuration=policy.PredictiveScalingConfigurationProperty(
                    mode="ForecastAndScale",
                    scheduling_buffer_time=300,
                    max_capacity_breach_behavior="HonorMaxCapacity",
                    metric_specifications=[
                        policy.PredictiveScalingMetricSpecificationProperty(
                            target_value=CPU_PERCENT,
                            predefined_metric_pair_specification=(
                                policy.PredictiveScalingPredefinedMetricPairProperty(
                                    predefined_metric_type="ASGCPUUtilization"
                                )
                            ),
                        )
                    ],
                ),
            )
        if shape.evening_instances:
            for name, hour, least in (
                ("Evening", "17", shape.evening_instances),
                ("Night", "23", shape.min_instances),
            ):
                self.group.scale_on_schedule(
                    name,
                    schedule=autoscaling.Schedule.cron(hour=hour, minute="0"),
                    time_zone="UTC",
                    min_capacity=least,
                )

    def _draining(self) -> None:
        self.group.add_lifecycle_hook(
            "Drain",
            lifecycle_hook_name=HOOK,
            lifecycle_transition=autoscaling.LifecycleTransition.INSTANCE_TERMINATING,
            heartbeat_timeout=Duration.seconds(STOP_S + 35),
            default_result=autoscaling.DefaultResult.CONTINUE,
        )
        house.allow(
            self.role,
            ["autoscaling:CompleteLifecycleAction"],
            f"arn:aws:autoscaling:{self.site.region}:{self.site.account}:autoScalingGroup:*"
            f":autoScalingGroupName/{self.site.prefix}-web",
        )

    def _boot(self) -> str:
        """The script a new instance runs, with this shop's values in it."""
        drain = _filled(
            "web/drain.sh", region=self.site.region, group=f"{self.site.prefix}-web", hook=HOOK
        )
        return _filled(
            "web/boot.sh",
            region=self.site.region,
            releases=self._storage.releases.bucket_name,
            release=self.site.release,
            environment="\n".join(f"{k}={v}" for k, v in self._environment().items()),
            passfile=_filled("password/passfile.py"),
            relay=_filled("web/relay.py"),
            drain=drain,
            logs=json.dumps(self._log_files(), indent=1),
            port=str(WEB_PORT),
            drain_s=str(DRAIN_S),
            stop_s=str(STOP_S),
        )

    def _environment(self) -> dict[str, str]:
        return {
            **house.environment(
                aws_region=self.site.region,
                prefix=self.site.prefix,
                public_url=f"https://{self.site.domain}",
                database_url=self._data.database_url(
                    certificates="/opt/vitrina/certificates/rds.pem",
                    passwords="/run/vitrina/passwords",
                ),
            ),
            "AWS_DEFAULT_REGION": self.site.region,
            "DATABASE_SECRET": self._data.secret_arn,
            "PYTHONPATH": "/opt/vitrina/site",
        }

    def _log_files(self) -> dict[str, object]:
        """What CloudWatch's agent sends."""
        files = [
            {
                "file_path": f"/var/log/vitrina/vitrina-{name}.log",
                "log_group_name": f"/{self.site.prefix}/web",
                "log_stream_name": f"{name}/{{instance_id}}",
            }
            for name in ("web", "relay")
        ]
        return {"logs": {"logs_collected": {"files": {"collect_list": files}}}}


def _filled(name: str, **values: str) -> str:
    """A script of ours with its ``@places@`` filled.

    Raises:
        ValueError: a value has no place in it.
    """
    text = (IMAGES / name).read_text().rstrip("\n")
    for place, value in values.items():
        if f"@{place}@" not in text:
            raise ValueError(f"{name} has no @{place}@")
        text = text.replace(f"@{place}@", value)
    return text
