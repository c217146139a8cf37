"""What authors of plugins use to test them."""
