import { forEach } from './figures.ts'
import { joinLight } from './join.ts'
import { type LightEdge, startLightEdge } from './light-edge.ts'

/**
 * So many gateways in a process of their own. Its first message says which and where; they join, connect and stay. Asked with any
 * message afterwards, says how they are.
 */
interface Asked {
  readonly count: number
  readonly server: string
  readonly certificates: string
  readonly token: string
  readonly folder: string
}

/** Certificates asked for side by side; each makes a key first. */
const JOINS_AT_ONCE = 8

const edges: LightEdge[] = []
let stored = 0
let connects = 0
let failure = ''

process.once('message', (asked: Asked) => {
  open(asked).catch((error: unknown) => {
    failure = String(error)
  })
  process.on('message', () => process.send?.(state()))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

async function open({ count, server, certificates, token, folder }: Asked): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `gateway-${index}`)
  await forEach(names, JOINS_AT_ONCE, async (nodeName) => {
    const identity = await joinLight(nodeName, { certificates, token, folder })
    edges.push(
      await startLightEdge({
        ...{ nodeName, server, identity },
        onStored: () => void stored++,
        onConnected: () => void connects++,
      }),
    )
  })
}

function state() {
  // A gateway is back when the cloud has answered it on its present link: then its Node and Lease are seen to.
  const answered = edges.filter(({ hub }) => {
    const { connected, since, lastReceipt } = hub.status()
    return connected && lastReceipt !== undefined && lastReceipt >= since
  })
  return { joined: edges.length, answered: answered.length, connects, stored, failure }
}
