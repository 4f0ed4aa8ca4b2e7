"""The gRPC server of LCPlatform: any provider, for any language."""
