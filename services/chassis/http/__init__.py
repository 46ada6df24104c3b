"""HTTP, in and out: the server and its middleware, problem documents, the client."""
