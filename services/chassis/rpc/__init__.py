"""gRPC, in and out: the server and its interceptor, statuses with details, the client."""
