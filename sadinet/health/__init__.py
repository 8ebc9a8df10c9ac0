"""What this machine has and lacks. Nothing here fails where a library does: that is what it reports."""
