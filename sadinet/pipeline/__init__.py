"""The stages put together."""

from sadinet.pipeline.offline import Pipeline
from sadinet.pipeline.stages import People, Settings

__all__ = ["People", "Pipeline", "Settings"]
