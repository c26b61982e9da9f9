import { type Check, ok, warn } from '../finding.ts'
import { addressOf, dial, textOf } from './hub.ts'

/** Where the cloud half announces no other one. */
const USUAL_PORT = 10004
const LACKING = 'kubectl logs and exec, metrics and large calls do not reach this node'

/** The tunnel, by which the cloud reaches what is served on this node. */
export const tunnel: Check = {
  name: 'tunnel',
  async run({ edge, status }, signal) {
    if (!edge) return []
    const { server, tunnel: configured } = edge.config.cloud
    if (configured === 'off') return [ok('off, as cloud.tunnel says')]
    const road = status?.processes.find((each) => each.road)?.road
    if (road?.tunnel?.connected)
      return [ok(`open${road.tunnel.server === undefined ? '' : ` to ${road.tunnel.server}`}`)]
    if (road && !road.connected) return [warn('not open, because CloudHub is not connected', 'see hub above')]
    if (road?.tunnel) return [warn(`not open: ${road.tunnel.detail}. ${LACKING}`, adviceFor(road.tunnel.server))]
    const at = configured ?? `${server.replace(/:\d*$/, '')}:${USUAL_PORT}`
    try {
      await dial(edge, at, signal)
      return [ok(`the tunnel server at ${at} answers`)]
    } catch (error) {
      const guess = configured === undefined ? ', unless the cloud half announces another port' : ''
      return [
        warn(
          `the tunnel server at ${at} does not let this node in: ${textOf(error)}. ${LACKING}${guess}`,
          adviceFor(at),
        ),
      ]
    }
  },
}

function adviceFor(server: string | undefined): string {
  if (server === undefined) return 'see skerry status, and cloudstream in the configuration of the cloud half'
  const { host, port } = addressOf(server)
  return `open TCP port ${port} on the way to ${host}, or set cloud.tunnel. Try: nc -vz ${host} ${port}`
}
