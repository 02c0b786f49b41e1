"""Pure and tiny: values every room of the house shares. Imports nothing of ours."""
