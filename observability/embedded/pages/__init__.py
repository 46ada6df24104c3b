"""The backend's pages over HTTP: search, one trace, two traces side by side, who calls whom."""
