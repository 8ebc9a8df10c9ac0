"""Poses over time, pure functions on arrays: smoothing, gaps, angles, quality."""
