"""Turns the IDL into every surface of LCPlatform. Runs at build time and never ships."""
