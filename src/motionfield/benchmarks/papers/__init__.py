"""The papers' experiments on the papers' data: choice, trimming, filters, metrics, their rows."""
