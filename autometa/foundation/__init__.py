"""Foundation: errors, settings and type aliases; imports nothing of autometa."""
