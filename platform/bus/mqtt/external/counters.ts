import type { Counter, Gauge, Metrics } from '../../../health/metrics.ts'

/** What is counted about an external broker. */
export interface ExternalCounters {
  readonly connected: Gauge
  readonly waiting: Gauge
  readonly received: Counter
  readonly refused: Counter
  readonly unsent: Counter
  readonly cleared: Counter
}

export function createExternalCounters(metrics: Metrics): ExternalCounters {
  return {
    connected: metrics.gauge({
      name: 'skerry_mqtt_external_connected',
      help: '1 while the connection to the external MQTT broker stands.',
      labels: ['role'],
    }),
    waiting: metrics.gauge({
      name: 'skerry_mqtt_external_waiting',
      help: 'Messages that wait for the external MQTT broker, or for its receipt.',
    }),
    received: metrics.counter({
      name: 'skerry_mqtt_external_received_total',
      help: 'Messages that came from the external MQTT broker.',
    }),
    refused: metrics.counter({
      name: 'skerry_mqtt_external_refused_total',
      help: 'Messages of the external MQTT broker that were not taken, and subscriptions that it refused.',
      labels: ['reason'],
    }),
    unsent: metrics.counter({
      name: 'skerry_mqtt_external_unsent_total',
      help: 'Messages that did not reach the external MQTT broker.',
      labels: ['reason'],
    }),
    cleared: metrics.counter({
      name: 'skerry_mqtt_external_cleared_total',
      help: 'Retained messages of an earlier life that were cleared at the external MQTT broker.',
    }),
  }
}
