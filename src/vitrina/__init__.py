"""Vitrina: a shop in 3D that runs whole on one machine and, unchanged, on AWS."""
