"""The report of a run: its record, and the Markdown, HTML and model card rendered from it."""
