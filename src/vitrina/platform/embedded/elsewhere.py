"""Stores that run elsewhere: the PostgreSQL and the AWS that the environment names."""

import os
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.exc import OperationalError

from vitrina.platform.embedded.lock import DataLock, Holder
from vitrina.platform.embedded.processes import CannotStart, Child
from vitrina.platform.embedded.provision import missing, provision
from vitrina.platform.migrate import SchemaMismatch, upgrade
from vitrina.platform.sql import sql_engine
from vitrina.settings import Settings


class Elsewhere:
    """Checks that they are there and complete; starts and stops nothing.

    Args:
        data: folder for the logs of the shop's own processes.
    """

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self._lock = DataLock(self.data)

    @property
    def settings(self) -> Settings:
        return Settings()

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def children(self) -> list[Child]:
        return []

    def start(self) -> None:
        """Bring the schema up to date, and what an AWS stand-in should hold.

        Raises:
            CannotStart: naming everything that is missing.
        """
        absent = []
        if not os.environ.get("DATABASE_URL"):
            absent.append("DATABASE_URL, such as postgresql://user:password@host:5432/shop")
        if boto3.Session().get_credentials() is None:
            absent.append(
                "AWS credentials: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        if absent:
            needs = "\n".join(f"  - {thing}" for thing in absent)
            raise CannotStart(f"Without the embedded stores the shop needs:\n{needs}")
        self.data.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self._check_sql()
            self._check_aws()
        except BaseException:
            self.stop()
            raise

    def publish(self, address: str) -> None:
        # No environment: its secrets are not ours to write down.
        self._lock.publish(Holder(os.getpid(), address))

    def stop(self) -> None:
        self._lock.release()

    def _check_sql(self) -> None:
        engine = sql_engine(self.settings)
        try:
            engine.connect().close()
        except OperationalError as error:
            place = f"{engine.url.host}:{engine.url.port or 5432}"
            raise CannotStart(
                f"PostgreSQL at {place} (DATABASE_URL) does not let us in: {error.orig}"
            ) from error
        finally:
            engine.dispose()
        try:
            upgrade(self.settings)
        except SchemaMismatch as mismatch:
            raise CannotStart(str(mismatch)) from mismatch

    def _check_aws(self) -> None:
        place = self.settings.aws_endpoint_url or f"AWS in {self.settings.aws_region}"
        try:
            if self.settings.aws_endpoint_url:
                provision(self.settings)
            absent = missing(self.settings)
        except (BotoCoreError, ClientError) as error:
            raise CannotStart(f"{place} cannot be used: {error}") from error
        if absent:
            things = "\n".join(f"  - {thing}" for thing in absent)
            raise CannotStart(
                f"In {place} these are missing:\n{things}\nDeploy the infrastructure there first,"
                " or set AWS_REGION and VITRINA_PREFIX to where it is."
            )
