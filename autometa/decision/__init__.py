"""Decision: what to choose, learned from the knowledge base."""
