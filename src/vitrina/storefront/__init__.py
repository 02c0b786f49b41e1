"""Shoppers' pages: routes, views and templates. Owns no data."""
