"""Finds the images in files and folders, and selects covers and artists' images among them."""
