"""The built-in strategies, registered through the same hooks as any plugin."""
