"""evaluate: how good a motion is, against the truth or against what was seen."""
