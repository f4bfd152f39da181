// Holds the ServiceMonitors on standard input, a JSON array, against the schema of the Prometheus operator.

import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { readFileSync } from 'node:fs'

for (const monitor of JSON.parse(readFileSync(0))) {
  new ServiceMonitor(monitor).validate()
}
