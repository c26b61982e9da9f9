import { createServer } from 'node:net'
import { hasCode } from '../../../../platform/lifecycle/index.ts'
import { UP_PORTS } from '../../../../schemas/config/index.ts'
import { embeddedPortOf } from '../../event-bus.ts'
import { type Check, type Finding, fail, ok } from '../finding.ts'
import type { Setup } from '../setup.ts'

export interface Wanted {
  readonly host: string
  readonly port: number
  readonly what: string
  /** Where it is set. */
  readonly key: string
}

/** Whether what is to listen can. While a process runs, it has its ports. */
export const ports: Check = {
  name: 'ports',
  async run(setup) {
    if (setup.status) return []
    const wanted = wantedPorts(setup).filter(({ port }) => port !== 0)
    const found = await Promise.all(wanted.map(judgePort))
    const taken = found.filter((finding) => finding !== undefined)
    return taken.length > 0 ? taken : [ok(`${wanted.map(({ port }) => port).join(', ')} are free`)]
  },
}

function wantedPorts({ kind, edge, cloud, up }: Setup): readonly Wanted[] {
  if (kind === 'up' || kind === 'none') {
    return Object.entries(UP_PORTS).map(([name, { port, what }]) => {
      const set = Object.entries(up?.ports ?? {}).find(([key]) => key === name)?.[1]
      return { host: '127.0.0.1', port: set ?? port, what, key: `ports.${name} of skerry up (or --ports auto)` }
    })
  }
  if (edge) {
    const { mqtt, metrics, metaServer, serviceBus, http, edged } = edge.config
    const { listener } = serviceBus
    const { tls, websocket } = mqtt
    const broker = { host: mqtt.host, port: embeddedPortOf(mqtt), what: 'MQTT broker', key: 'mqtt.port' }
    return [
      ...(mqtt.mode === 'external' ? [] : [broker]),
      ...(tls && mqtt.mode !== 'external' ? [{ ...tls, what: 'MQTT over TLS', key: 'mqtt.tls.port' }] : []),
      ...(websocket && mqtt.mode !== 'external'
        ? [{ ...websocket, what: 'MQTT over WebSocket', key: 'mqtt.websocket.port' }]
        : []),
      ...(metaServer.enabled ? [{ ...metaServer, what: 'MetaServer', key: 'metaServer.port' }] : []),
      ...(listener.enabled ? [{ ...listener, what: 'ServiceBus', key: 'serviceBus.listener.port' }] : []),
      ...(http.enabled ? [{ ...http, what: 'local HTTP API', key: 'http.port' }] : []),
      ...(edged.enabled && edged.port !== undefined
        ? [{ host: '127.0.0.1', port: edged.port, what: 'kubelet server of Edged', key: 'edged.port' }]
        : []),
      { ...metrics, what: 'metrics', key: 'metrics.port' },
    ]
  }
  if (!cloud) return []
  const { cloudhub, cloudstream, kubernetes, metrics, router } = cloud
  const { host } = cloudhub
  return [
    { host, port: cloudhub.port, what: 'CloudHub', key: 'cloudhub.port' },
    { host, port: cloudhub.certificatePort, what: 'certificate endpoint', key: 'cloudhub.certificatePort' },
    ...(cloudstream.tunnel
      ? [{ host, port: cloudstream.tunnelPort, what: 'tunnel server', key: 'cloudstream.tunnelPort' }]
      : []),
    ...(cloudstream.tunnel && cloudstream.kubelets.enabled
      ? [{ ...cloudstream.kubelets, what: 'stream endpoint', key: 'cloudstream.kubelets.port' }]
      : []),
    { host: router.host, port: router.port, what: 'Router', key: 'router.port' },
    ...(kubernetes.kubeconfig === undefined
      ? [{ host: kubernetes.host, port: kubernetes.port, what: 'Kubernetes API', key: 'kubernetes.port' }]
      : []),
    { ...metrics, what: 'metrics', key: 'metrics.port' },
  ]
}

/** Listens for a moment; nothing where the port is free. */
export function judgePort({ host, port, what, key }: Wanted): Promise<Finding | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      if (hasCode(error, 'EADDRINUSE')) {
        const advice = `ss -ltnp 'sport = :${port}' names the program; stop it, or set ${key}`
        resolve(fail(`port ${port} on ${host} (${what}) is taken`, advice))
      } else resolve(fail(`nothing can listen on ${host}:${port} (${what}): ${error.message}`, `set ${key}`))
    })
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}
