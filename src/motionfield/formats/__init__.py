"""Files of others: video, keypoints, mocap, animation. Units and axes are converted here."""
