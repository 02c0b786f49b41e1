"""What the shop remembers: PostgreSQL, the DynamoDB tables, and backups of both."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_backup as backup
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.constructs import house
from infra.stacks.network import POSTGRES_PORT, Network
from vitrina.platform import resources

DATABASE = "shop"
DATABASE_USER = "shop"
VERSION = "18.3"
AURORA_VERSION = "18.3"
PARAMETERS = {
    "rds.force_ssl": "1",
    "log_statement": "ddl",
    "log_min_duration_statement": "500",  # milliseconds
    "log_lock_waits": "1",
    "idle_in_transaction_session_timeout": "60000",  # milliseconds
}
# What each kind of database can send to CloudWatch.
LOGS = {
    "instance": ("postgresql", "upgrade", "iam-db-auth-error"),
    "cluster": ("postgresql", "upgrade"),
    "serverless": ("postgresql", "instance", "iam-db-auth-error"),
}
CLUSTER_IOPS = 12_000  # what gp3 includes from 400 GiB up
MONITORED_EVERY_S = 60
# Performance Insights keeps this for free, on every kind of database.
INSIGHTS_DAYS = 7
_DECRYPTING = ("dynamodb", "secretsmanager")


class Data(house.HouseStack):
    """PostgreSQL by profile, each declared table, and a vault that nobody can empty.

    RDS itself makes the password, keeps it in Secrets Manager and changes it every seven days. The
    running processes read it from a file that libpq opens at each connection, so nothing restarts.

    Attributes:
        key: encrypts database, tables, secret and backups.
        database_id: the instance's identifier, or the cluster's.
        database_dimensions: what CloudWatch's metrics of the database are named by.
        database_arn: of the instance, or of the cluster.
        database_address: host that writes.
        secret_arn: the secret with ``username`` and ``password``.
        tables: by logical name.
        vault: where backups lie.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: house.Site,
        network: Network,
        *,
        copies: "StandbyKeys | None" = None,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: PostgreSQL, DynamoDB, backups")
        self.key = house.customer_key(self, "Key", site, of="databases, tables and backups")
        self._network = network
        self._copies = copies
        subnets = rds.SubnetGroup(
            self,
            "Subnets",
            vpc=network.vpc,
            vpc_subnets=house.subnets_of("data"),
            description=f"{site.domain}: PostgreSQL",
        )
        if site.profile.database.kind == "instance":
            self._instance(subnets)
        else:
            self._cluster(subnets)
        self.tables = {table.name: self._table(table) for table in resources.TABLES}
        self.vault = self._backups()

    def _instance(self, subnets: rds.SubnetGroup) -> None:
        shape = self.site.profile.database
        parameters = rds.CfnDBParameterGroup(
            self,
            "Parameters",
            family="postgres18",
            description=f"{self.site.domain}: TLS only",
            parameters=PARAMETERS,
        )
        instance = rds.CfnDBInstance(
            self,
            "Database",
            db_instance_identifier=self.site.prefix,
            engine="postgres",
            engine_version=VERSION,
            db_instance_class=f"db.{shape.instance_class}",
            allocated_storage=str(shape.storage_gib),
            max_allocated_storage=shape.max_storage_gib,
            storage_type="gp3",
            multi_az=shape.multi_az,
            db_name=DATABASE,
            port=str(POSTGRES_PORT),
            db_parameter_group_name=parameters.ref,
            db_subnet_group_name=subnets.subnet_group_name,
            vpc_security_groups=[self._network.database_security_group.security_group_id],
            publicly_accessible=False,
            master_username=DATABASE_USER,
            manage_master_user_password=True,
            master_user_secret=rds.CfnDBInstance.MasterUserSecretProperty(
                kms_key_id=self.key.key_arn
            ),
            storage_encrypted=True,
            kms_key_id=self.key.key_arn,
            enable_iam_database_authentication=True,
            backup_retention_period=shape.backup_days,
            preferred_backup_window="02:00-02:30",
            preferred_maintenance_window="sun:03:00-sun:04:00",
            copy_tags_to_snapshot=True,
            delete_automated_backups=not self.site.profile.keeps_data,
            deletion_protection=self.site.profile.keeps_data,
            auto_minor_version_upgrade=True,
            enable_performance_insights=True,
            performance_insights_kms_key_id=self.key.key_arn,
            performance_insights_retention_period=INSIGHTS_DAYS,
            database_insights_mode="standard",
            monitoring_interval=MONITORED_EVERY_S,
            monitoring_role_arn=_monitoring_role(self).role_arn,
            enable_cloudwatch_logs_exports=list(LOGS[shape.kind]),
            automatic_backup_replication_region=(
                self.site.profile.standby_region if self._copies else None
            ),
            automatic_backup_replication_kms_key_id=(
                self._copies.key.key_arn if self._copies else None
            ),
        )
        instance.apply_removal_policy(self._database_removal)
        self._log_groups("instance", instance)
        self.database_id = instance.ref
        self.database_dimensions = {"DBInstanceIdentifier": self.site.prefix}
        self.database_arn = instance.attr_db_instance_arn
        self.database_address = instance.attr_endpoint_address
        self.secret_arn = instance.attr_master_user_secret_secret_arn

    def _cluster(self, subnets: rds.SubnetGroup) -> None:
        shape = self.site.profile.database
        is_aurora = shape.kind == "serverless"
        parameters = rds.CfnDBClusterParameterGroup(
            self,
            "Parameters",
            family="aurora-postgresql18" if is_aurora else "postgres18",
            description=f"{self.site.domain}: TLS only",
            parameters=PARAMETERS,
        )
        insights: dict[str, Any] = {
            "performance_insights_kms_key_id": self.key.key_arn,
            "performance_insights_retention_period": INSIGHTS_DAYS,
            "monitoring_interval": MONITORED_EVERY_S,
            "monitoring_role_arn": _monitoring_role(self).role_arn,
        }
        size: dict[str, Any]
        if is_aurora:
            size = {
                "engine": "aurora-postgresql",
                "engine_version": AURORA_VERSION,
                "enable_iam_database_authentication": True,
                "serverless_v2_scaling_configuration": (
                    rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty(
                        min_capacity=shape.min_acu, max_capacity=shape.max_acu
                    )
                ),
            }
        else:
            size = {
                "engine": "postgres",
                "engine_version": VERSION,
                "db_cluster_instance_class": f"db.{shape.instance_class}",
                "allocated_storage": shape.storage_gib,
                "storage_type": "gp3",
                "iops": CLUSTER_IOPS,
                "auto_minor_version_upgrade": True,
                "publicly_accessible": False,
            }
        cluster = rds.CfnDBCluster(
            self,
            "Database",
            db_cluster_identifier=self.site.prefix,
            database_name=DATABASE,
            port=POSTGRES_PORT,
            db_cluster_parameter_group_name=parameters.ref,
            db_subnet_group_name=subnets.subnet_group_name,
            vpc_security_group_ids=[self._network.database_security_group.security_group_id],
            master_username=DATABASE_USER,
            manage_master_user_password=True,
            master_user_secret=rds.CfnDBCluster.MasterUserSecretProperty(
                kms_key_id=self.key.key_arn
            ),
            storage_encrypted=True,
            kms_key_id=self.key.key_arn,
            backup_retention_period=shape.backup_days,
            preferred_backup_window="02:00-02:30",
            preferred_maintenance_window="sun:03:00-sun:04:00",
            copy_tags_to_snapshot=True,
            deletion_protection=self.site.profile.keeps_data,
            performance_insights_enabled=True,
            database_insights_mode="standard",
            enable_cloudwatch_logs_exports=list(LOGS[shape.kind]),
            **size,
            **insights,
        )
        cluster.apply_removal_policy(self._database_removal)
        self._log_groups("cluster", cluster)
        if is_aurora:
            for number in range(2 if shape.multi_az else 1):
                rds.CfnDBInstance(
                    self,
                    f"DatabaseInstance{number}",
                    engine="aurora-postgresql",
                    db_cluster_identifier=cluster.ref,
                    db_instance_class="db.serverless",
                    publicly_accessible=False,
                    auto_minor_version_upgrade=True,
                    promotion_tier=number,
                    enable_performance_insights=True,
                    performance_insights_kms_key_id=self.key.key_arn,
                    performance_insights_retention_period=INSIGHTS_DAYS,
                    monitoring_interval=MONITORED_EVERY_S,
                    monitoring_role_arn=insights["monitoring_role_arn"],
                )
        self.database_id = cluster.ref
        self.database_dimensions = {"DBClusterIdentifier": self.site.prefix}
        self.database_arn = cluster.attr_db_cluster_arn
        self.database_address = cluster.attr_endpoint_address
        self.secret_arn = cluster.attr_master_user_secret_secret_arn

    def database_url(self, *, certificates: str, passwords: str) -> str:
        """What ``DATABASE_URL`` is for a process: no secret in it; the server proves itself.

        Args:
            certificates: file with the authorities that sign RDS's certificates.
            passwords: libpq's password file, which ``infra/images/password`` keeps right.
        """
        return (
            f"postgresql://{DATABASE_USER}@{self.database_address}:{POSTGRES_PORT}/{DATABASE}"
            f"?sslmode=verify-full&sslrootcert={certificates}&passfile={passwords}"
        )

    def let_connect(self, grantee: iam.IGrantable) -> None:
        """Let a process read the database's password."""
        house.allow(grantee, ["secretsmanager:GetSecretValue"], self.secret_arn)
        self.let_decrypt(grantee)

    def let_decrypt(self, grantee: iam.IGrantable) -> None:
        """Let DynamoDB and Secrets Manager decrypt for a process; itself it can decrypt nothing."""
        services = [f"{name}.{self.site.region}.amazonaws.com" for name in _DECRYPTING]
        house.allow(
            grantee,
            ["kms:Decrypt"],
            self.key.key_arn,
            conditions={"StringEquals": {"kms:ViaService": services}},
        )

    @property
    def _database_removal(self) -> cdk.RemovalPolicy:
        """A database that goes leaves a snapshot, unless its data was never meant to stay."""
        keeps = self.site.profile.keeps_data
        return cdk.RemovalPolicy.SNAPSHOT if keeps else cdk.RemovalPolicy.DESTROY

    def _log_groups(self, kind: str, database: cdk.CfnResource) -> None:
        """Made before RDS would make them, which sets neither a key nor an end."""
        for name in LOGS[self.site.profile.database.kind]:
            group = house.log_group(
                self,
                f"Log-{name}",
                self.site,
                key=self._network.logs_key,
                name=f"/aws/rds/{kind}/{self.site.prefix}/{name}",
            )
            database.node.add_dependency(group)

    def _table(self, table: resources.Table) -> dynamodb.TableV2:
        capacity = self.site.profile.tables
        keeps = self.site.profile.keeps_data
        copies = self._copies
        units = dynamodb.Capacity.autoscaled(
            min_capacity=capacity.min_units,
            max_capacity=capacity.max_units,
            target_utilization_percent=capacity.target_percent,
        )
        return dynamodb.TableV2(
            self,
            table.name.capitalize(),
            table_name=self.site.named(table.name),
            partition_key=_attribute(table.key.partition),
            sort_key=_attribute(table.key.sort) if table.key.sort else None,
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=index.name,
                    partition_key=_attribute(index.key.partition),
                    sort_key=_attribute(index.key.sort) if index.key.sort else None,
                    projection_type=dynamodb.ProjectionType[index.projection],
                )
                for index in table.indexes
            ],
            time_to_live_attribute=table.ttl_attribute,
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if table.stream else None,
            billing=(
                dynamodb.Billing.provisioned(read_capacity=units, write_capacity=units)
                if capacity.billing == "provisioned"
                else dynamodb.Billing.on_demand()
            ),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(
                self.key,
                {self.site.profile.standby_region: copies.key.key_arn} if copies else None,
            ),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True,
                recovery_period_in_days=self.site.profile.database.backup_days,
            ),
            replicas=(
                [dynamodb.ReplicaTableProps(region=self.site.profile.standby_region)]
                if copies
                else None
            ),
            deletion_protection=keeps,
            removal_policy=self.site.removal,
        )

    def _backups(self) -> backup.BackupVault:
        """Every day for five weeks, every month for a year; locked where data is kept.

        The lock is in governance mode: whoever administers backups in the account can still open
        it. Compliance mode, which not even AWS opens, is for a shop that has practised restoring.
        """
        keeps = self.site.profile.keeps_data
        vault = backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=self.site.prefix,
            encryption_key=self.key,
            removal_policy=self.site.removal,
            lock_configuration=(
                backup.LockConfiguration(
                    min_retention=Duration.days(7), max_retention=Duration.days(400)
                )
                if keeps
                else None
            ),
        )
        copy_to = (
            [
                backup.BackupPlanCopyActionProps(
                    destination_backup_vault=self._copies.vault, delete_after=Duration.days(35)
                )
            ]
            if self._copies
            else None
        )
        rules = [
            backup.BackupPlanRule(
                rule_name="daily",
                schedule_expression=events.Schedule.cron(hour="3", minute="0"),
                delete_after=Duration.days(35),
                start_window=Duration.hours(1),
                completion_window=Duration.hours(6),
                copy_actions=copy_to,
            )
        ]
        if keeps:
            rules.append(
                backup.BackupPlanRule(
                    rule_name="monthly",
                    schedule_expression=events.Schedule.cron(day="1", hour="4", minute="0"),
                    delete_after=Duration.days(365),
                    start_window=Duration.hours(1),
                    completion_window=Duration.hours(12),
                )
            )
        plan = backup.BackupPlan(
            self,
            "Backups",
            backup_plan_name=self.site.prefix,
            backup_vault=vault,
            backup_plan_rules=rules,
        )
        plan.add_selection(
            "Everything",
            backup_selection_name=self.site.prefix,
            resources=[
                backup.BackupResource.from_arn(self.database_arn),
                *(
                    backup.BackupResource.from_arn(table.table_arn)
                    for table in self.tables.values()
                ),
            ],
        )
        return vault


class StandbyKeys(house.HouseStack):
    """In the other region, before anything is copied there: the key, and the vault for backups.

    Attributes:
        key: encrypts the tables' replicas, the database's and its backups.
        vault: copies of daily backups.
    """

    def __init__(self, scope: Construct, id: str, site: house.Site) -> None:
        super().__init__(scope, id, site, description="Vitrina: what copies are encrypted with")
        self.key = house.customer_key(self, "Key", site, of="copies of databases and tables")
        self.vault = backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=site.prefix,
            encryption_key=self.key,
            removal_policy=site.removal,
            lock_configuration=backup.LockConfiguration(
                min_retention=Duration.days(7), max_retention=Duration.days(400)
            ),
        )


class StandbyDatabase(house.HouseStack):
    """A replica of the database in the other region, to be promoted when the first one is lost.

    Attributes:
        database_address: host that reads, and writes once promoted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: house.Site,
        network: Network,
        *,
        source_arn: str,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: the database's replica")
        shape = site.profile.database
        subnets = rds.SubnetGroup(
            self,
            "Subnets",
            vpc=network.vpc,
            vpc_subnets=house.subnets_of("data"),
            description=f"{site.domain}: PostgreSQL",
        )
        parameters = rds.CfnDBParameterGroup(
            self,
            "Parameters",
            family="postgres18",
            description=f"{site.domain}: TLS only",
            parameters=PARAMETERS,
        )
        replica = rds.CfnDBInstance(
            self,
            "Database",
            db_instance_identifier=f"{site.prefix}-standby",
            engine="postgres",
            source_db_instance_identifier=source_arn,
            source_region=site.profile.region,
            db_instance_class=f"db.{shape.instance_class}",
            max_allocated_storage=shape.max_storage_gib,
            storage_type="gp3",
            multi_az=shape.multi_az,
            port=str(POSTGRES_PORT),
            db_parameter_group_name=parameters.ref,
            db_subnet_group_name=subnets.subnet_group_name,
            vpc_security_groups=[network.database_security_group.security_group_id],
            publicly_accessible=False,
            # An encrypted database's replica is encrypted: by this key.
            kms_key_id=key.key_arn,
            enable_iam_database_authentication=True,
            backup_retention_period=shape.backup_days,
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=True,
            auto_minor_version_upgrade=True,
            enable_performance_insights=True,
            performance_insights_kms_key_id=key.key_arn,
            performance_insights_retention_period=INSIGHTS_DAYS,
            monitoring_interval=MONITORED_EVERY_S,
            monitoring_role_arn=_monitoring_role(self).role_arn,
            enable_cloudwatch_logs_exports=list(LOGS[shape.kind]),
        )
        # E3720 wants StorageEncrypted beside a key; RDS refuses it beside a source, and so E3020.
        replica.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3720"]}})
        replica.apply_removal_policy(cdk.RemovalPolicy.SNAPSHOT)
        self.database_address = replica.attr_endpoint_address


def _attribute(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _monitoring_role(stack: house.HouseStack) -> iam.Role:
    return iam.Role(
        stack,
        "MonitoringRole",
        description=f"{stack.site.domain}: RDS sends the operating system's figures",
        assumed_by=iam.ServicePrincipal(
            "monitoring.rds.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": stack.site.account}},
        ),
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name(
                "service-role/AmazonRDSEnhancedMonitoringRole"
            )
        ],
    )
