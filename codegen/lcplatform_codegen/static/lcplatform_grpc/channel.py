"""Calls of remote drivers, blocking and async: what every operation does with its channel."""

from __future__ import annotations
