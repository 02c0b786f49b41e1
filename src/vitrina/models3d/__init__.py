"""A 3D model from upload to shelf: checked, made small, given a picture, published."""
