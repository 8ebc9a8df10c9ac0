"""Panels: parts of a page; plain setters and signals, no threads."""
