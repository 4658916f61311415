"""Containers that mutagen reads wrongly or not at all, and repairs of files that it refuses.

Their tags are mutagen's where it knows the kind of tag.
"""
