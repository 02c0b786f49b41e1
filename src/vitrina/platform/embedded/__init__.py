"""The platform on one machine: an embedded AWS, an embedded PostgreSQL, and who minds them."""
