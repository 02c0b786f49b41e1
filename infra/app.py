"""The CDK app: synthesises one shop, without an account and without the network.

    python infra/app.py --profile starter --domain shop.example --out cdk.out

The CDK's own command line starts it as ``cdk.json`` says, and gives the same by ``--context``:
profile, domain, account, release, operator, region-mode.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
NO_ACCOUNT = "123456789012"  # AWS's own example; whoever deploys gives theirs

# How the CDK behaves where it once behaved otherwise.
FLAGS = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/aws-s3:createDefaultLoggingPolicy": True,
    "@aws-cdk/aws-s3:setUniqueReplicationRoleName": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-iam:standardizedServicePrincipals": True,
    "@aws-cdk/aws-kms:applyImportedAliasPermissionsToPrincipal": True,
    "@aws-cdk/aws-sqs:queuePolicyAllowLegacyAccess": False,
    "@aws-cdk/aws-ec2:launchTemplateDefaultUserData": True,
    "@aws-cdk/aws-ec2:restrictDefaultSecurityGroup": True,
    "@aws-cdk/aws-ec2:uniqueImdsv2TemplateName": True,
    "@aws-cdk/aws-autoscaling:generateLaunchTemplateInsteadOfLaunchConfig": True,
    "@aws-cdk/aws-lambda:recognizeLayerVersion": True,
    "@aws-cdk/aws-rds:auroraClusterChangeScopeOfInstanceParameterGroupWithEachParameters": True,
    "@aws-cdk/aws-rds:preventRenderingDeprecatedCredentials": True,
    "@aws-cdk/aws-secretsmanager:useAttachedSecretResourcePolicyForSecretTargetAttachments": True,
    "@aws-cdk/aws-secretsmanager:parseOwnedSecretName": True,
    "@aws-cdk/aws-route53-patters:useCertificate": True,
    "@aws-cdk/aws-cloudfront:defaultSecurityPolicyTLSv1.2_2021": True,
    "@aws-cdk/core:target-partitions": ["aws"],
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:checkSecretUsage": True,
    "aws:cdk:enable-path-metadata": True,
    "aws:cdk:disable-version-reporting": True,
}


def main(arguments: list[str] | None = None) -> None:
    """Synthesise. Exit status 2 for wrong usage or a profile that cannot work."""
    parser = argparse.ArgumentParser(
        prog="infra/app.py", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--profile", help="dev, starter, standard or scale")
    parser.add_argument("--region-mode", choices=["single", "warm-standby"])
    parser.add_argument("--domain", help="such as shop.example")
    parser.add_argument("--account", help="twelve digits")
    parser.add_argument("--release", help="the folder of the releases bucket that runs")
    parser.add_argument("--operator", help="the e-mail address for alarms and budgets")
    parser.add_argument("--out", help="folder for the templates")
    parser.add_argument("--check", action="store_true", help="run the rule packs as well")
    given = parser.parse_args(arguments)

    # Started as a file, Python looks here first, and takes our constructs for the CDK's.
    sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p or ".").resolve() != ROOT / "infra")]
    from infra.node import use_wheel_node
    from infra.profiles import PROFILES, prefix_of, validate

    # What the CDK's command line was given by --context.
    context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))

    def option(name: str, otherwise: str) -> str:
        value = getattr(given, name.replace("-", "_")) or context.get(name)
        return str(value or otherwise)

    name = option("profile", "starter")
    if name not in PROFILES:
        parser.error(f"there is no profile {name!r}; there are {', '.join(PROFILES)}")
    mode: Any = option("region-mode", PROFILES[name].region_mode)
    domain = option("domain", "shop.example")
    try:
        profile = validate(replace(PROFILES[name], region_mode=mode))
        prefix_of(domain)
    except ValueError as error:
        parser.error(str(error))

    use_wheel_node()
    import aws_cdk as cdk

    from infra.nag import watch_over
    from infra.shop import Shop

    app = cdk.App(outdir=given.out, context=FLAGS, analytics_reporting=False)
    shop = Shop(
        app,
        profile,
        domain,
        account=option("account", NO_ACCOUNT),
        release=option("release", _version()),
        operator=option("operator", "") or None,
    )
    if given.check:
        watch_over(app, shop)
    app.synth()


def _version() -> str:
    from importlib.metadata import version

    return version("vitrina")


if __name__ == "__main__":
    main()
