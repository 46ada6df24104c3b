"""What a real Jaeger answered, and the test that holds the backend to it."""
