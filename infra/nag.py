"""Rules we do not follow, each with its reason, and the packs that check all others.

A rule of the same name in several packs is one rule with one reason. Where a rule is acknowledged,
it is for the constructs named and what is under them, never for the whole app if it can be less.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import aws_cdk as cdk
import cdk_nag
from constructs import IConstruct

from infra.shop import Shop

_AWS = ("AwsSolutions",)
_CONTROLS = ("NIST.800.53.R5", "PCI.DSS.321")
APP = ""  # the path of the app itself


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A rule we do not follow.

    Attributes:
        rule: its name without the pack's.
        packs: whose rule it is.
        at: paths of constructs, such as ``Web/Role``.
        reason: what makes up for it, to somebody who reviews security.
        findings: for rules that name what they found; ``{prefix}``, ``{release}``, ``{region}`` and
            ``{account}`` stand for the shop's.
    """

    rule: str
    packs: tuple[str, ...]
    at: tuple[str, ...]
    reason: str
    findings: tuple[str, ...] = ()

    def ids(self, shop: Shop) -> Iterator[str]:
        site = shop.site
        for pack in self.packs:
            for finding in self.findings or ("",):
                named = finding.format(
                    prefix=site.prefix,
                    release=site.release,
                    region=site.region,
                    account=site.account,
                )
                yield f"{pack}-{self.rule}" + (f"[{named}]" if named else "")


def _policies(*names: str) -> tuple[str, ...]:
    return tuple(f"Policy::arn:<AWS::Partition>:iam::aws:policy/{name}" for name in names)


ACKNOWLEDGED = (
    Acknowledged(
        "IAMNoInlinePolicy",
        _CONTROLS,
        (APP,),
        "A policy that only one role may have lives and dies with that role. A managed policy could"
        " be attached to another, which is what least privilege is meant to prevent.",
    ),
    Acknowledged(
        "IAM4",
        _AWS,
        ("Data", "Pipeline", "StandbyDatabase", "Web"),
        "The service's own plumbing (log lines, network interfaces, monitoring, backups, Session"
        " Manager). AWS extends these policies with the service; a copy of ours would break.",
        _policies(
            "service-role/AmazonRDSEnhancedMonitoringRole",
            "service-role/AWSBackupServiceRolePolicyForBackup",
            "service-role/AWSLambdaBasicExecutionRole",
            "service-role/AWSLambdaVPCAccessExecutionRole",
            "AmazonSSMManagedInstanceCore",
        ),
    ),
    Acknowledged(
        "IAM5",
        _AWS,
        ("Pipeline/EventsFunction", "Pipeline/ModelsFunction"),
        "X-Ray's PutTraceSegments knows no resources: the star is the only one it takes, and all it"
        " lets a function do is tell how long its calls took.",
        ("Resource::*",),
    ),
    Acknowledged(
        "IAM5",
        _AWS,
        ("Web/Role",),
        "CloudWatch's PutMetricData knows no resources; a condition holds it to our namespace. The"
        " group's address has an id that AWS gives, so the name, which is ours alone, decides.",
        (
            "Resource::*",
            "Resource::arn:aws:autoscaling:{region}:{account}:autoScalingGroup:*"
            ":autoScalingGroupName/{prefix}-web",
        ),
    ),
    Acknowledged(
        "IAM5",
        _AWS,
        ("Pipeline/ModelsFunction", "Web/Role"),
        "Every object of one bucket, or of one release in it: objects are named by their content,"
        " and no role may do more with them than read, or put.",
        (
            "Resource::arn:aws:s3:::{prefix}-assets/*",
            "Resource::arn:aws:s3:::{prefix}-uploads/*",
            "Resource::arn:aws:s3:::{prefix}-releases/{release}/*",
        ),
    ),
    Acknowledged(
        "IAM5",
        _AWS,
        tuple(f"Storage/{name}/ReplicationRole" for name in ("Uploads", "Assets", "Snapshot")),
        "S3 replicates whole buckets, so its role reads every object of one and writes every object"
        " of its copy; the two key actions with stars are S3's own pairs of with and without data.",
        (
            "Action::kms:GenerateDataKey*",
            "Action::kms:ReEncrypt*",
            "Resource::<Uploads4F6EB0FD.Arn>/*",
            "Resource::<Assets9A31D427.Arn>/*",
            "Resource::<Snapshot86FBE57A.Arn>/*",
            "Resource::arn:aws:s3:::{prefix}-uploads-standby/*",
            "Resource::arn:aws:s3:::{prefix}-assets-standby/*",
            "Resource::arn:aws:s3:::{prefix}-snapshot-standby/*",
        ),
    ),
    Acknowledged(
        "RDSStorageEncrypted",
        _CONTROLS,
        ("StandbyDatabase/Database",),
        "A replica takes over its source's encryption: RDS refuses to be told so again, and takes"
        " only the key, which is ours of that region.",
    ),
    Acknowledged(
        "RDS2",
        _AWS,
        ("StandbyDatabase/Database",),
        "A replica takes over its source's encryption: RDS refuses to be told so again, and takes"
        " only the key, which is ours of that region.",
    ),
    Acknowledged(
        "RDSInBackupPlan",
        ("NIST.800.53.R5",),
        ("StandbyDatabase/Database",),
        "The source is in the plan, and its backups are copied to the replica's region. A replica"
        " keeps automated backups of its own besides.",
    ),
    Acknowledged(
        "VPCNoUnrestrictedRouteToIGW",
        _CONTROLS,
        ("Network/Vpc", "StandbyNetwork/Vpc"),
        "The public subnets hold NAT gateways and nothing else: no instance, function, database or"
        " load balancer has a public address, and nothing there gets one by itself.",
    ),
    Acknowledged(
        "S3BucketReplicationEnabled",
        _CONTROLS,
        ("Storage", "StandbyStorage"),
        "One region: S3 keeps each object in three zones, and versions undo deletions. With a warm"
        " standby the buckets that cannot be made again are replicated; logs and releases can.",
    ),
    Acknowledged(
        "S3DefaultEncryptionKMS",
        _CONTROLS,
        ("Storage/Logs", "StandbyStorage/Logs"),
        "Load balancers deliver access logs only to buckets that S3 encrypts with its own keys."
        " The bucket is private, versioned, TLS only, and holds no customer data but addresses.",
    ),
    Acknowledged(
        "LambdaDLQ",
        ("NIST.800.53.R5",),
        ("Pipeline",),
        "Both are fed from SQS, which keeps what failed in a queue of its own. A function's own"
        " dead letters are for asynchronous calls, and nobody makes any.",
    ),
    Acknowledged(
        "ALBWAFEnabled",
        _CONTROLS,
        ("Web/Balancer",),
        "The load balancer is internal and reached only through CloudFront, where the firewall"
        " stands: a second one behind it would see the same requests again.",
    ),
    Acknowledged(
        "EC26",
        _AWS,
        ("Web/Group",),
        "The rule does not look into launch templates of mixed instances. Ours encrypts every"
        " volume; tests/infra/test_web.py fails when it does not.",
    ),
    Acknowledged(
        "EC2IMDSv2Enabled",
        ("NIST.800.53.R5",),
        ("Web/Group",),
        "The rule does not look into launch templates of mixed instances. Ours demands tokens, one"
        " hop; tests/infra/test_web.py fails when it does not.",
    ),
    Acknowledged(
        "AS3",
        _AWS,
        ("Web/Group",),
        "A group that scales by itself all day would fill a mailbox. EventBridge has each launch"
        " and end; bells ring on what shoppers would notice.",
    ),
    Acknowledged(
        "CFR1",
        _AWS,
        ("Delivery/Distribution",),
        "A shop turns nobody away for the country they browse from; where it delivers to, checkout"
        " decides. Whom to refuse, the firewall in front decides by reputation and by rate.",
    ),
    Acknowledged(
        "IAM4",
        _AWS,
        ("Watch/Advisor", "Resilience/Restorer"),
        "The service's own plumbing (log lines, restored databases and tables). AWS extends these"
        " policies with the service; a copy of ours would break.",
        _policies(
            "service-role/AWSLambdaBasicExecutionRole",
            "service-role/AWSBackupServiceRolePolicyForRestores",
        ),
    ),
    Acknowledged(
        "IAM5",
        _AWS,
        ("Watch/Advisor", "Watch/RobotRole", "Resilience/Experimenter"),
        "Advisers, metrics, traces, log delivery and whatever only describes know no resources: the"
        " star is the only one they take. Figures are held to one namespace by a condition.",
        ("Resource::*",),
    ),
    Acknowledged(
        "IAM5",
        _AWS,
        ("Watch/Advisor", "Watch/RobotRole"),
        "Each puts objects under a folder of its own in one bucket, and the robot writes to log"
        " groups that CloudWatch names after it with an id nobody knows before.",
        (
            "Resource::arn:aws:s3:::{prefix}-reports/advice/*",
            "Resource::arn:aws:s3:::{prefix}-reports/robot/*",
            "Resource::arn:aws:logs:{region}:{account}:log-group:/aws/lambda/cwsyn-{prefix}-robot-*",
        ),
    ),
    Acknowledged(
        "IAM5",
        _AWS,
        ("Resilience/Experimenter",),
        "Instances come and go, and network ACLs are made by the experiment itself. Conditions hold"
        " both to the shop's tag and to what FIS has made; subnets only get their ACL replaced.",
        (
            "Resource::arn:aws:ec2:{region}:{account}:instance/*",
            "Resource::arn:aws:ec2:{region}:{account}:network-acl/*",
            "Resource::arn:aws:ec2:{region}:{account}:subnet/*",
        ),
    ),
    Acknowledged(
        "S3BucketReplicationEnabled",
        _CONTROLS,
        ("Watch/Reports",),
        "S3 keeps each report in three zones, and versions undo deletions. CloudTrail keeps ninety"
        " days of its own, and advice and the robot's pictures are made anew every day.",
    ),
    Acknowledged(
        "LambdaInsideVPC",
        _CONTROLS,
        ("Watch/Advisor",),
        "It speaks to AWS's public endpoints alone and to nothing inside the VPC. Outside it has no"
        " way to the database, which is what a place inside would give it.",
    ),
)


def watch_over(app: cdk.App, shop: Shop) -> None:
    """Check every resource of the app against the rule packs; findings fail the synthesis."""
    for entry in ACKNOWLEDGED:
        for path in entry.at:
            construct = _find(app, path)
            if construct is None:
                continue  # a part that this profile does without
            cdk.Validations.of(construct).acknowledge(
                *(cdk.Acknowledgment(id=name, reason=entry.reason) for name in entry.ids(shop))
            )
    cdk.Validations.of(app).add_plugins(
        cdk_nag.AwsSolutionsChecks(app),
        cdk_nag.NIST80053R5Checks(app),
        cdk_nag.PCIDSS321Checks(app),
    )


def _find(app: cdk.App, path: str) -> IConstruct | None:
    found: IConstruct | None = app
    for part in path.split("/") if path else ():
        found = found.node.try_find_child(part) if found else None
    return found
