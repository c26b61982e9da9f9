import type { Metrics } from '../../../platform/health/index.ts'

type Kind = 'logs' | 'exec' | 'attach' | 'portForward'

/** What the kubelet server counts. */
export interface ServerCounts {
  answered(what: string, status: number): void
  /** One more is under way, until disposed. */
  begin(kind: Kind): Disposable
  /** Those of containers that are under way; logs are not among them. */
  streams(): number
  logs(): number
}

const KINDS: readonly Kind[] = ['logs', 'exec', 'attach', 'portForward']
export function serverCounts(metrics: Metrics): ServerCounts {
  const open: Record<Kind, number> = { logs: 0, exec: 0, attach: 0, portForward: 0 }
  const gauge = metrics.gauge({
    name: 'skerry_edged_server_streams',
    help: 'Logs, commands, attachments and forwarded ports that somebody has open.',
    labels: ['kind'],
  })
  for (const kind of KINDS) gauge.follow(() => open[kind], { kind })
  const answers = metrics.counter({
    name: 'skerry_edged_server_answers_total',
    help: 'Answers of the kubelet server, by what was asked for and status.',
    labels: ['what', 'status'],
  })
  return {
    answered: (what, status) => answers.add(1, { what, status: String(status) }),
    begin(kind) {
      open[kind]++
      return { [Symbol.dispose]: () => void open[kind]-- }
    },
    streams: () => open.exec + open.attach + open.portForward,
    logs: () => open.logs,
  }
}
