import type { Counter, Metrics } from '../../health/metrics.ts'

/** What the broker counts. */
export interface Counters {
  readonly connections: ReturnType<Metrics['gauge']>
  readonly received: Counter
  readonly refused: Counter
  readonly dropped: Counter
}

export function createCounters(metrics: Metrics): Counters {
  return {
    connections: metrics.gauge({ name: 'skerry_mqtt_connections', help: 'MQTT clients that are connected.' }),
    received: metrics.counter({ name: 'skerry_mqtt_received_total', help: 'Messages that MQTT clients published.' }),
    refused: metrics.counter({
      name: 'skerry_mqtt_refused_total',
      help: 'Connections, subscriptions and messages of MQTT clients that were refused.',
      labels: ['reason'],
    }),
    dropped: metrics.counter({
      name: 'skerry_mqtt_dropped_total',
      help: 'Messages not delivered to an MQTT client that does not take them.',
      labels: ['reason'],
    }),
  }
}
