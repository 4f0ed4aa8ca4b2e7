"""Every service in memory, with the semantics of a cloud: for tests, and for development without an account (FR-061)."""

from lcplatform_mock.provider import MockProvider, provider

__all__ = ["MockProvider", "provider"]
