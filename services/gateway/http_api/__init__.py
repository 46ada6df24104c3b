"""The public API over HTTP: its routes by version, its document and pages."""
