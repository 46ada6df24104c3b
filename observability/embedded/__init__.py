"""A trace backend that needs no installation: OTLP comes in, Jaeger's query API and a waterfall page go out.

Start it with `python -m observability.embedded`. It keeps the newest traces in bounded memory and nothing on disk.
`records` is what it keeps, `ports` what its two sides need of a store, `store` the one in memory; `otlp_receiver` feeds
it; `query_api` and `pages` read it. `waterfall` and `page` work on any trace in Jaeger's JSON, also a real Jaeger's.
"""
