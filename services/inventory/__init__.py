"""The inventory service: the catalogue and its stock, over gRPC."""
