"""The shop on AWS: the CDK app that synthesises it."""
