"""Floor 7: the command line, one small file a command."""
