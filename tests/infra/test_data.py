"""The data stack: databases by profile, tables exactly as declared, backups nobody can empty."""

import pytest

from tests.infra.templates import Assembly, Resource, flat
from vitrina.platform.resources import TABLES, Table
from vitrina.settings import Settings

PREFIX = "shop-example"


@pytest.fixture(scope="module")
def database(standard: Assembly) -> Resource:
    return standard.one("AWS::RDS::DBInstance", stack="Data")


def test_rds_makes_keeps_and_changes_the_password_itself(database: Resource) -> None:
    assert database["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in database.properties
    assert "KmsKeyId" in database["MasterUserSecret"]


def test_a_database_without_tls_is_not_spoken_to(assemblies: dict[str, Assembly]) -> None:
    for name, kind in (
        ("standard", "AWS::RDS::DBParameterGroup"),
        ("scale", "AWS::RDS::DBClusterParameterGroup"),
    ):
        parameters = assemblies[name].one(kind, stack="Data")

        assert parameters["Parameters"]["rds.force_ssl"] == "1"


def test_the_database_is_encrypted_kept_watched_and_private(database: Resource) -> None:
    assert database["StorageEncrypted"] is True
    assert database["DeletionProtection"] is True
    assert database["DeleteAutomatedBackups"] is False
    assert database["PubliclyAccessible"] is False
    assert database["EnablePerformanceInsights"] is True
    assert database["MonitoringInterval"] == 60
    assert database["BackupRetentionPeriod"] == 35
    assert database.body["DeletionPolicy"] == "Snapshot"
    assert {"postgresql", "upgrade"} <= set(database["EnableCloudwatchLogsExports"])


def test_every_exported_log_ends_some_day(standard: Assembly, database: Resource) -> None:
    groups = {
        group.properties.get("LogGroupName"): group["RetentionInDays"]
        for group in standard.resources("AWS::Logs::LogGroup", stack="Data")
    }

    assert groups == {
        f"/aws/rds/instance/{PREFIX}/{name}": 365
        for name in database["EnableCloudwatchLogsExports"]
    }


def test_the_scale_profile_has_two_readable_standbys(assemblies: dict[str, Assembly]) -> None:
    cluster = assemblies["scale"].one("AWS::RDS::DBCluster")

    assert cluster["Engine"] == "postgres"
    assert cluster["DBClusterInstanceClass"] == "db.r6gd.2xlarge"
    assert cluster["StorageEncrypted"] is True
    assert cluster["DeletionProtection"] is True


def test_a_shop_for_trying_things_can_be_thrown_away(assemblies: dict[str, Assembly]) -> None:
    for stack, template in assemblies["dev"].templates.items():
        for name, body in template["Resources"].items():
            assert body.get("DeletionPolicy") not in ("Retain", "Snapshot"), f"{stack}/{name}"


@pytest.mark.parametrize("declared", TABLES, ids=lambda table: str(table.name))
def test_a_table_is_what_it_is_declared_to_be(standard: Assembly, declared: Table) -> None:
    name = Settings.model_construct(prefix=PREFIX).named(declared.name)
    table = standard.one("AWS::DynamoDB::GlobalTable", TableName=name)

    assert keys(table["KeySchema"]) == (declared.key.partition, declared.key.sort)
    assert {
        index["IndexName"]: (keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
        for index in table.properties.get("GlobalSecondaryIndexes", [])
    } == {i.name: ((i.key.partition, i.key.sort), i.projection) for i in declared.indexes}
    if declared.ttl_attribute:
        assert table["TimeToLiveSpecification"] == {
            "AttributeName": declared.ttl_attribute,
            "Enabled": True,
        }
    assert ("StreamSpecification" in table.properties) == declared.stream
    (replica,) = table["Replicas"]
    recovery = replica["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is True
    assert replica["DeletionProtectionEnabled"] is True
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}


def test_no_table_is_there_that_is_not_declared(standard: Assembly) -> None:
    assert len(standard.resources("AWS::DynamoDB::GlobalTable")) == len(TABLES)
    assert standard.resources("AWS::DynamoDB::Table") == []


def test_provisioned_tables_scale_by_themselves(assemblies: dict[str, Assembly]) -> None:
    for table in assemblies["scale"].resources("AWS::DynamoDB::GlobalTable"):
        writes = table["WriteProvisionedThroughputSettings"]["WriteCapacityAutoScalingSettings"]
        assert (writes["MinCapacity"], writes["MaxCapacity"]) == (50, 20_000)


def test_backups_are_locked_and_kept(standard: Assembly) -> None:
    vault = standard.one("AWS::Backup::BackupVault")
    plan = standard.one("AWS::Backup::BackupPlan")
    selection = standard.one("AWS::Backup::BackupSelection")

    assert vault["LockConfiguration"] == {"MinRetentionDays": 7, "MaxRetentionDays": 400}
    assert {
        rule["RuleName"]: rule["Lifecycle"]["DeleteAfterDays"]
        for rule in plan["BackupPlan"]["BackupPlanRule"]
    } == {"daily": 35, "monthly": 365}
    kept = {flat(arn).split(".")[0] for arn in selection["BackupSelection"]["Resources"]}
    assert len(kept) == 1 + len(TABLES)


def test_a_warm_standby_has_tables_backups_and_a_replica(assemblies: dict[str, Assembly]) -> None:
    standby = assemblies["standby"]

    for table in standby.resources("AWS::DynamoDB::GlobalTable"):
        assert {r["Region"] for r in table["Replicas"]} == {"eu-central-1", "eu-west-1"}
        assert all("SSESpecification" in r for r in table["Replicas"])
    database = standby.one("AWS::RDS::DBInstance", stack="Data")
    assert database["AutomaticBackupReplicationRegion"] == "eu-west-1"
    replica = standby.one("AWS::RDS::DBInstance", stack="StandbyDatabase")
    assert replica["SourceRegion"] == "eu-central-1"
    assert replica["MultiAZ"] is True


def keys(schema: list[dict[str, str]]) -> tuple[str | None, str | None]:
    by_kind = {entry["KeyType"]: entry["AttributeName"] for entry in schema}
    return by_kind.get("HASH"), by_kind.get("RANGE")
