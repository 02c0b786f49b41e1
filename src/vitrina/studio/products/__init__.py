"""The products themselves, one function each, by what they are made for."""
