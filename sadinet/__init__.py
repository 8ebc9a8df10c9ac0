"""Human pose estimation with a calibrated uncertainty for every joint.

    for result in sadinet.Pipeline.open("video.mp4"):
        for pose in result.poses:
            print(result.frame.time_s, pose.joints, pose.sigmas)

Importing this package is cheap: each name is loaded when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sadinet._version import __version__

if TYPE_CHECKING:
    from sadinet.errors import DeviceError, InputError, OutputError, SadinetError, SourceError, WeightsError
    from sadinet.geometry import Box
    from sadinet.people.estimator import PoseEstimator
    from sadinet.pipeline import Pipeline
    from sadinet.results import Frame, FrameResult, Pose
    from sadinet.skeletons import Skeleton

# The builds of ONNX Runtime that pip installs tell their maker about every session, over the network, unless they are
# told not to before they are loaded; here, that is before anything of this package can load them.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Box",
    "DeviceError",
    "Frame",
    "FrameResult",
    "InputError",
    "OutputError",
    "Pipeline",
    "Pose",
    "PoseEstimator",
    "SadinetError",
    "Skeleton",
    "SourceError",
    "WeightsError",
    "__version__",
]

_HOME = {
    "Box": "sadinet.geometry",
    "DeviceError": "sadinet.errors",
    "Frame": "sadinet.results",
    "FrameResult": "sadinet.results",
    "InputError": "sadinet.errors",
    "OutputError": "sadinet.errors",
    "Pipeline": "sadinet.pipeline",
    "Pose": "sadinet.results",
    "PoseEstimator": "sadinet.people.estimator",
    "SadinetError": "sadinet.errors",
    "Skeleton": "sadinet.skeletons",
    "SourceError": "sadinet.errors",
    "WeightsError": "sadinet.errors",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
