"""Everything the outside may set, read in one place, once, at start-up."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from vitrina.kernel.money import MINOR_DIGITS


def _sold_in(currency: str) -> str:
    if currency not in MINOR_DIGITS:
        raise ValueError(f"it is none of {', '.join(sorted(MINOR_DIGITS))}")
    return currency


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
    prefix: str = Field(
        "vitrina",
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="Goes before the name of each table, queue, bucket",
    )
    shop_name: str = Field("Vitrina", description="The shop's name in titles and page heads")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
        description="Where shoppers reach the shop, without a slash at the end",
    )
    currency: Annotated[str, AfterValidator(_sold_in)] = Field(
        "EUR", description="ISO 4217 code of the currency the shop sells in"
    )
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


def variable_of(name: str) -> str:
    """The environment variable that sets a field of ``Settings``."""
    alias = Settings.model_fields[name].validation_alias
    return str(alias) if alias else f"{Settings.model_config['env_prefix']}{name}".upper()


def explain(error: ValidationError) -> str:
    """What is wrong with the settings, one line per environment variable."""
    lines = ["The settings are not right:"]
    for entry in error.errors(include_url=False):
        place = str(entry["loc"][0])
        variable = variable_of(place) if place in Settings.model_fields else place
        if entry["type"] == "missing":
            lines.append(f"  {variable} is not set. {_purpose(variable)}")
        else:
            given = "" if variable == "DATABASE_URL" else f"={entry['input']!r}"
            reason = str(entry["msg"]).removeprefix("Value error, ")
            lines.append(f"  {variable}{given}: {reason}. {_purpose(variable)}")
    return "\n".join(lines)


def _purpose(variable: str) -> str:
    for name, field in Settings.model_fields.items():
        if variable_of(name) == variable:
            return f"{field.description}."
    return ""
