"""What the reposts of a post add to its text: their tokens, the model that reads them, and how it is fitted."""
