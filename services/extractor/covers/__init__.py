"""Finds cover images and chooses among them."""
