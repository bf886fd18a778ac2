import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import type { TelemetryConfig } from './config.js'

/** What all that the process sends is marked with; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME come first. */
export function resourceOf({ nodeId, cluster, region, version }: TelemetryConfig): Resource {
  const own = resourceFromAttributes({
    'service.name': 'almanac',
    'service.namespace': cluster,
    'service.instance.id': nodeId,
    'service.version': version,
    'almanac.cluster': cluster,
    ...(region === '' ? {} : { 'cloud.region': region }),
  })
  return own.merge(detectResources({ detectors: [envDetector] }))
}
