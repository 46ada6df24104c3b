"""The figures, one file each. A file defines `BENCHMARK`; `deploy.bench.catalogue` lists them."""
