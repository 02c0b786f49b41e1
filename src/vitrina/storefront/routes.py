"""All pages of the storefront, as one router."""

from fastapi import APIRouter

from vitrina.storefront import browse, cart, checkout, discovery, orders

router = APIRouter(include_in_schema=False)
for part in (browse, cart, checkout, discovery, orders):
    router.include_router(part.router)
