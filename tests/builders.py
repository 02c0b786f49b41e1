"""Values for tests, each with sensible parts of its own: name only what the test is about."""
