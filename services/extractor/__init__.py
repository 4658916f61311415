"""The extractor walks music folders and reads tags and covers."""
