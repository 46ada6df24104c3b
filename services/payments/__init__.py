"""The payments service: charges through a card provider, over gRPC."""
