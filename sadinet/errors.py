"""Errors of SADI-NET, each with what happened and what to do about it.

SadinetError
├── SourceError      a video, picture or camera cannot be opened, read or decoded
├── WeightsError     a model is missing, damaged or not what its manifest says
├── DeviceError      a device or runtime that was asked for is not there
│   └── DeviceMemoryError   a device has too little memory left
├── OutputError      a result cannot be written
└── InputError       a value handed in makes no sense (a box with NaN, an unknown skeleton)
"""

from __future__ import annotations


class SadinetError(Exception):
    """Base of all errors that a user can act on.

    Attributes:
        message: what happened, one line.
        remedy: what to do about it, one line; empty where nothing helps.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


class SourceError(SadinetError):
    """A video, picture or camera cannot be opened, read or decoded."""


class WeightsError(SadinetError):
    """A model is missing, damaged, or not what its manifest says."""


class DeviceError(SadinetError):
    """A device or runtime that was asked for is not there, or failed."""


class DeviceMemoryError(DeviceError):
    """A device has too little memory left; another one may do."""


class OutputError(SadinetError):
    """A result cannot be written."""


class InputError(SadinetError, ValueError):
    """A value handed in makes no sense."""
