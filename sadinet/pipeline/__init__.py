"""The stages put together."""

from sadinet.pipeline.live import LivePipeline
from sadinet.pipeline.offline import Pipeline
from sadinet.pipeline.stages import People, Settings

__all__ = ["LivePipeline", "People", "Pipeline", "Settings"]
