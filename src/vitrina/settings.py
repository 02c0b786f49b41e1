"""Everything the outside may set, read in one place, once, at start-up."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The shop's settings. Each is an environment variable: ``VITRINA_`` and the name.

    The two addresses that other tools know by name (``DATABASE_URL``, ``AWS_ENDPOINT_URL``)
    and the AWS region keep those names.
    """

    model_config = SettingsConfigDict(env_prefix="VITRINA_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        description="PostgreSQL, such as postgresql://user:password@host:5432/shop",
    )
    aws_endpoint_url: str | None = Field(
        None,
        validation_alias="AWS_ENDPOINT_URL",
        description="An AWS stand-in on this machine; unset means AWS itself",
    )
    aws_region: str = Field(
        "eu-central-1", validation_alias="AWS_REGION", description="The AWS region"
    )
    prefix: str = Field("vitrina", description="Goes before the name of each table, queue, bucket")
    shop_name: str = Field("Vitrina", description="The shop's name in titles and page heads")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="Where shoppers reach the shop, without a slash at the end",
    )
    currency: str = Field("EUR", description="ISO 4217 code of the currency the shop sells in")
    payment_provider: Literal["test"] = Field("test", description="Who takes the money")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged"
    )
    page_max_age_s: float = Field(
        5.0,
        ge=0,
        description="Seconds a public page may be served from memory unchecked",
    )
    catalogue_max_age_s: float = Field(
        5.0, ge=0, description="Seconds a catalogue read may be served from memory"
    )
    request_body_max_bytes: int = Field(
        1 << 20, gt=0, description="A larger request body is refused with 413"
    )
    payment_window_s: int = Field(
        900,
        gt=0,
        description="An unpaid order is cancelled and its stock freed after this",
    )
    maintenance: bool = Field(False, description="Answer every page with the maintenance page")

    @property
    def secure_cookies(self) -> bool:
        """Cookies carry Secure wherever the shop is reached by HTTPS."""
        return self.public_url.startswith("https://")

    def named(self, logical: str) -> str:
        """The real name of a declared table, queue or bucket."""
        return f"{self.prefix}-{logical}"
