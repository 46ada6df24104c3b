"""The ports of the services, each with its fake and its real adapter, and the proto contracts."""
