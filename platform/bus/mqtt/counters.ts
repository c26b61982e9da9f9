import type { Counter, Gauge, Metrics } from '../../health/metrics.ts'

/** What the broker counts. */
export interface Counters {
  readonly connections: Gauge
  /** Sessions that outlive their connection. */
  readonly sessions: Gauge
  readonly retained: Gauge
  readonly received: Counter
  readonly refused: Counter
  readonly dropped: Counter
}

export function createCounters(metrics: Metrics): Counters {
  return {
    connections: metrics.gauge({ name: 'skerry_mqtt_connections', help: 'MQTT clients that are connected.' }),
    sessions: metrics.gauge({
      name: 'skerry_mqtt_sessions',
      help: 'MQTT sessions that outlive their connection, with a client or without.',
    }),
    retained: metrics.gauge({ name: 'skerry_mqtt_retained', help: 'Topics with a retained message.' }),
    received: metrics.counter({ name: 'skerry_mqtt_received_total', help: 'Messages that MQTT clients published.' }),
    refused: metrics.counter({
      name: 'skerry_mqtt_refused_total',
      help: 'Connections, subscriptions and messages of MQTT clients that were refused.',
      labels: ['reason'],
    }),
    dropped: metrics.counter({
      name: 'skerry_mqtt_dropped_total',
      help: 'Messages and sessions that were given up: backlog and session (a client does not take its messages), stalled (it was disconnected), retained (too many), expired (a session).',
      labels: ['reason'],
    }),
  }
}
