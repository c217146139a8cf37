"""Tests of autometa."""
