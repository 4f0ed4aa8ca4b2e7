"""JSON Schema (2020-12), as every provider holds data against it (FR-017): it needs packages that only this needs."""
