"""The `faultline` command: one file per subcommand, imported only when it is run, so that `--help` is quick.

A new command is a file with a `click` command of the same name, and a line in `commands.COMMANDS`.
"""

from deploy.cli.entry import main

__all__ = ["main"]
