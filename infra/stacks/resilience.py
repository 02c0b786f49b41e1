"""Failures on purpose, so that the real ones find us practised."""

from aws_cdk import aws_arczonalshift as zonalshift
from aws_cdk import aws_backup as backup
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_fis as fis
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs import house
from infra.stacks.data import Data
from infra.stacks.network import Network
from infra.stacks.watch import Watch
from infra.stacks.web import Web
from vitrina.platform import resources

_Template = fis.CfnExperimentTemplate
_Action = fis.CfnExperimentTemplate.ExperimentTemplateActionProperty
_Filter = fis.CfnExperimentTemplate.ExperimentTemplateTargetFilterProperty
_Target = fis.CfnExperimentTemplate.ExperimentTemplateTargetProperty

LOSS_LASTS = "PT10M"
LATENCY_LASTS_S = 300
LATENCY_MS = 200
LATENCY_DOCUMENT = "AWSFIS-Run-Network-Latency"
INTERFACE = "ens5"  # how Amazon Linux names the first one on Graviton
# When nobody would look, nothing is practised: nights and evenings of the week, the week-end.
UNWATCHED = (
    *(f"{day}:00:00-{day}:08:00" for day in ("Mon", "Tue", "Wed", "Thu", "Fri")),
    *(f"{day}:16:00-{day}:23:59" for day in ("Mon", "Tue", "Wed", "Thu")),
    "Fri:16:00-Sun:23:59",
)


class Resilience(house.HouseStack):
    """Experiments that end when the shop is down, practised zone shifts, restores that are tested.

    A profile whose data may be deleted gets the loss of an instance only: it has no second database
    to fail over to, and nobody restores what nobody keeps.

    Attributes:
        experiments: by name, ``instance-kill``, ``zone-loss``, ``database-failover``, ``latency``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: house.Site,
        network: Network,
        data: Data,
        web: Web,
        watch: Watch,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: experiments and restore tests")
        self._web, self._data, self._network = web, data, network
        self._down: cloudwatch.IAlarm = watch.down
        self._log = house.log_group(
            self, "Log", site, key=network.logs_key, name=f"/{site.prefix}/experiments"
        )
        self._role = self._experimenter()
        self.experiments = {"instance-kill": self._kill()}
        if not site.profile.keeps_data:
            return
        self.experiments["zone-loss"] = self._lose_zone()
        self.experiments["latency"] = self._delay()
        if site.profile.database.multi_az:
            self.experiments["database-failover"] = self._fail_over()
        self._practise_shifts()
        self._test_restores()

    def _kill(self) -> _Template:
        """One instance goes without a word. Nobody should notice."""
        return self._experiment(
            "InstanceKill",
            "one instance dies",
            targets={"instances": self._instances(selection="COUNT(1)")},
            actions={"kill": self._terminate("instances")},
        )

    def _lose_zone(self) -> _Template:
        """Everything in the first zone: its instances, its network, new instances, the database.

        Instances are terminated, not stopped: a spot instance cannot be stopped.
        """
        zone = self.availability_zones[0]
        lost = [
            self._network.vpc.select_subnets(subnet_group_name=group).subnet_ids[0]
            for group in ("app", "data")
        ]
        actions = {
            "network": _Action(
                action_id="aws:network:disrupt-connectivity",
                parameters={"duration": LOSS_LASTS, "scope": "all"},
                targets={"Subnets": "subnets"},
            ),
            "capacity": _Action(
                action_id="aws:ec2:asg-insufficient-instance-capacity-error",
                parameters={
                    "availabilityZoneIdentifiers": zone,
                    "duration": LOSS_LASTS,
                    "percentage": "100",
                },
                targets={"AutoScalingGroups": "group"},
            ),
            "instances": self._terminate("instances"),
        }
        targets = {
            "instances": self._instances(selection="ALL", zone=zone),
            "group": _Target(
                resource_type="aws:ec2:autoscaling-group",
                selection_mode="ALL",
                resource_tags={"shop": self.site.domain, "part": "web"},
            ),
            "subnets": _Target(
                resource_type="aws:ec2:subnet",
                selection_mode="ALL",
                resource_arns=[self._arn("ec2", f"subnet/{subnet}") for subnet in lost],
            ),
        }
        if self.site.profile.database.multi_az:
            name, action, target = self._failover()
            actions[name], targets[name] = action, target
        return self._experiment(
            "ZoneLoss", "the first Availability Zone is lost", targets=targets, actions=actions
        )

    def _fail_over(self) -> _Template:
        """The database's standby takes over."""
        name, action, target = self._failover()
        return self._experiment(
            "DatabaseFailover",
            "the database fails over",
            targets={name: target},
            actions={name: action},
        )

    def _delay(self) -> _Template:
        """Every packet of half the instances is late: are there timeouts, and do they hold?"""
        document = f"arn:aws:ssm:{self.site.region}::document/{LATENCY_DOCUMENT}"
        parameters = {
            "DurationSeconds": str(LATENCY_LASTS_S),
            "DelayMilliseconds": str(LATENCY_MS),
            "Interface": INTERFACE,
            "InstallDependencies": "True",
        }
        return self._experiment(
            "Latency",
            f"half of the instances answer {LATENCY_MS} ms late",
            targets={"instances": self._instances(selection="PERCENT(50)")},
            actions={
                "delay": _Action(
                    action_id="aws:ssm:send-command",
                    parameters={
                        "documentArn": document,
                        "documentParameters": self.to_json_string(parameters),
                        "duration": f"PT{LATENCY_LASTS_S // 60}M",
                    },
                    targets={"Instances": "instances"},
                )
            },
        )

    def _failover(self) -> tuple[str, _Action, _Target]:
        is_instance = self.site.profile.database.kind == "instance"
        target = _Target(
            resource_type="aws:rds:db" if is_instance else "aws:rds:cluster",
            selection_mode="ALL",
            resource_arns=[self._data.database_arn],
        )
        if is_instance:
            action = _Action(
                action_id="aws:rds:reboot-db-instances",
                parameters={"forceFailover": "true"},
                targets={"DBInstances": "database"},
            )
        else:
            action = _Action(
                action_id="aws:rds:failover-db-cluster", targets={"Clusters": "database"}
            )
        return "database", action, target

    def _instances(self, *, selection: str, zone: str | None = None) -> _Target:
        filters = [_Filter(path="State.Name", values=["running"])]
        if zone:
            filters.append(_Filter(path="Placement.AvailabilityZone", values=[zone]))
        return _Target(
            resource_type="aws:ec2:instance",
            selection_mode=selection,
            resource_tags={
                "aws:autoscaling:groupName": self._web.group.auto_scaling_group_name,
            },
            filters=filters,
        )

    @staticmethod
    def _terminate(target: str) -> _Action:
        return _Action(action_id="aws:ec2:terminate-instances", targets={"Instances": target})

    def _experiment(
        self, id: str, what: str, *, targets: dict[str, _Target], actions: dict[str, _Action]
    ) -> _Template:
        """Starts by hand only, logs what it does, and stops when the shop is down."""
        name = (
            f"{self.site.prefix}-{''.join(f'-{c.lower()}' if c.isupper() else c for c in id)[1:]}"
        )
        template = _Template(
            self,
            id,
            description=f"{self.site.domain}: {what}",
            role_arn=self._role.role_arn,
            stop_conditions=[
                _Template.ExperimentTemplateStopConditionProperty(
                    source="aws:cloudwatch:alarm", value=self._down.alarm_arn
                )
            ],
            targets=targets,
            actions=actions,
            experiment_options=_Template.ExperimentTemplateExperimentOptionsProperty(
                account_targeting="single-account", empty_target_resolution_mode="fail"
            ),
            log_configuration=_Template.ExperimentTemplateLogConfigurationProperty(
                log_schema_version=2,
                cloud_watch_logs_configuration={"LogGroupArn": self._log.log_group_arn},
            ),
            tags={"Name": name, "shop": self.site.domain},
        )
        template.node.add_dependency(self._role)
        return template

    def _experimenter(self) -> iam.Role:
        """What experiments may do: to what carries this shop's tag, and nothing else."""
        role = iam.Role(
            self,
            "Experimenter",
            description=f"{self.site.domain}: breaks things on purpose",
            assumed_by=iam.ServicePrincipal(
                "fis.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self.site.account}},
            ),
        )
        ours = {"StringEquals": {"aws:ResourceTag/shop": self.site.domain}}
        house.allow(
            role,
            ["ec2:TerminateInstances"],
            self._arn("ec2", "instance/*"),
            conditions=ours,
        )
        # What only looks knows no resource.
        house.allow(
            role,
            [
                "autoscaling:DescribeAutoScalingGroups",
                "ec2:DescribeInstances",
                "ec2:DescribeSubnets",
                "logs:CreateLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:PutResourcePolicy",
                "tag:GetResources",
            ],
            "*",
        )
        if not self.site.profile.keeps_data:
            return role
        house.allow(
            role,
            [
                "ec2:DescribeManagedPrefixLists",
                "ec2:DescribeNetworkAcls",
                "ec2:DescribeVpcs",
                "ssm:ListCommands",
                "ssm:CancelCommand",
            ],
            "*",
        )
        house.allow(
            role,
            ["ssm:SendCommand"],
            self._arn("ec2", "instance/*"),
            conditions={"StringEquals": {"ssm:resourceTag/shop": self.site.domain}},
        )
        house.allow(
            role,
            ["ssm:SendCommand"],
            f"arn:aws:ssm:{self.site.region}::document/{LATENCY_DOCUMENT}",
        )
        # A lost network is a network ACL that FIS makes, puts in place of ours, and takes away.
        house.allow(
            role,
            ["ec2:CreateNetworkAcl"],
            self._arn("ec2", "network-acl/*"),
            conditions={"StringEquals": {"aws:RequestTag/managedByFIS": "true"}},
        )
        house.allow(
            role, ["ec2:CreateNetworkAcl"], self._arn("ec2", f"vpc/{self._network.vpc.vpc_id}")
        )
        house.allow(
            role,
            ["ec2:CreateTags"],
            self._arn("ec2", "network-acl/*"),
            conditions={
                "StringEquals": {
                    "ec2:CreateAction": "CreateNetworkAcl",
                    "aws:RequestTag/managedByFIS": "true",
                }
            },
        )
        house.allow(
            role,
            ["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAcl"],
            self._arn("ec2", "network-acl/*"),
            conditions={"StringEquals": {"ec2:ResourceTag/managedByFIS": "true"}},
        )
        house.allow(
            role,
            ["ec2:ReplaceNetworkAclAssociation"],
            self._arn("ec2", "subnet/*"),
            self._arn("ec2", "network-acl/*"),
        )
        house.allow(
            role,
            ["ec2:InjectApiError"],
            "*",
            conditions={
                "ForAnyValue:StringEquals": {
                    "ec2:FisActionId": ["aws:ec2:asg-insufficient-instance-capacity-error"]
                }
            },
        )
        if self.site.profile.database.kind == "instance":
            house.allow(
                role,
                ["rds:RebootDBInstance", "rds:DescribeDBInstances"],
                self._data.database_arn,
            )
        else:
            house.allow(
                role,
                ["rds:FailoverDBCluster", "rds:DescribeDBClusters"],
                self._data.database_arn,
            )
        return role

    def _practise_shifts(self) -> None:
        """Once a week AWS leaves a zone for half an hour, and looks whether the shop minds.

        Where the shop is down already, nothing is practised. Autoshift itself is on, too: where AWS
        sees a zone ail, traffic leaves it before anybody here has read the first mail.
        """
        condition = zonalshift.CfnZonalAutoshiftConfiguration.ControlConditionProperty
        alarm = condition(type="CLOUDWATCH", alarm_identifier=self._down.alarm_arn)
        zonalshift.CfnZonalAutoshiftConfiguration(
            self,
            "Autoshift",
            resource_identifier=self._web.load_balancer.load_balancer_arn,
            zonal_autoshift_status="ENABLED",
            practice_run_configuration=(
                zonalshift.CfnZonalAutoshiftConfiguration.PracticeRunConfigurationProperty(
                    outcome_alarms=[alarm],
                    blocking_alarms=[alarm],
                    blocked_windows=list(UNWATCHED),
                )
            ),
        )

    def _test_restores(self) -> None:
        """Once a week the newest backup of each thing becomes a thing again, and goes away."""
        plan = backup.CfnRestoreTestingPlan(
            self,
            "RestoreTest",
            restore_testing_plan_name=self.site.prefix.replace("-", "_") + "_weekly",
            schedule_expression="cron(0 6 ? * TUE *)",
            schedule_expression_timezone="UTC",
            start_window_hours=4,
            recovery_point_selection=(
                backup.CfnRestoreTestingPlan.RestoreTestingRecoveryPointSelectionProperty(
                    algorithm="LATEST_WITHIN_WINDOW",
                    include_vaults=[self._data.vault.backup_vault_arn],
                    recovery_point_types=["SNAPSHOT"],
                    selection_window_days=7,
                )
            ),
        )
        role = iam.Role(
            self,
            "Restorer",
            description=f"{self.site.domain}: restores backups to test them",
            assumed_by=iam.ServicePrincipal(
                "backup.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self.site.account}},
            ),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(
                    "service-role/AWSBackupServiceRolePolicyForRestores"
                )
            ],
        )
        house.allow(
            role,
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:CreateGrant"],
            self._data.key.key_arn,
        )
        kinds = {"instance": "RDS", "cluster": "RDS", "serverless": "Aurora"}
        for name, kind, arns in (
            (
                "database",
                kinds[self.site.profile.database.kind],
                [self._data.database_arn],
            ),
            (
                "tables",
                "DynamoDB",
                [self._data.tables[declared.name].table_arn for declared in resources.TABLES],
            ),
        ):
            chosen = backup.CfnRestoreTestingSelection(
                self,
                f"Restore{name.capitalize()}",
                restore_testing_plan_name=plan.restore_testing_plan_name,
                restore_testing_selection_name=f"{name}_of_the_shop",
                iam_role_arn=role.role_arn,
                protected_resource_type=kind,
                protected_resource_arns=arns,
                validation_window_hours=1,
            )
            chosen.add_resource_dependency(plan)

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.site.region}:{self.site.account}:{resource}"
