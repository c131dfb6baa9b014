"""Bodies: parameters in, joints, keypoints and vertices out, behind one interface."""
