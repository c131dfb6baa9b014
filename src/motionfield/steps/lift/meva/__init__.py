"""MEVA (Luo et al., ACCV 2020): coarse motion by a motion autoencoder, then refinement."""
