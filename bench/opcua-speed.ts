import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import {
  AttributeIds,
  ClientMonitoredItemGroup,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
} from 'node-opcua-client'
import opcua from '../mappers/opcua/index.ts'
import { assigned, hosted } from './hosted.ts'
import { comparePushed, type Receiver } from './pushed.ts'

const DEVICES = 10
const EACH = 100
const CHANGED_EVERY_MS = 50
const PUBLISHING_MS = 100
const QUEUE = 10

/** Notifications of one session with subscriptions of a hundred items each. */
export async function measureOpcua(): Promise<void> {
  const peer = fork(join(import.meta.dirname, 'opcua-peer.ts'), [String(DEVICES * EACH), String(CHANGED_EVERY_MS)])
  try {
    const [{ port, namespace }] = await once(peer, 'message')
    const url = `opc.tcp://127.0.0.1:${port}`
    const nodeOf = (device: number, index: number) => `ns=${namespace};s=v${device * EACH + index}`
    await comparePushed(
      `OPC UA notifications, ${DEVICES * EACH} items`,
      () => bareClient(url, nodeOf),
      async () => {
        const mapped = await hosted(
          opcua,
          Array.from({ length: DEVICES }, (_, device) => deviceOf(url, device, nodeOf)),
        )
        return {
          get count() {
            return mapped.pushed
          },
          [Symbol.asyncDispose]: () => mapped[Symbol.asyncDispose](),
        }
      },
    )
  } finally {
    peer.disconnect()
  }
}

type NodeOf = (device: number, index: number) => string

async function bareClient(url: string, nodeOf: NodeOf): Promise<Receiver> {
  const client = OPCUAClient.create({
    ...{ securityMode: MessageSecurityMode.None, securityPolicy: SecurityPolicy.None, endpointMustExist: false },
  })
  await client.connect(url)
  const session = await client.createSession()
  let count = 0
  let sum = 0
  for (let device = 0; device < DEVICES; device++) {
    const subscription = await session.createSubscription2({
      ...{ requestedPublishingInterval: PUBLISHING_MS, requestedMaxKeepAliveCount: 50, requestedLifetimeCount: 500 },
      ...{ maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 1 },
    })
    const items = Array.from({ length: EACH }, (_, index) => ({
      ...{ nodeId: nodeOf(device, index), attributeId: AttributeIds.Value },
    }))
    const parameters = { samplingInterval: 0, queueSize: QUEUE, discardOldest: true }
    const group = ClientMonitoredItemGroup.create(subscription, items, parameters, TimestampsToReturn.Both)
    group.on('changed', (_item, value) => {
      count++
      sum += Number(value.value.value)
    })
  }
  return {
    get count() {
      return Number.isNaN(sum) ? Number.NaN : count
    },
    [Symbol.asyncDispose]: async () => {
      await session.close(true)
      await client.disconnect()
    },
  }
}

function deviceOf(url: string, device: number, nodeOf: NodeOf) {
  const names = Array.from({ length: EACH }, (_, index) => [`p${index}`, { nodeId: nodeOf(device, index) }] as const)
  const config = {
    ...{ url, securityMode: 'None', securityPolicy: 'None', trust: 'any' },
    ...{ publishingInterval: PUBLISHING_MS, samplingInterval: 0, queueSize: QUEUE },
  }
  return assigned(`device-${device}`, 'opcua', config, Object.fromEntries(names))
}
