"""Reading: lists a page at a time, and batches for the loaders."""
