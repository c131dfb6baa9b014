"""Pure maths in PyTorch: rotations, cameras, alignment, resampling. No human in it."""
