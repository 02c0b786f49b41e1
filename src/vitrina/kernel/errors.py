"""Every error the shop raises on purpose.

    ShopError
    ├── NotFound     404  the thing named does not exist, or is not yours to see
    ├── Conflict     409  true a moment ago, not any more: read again and retry
    ├── Refused      422  understood, and against a rule of the shop
    └── Unavailable  503  a neighbour is down; the same call may succeed later

A domain derives its own from one of the four. ``str(error)`` is written for the person who
has to act on it; ``platform.web`` turns it into an RFC 9457 problem or an HTML page.
"""


class ShopError(Exception):
    """Root of the tree; never raised itself."""

    status = 500
    title = "Something went wrong"
    retry = False  # may the very same call succeed later?

    @property
    def code(self) -> str:
        """Stable name that programs may compare, also the tail of the problem's type URI."""
        return type(self).__name__


class NotFound(ShopError):
    """The thing named does not exist, or is not yours to see."""

    status = 404
    title = "Not found"


class Conflict(ShopError):
    """True a moment ago, not any more."""

    status = 409
    title = "Changed in the meantime"


class Refused(ShopError):
    """Understood, and against a rule of the shop."""

    status = 422
    title = "Not possible"


class Unavailable(ShopError):
    """A neighbour is down or too slow; the same call may succeed later."""

    status = 503
    title = "Temporarily unavailable"
    retry = True
