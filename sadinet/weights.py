"""Finding and checking models: the shipped ones and a user's own.

A model is a manifest `NAME.json` with its files beside it. Nothing is downloaded, and no model ever stands
in for another: what is missing, damaged or not of the kind asked for is an error with a remedy.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sadinet.errors import WeightsError
from sadinet.manifest import DetectorSpec, FileEntry, FileKind, Kind, Manifest, PoseSpec
from sadinet.manifest_json import load_manifest, write_manifest

__all__ = [
    "DEFAULTS",
    "OWN_FOLDER_VARIABLE",
    "FileEntry",
    "FileKind",
    "Kind",
    "Manifest",
    "Weights",
    "file_entry",
    "find_weights",
    "list_weights",
    "load_manifest",
    "load_weights",
    "manifest_paths",
    "shipped_folder",
    "write_manifest",
]

DEFAULTS: dict[Kind, str] = {"pose": "sadinet-s", "detector": "person-yolo11n"}
"""The model that the name "default" means, by kind."""

OWN_FOLDER_VARIABLE = "SADINET_WEIGHTS"
"""Environment variable that names a folder with a user's own models."""

_hashes: dict[tuple[Path, int, int], str] = {}


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that was found: its manifest, and where that lies."""

    manifest: Manifest
    path: Path

    @property
    def name(self) -> str:
        """The model's name."""
        return self.manifest.name

    @property
    def kind(self) -> Kind:
        """What the model does."""
        return self.manifest.kind

    @property
    def pose(self) -> PoseSpec:
        """What only a pose model has; raises `WeightsError` for a detector."""
        if self.manifest.pose is None:
            raise WeightsError(f"{self.name} is a detector, a pose model was asked for")
        return self.manifest.pose

    @property
    def detector(self) -> DetectorSpec:
        """What only a detector has; raises `WeightsError` for a pose model."""
        if self.manifest.detector is None:
            raise WeightsError(f"{self.name} is a pose model, a detector was asked for")
        return self.manifest.detector

    def has(self, kind: FileKind) -> bool:
        """Say whether the manifest lists such a file."""
        return kind in self.manifest.files

    def file(self, kind: FileKind) -> Path:
        """Return the path of a file whose size and hash are what the manifest says.

        Raises:
            WeightsError: if the model has no such file, or it is missing, cut off or changed.
        """
        entry = self.manifest.files.get(kind)
        if entry is None:
            known = ", ".join(self.manifest.files)
            raise WeightsError(f"model {self.name} has no {kind} file", f"its manifest lists: {known}")
        path = self.path.parent / entry.name
        try:
            status = path.stat()
            if not path.is_file():
                raise WeightsError(f"model {self.name}: {path} is not a file", _REPAIR)
            if status.st_size != entry.bytes:
                raise WeightsError(
                    f"model {self.name}: {path} has {status.st_size} bytes, its manifest says {entry.bytes}", _REPAIR
                )
            found = _sha256(path, status)
        except OSError as error:
            is_left_out = kind == "onnx_fp16" and getattr(sys, "frozen", False)
            remedy = "this copy of the program is for the CPU: use --precision fp32" if is_left_out else _REPAIR
            raise WeightsError(f"model {self.name}: cannot read {path}: {error.strerror or error}", remedy) from None
        if found != entry.sha256:
            raise WeightsError(
                f"model {self.name}: {path} is not the file of its manifest: SHA-256 {found}, expected {entry.sha256}",
                _REPAIR,
            )
        return path


_REPAIR = "install again, or for a model of your own put right the file or its manifest"


def shipped_folder() -> Path:
    """Return the folder of the shipped models: inside an installed package, else at the checkout's top."""
    package = Path(__file__).resolve().parent
    inside = package / "_weights"
    return inside if inside.is_dir() else package.parent / "weights"


def manifest_paths() -> tuple[Path, ...]:
    """Return the manifests of all shipped and own models, unread.

    Raises:
        WeightsError: if the variable SADINET_WEIGHTS names a folder that is not there.
    """
    folders = [shipped_folder()]
    if own := os.environ.get(OWN_FOLDER_VARIABLE):
        if not Path(own).is_dir():
            raise WeightsError(f"{OWN_FOLDER_VARIABLE} names {own}, which is not a folder", "correct or unset it")
        folders.append(Path(own))
    return tuple(path for folder in folders for path in sorted(folder.glob("*.json")))


def load_weights(path: Path) -> Weights:
    """Return the model of a manifest; raises `WeightsError` as `load_manifest` does."""
    return Weights(load_manifest(path), path)


def list_weights(kind: Kind | None = None) -> tuple[Weights, ...]:
    """Return all shipped and own models, or those of one kind.

    Raises:
        WeightsError: if a manifest among them is wrong; `manifest_paths` lets a caller go on after one.
    """
    found = (load_weights(path) for path in manifest_paths())
    return tuple(weights for weights in found if kind in (None, weights.kind))


def find_weights(name_or_path: str | os.PathLike[str], kind: Kind = "pose") -> Weights:
    """Return a model by name, by its manifest's path, or by a folder that holds just one of that kind.

    Args:
        name_or_path: a name; a path to a manifest or a folder; "default" for the shipped default.
        kind: what the model must be.

    Raises:
        WeightsError: if there is none, if it is of the other kind, or if it is not clear which is meant.
    """
    text = os.fspath(name_or_path)
    path = Path(text).expanduser()
    if path.is_dir() and _looks_like_path(text):
        weights = _only_one(path, kind)
    elif _looks_like_path(text):
        weights = load_weights(_manifest_of(path))
    else:
        weights = _by_name(DEFAULTS[kind] if text == "default" else text, kind)
    if weights.kind != kind:
        raise WeightsError(f"{weights.name} is a {weights.kind} model, a {kind} model was asked for", _known(kind))
    return weights


def file_entry(path: Path) -> FileEntry:
    """Describe a file as a manifest does; raises `WeightsError` if it cannot be read."""
    try:
        status = path.stat()
        return FileEntry(path.name, _sha256(path, status), status.st_size)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None


def _looks_like_path(text: str) -> bool:
    return text in (".", "..") or "/" in text or os.sep in text or Path(text).suffix in _SUFFIXES


_SUFFIXES = {".json", ".onnx", ".safetensors", ".pt", ".pth"}


def _manifest_of(path: Path) -> Path:
    if path.suffix == ".json":
        return path
    beside = path.with_suffix(".json")
    if beside.is_file():
        raise WeightsError(f"{path} is not a manifest", f"give its manifest {beside}")
    raise WeightsError(f"{path} is not a manifest", "a model needs a manifest NAME.json beside its files")


def _by_name(name: str, kind: Kind) -> Weights:
    paths = [path for path in manifest_paths() if path.stem == name]
    if not paths:
        raise WeightsError(f"there is no model {name!r}", _known(kind))
    if len(paths) > 1:
        places = " and ".join(str(path) for path in paths)
        raise WeightsError(f"there are two models {name!r}: {places}", "rename yours, or give its path")
    weights = load_weights(paths[0])
    if weights.name != name:
        raise WeightsError(f"manifest {paths[0]} calls its model {weights.name!r}", "name and file name must agree")
    return weights


def _only_one(folder: Path, kind: Kind) -> Weights:
    found = [weights for weights in map(load_weights, sorted(folder.glob("*.json"))) if weights.kind == kind]
    if len(found) == 1:
        return found[0]
    names = ", ".join(weights.path.name for weights in found) or "none"
    raise WeightsError(f"folder {folder} must hold one manifest of a {kind} model", f"it holds: {names}")


def _known(kind: Kind) -> str:
    names = []
    for path in manifest_paths():
        try:
            weights = load_weights(path)
        except WeightsError:
            continue  # a damaged neighbour must not hide the message about the one asked for
        if weights.kind == kind:
            names.append(weights.name)
    return f"{kind} models here: {', '.join(names) or 'none'}; or give the path of a manifest"


def _sha256(path: Path, status: os.stat_result) -> str:
    key = (path.resolve(), status.st_mtime_ns, status.st_size)
    if key not in _hashes:
        with path.open("rb") as stream:
            _hashes[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _hashes[key]
