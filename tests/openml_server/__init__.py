"""An OpenML-compatible server for a folder of tables: real HTTP on 127.0.0.1, the XML interface v1.

It serves what the ``openml`` client reads: suites, tasks, dataset descriptions, features, qualities, the list of
datasets, ARFF files and splits; and it takes flows and runs, which it keeps in memory, evaluates and lists. As
OpenML's server it refuses a flow that it has, but not a run. Try it by hand with::

    python -m tests.openml_server --folder FOLDER --port 8080
    AUTOMETA_OPENML_SERVER=http://127.0.0.1:8080/api/v1/xml ...

The folder holds ``parquet/<file>`` and ``index.csv`` (one row a dataset; columns ``did, task_id, name, task_type,
suites, target, license, file`` are read, ``ignore_attribute`` and ``row_id_attribute`` if they are there).

Two things are not OpenML's and must not be reported as such: the splits (ten folds, or as many as `Folder` is
asked for, deterministic, stratified for classification, made here), and the task ids of datasets whose id is not
in the index (``900000 + did``).
"""

from __future__ import annotations

from tests.openml_server.faults import Fault
from tests.openml_server.folder import Folder
from tests.openml_server.sample import write_sample_folder
from tests.openml_server.server import OpenMLServer

__all__ = ["Fault", "Folder", "OpenMLServer", "write_sample_folder"]
