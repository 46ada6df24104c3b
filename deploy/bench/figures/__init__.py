"""The figures, one file each. A file defines `BENCHMARK`, or several as `BENCHMARKS`; `deploy.bench.catalogue` lists them."""
