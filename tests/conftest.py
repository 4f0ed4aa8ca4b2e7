"""What every test may use."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.emulators_plugin",)

# How long an example takes says how busy the machine is, and nothing of the code.
_QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("lcplatform", _QUIET)
# For somebody who searches: other examples in every run, and many.
settings.register_profile("thorough", _QUIET, max_examples=1000, stateful_step_count=60)
if settings.get_current_profile_name() != "thorough":
    settings.load_profile("lcplatform")
