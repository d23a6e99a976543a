"""A fact-checking desk: what to check first, and verdicts -> the desk's corpus."""
