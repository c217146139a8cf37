"""``python -m tests.openml_server --folder FOLDER [--port N]``: serve a folder until interrupted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.openml_server.folder import Folder
from tests.openml_server.server import OpenMLServer


def main(arguments: list[str] | None = None) -> int:
    """Serve a folder until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.openml_server", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds index.csv and parquet/")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    options = parser.parse_args(arguments)
    with OpenMLServer(Folder(options.folder), port=options.port) as server:
        sys.stdout.write(f"AUTOMETA_OPENML_SERVER={server.url}\n")
        for suite in dict.fromkeys(server.folder.suites.values()):
            sys.stdout.write(f"suite {suite.id} ({suite.alias}): {len(suite.datasets)} tasks\n")
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
