"""Synthesises shops into folders, all in one process: loading the CDK takes longer than using it.

python -O -m tests.infra.synthesise FOLDER NAME=ARGUMENTS ...
"""

import shlex
import sys
from pathlib import Path

from infra.app import main

if __name__ == "__main__":
    folder, *wanted = sys.argv[1:]
    for each in wanted:
        name, _, arguments = each.partition("=")
        try:
            main([*shlex.split(arguments), "--out", str(Path(folder) / name)])
        except RuntimeError as error:  # findings; the report beside the templates names them
            if "validation-report" not in str(error):
                raise
