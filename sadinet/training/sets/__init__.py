"""Labelled pictures in the layouts that people have: read, checked, cleaned, packed."""
