"""Named penalty terms: tensors in, values per frame out. No weights, no bodies, no sums."""
