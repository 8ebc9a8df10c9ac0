"""The stages put together."""

from sadinet.pipeline.naming import Job, Outputs, plan_jobs
from sadinet.pipeline.offline import Pipeline
from sadinet.pipeline.stages import People, Settings
from sadinet.pipeline.writing import Summary, analyse

__all__ = ["Job", "Outputs", "People", "Pipeline", "Settings", "Summary", "analyse", "plan_jobs"]
