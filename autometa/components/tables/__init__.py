"""Reading tables from files: delimited text, Parquet, ARFF."""

from __future__ import annotations

from autometa.components.tables.files import read_table

__all__ = ["read_table"]
