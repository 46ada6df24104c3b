"""The system in containers, as `docker-compose.yml` runs it: its addresses, and the secrets that its first start makes."""
