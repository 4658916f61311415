"""Notices that libraries change, and asks for scans: by the system's events, or by the clock."""
