"""Dressed avatars in made places, rendered as a camera would film them."""
