// Exports a trace of two spans as OTLP/HTTP JSON to the address given, and prints its id.
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const exporter = new OTLPTraceExporter({ url: process.argv[2] });
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "browser" }),
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});
const tracer = provider.getTracer("shop", "1.0");
const root = tracer.startSpan("click", {
  kind: SpanKind.CLIENT,
  attributes: { "user.id": "u-1", count: 3, ratio: 0.5, ok: true, tags: ["a", "b"] },
});
const inner = tracer.startSpan("fetch", {}, trace.setSpan(context.active(), root));
inner.addEvent("sent", { bytes: 12 });
inner.setStatus({ code: SpanStatusCode.ERROR, message: "refused" });
inner.end();
root.end();
await provider.shutdown();
console.log(root.spanContext().traceId);
