"""Who takes the money: one interface, and those who fulfil it."""
