"""What `scripts/build_app.py` makes the packaged program with."""
