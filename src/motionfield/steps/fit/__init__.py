"""fit: the first 3D is made to agree with the pictures, the body and physics."""
