"""How big a shop is built on AWS, and for whom: four profiles, each a plain value.

    dev        for trying things: little, cheap, and its data may be deleted
    starter    the first real shop: survives the loss of a zone, pays for little
    standard   about a million visitors a month: every part in three zones
    scale      campaigns around the world: more of each, and a database that fails over faster

``validate`` refuses what cannot work, with every reason at once, before anything is synthesised.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from vitrina.settings import Settings


class ImpossibleProfile(ValueError):
    """A profile that cannot work.

    Attributes:
        reasons: what stands against it, one sentence each.
    """

    def __init__(self, name: str, reasons: list[str]) -> None:
        super().__init__(
            "\n".join([f"The profile {name!r} cannot work:", *(f"  {r}" for r in reasons)])
        )
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Network:
    """The VPC.

    Attributes:
        zones: Availability Zones used.
        nat: NAT gateways: one for all zones, or one in each, so that none depends on another.
    """

    zones: int = 3
    nat: Literal["one", "each-zone"] = "each-zone"
    cidr: str = "10.20.0.0/16"


@dataclass(frozen=True, slots=True)
class Database:
    """PostgreSQL.

    Attributes:
        kind: ``instance`` with, if ``multi_az``, a standby; ``cluster`` with two readable standbys
            (fails over in about 35 s); ``serverless`` is Aurora Serverless v2.
        instance_class: such as ``m8g.large``; not used by ``serverless``.
        storage_gib: at the start; ``max_storage_gib`` is where growing by itself ends.
        min_acu: Aurora capacity units of 2 GiB each, in halves.
        backup_days: how far back a point-in-time recovery reaches.
    """

    kind: Literal["instance", "cluster", "serverless"] = "instance"
    multi_az: bool = True
    instance_class: str = "t4g.medium"
    storage_gib: int = 50
    max_storage_gib: int = 500
    min_acu: float = 0.5
    max_acu: float = 8.0
    backup_days: int = 35


@dataclass(frozen=True, slots=True)
class Tables:
    """DynamoDB's capacity.

    Attributes:
        billing: ``on-demand`` pays per request; ``provisioned`` scales by itself between
            ``min_units`` and ``max_units`` a second at ``target_percent`` utilisation.
    """

    billing: Literal["on-demand", "provisioned"] = "on-demand"
    min_units: int = 5
    max_units: int = 1000
    target_percent: int = 70


@dataclass(frozen=True, slots=True)
class Web:
    """The instances that run the web process.

    Attributes:
        instance_types: Graviton types of like size, the preferred one first.
        min_instances: also what a quiet night costs.
        on_demand_base: instances that are never spot.
        on_demand_percent: share of those beyond the base that is not spot.
        requests_per_instance: requests a second at which one more instance is started.
        is_predictive: start instances ahead of the load that the last two weeks foretell.
        evening_instances: the least number between 17:00 and 23:00 UTC; 0 means no schedule.
    """

    instance_types: tuple[str, ...] = ("m8g.large", "m7g.large", "m6g.large")
    min_instances: int = 3
    max_instances: int = 30
    on_demand_base: int = 3
    on_demand_percent: int = 50
    requests_per_instance: int = 300
    is_predictive: bool = False
    evening_instances: int = 0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The Lambda functions.

    Attributes:
        events_at_once: how many batches of messages are worked off side by side.
        models_at_once: how many uploaded models are, each on its own.
        models_memory_mib: Lambda gives a whole core per 1,769 MiB.
    """

    events_at_once: int = 10
    models_at_once: int = 5
    models_memory_mib: int = 3008


PLANS = ("free", "pro", "business", "premium")
# What CloudFront's flat-rate plans leave out below a certain one. Paying as you go has it all.
_NEEDS: dict[str, Literal["business", "premium"]] = {
    "vpc_origin": "business",
    "custom_policies": "business",
    "origin_group": "premium",
    "origin_shield": "premium",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """CloudFront.

    Attributes:
        plan: how CloudFront is paid: by use, or one of its flat rates.
        vpc_origin: the load balancer has no public address; CloudFront reaches it inside the VPC.
        custom_policies: cache, origin-request and response-header policies of our own.
        origin_group: pages come from the snapshot bucket when the origin does not answer.
        origin_shield: one more cache in front of the buckets.
        places: which of CloudFront's cities answer: those of Europe and North America, also those
            of most of Asia and Africa, or all.
        signs_names: DNSSEC. Takes effect when whoever sold the domain publishes the zone's key.
    """

    plan: Literal["pay-as-you-go", "free", "pro", "business", "premium"] = "pay-as-you-go"
    vpc_origin: bool = True
    custom_policies: bool = True
    origin_group: bool = True
    origin_shield: bool = False
    places: Literal["west", "most", "all"] = "west"
    signs_names: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Logs, alarms and guards.

    Attributes:
        log_days: how long CloudWatch keeps logs; the values that CloudWatch knows.
        canary_minutes: how often a robot shops; 0 means never.
        has_guards: GuardDuty, Security Hub and a trail of every call. An account has them once.
        budget_usd: a month's spending that rings a bell.
    """

    log_days: int = 365
    canary_minutes: int = 5
    has_guards: bool = True
    budget_usd: int = 1000


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to build the shop.

    Attributes:
        keeps_data: databases, tables and buckets resist deletion and outlive their stacks.
        region_mode: ``warm-standby`` copies data to ``standby_region`` as it is written.
    """

    name: str
    network: Network = field(default_factory=Network)
    database: Database = field(default_factory=Database)
    tables: Tables = field(default_factory=Tables)
    web: Web = field(default_factory=Web)
    pipeline: Pipeline = field(default_factory=Pipeline)
    edge: Edge = field(default_factory=Edge)
    watch: Watch = field(default_factory=Watch)
    keeps_data: bool = True
    region_mode: Literal["single", "warm-standby"] = "single"
    region: str = "eu-central-1"
    standby_region: str = "eu-west-1"

    @property
    def has_standby(self) -> bool:
        return self.region_mode == "warm-standby"


DEV = Profile(
    "dev",
    network=Network(zones=2, nat="one"),
    database=Database(
        multi_az=False,
        instance_class="t4g.micro",
        storage_gib=20,
        max_storage_gib=50,
        backup_days=1,
    ),
    web=Web(
        instance_types=("t4g.small",),
        min_instances=1,
        max_instances=2,
        on_demand_base=1,
        on_demand_percent=100,
        requests_per_instance=100,
    ),
    pipeline=Pipeline(events_at_once=2, models_at_once=2),
    watch=Watch(log_days=30, canary_minutes=0, has_guards=False, budget_usd=150),
    keeps_data=False,
)
STARTER = Profile(
    "starter",
    network=Network(nat="one"),
    database=Database(instance_class="t4g.small", storage_gib=20, max_storage_gib=200),
    web=Web(
        instance_types=("t4g.small", "t4g.medium"),
        min_instances=2,
        max_instances=8,
        on_demand_base=2,
        requests_per_instance=100,
    ),
    pipeline=Pipeline(events_at_once=5, models_at_once=2),
    watch=Watch(canary_minutes=15, budget_usd=400),
)
STANDARD = Profile(
    "standard",
    database=Database(instance_class="m8g.large"),
    web=Web(is_predictive=True, evening_instances=4),
    edge=Edge(origin_shield=True),
)
SCALE = Profile(
    "scale",
    database=Database(
        kind="cluster", instance_class="r6gd.2xlarge", storage_gib=400, max_storage_gib=4000
    ),
    tables=Tables("provisioned", min_units=50, max_units=20_000),
    web=Web(
        instance_types=("m8g.xlarge", "m7g.xlarge", "c8g.2xlarge", "m6g.xlarge"),
        min_instances=6,
        max_instances=120,
        on_demand_base=6,
        on_demand_percent=30,
        requests_per_instance=600,
        is_predictive=True,
        evening_instances=12,
    ),
    pipeline=Pipeline(events_at_once=50, models_at_once=30),
    edge=Edge(origin_shield=True, places="all", signs_names=True),
    watch=Watch(canary_minutes=1, budget_usd=10_000),
)
PROFILES = {profile.name: profile for profile in (DEV, STARTER, STANDARD, SCALE)}

# CloudWatch Logs keeps for one of these numbers of days.
_LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 3653)
# Multi-AZ DB clusters run on classes with a local disk only, such as r6gd or m5d.
_HAS_LOCAL_DISK = re.compile(r"^[a-z]+\d+[a-z]*d\.")
_GRAVITON = re.compile(r"^[a-z]+\d+g[a-z]*\.[a-z0-9]+$")


def validate(profile: Profile) -> Profile:
    """The profile itself, if it can work.

    Raises:
        ImpossibleProfile: it cannot; names every reason.
    """
    reasons = [
        *_against_zones(profile),
        *_against_database(profile.database),
        *_against_web(profile),
        *_against_capacity(profile),
        *_against_edge(profile.edge),
        *_against_standby(profile),
    ]
    if reasons:
        raise ImpossibleProfile(profile.name, reasons)
    return profile


def _against_zones(profile: Profile) -> Iterator[str]:
    zones, database = profile.network.zones, profile.database
    if not 2 <= zones <= 3:
        yield f"{zones=}: a load balancer and RDS need two Availability Zones; three are laid out."
    if zones < 2 and database.multi_az:
        yield "Multi-AZ needs a second zone for the database's standby."
    if zones < 3 and database.kind == "cluster":
        yield f"{zones=}: a Multi-AZ DB cluster has an instance in each of three zones."


def _against_database(database: Database) -> Iterator[str]:
    if not 1 <= database.backup_days <= 35:
        yield f"{database.backup_days=}: point-in-time recovery reaches back 1 to 35 days."
    if database.kind == "serverless":
        halves = (database.min_acu * 2, database.max_acu * 2)
        if not 0.5 <= database.min_acu <= database.max_acu <= 256 or any(h % 1 for h in halves):
            yield (
                f"Aurora capacity from {database.min_acu} to {database.max_acu}:"
                " 0.5 to 256 units, in halves, the smaller first."
            )
        return
    if database.storage_gib < 20 or database.max_storage_gib < database.storage_gib * 1.1:
        yield (
            f"Storage from {database.storage_gib} to {database.max_storage_gib} GiB:"
            " RDS starts at 20, and room to grow means at least a tenth more."
        )
    if database.kind == "cluster":
        if not database.multi_az:
            yield "A Multi-AZ DB cluster is always in several zones: multi_az must be set."
        if database.storage_gib < 400:
            yield f"{database.storage_gib=}: a cluster's operations come with 400 GiB or more."
        if not _HAS_LOCAL_DISK.match(database.instance_class):
            yield (
                f"{database.instance_class}: a Multi-AZ DB cluster needs a class with a local disk,"
                " such as r6gd.large."
            )


def _against_web(profile: Profile) -> Iterator[str]:
    web = profile.web
    if not 1 <= web.min_instances <= web.max_instances:
        yield f"{web.min_instances} to {web.max_instances} instances: one at least."
    if profile.database.multi_az and web.min_instances < 2:
        yield "min_instances=1 beside Multi-AZ: when its zone fails, nobody serves."
    if web.on_demand_base > web.max_instances or web.on_demand_base < 0:
        yield f"{web.on_demand_base=} of at most {web.max_instances} instances."
    if not 0 <= web.on_demand_percent <= 100:
        yield f"{web.on_demand_percent=} is not a share."
    if web.on_demand_base == 0 and web.on_demand_percent == 0:
        yield "Spot instances alone: a shortage leaves no server. "
    if web.on_demand_percent < 100 and len(web.instance_types) < 2:
        yield "Spot needs a choice: name at least two instance types."
    if not web.instance_types:
        yield "No instance type is named."
    for name in web.instance_types:
        if not _GRAVITON.match(name):
            yield f"{name} is no Graviton type, and the bundle is built for arm64."
    if web.requests_per_instance < 1:
        yield f"{web.requests_per_instance=}: no instance would ever be enough."
    if (
        web.evening_instances
        and not web.min_instances <= web.evening_instances <= web.max_instances
    ):
        yield f"{web.evening_instances=} lies outside {web.min_instances} to {web.max_instances}."


def _against_capacity(profile: Profile) -> Iterator[str]:
    tables, pipeline, watch = profile.tables, profile.pipeline, profile.watch
    if tables.billing == "provisioned":
        if not 1 <= tables.min_units <= tables.max_units:
            yield f"DynamoDB from {tables.min_units} to {tables.max_units} units: 1 at least."
        if not 20 <= tables.target_percent <= 90:
            yield f"{tables.target_percent=}: DynamoDB tracks 20 to 90 per cent."
    if pipeline.events_at_once < 2 or pipeline.models_at_once < 2:
        yield "SQS calls a Lambda function at least two at a time."
    if not 1024 <= pipeline.models_memory_mib <= 10240:
        yield f"{pipeline.models_memory_mib=}: Lambda has 10,240 MiB, and a model needs 1,024."
    if watch.log_days not in _LOG_DAYS:
        yield f"{watch.log_days=}: CloudWatch keeps logs for {', '.join(map(str, _LOG_DAYS))} days."
    if not 0 <= watch.canary_minutes <= 60:
        yield f"{watch.canary_minutes=}: a canary runs every 1 to 60 minutes; 0 means never."
    if watch.budget_usd < 1:
        yield f"{watch.budget_usd=}: a budget is at least a dollar."


def _against_edge(edge: Edge) -> Iterator[str]:
    if not edge.vpc_origin:
        yield "The load balancer has no public address: without a VPC origin nothing reaches it."
    if edge.plan == "pay-as-you-go":
        return
    for feature, least in _NEEDS.items():
        if getattr(edge, feature) and PLANS.index(edge.plan) < PLANS.index(least):
            yield f"{feature} is used; CloudFront's {edge.plan} plan lacks it, {least} has it."


def _against_standby(profile: Profile) -> Iterator[str]:
    if not profile.has_standby:
        return
    if profile.standby_region == profile.region:
        yield f"The standby region is the region itself, {profile.region}."
    if not profile.keeps_data:
        yield "A warm standby of data that may be deleted: use a profile that keeps its data."
    if not profile.database.multi_az:
        yield "A warm standby before the second zone: the nearer failure comes first."
    if profile.database.kind != "instance":
        yield (
            f"{profile.database.kind}: the replica in the other region is of a single instance;"
            " RDS copies no Multi-AZ DB cluster there, and Aurora only as a global database."
        )
    if profile.network.nat == "one":
        yield "A warm standby, and one NAT gateway for all zones: give each zone its own."


def prefix_of(domain: str) -> str:
    """What goes before every name: the domain with dashes, since bucket names are the world's.

    Raises:
        ValueError: no domain, or one too long for the names made from it.
    """
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", domain):
        raise ValueError(f"{domain!r} is no domain name, such as shop.example")
    prefix = domain.replace(".", "-")
    (rule,) = (m.pattern for m in Settings.model_fields["prefix"].metadata if hasattr(m, "pattern"))
    if not re.fullmatch(rule, prefix):
        raise ValueError(f"{domain!r} makes the prefix {prefix!r}, which is not of the form {rule}")
    return prefix
