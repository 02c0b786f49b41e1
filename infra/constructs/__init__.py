"""Our constructs, by purpose; ``house`` holds the defaults all of them inherit."""
