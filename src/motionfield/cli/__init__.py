"""One thin file per verb; the only place that prints, seeds and exits."""
