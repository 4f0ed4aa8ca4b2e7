"""Contract tests of LCPlatform: what every provider is held to, on every surface and in both colours.

pytest --pyargs lcplatform_contract --lcplatform-provider=NAME
"""
