"""Quotes, orders, payments: what has been promised."""
