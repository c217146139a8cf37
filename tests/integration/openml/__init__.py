"""Reading OpenML over real HTTP, with the real client."""
