"""The shared cache: entries appear in it complete or not at all, and the client never works in it.

::

    <root>/<host, reversed>/tasks/<id>/{task.xml, datasplits.arff, manifest.json}
    <root>/<host, reversed>/datasets/<id>/{description, features, qualities}.xml, dataset.arff, manifest.json
    <root>/<host, reversed>/lists/<name>.json
    <root>/locks/, <root>/staging/

The client deletes good files after a failed request and leaves pickles behind. So it downloads into a private
staging folder, from where finished entries are moved here, and it reads through a throw-away folder of hard links.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from autometa.components.openml.entries import MANIFEST, Entry, files_of
from autometa.foundation.errors import OpenMLError

__all__ = ["EntryCache"]

logger = logging.getLogger(__name__)

# Staging folders of killed processes are removed after this many seconds.
STALE_AFTER = 2 * 24 * 3600.0


class EntryCache:
    """The cache of one server below a root folder.

    Parameters
    ----------
    root : Path
        Made when something is first written; a read-only one can be read from.
    server : str
        Address of the server.
    """

    def __init__(self, root: Path, server: str) -> None:
        self.root = root
        self.home = root / _host_folder(server)

    def folder(self, entry: Entry) -> Path:
        """Where an entry is, or would be."""
        return self.home / entry.folder

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold the lock of one entry against all threads and processes that use this root.

        Raises
        ------
        OpenMLError
            If the root cannot be written.
        """
        path = self.root / "locks" / f"{self.home.relative_to(self.root)}-{name}.lock".replace(os.sep, "-")
        lock = FileLock(str(path), thread_local=False)
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a private folder on the cache's own file system, removed afterwards."""
        with self._writing():
            parent = self.root / "staging"
            parent.mkdir(parents=True, exist_ok=True)
            _remove_stale(parent)
            path = Path(tempfile.mkdtemp(dir=parent))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def promote(self, entry: Entry, staged: Path, *, staging: Path) -> None:
        """Move a finished entry into the cache, in place of the one that is there; call it under the entry's lock.

        Parameters
        ----------
        entry : Entry
        staged : Path
            Folder with the entry's files and manifest; other files in it are left behind.
        staging : Path
            Folder of `staging`; takes the old entry, and goes with it.
        """
        with self._writing():
            fresh = staging / f"fresh-{uuid.uuid4().hex}"
            fresh.mkdir()
            for name in [*files_of(entry, staged), MANIFEST]:
                os.replace(staged / name, fresh / name)
            target = self.folder(entry)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                os.replace(target, staging / f"old-{uuid.uuid4().hex}")
            os.replace(fresh, target)

    @contextmanager
    def view(self) -> Iterator[Path]:
        """Give an empty throw-away folder for links, on the cache's file system if that can be written."""
        try:
            parent = self.root / "staging"
            parent.mkdir(parents=True, exist_ok=True)
            path = Path(tempfile.mkdtemp(dir=parent))
        except OSError:
            path = Path(tempfile.mkdtemp(prefix="autometa-openml-"))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def folder_in(self, view: Path, server: str) -> Path:
        """Where the client looks inside of a view: unlike here, the port is part of the folder's name."""
        return view.joinpath(*reversed(urlsplit(server).netloc.split(".")))

    def link(self, entry: Entry, target: Path) -> None:
        """Link an entry's files into the folder `target`, in place of what it holds.

        Files that are absent, or vanish because another process replaces the entry just now, are left out.
        """
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        source = self.folder(entry)
        for name in [*files_of(entry, source), MANIFEST]:
            with suppress(FileNotFoundError):
                _link(source / name, target / name)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OpenMLError(
                f"The OpenML cache {self.root} cannot be written ({error.strerror or error}). Free space, "
                "give another cache_directory (AUTOMETA_CACHE_DIRECTORY), or fill it before it becomes read-only.",
                cache=str(self.root),
            ) from error


def _link(source: Path, target: Path) -> None:
    """Link a file: hard, else symbolic (another file system, or another owner), else a copy."""
    for make in (os.link, os.symlink, shutil.copyfile):
        if not source.exists():
            raise FileNotFoundError(source)
        try:
            make(source, target)
        except OSError as error:
            logger.debug("%s of %s failed: %s", getattr(make, "__name__", "link"), source, error)
        else:
            return
    raise OpenMLError(f"{source} can be neither linked nor copied to {target.parent}.")


def _host_folder(server: str) -> Path:
    parts = urlsplit(server)
    host = Path(*reversed((parts.hostname or "").split(".")))
    return host if parts.port is None else host.with_name(f"{host.name}_{parts.port}")


def _remove_stale(parent: Path) -> None:
    limit = time.time() - STALE_AFTER
    for path in parent.iterdir():
        with suppress(OSError):
            if path.stat().st_mtime < limit:
                shutil.rmtree(path, ignore_errors=True)
