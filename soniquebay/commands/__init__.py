"""The subcommands of `soniquebay`."""
