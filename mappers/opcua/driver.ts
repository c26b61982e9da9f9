import { setDebugLogger, setErrorLogger, setWarningLogger } from 'node-opcua-client'
import type { Discovered, MapperContext } from '../contract/index.ts'
import { browseServer } from './browse.ts'
import type { DeviceConfig } from './config.ts'
import { OpcuaConnection } from './connection.ts'
import type { Link } from './link.ts'
import { readLimits } from './service/limits.ts'
import { Nodes } from './service/nodes.ts'
import { openSession } from './session/open-session.ts'

const REQUESTS_TO_CONNECT = 3

/** What a device needs once it is really there; loaded by the first `connect`. */
export async function open(device: DeviceConfig, context: MapperContext): Promise<OpcuaConnection> {
  return new OpcuaConnection(await openLink(device, context))
}

export async function* discover(device: DeviceConfig, context: MapperContext): AsyncIterable<Discovered> {
  const link = await openInTime(device, context)
  try {
    yield* browseServer(link, device, context.signal)
  } finally {
    await link.lifeline.close()
  }
}

/** For callers without a deadline of their own: connecting takes a handful of requests. */
async function openInTime(device: DeviceConfig, context: MapperContext): Promise<Link> {
  const patience = device.timeout * REQUESTS_TO_CONNECT
  const [late, done] = [new AbortController(), new AbortController()]
  const giveUp = () => late.abort(new Error(`the server ${device.url} has not answered for ${patience} ms`))
  context.clock.sleep(patience, done.signal).then(giveUp, () => undefined)
  try {
    return await openLink(device, { ...context, signal: AbortSignal.any([context.signal, late.signal]) })
  } finally {
    done.abort()
  }
}

async function openLink(device: DeviceConfig, context: MapperContext): Promise<Link> {
  hushLibrary(context)
  const { session, lifeline } = await openSession(device, context)
  try {
    const limits = await lifeline.run(context.signal, readLimits(session))
    const namespaces = await lifeline.run(context.signal, session.readNamespaceArray())
    const { clock, log } = context
    const nodes = new Nodes(session, lifeline, limits, namespaces)
    const serverName = session.endpoint.server.applicationName.text ?? 'server'
    return { session, lifeline, limits, nodes, clock, log, serverName }
  } catch (error) {
    await lifeline.close()
    throw error
  }
}

/** The library prints on the terminal what its errors say as well. */
function hushLibrary({ log }: MapperContext): void {
  const tell = (...words: readonly unknown[]) =>
    log.debug('node-opcua', { said: words.map(String).join(' ').slice(0, 500) })
  for (const set of [setDebugLogger, setWarningLogger, setErrorLogger]) set(tell)
}
