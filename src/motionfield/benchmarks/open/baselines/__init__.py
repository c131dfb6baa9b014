"""What the baselines of the open benchmark are made of."""
