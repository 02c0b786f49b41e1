"""What the shop sells: products, prices, stock, search."""
