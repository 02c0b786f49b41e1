"""The storage stack: buckets that nobody but us can read, and that do not grow for ever."""

import pytest

from tests.infra.templates import Assembly, Resource, flat, statements

BUCKETS = ("uploads", "assets", "snapshot", "releases", "logs")


@pytest.fixture(params=BUCKETS)
def bucket(request: pytest.FixtureRequest, standard: Assembly) -> Resource:
    return standard.one("AWS::S3::Bucket", BucketName=f"shop-example-{request.param}")


def test_a_bucket_is_private_versioned_and_encrypted(bucket: Resource) -> None:
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert by == ("AES256" if bucket.id.startswith("Logs") else "aws:kms")
    assert bucket.body["DeletionPolicy"] == "Retain"


def test_a_bucket_answers_only_tls_from_1_2_on(standard: Assembly, bucket: Resource) -> None:
    policy = next(
        p
        for p in standard.resources("AWS::S3::BucketPolicy", stack="Storage")
        if p["Bucket"] == {"Ref": bucket.id}
    )
    denied = [
        statement["Condition"]
        for statement in statements(policy["PolicyDocument"])
        if statement["Effect"] == "Deny" and statement["Action"] == ["s3:*"]
    ]

    assert {"Bool": {"aws:SecureTransport": "false"}} in denied
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


def test_a_bucket_forgets_old_versions_and_half_uploads(bucket: Resource) -> None:
    rules = bucket["LifecycleConfiguration"]["Rules"]

    assert all(rule["Status"] == "Enabled" for rule in rules)
    assert any("NoncurrentVersionExpiration" in rule for rule in rules)
    assert any(
        rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 2} for rule in rules
    )


def test_uploads_tell_eventbridge(standard: Assembly) -> None:
    uploads = standard.one("AWS::S3::Bucket", BucketName="shop-example-uploads")

    assert uploads["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_cloudfront_of_this_account_alone_may_read_models_and_snapshot(
    standard: Assembly,
) -> None:
    readers = {
        flat(statement["Resource"][0]): statement["Condition"]
        for policy in standard.resources("AWS::S3::BucketPolicy", stack="Storage")
        for statement in statements(policy["PolicyDocument"])
        if statement.get("Principal") == {"Service": "cloudfront.amazonaws.com"}
    }

    assert len(readers) == 2
    for condition in readers.values():
        assert condition["StringEquals"] == {"AWS:SourceAccount": "123456789012"}


def test_a_warm_standby_copies_what_cannot_be_made_again(assemblies: dict[str, Assembly]) -> None:
    copied = {
        bucket["BucketName"]
        for bucket in assemblies["standby"].resources("AWS::S3::Bucket", stack="Storage")
        if "ReplicationConfiguration" in bucket.properties
    }

    assert copied == {f"shop-example-{name}" for name in ("uploads", "assets", "snapshot")}
    for name in copied:
        copy = assemblies["standby"].one("AWS::S3::Bucket", BucketName=f"{name}-standby")
        assert copy["VersioningConfiguration"] == {"Status": "Enabled"}
