"""Follow posts and their reposts as they arrive: events -> state -> a line for each decision that changes."""
