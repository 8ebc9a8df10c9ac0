"""Says how large a bundle with CUDA gets, before anything is downloaded: what the registry says of the wheels."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

from bundle.environment import BuildError, pip, requirements

_TORCH = ("torch>=2.6", "safetensors>=0.4.5")


@dataclass(frozen=True, slots=True)
class Wheels:
    """What would be downloaded.

    Attributes:
        engine: what runs the networks.
        sizes: bytes of each distribution's wheel, by name.
    """

    engine: str
    sizes: dict[str, int]

    def __str__(self) -> str:
        largest = sorted(self.sizes.items(), key=lambda item: -item[1])[:5]
        named = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in largest)
        return f"{self.engine}: {sum(self.sizes.values()) / 1e6:.0f} MB in {len(self.sizes)} wheels ({named}, ...)"


def tell_sizes(project: Path, work: Path) -> None:
    """Print how large the wheels of both ways to CUDA are, packed.

    Args:
        project: pyproject.toml.
        work: folder for the resolver.

    Raises:
        BuildError: if the registry cannot be asked.
    """
    folder = work / "sizes"
    venv.create(folder, with_pip=True, clear=True)
    inside = folder / ("Scripts" if sys.platform == "win32" else "bin")
    pip(inside / "python", "install", *(line for line in requirements(project, "package") if line.startswith("uv")))
    core = requirements(project)
    with_runtime = resolve(inside / "uv", requirements(project, is_cuda=True), folder)
    with_torch = resolve(inside / "uv", [*core, *_TORCH], folder)
    for wheels in (Wheels("ONNX Runtime with CUDA", with_runtime), Wheels("torch with CUDA", with_torch)):
        print(wheels, flush=True)
    print("The bundle takes ONNX Runtime. Unpacked, it is larger still.", flush=True)


def resolve(uv: Path, wanted: list[str], folder: Path) -> dict[str, int]:
    """Return the bytes of each wheel that these requirements come to, by name; nothing is downloaded.

    Raises:
        BuildError: if they cannot be resolved.
    """
    source = folder / "wanted.txt"
    source.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(uv), "pip", "compile", "-q", "--format", "pylock.toml", "--python-version", version, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"the registry does not tell sizes: {done.stderr.strip().splitlines()[-1:]}")
    return sizes_of(done.stdout)


def sizes_of(lock: str) -> dict[str, int]:
    """Return the bytes of each wheel of a pylock.toml, by name; the largest where there are several."""
    packages = tomllib.loads(lock).get("packages", [])
    return {
        each["name"]: max((wheel.get("size", 0) for wheel in each.get("wheels", [])), default=0) for each in packages
    }
