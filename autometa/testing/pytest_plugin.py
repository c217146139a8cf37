"""Pytest plugin that ships with autometa."""
