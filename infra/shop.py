"""Places the stacks side by side and hands values from one to the next.

    domain    zone, origin_name, origin_certificate
    network   vpc, logs_key, load_balancer_security_group, web_security_group,
              functions_security_group, models_security_group, database_security_group
    storage   key, uploads, assets, snapshot, releases, logs
    data      key, database_id, database_dimensions, database_arn, database_address, secret_arn,
              tables, vault
    pipeline  key, queues (by name, each with .jobs and .failed), functions (by queue), uploaded
    web       load_balancer, listener, target_group, group, role, log_group, metric_dimensions
    edge      certificate, firewall, alarms, checks, check_alarms (all in us-east-1)
    delivery  distribution
    watch     alarms (the topic), down (the bell above the others), reports, advisor, key
    resilience  experiments by name
    world_watch  alarms (a topic in us-east-1)

What a later stack may use is what stands under "Attributes" of the earlier one. Arrows point down
this list only; a stack that needs something of a later one gets it as a rule in between (a security
group's, a bucket policy's by account), never as a circle.
"""

from dataclasses import replace

import aws_cdk as cdk

from infra.constructs.house import Site
from infra.profiles import Profile, validate
from infra.stacks.data import Data, StandbyDatabase, StandbyKeys
from infra.stacks.delivery import EDGE_REGION, Delivery, Edge
from infra.stacks.domain import Domain
from infra.stacks.network import Network
from infra.stacks.pipeline import Pipeline
from infra.stacks.resilience import Resilience
from infra.stacks.storage import StandbyStorage, Storage
from infra.stacks.watch import WORLD, Watch, WorldWatch
from infra.stacks.web import Web

OPERATOR_MAILBOX = "operations"


class Shop:
    """One shop on AWS, every stack of it.

    Args:
        domain: where shoppers reach it; names are made from it.
        release: the folder in the releases bucket that instances and functions run.
        operator: who gets the bells; ``operations@<domain>`` unless said otherwise.

    Raises:
        ImpossibleProfile: the profile cannot work.
        ValueError: the domain is none.
    """

    def __init__(
        self,
        app: cdk.App,
        profile: Profile,
        domain: str,
        *,
        account: str,
        release: str,
        operator: str | None = None,
    ) -> None:
        validate(profile)
        site = Site(
            profile=profile,
            domain=domain,
            account=account,
            region=profile.region,
            release=release,
            operator=operator or f"{OPERATOR_MAILBOX}@{domain}",
        )
        self.site = site
        self.standby_storage = (
            StandbyStorage(app, "StandbyStorage", replace(site, region=profile.standby_region))
            if profile.has_standby
            else None
        )
        self.standby_keys = (
            StandbyKeys(app, "StandbyKeys", replace(site, region=profile.standby_region))
            if profile.has_standby
            else None
        )
        self.domain = Domain(app, "Domain", site)
        self.network = Network(app, "Network", site)
        self.storage = Storage(app, "Storage", site, copies=self.standby_storage)
        self.data = Data(app, "Data", site, self.network, copies=self.standby_keys)
        self.pipeline = Pipeline(app, "Pipeline", site, self.network, self.storage, self.data)
        self.web = Web(
            app,
            "Web",
            site,
            self.network,
            self.storage,
            self.data,
            self.pipeline,
            self.domain,
        )
        self.edge = Edge(app, "Edge", replace(site, region=EDGE_REGION), self.domain)
        self.delivery = Delivery(
            app,
            "Delivery",
            site,
            self.network,
            self.storage,
            self.web,
            self.domain,
            self.edge,
        )
        self.watch = Watch(
            app,
            "Watch",
            site,
            self.network,
            self.storage,
            self.data,
            self.pipeline,
            self.web,
            self.domain,
        )
        self.resilience = Resilience(
            app, "Resilience", site, self.network, self.data, self.web, self.watch
        )
        self.world_watch = WorldWatch(
            app,
            "WorldWatch",
            replace(site, region=WORLD),
            distribution_id=self.delivery.distribution.distribution_id,
            firewall="edge",  # its metric's name
            certificate_arn=self.edge.certificate.certificate_arn,
        )
        if self.standby_keys:
            elsewhere = replace(site, region=profile.standby_region)
            self.standby_network = Network(app, "StandbyNetwork", elsewhere)
            self.standby_database = StandbyDatabase(
                app,
                "StandbyDatabase",
                elsewhere,
                self.standby_network,
                source_arn=self.data.database_arn,
                key=self.standby_keys.key,
            )
