"""NeMo: one motion field for the takes of one action."""
