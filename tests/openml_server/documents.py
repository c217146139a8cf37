"""The XML documents of OpenML's interface v1, in the shape that its server sends."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pandas as pd

from tests.openml_server.arff_files import attributes
from tests.openml_server.folder import Dataset, Folder, Suite

NAMESPACE = 'xmlns:oml="http://openml.org/openml"'


def study(suite: Suite) -> str:
    """``study/{id|alias}``."""
    data = "".join(f"<oml:data_id>{d.did}</oml:data_id>\n" for d in suite.datasets)
    tasks = "".join(f"<oml:task_id>{d.task_id}</oml:task_id>\n" for d in suite.datasets)
    return f"""<oml:study {NAMESPACE}>
  <oml:id>{suite.id}</oml:id>
  <oml:alias>{escape(suite.alias)}</oml:alias>  <oml:main_entity_type>task</oml:main_entity_type>
  <oml:name>{escape(suite.alias)} (served from a folder)</oml:name>
  <oml:description>The tasks of this suite that the folder holds; the splits are not OpenML's.</oml:description>
  <oml:visibility>public</oml:visibility>
  <oml:status>active</oml:status>
  <oml:creation_date>2026-01-01T00:00:00</oml:creation_date>
  <oml:creator>1</oml:creator>
  <oml:data>{data}</oml:data>
  <oml:tasks>{tasks}</oml:tasks>
</oml:study>
"""


def task(dataset: Dataset, base: str) -> str:
    """``task/{id}``."""
    is_classification = dataset.task_type == "classification"
    type_id, label, procedure, measure = (
        (1, "Supervised Classification", 1, "predictive_accuracy")
        if is_classification
        else (2, "Supervised Regression", 7, "root_mean_squared_error")
    )
    kind, n_folds, percentage = "crossvalidation", str(dataset.n_folds), ""
    if dataset.n_folds == 1:
        procedure, kind, n_folds, percentage = 6, "holdout", "", "33"
    splits_url = f"{base}/api_splits/get/{dataset.task_id}/Task_{dataset.task_id}_splits.arff"
    return f"""<oml:task {NAMESPACE}>
  <oml:task_id>{dataset.task_id}</oml:task_id>
  <oml:task_name>Task {dataset.task_id}: {escape(dataset.name)} ({label})</oml:task_name>
  <oml:task_type_id>{type_id}</oml:task_type_id>
  <oml:task_type>{label}</oml:task_type>
  <oml:input name="source_data">
<oml:data_set>
<oml:data_set_id>{dataset.did}</oml:data_set_id>
<oml:target_feature>{escape(dataset.target)}</oml:target_feature>
</oml:data_set>  </oml:input>
  <oml:input name="estimation_procedure">
<oml:estimation_procedure>
<oml:id>{procedure}</oml:id>
<oml:type>{kind}</oml:type>
<oml:data_splits_url>{splits_url}</oml:data_splits_url>
<oml:parameter name="number_repeats">1</oml:parameter>
<oml:parameter name="number_folds">{n_folds}</oml:parameter>
<oml:parameter name="percentage">{percentage}</oml:parameter>
<oml:parameter name="stratified_sampling">{"true" if is_classification else ""}</oml:parameter>
</oml:estimation_procedure>  </oml:input>
  <oml:input name="cost_matrix"><oml:cost_matrix></oml:cost_matrix>  </oml:input>
  <oml:input name="evaluation_measures">
<oml:evaluation_measures>
<oml:evaluation_measure>{measure}</oml:evaluation_measure>
</oml:evaluation_measures>  </oml:input>
</oml:task>
"""


def description(dataset: Dataset, base: str, md5: str) -> str:
    """``data/{id}``."""
    ignore = "".join(f"  <oml:ignore_attribute>{escape(name)}</oml:ignore_attribute>\n" for name in dataset.ignore)
    row_id = dataset.row_id and f"  <oml:row_id_attribute>{escape(dataset.row_id)}</oml:row_id_attribute>\n"
    return f"""<oml:data_set_description {NAMESPACE}>
  <oml:id>{dataset.did}</oml:id>
  <oml:name>{escape(dataset.name)}</oml:name>
  <oml:version>1</oml:version>
  <oml:description>Served from a folder.</oml:description>
  <oml:format>ARFF</oml:format>
  <oml:upload_date>2026-01-01T00:00:00</oml:upload_date>
  <oml:licence>{escape(dataset.license)}</oml:licence>
  <oml:url>{base}/data/v1/download/{dataset.did}/{file_name(dataset)}</oml:url>
  <oml:parquet_url>{base}/datasets/0000/{dataset.did:04d}/dataset_{dataset.did}.pq</oml:parquet_url>
  <oml:file_id>{dataset.did}</oml:file_id>
  <oml:default_target_attribute>{escape(dataset.target)}</oml:default_target_attribute>
{row_id or ""}{ignore}  <oml:visibility>public</oml:visibility>
  <oml:status>active</oml:status>
  <oml:md5_checksum>{md5}</oml:md5_checksum>
</oml:data_set_description>
"""


def features(dataset: Dataset) -> str:
    """``data/features/{id}``."""
    frame = dataset.frame()
    body = "".join(
        _feature(index, name, kind, dataset, int(frame[name].isna().sum()))
        for index, (name, kind) in enumerate(attributes(frame))
    )
    return f"<oml:data_features {NAMESPACE}>\n{body}</oml:data_features>\n"


def qualities(dataset: Dataset) -> str:
    """``data/qualities/{id}``."""
    body = "".join(
        f"  <oml:quality>\n<oml:name>{name}</oml:name>\n<oml:value>{value:.1f}</oml:value>\n  </oml:quality>\n"
        for name, value in _qualities(dataset).items()
    )
    return f"<oml:data_qualities {NAMESPACE}>\n{body}</oml:data_qualities>\n"


def data_list(folder: Folder, limit: int | None, offset: int) -> str | None:
    """``data/list/...``; None where nothing is left."""
    chosen = sorted(folder.datasets.values(), key=lambda d: d.did)[offset:]
    chosen = chosen if limit is None else chosen[:limit]
    if not chosen:
        return None
    return f"<oml:data {NAMESPACE}>\n{''.join(_entry(d) for d in chosen)}</oml:data>\n"


def file_name(dataset: Dataset) -> str:
    """Name of the ARFF file in the download address."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in dataset.name) + ".arff"


def _feature(index: int, name: str, kind: str | list[str], dataset: Dataset, missing: int) -> str:
    data_type = "nominal" if isinstance(kind, list) else "numeric" if kind == "REAL" else "string"
    values = kind if isinstance(kind, list) else []
    nominal = "".join(f"<oml:nominal_value>{escape(value)}</oml:nominal_value>\n" for value in values)
    return f"""  <oml:feature>
    <oml:index>{index}</oml:index>
    <oml:name>{escape(name)}</oml:name>
    <oml:data_type>{data_type}</oml:data_type>
{nominal}    <oml:is_target>{_boolean(name == dataset.target)}</oml:is_target>
    <oml:is_ignore>{_boolean(name in dataset.ignore)}</oml:is_ignore>
    <oml:is_row_identifier>{_boolean(name == dataset.row_id)}</oml:is_row_identifier>
    <oml:number_of_missing_values>{missing}</oml:number_of_missing_values>
  </oml:feature>
"""


def _qualities(dataset: Dataset) -> dict[str, float]:
    frame = dataset.frame()
    nominal = [isinstance(dtype, pd.CategoricalDtype) for dtype in frame.dtypes]
    target = frame[dataset.target]
    counts = target.value_counts()
    return {
        "NumberOfInstances": len(frame),
        "NumberOfFeatures": frame.shape[1],
        "NumberOfClasses": int((counts > 0).sum()) if dataset.task_type == "classification" else 0,
        "NumberOfMissingValues": int(frame.isna().to_numpy().sum()),
        "NumberOfInstancesWithMissingValues": int(frame.isna().any(axis=1).sum()),
        "NumberOfSymbolicFeatures": sum(nominal),
        "NumberOfNumericFeatures": frame.shape[1] - sum(nominal),
    }


def _entry(dataset: Dataset) -> str:
    listed = "".join(
        f'    <oml:quality name="{name}">{value}</oml:quality>\n' for name, value in _qualities(dataset).items()
    )
    return f"""  <oml:dataset>
    <oml:did>{dataset.did}</oml:did>
    <oml:name>{escape(dataset.name)}</oml:name>
    <oml:version>1</oml:version>
    <oml:status>active</oml:status>
    <oml:format>ARFF</oml:format>
    <oml:file_id>{dataset.did}</oml:file_id>
{listed}  </oml:dataset>
"""


def _boolean(value: bool) -> str:
    return "true" if value else "false"
