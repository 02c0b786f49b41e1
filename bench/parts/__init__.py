"""Programs that a bench starts beside itself."""
