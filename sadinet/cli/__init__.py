"""The command line: each subcommand parses, calls the library, prints."""
