"""Work that nobody waits for: queues, and the functions that work them off."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.constructs import house
from infra.stacks.data import Data
from infra.stacks.network import Network
from infra.stacks.storage import Storage
from vitrina.platform import resources

ROOT = Path(__file__).parent.parent.parent
IMAGES = Path("infra/images")
# The container image is built from these, and from nothing that a build leaves behind.
BUILD_CONTEXT = (
    "*",
    "!pyproject.toml",
    "!uv.lock",
    "!README.md",
    "!LICENSE",
    "!hatch_build.py",
    "!frontend",
    "!src",
    "**/__pycache__",
    "**/node_modules",
    "src/vitrina/studio",  # the demo's products are published from somebody's own machine
    "src/vitrina/platform/static",
    "src/vitrina/models3d/gltfpack.wasm",
)

EVENTS_HANDLER = "vitrina.entrypoints.aws_lambda.events"
MODELS_HANDLER = "vitrina.entrypoints.aws_lambda.models"
MODELS_TIMEOUT = Duration.minutes(10)
# Six times the function's time, as SQS wants it where Lambda may have to wait for its turn.
MODELS = resources.Queue("models", visibility_timeout_s=6 * 600, attempts=3)

# The only place a Lambda function can write to; the file is its own user's.
PASSWORDS = "/tmp/passwords"  # noqa: S108


class Pipeline(house.HouseStack):
    """Queues with what failed beside them, and their functions.

        outbox row ─► relay ─► events ─► function: settle orders, empty carts
        uploads bucket ─► EventBridge ─► models ─► function: a raw model becomes a published one

    Attributes:
        key: encrypts queues and functions' environments.
        queues: by logical name, each with ``jobs`` and ``failed``.
        functions: by the queue's logical name.
        uploaded: the rule that turns a new upload into a message.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        site: house.Site,
        network: Network,
        storage: Storage,
        data: Data,
    ) -> None:
        super().__init__(scope, id, site, description="Vitrina: queues and functions")
        self.key = house.customer_key(self, "Key", site, of="queues and functions")
        self.queues = {
            declared.name: house.WorkQueue(
                self, declared.name.capitalize(), site, declared, key=self.key
            )
            for declared in (*resources.QUEUES, MODELS)
        }
        self.functions = {
            resources.EVENTS.name: self._events_function(network, storage, data),
            MODELS.name: self._models_function(network, storage),
        }
        for name, function in self.functions.items():
            function.add_event_source(
                sources.SqsEventSource(
                    self.queues[name].jobs,
                    batch_size=1 if name == MODELS.name else 10,
                    max_concurrency=self._at_once[name],
                    report_batch_item_failures=True,
                )
            )
        self.uploaded = events.Rule(
            self,
            "Uploaded",
            description=f"{site.domain}: a merchant handed in a model",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [site.named(resources.UPLOADS.name)]}},
            ),
            targets=[
                targets.SqsQueue(
                    self.queues[MODELS.name].jobs,
                    dead_letter_queue=self.queues[MODELS.name].failed,
                    retry_attempts=10,
                )
            ],
        )

    @property
    def _at_once(self) -> dict[str, int]:
        shape = self.site.profile.pipeline
        return {resources.EVENTS.name: shape.events_at_once, MODELS.name: shape.models_at_once}

    def _events_function(
        self, network: Network, storage: Storage, data: Data
    ) -> house.ShopFunction:
        """Settles orders, so it speaks to PostgreSQL and stands in the VPC."""
        function = house.ShopFunction(
            self,
            "EventsFunction",
            self.site,
            description="Vitrina: what follows an order",
            code=lambda_.Code.from_bucket_v2(
                storage.releases, f"{self.site.release}/{resources.EVENTS.name}.zip"
            ),
            handler=EVENTS_HANDLER,
            # Half the time SQS hides a message: what times out comes again once, not twice.
            timeout=Duration.seconds(resources.EVENTS.visibility_timeout_s // 2),
            memory_mib=1024,
            at_once=self._at_once[resources.EVENTS.name],
            key=self.key,
            logs_key=network.logs_key,
            vpc=network.vpc,
            security_groups=[network.functions_security_group],
            environment={
                **house.environment(
                    prefix=self.site.prefix,
                    public_url=f"https://{self.site.domain}",
                    database_url=data.database_url(
                        certificates="/var/task/certificates/rds.pem", passwords=PASSWORDS
                    ),
                ),
                "AWS_LAMBDA_EXEC_WRAPPER": "/opt/with-password",
                "PASSWORD_FILE": PASSWORDS,
                "DATABASE_SECRET": data.secret_arn,
            },
            layers=[
                lambda_.LayerVersion(
                    self,
                    "Password",
                    description=f"{self.site.domain}: the database's password, always the newest",
                    code=lambda_.Code.from_asset(str(ROOT / IMAGES / "password")),
                    removal_policy=cdk.RemovalPolicy.DESTROY,
                )
            ],
        )
        data.let_connect(function)
        house.allow(
            function,
            ["dynamodb:GetItem", "dynamodb:PutItem"],
            data.tables[resources.CARTS.name].table_arn,
        )
        return function

    def _models_function(self, network: Network, storage: Storage) -> house.ShopFunction:
        """Reads one upload, writes one published model: a container, for it brings a browser.

        It opens files from strangers, so it stands where no road leads out but the one to S3.
        """
        function = house.ShopFunction(
            self,
            "ModelsFunction",
            self.site,
            description="Vitrina: a raw model becomes a published one",
            code=lambda_.Code.from_asset_image(
                str(ROOT),
                file=str(IMAGES / "pipeline" / "Dockerfile"),
                exclude=[*BUILD_CONTEXT, "!infra/images/pipeline"],
                ignore_mode=cdk.IgnoreMode.DOCKER,
                platform=ecr_assets.Platform.LINUX_ARM64,
                cmd=[MODELS_HANDLER],
            ),
            handler=lambda_.Handler.FROM_IMAGE,
            runtime=lambda_.Runtime.FROM_IMAGE,
            timeout=MODELS_TIMEOUT,
            memory_mib=self.site.profile.pipeline.models_memory_mib,
            at_once=self._at_once[MODELS.name],
            key=self.key,
            logs_key=network.logs_key,
            ephemeral_storage_size=cdk.Size.gibibytes(2),
            vpc=network.vpc,
            subnets="data",
            security_groups=[network.models_security_group],
            environment=house.environment(
                prefix=self.site.prefix, public_url=f"https://{self.site.domain}"
            ),
        )
        house.allow(function, ["s3:GetObject"], storage.objects(resources.UPLOADS.name))
        house.allow(function, ["s3:PutObject"], storage.objects(resources.ASSETS.name))
        storage.let_decrypt(function, writes=True)
        return function
