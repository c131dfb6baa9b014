"""lift by inverse kinematics: bodies bent to what was seen, and one way through them chosen."""
