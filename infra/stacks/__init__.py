"""The stacks, one per lifetime: what holds data is never replaced by what does not."""
