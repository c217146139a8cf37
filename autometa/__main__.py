"""``python -m autometa`` is the command line."""

from autometa.cli import main

main()
