"""Parametric demo products, modelled by code and fed to the real pipeline."""
