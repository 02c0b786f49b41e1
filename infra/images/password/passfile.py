"""Keeps libpq's password file equal to the secret that RDS changes every few days.

    python3 passfile.py FILE [--every SECONDS]

libpq reads the file at each new connection, so a changed password reaches a running process
without a restart, and neither its environment nor its command line ever holds one. The secret's
address is in DATABASE_SECRET.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import boto3
from botocore.config import Config

CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3})


def line_of(secret: str) -> str:
    """The password file's one line, for any host, port and database."""
    values = json.loads(secret)
    escaped = (values[name].replace("\\", "\\\\").replace(":", "\\:") for name in _NAMES)
    return ":".join(["*", "*", "*", *escaped]) + "\n"


def write(path: Path, line: str) -> None:
    """Replace the file whole: a connection being opened reads the old line or the new one."""
    following = path.with_name(f"{path.name}.next")
    following.unlink(missing_ok=True)
    with os.fdopen(os.open(following, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(line)
    following.replace(path)


def main() -> None:
    """Write once, or until stopped. The first time must succeed, later ones may fail."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--every", type=float, metavar="SECONDS")
    given = parser.parse_args()
    secrets = boto3.client("secretsmanager", config=CONFIG)
    written = ""
    while True:
        try:
            answer = secrets.get_secret_value(SecretId=os.environ["DATABASE_SECRET"])
            line = line_of(answer["SecretString"])
            if line != written:
                write(given.file, line)
                written = line
        except Exception as error:
            if not written:
                raise
            sys.stderr.write(f"the password could not be read: {error}\n")
        if given.every is None:
            return
        time.sleep(given.every)


_NAMES = ("username", "password")

if __name__ == "__main__":
    main()
