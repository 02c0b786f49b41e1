"""What the HTTP layer itself refuses, by name. They join the tree of ``kernel.errors``."""

from dataclasses import dataclass
from http import HTTPStatus

from vitrina.kernel.errors import NotFound, Refused, ShopError, Unavailable

RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that does not fit, and why."""

    place: str  # "body", "query", "path", "header" or "cookie"
    field: str  # path inside it, such as "address.country"; empty for the whole of it
    message: str
    code: str


class BadRequest(ShopError):
    """The request cannot be understood."""

    status = 400
    title = "Bad request"


class MalformedBody(BadRequest):
    """The body is not what its content type says: broken JSON, broken UTF-8, a NUL character."""


class MalformedAddress(BadRequest):
    """The path or the query holds bytes that are not UTF-8, or a control character."""

    def __init__(self) -> None:
        super().__init__("The address holds bytes that are not UTF-8 text.")


class MalformedHost(BadRequest):
    """The Host header is absent, given twice, or no host name."""

    def __init__(self) -> None:
        super().__init__("The Host header is not the name of one host.")


class OriginRefused(ShopError):
    """A page of another site tried to change something in the shopper's name."""

    status = 403
    title = "Not allowed from there"

    def __init__(self) -> None:
        super().__init__(
            "This came from a page of another site. Open the shop itself and try again."
        )


class NoSuchPage(NotFound):
    """Nothing is served under this address."""

    def __init__(self) -> None:
        super().__init__("There is nothing at this address.")


class MethodNotAllowed(ShopError):
    """The address exists, the method is not for it; Allow names those that are."""

    status = 405
    title = "Method not allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not possible here; {allowed} is.")
        self.allowed = allowed


class SlowRequest(ShopError):
    """The body did not arrive in time."""

    status = 408
    title = "The request took too long to arrive"
    retry = True

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"The body did not arrive within {limit_s:g} seconds.")


class BodyTooLarge(ShopError):
    """The body is larger than the shop reads."""

    status = 413
    title = "Too large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body is larger than {limit_bytes} bytes.")


class AddressTooLong(ShopError):
    """Path and query together are longer than the shop reads."""

    status = 414
    title = "Address too long"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The address is longer than {limit_bytes} bytes.")


class UnsupportedMediaType(ShopError):
    """The body is of a type this operation does not read."""

    status = 415
    title = "Unsupported media type"

    def __init__(self) -> None:
        super().__init__("Send the body as JSON, with Content-Type: application/json.")


class HeadersTooLarge(ShopError):
    """The headers are more, or larger, than the shop reads."""

    status = 431
    title = "Headers too large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The headers are larger than {limit_bytes} bytes; delete old cookies.")


class InvalidRequest(Refused):
    """Readable, but fields are missing or of the wrong kind; each is named."""

    title = "Some fields do not fit"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        count = len(errors)
        super().__init__("One field does not fit." if count == 1 else f"{count} fields do not fit.")
        self.errors = errors


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer, or not in time."""

    def __init__(self) -> None:
        super().__init__("The shop's database does not answer just now. Try again in a moment.")


class NeighbourUnavailable(Unavailable):
    """An AWS service does not answer, or not in time."""

    def __init__(self) -> None:
        super().__init__("A part of the shop does not answer just now. Try again in a moment.")


class Overloaded(Unavailable):
    """More came in than can be answered in good time; checkouts go first."""

    title = "Very busy just now"

    def __init__(self) -> None:
        super().__init__("Very many people are here at once. Try again in a few seconds.")


class Maintenance(Unavailable):
    """The shop is closed for maintenance."""

    title = "Back shortly"

    def __init__(self) -> None:
        super().__init__("The shop is being worked on and will be back shortly.")


class InternalError(ShopError):
    """A mistake of ours. The log has the details under the request id."""

    def __init__(self) -> None:
        super().__init__("This is our mistake, and it has been noted. Please try again.")


class OtherRefusal(ShopError):
    """A refusal of the HTTP library that has no name of its own here; the status tells more."""

    status = 400

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = HTTPStatus(status).phrase
