"""Tables of joints, one writer a format."""
