"""What the catalogue refuses, by name."""

from collections.abc import Sequence
from dataclasses import dataclass

from vitrina.kernel.errors import Conflict, NotFound, Refused


class UnknownProduct(NotFound):
    """No published product has this address."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no product {slug!r}.")


class UnknownSku(NotFound):
    """No published product is sold under this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"There is no product with the SKU {sku!r}.")


class UnknownCategory(NotFound):
    """The shop has no such category."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no category {slug!r}.")


class ProductChanged(Conflict):
    """Somebody else wrote the product since it was read."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"Product {slug!r} was changed by someone else. Read it again and repeat the change."
        )


class SlugTaken(Conflict):
    """Another product has, or had, this address."""

    title = "Address taken"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The address {slug!r} belongs to another product, or leads to one as its former "
            "address. Choose another slug."
        )


class SkuTaken(Conflict):
    """Another product is sold under this SKU."""

    title = "SKU taken"

    def __init__(self, sku: str) -> None:
        super().__init__(f"The SKU {sku!r} belongs to another product. Choose another one.")


class OutOfStock(Conflict):
    """Fewer pieces are left than were asked for."""

    title = "Out of stock"

    def __init__(self, stock_keys: Sequence[str]) -> None:
        self.stock_keys = tuple(stock_keys)
        super().__init__(f"Not enough left of {', '.join(stock_keys)}.")


class NoModel(Refused):
    """The product has no 3D model."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"The product {slug!r} has no 3D model to take pictures of.")


class WrongCurrency(Refused):
    """The shop sells in one currency."""

    title = "Wrong currency"

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"A price is in {found}, but this shop sells in {expected}.")


class BadCursor(Refused):
    """The mark of where a listing goes on is not one of ours, or belongs to another listing."""

    title = "Broken cursor"

    def __init__(self) -> None:
        super().__init__(
            "The cursor is not one that this listing gave. Ask again without a cursor and go on "
            "with the next_cursor of the answer."
        )


@dataclass(frozen=True, slots=True, order=True)
class LineProblem:
    """What is wrong with one line of a file."""

    line: int  # from 1
    message: str


class ImportRefused(Refused):
    """Some lines of an import cannot be taken in; nothing was written."""

    title = "Import refused"

    def __init__(self, problems: Sequence[LineProblem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"line {problem.line}: {problem.message}" for problem in problems)
        super().__init__(f"Nothing was imported. Mend these lines and try again:\n{lines}")


class ImportStopped(Conflict):
    """A line that was sound when it was checked could not be written."""

    title = "Import stopped"

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(
            f"The import stopped at line {line}: {reason} Lines before it were written; run the "
            "same import again and it goes on from there."
        )
