"""Rules we do not follow, each with its reason, and the packs that check all others."""

import aws_cdk as cdk
import cdk_nag

from infra.shop import Shop


def watch_over(app: cdk.App, shop: Shop) -> None:
    """Check every resource of the app against the rule packs; findings fail the synthesis."""
    del shop
    packs = [
        cdk_nag.AwsSolutionsChecks(app),
        cdk_nag.NIST80053R5Checks(app),
        cdk_nag.PCIDSS321Checks(app),
    ]
    cdk.Validations.of(app).add_plugins(*packs)
