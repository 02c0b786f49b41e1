"""Buckets: raw models, published models, the snapshot of the pages, releases, logs."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs import house
from vitrina.platform import resources

# What has no setting of the running shop, and so is named here.
SNAPSHOT = "snapshot"
RELEASES = "releases"
LOGS = "logs"

ABORT_MULTIPART_AFTER = Duration.days(2)


class Storage(house.HouseStack):
    """Every bucket. None is public, and none answers plain HTTP.

    Attributes:
        key: encrypts all of them but the logs; CloudFront of this account may decrypt with it.
        uploads: raw models; tells EventBridge of each new object.
        assets: published models and pictures, under names that never change their content.
        snapshot: the last good pages, for when the origin is down.
        releases: the bundles that instances and functions run, by release.
        logs: access logs of buckets (``s3/``), load balancer (``alb/``) and CloudFront (``cdn/``).
    """

    def __init__(
        self, scope: Construct, id: str, site: house.Site, *, copies: "StandbyStorage | None" = None
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: buckets")
        self.key = house.customer_key(self, "Key", site, of="buckets")
        self.logs = _logs_bucket(self, site)
        self.uploads = _bucket(
            self,
            "Uploads",
            site,
            site.named(resources.UPLOADS.name),
            key=self.key,
            logs=self.logs,
            # What the pipeline has read is in the assets; the raw file is kept to repeat it.
            lifecycle_rules=[
                _rule(
                    transitions=[
                        _to(s3.StorageClass.INFREQUENT_ACCESS, after_days=30),
                        _to(s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, after_days=90),
                    ],
                    noncurrent_version_expiration=Duration.days(30),
                )
            ],
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.PUT],
                    allowed_origins=[f"https://{site.domain}"],
                    allowed_headers=["content-type"],
                    max_age=3600,
                )
            ],
            replication_rules=self._replication("uploads", copies),
        )
        self.assets = _bucket(
            self,
            "Assets",
            site,
            site.named(resources.ASSETS.name),
            key=self.key,
            logs=self.logs,
            # Intelligent tiering moves the models nobody looks at, and moves them back for free.
            lifecycle_rules=[
                _rule(
                    transitions=[_to(s3.StorageClass.INTELLIGENT_TIERING, after_days=0)],
                    noncurrent_version_expiration=Duration.days(90),
                    noncurrent_version_transitions=[
                        s3.NoncurrentVersionTransition(
                            storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
                            transition_after=Duration.days(30),
                        )
                    ],
                )
            ],
            replication_rules=self._replication("assets", copies),
        )
        self.snapshot = _bucket(
            self,
            "Snapshot",
            site,
            site.named(SNAPSHOT),
            key=self.key,
            logs=self.logs,
            lifecycle_rules=[_rule(noncurrent_version_expiration=Duration.days(7))],
            replication_rules=self._replication("snapshot", copies),
        )
        self.releases = _bucket(
            self,
            "Releases",
            site,
            site.named(RELEASES),
            key=self.key,
            logs=self.logs,
            lifecycle_rules=[
                _rule(
                    transitions=[_to(s3.StorageClass.INFREQUENT_ACCESS, after_days=90)],
                    noncurrent_version_expiration=Duration.days(90),
                )
            ],
        )
        self._tell_of_uploads()
        self._let_cloudfront_read()

    def objects(self, logical: str, keys: str = "*") -> str:
        """The objects of a bucket, as a policy names them."""
        return f"arn:aws:s3:::{self.site.named(logical)}/{keys}"

    def let_decrypt(self, grantee: iam.IGrantable, *, writes: bool = False) -> None:
        """Let S3 decrypt for a process, and encrypt if it writes."""
        house.allow(
            grantee,
            ["kms:Decrypt", "kms:GenerateDataKey"] if writes else ["kms:Decrypt"],
            self.key.key_arn,
            conditions={"StringEquals": {"kms:ViaService": f"s3.{self.site.region}.amazonaws.com"}},
        )

    def _replication(
        self, logical: str, copies: "StandbyStorage | None"
    ) -> list[s3.ReplicationRule] | None:
        """Copies every object within fifteen minutes, deletions too, and says when it does not.

        Bucket and key are named, not handed over: the role's own policy suffices in one account,
        and writing it into theirs as well would be a circle between the regions.
        """
        if copies is None:
            return None
        name = self.site.named(f"{logical}-standby")
        return [
            s3.ReplicationRule(
                destination=s3.Bucket.from_bucket_attributes(
                    self,
                    f"Copy-{logical}",
                    bucket_name=name,
                    region=copies.region,
                    account=self.site.account,
                ),
                priority=0,
                sse_kms_encrypted_objects=True,
                kms_key=kms.Key.from_key_arn(self, f"CopyKey-{logical}", copies.key.key_arn),
                delete_marker_replication=True,
                replication_time_control=s3.ReplicationTimeValue.FIFTEEN_MINUTES,
                metrics=s3.ReplicationTimeValue.FIFTEEN_MINUTES,
            )
        ]

    def _tell_of_uploads(self) -> None:
        # Said in the bucket's own properties: the construct's switch would bring a function along.
        bucket = self.uploads.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )

    def _let_cloudfront_read(self) -> None:
        """Origin access control signs as CloudFront; which distribution, is not known yet.

        The distribution is in a stack that depends on this one, so its address would be a circle:
        any distribution of this account, and nobody else's, may read.
        """
        cloudfront = iam.ServicePrincipal("cloudfront.amazonaws.com")
        ours = {
            "StringEquals": {"AWS:SourceAccount": self.site.account},
            "ArnLike": {"AWS:SourceArn": f"arn:aws:cloudfront::{self.site.account}:distribution/*"},
        }
        for bucket in (self.assets, self.snapshot):
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="CloudFrontReads",
                    principals=[cloudfront],
                    actions=["s3:GetObject"],
                    resources=[bucket.arn_for_objects("*")],
                    conditions=ours,
                )
            )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudFrontDecrypts",
                principals=[cloudfront],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions=ours,
            )
        )


class StandbyStorage(house.HouseStack):
    """In the other region: a copy of each bucket that could not be made again from something else.

    Attributes:
        key: encrypts the copies.
    """

    def __init__(self, scope: Construct, id: str, site: house.Site) -> None:
        super().__init__(scope, id, site, description="Vitrina: copies of the buckets")
        self.key = house.customer_key(self, "Key", site, of="copies of buckets")
        self.logs = _logs_bucket(self, site)
        self.uploads, self.assets, self.snapshot = (
            _bucket(
                self,
                logical.capitalize(),
                site,
                site.named(f"{logical}-standby"),
                key=self.key,
                logs=self.logs,
                lifecycle_rules=[
                    _rule(
                        transitions=[_to(s3.StorageClass.INTELLIGENT_TIERING, after_days=0)],
                        noncurrent_version_expiration=Duration.days(30),
                    )
                ],
            )
            for logical in (resources.UPLOADS.name, resources.ASSETS.name, SNAPSHOT)
        )


def _bucket(
    scope: Construct,
    id: str,
    site: house.Site,
    name: str,
    *,
    key: kms.IKey,
    logs: s3.IBucket,
    lifecycle_rules: Sequence[s3.LifecycleRule],
    **more: Any,
) -> s3.Bucket:
    return s3.Bucket(
        scope,
        id,
        bucket_name=name,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        lifecycle_rules=list(lifecycle_rules),
        server_access_logs_bucket=logs,
        server_access_logs_prefix=f"s3/{id.lower()}/",
        removal_policy=site.removal,
        **more,
    )


def _logs_bucket(scope: Construct, site: house.Site) -> s3.Bucket:
    """The load balancer writes only where S3 encrypts with its own key, so this one does."""
    return s3.Bucket(
        scope,
        "Logs",
        bucket_name=site.named(f"{LOGS}-standby" if site.is_standby else LOGS),
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        # CloudFront's standard logs come with an access control list.
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        lifecycle_rules=[
            _rule(
                transitions=[_to(s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, after_days=90)],
                expiration=Duration.days(max(site.profile.watch.log_days, 91)),
                noncurrent_version_expiration=Duration.days(7),
            )
        ],
        removal_policy=site.removal,
    )


def _rule(**more: Any) -> s3.LifecycleRule:
    return s3.LifecycleRule(abort_incomplete_multipart_upload_after=ABORT_MULTIPART_AFTER, **more)


def _to(storage_class: s3.StorageClass, *, after_days: int) -> s3.Transition:
    return s3.Transition(storage_class=storage_class, transition_after=Duration.days(after_days))
