import { createServer } from 'node:net'
import { join } from 'node:path'
import { writeFileAtomic } from '../../../platform/files/index.ts'
import { hasCode, RefusedError } from '../../../platform/lifecycle/index.ts'
import { UP_PORTS, type UpPortName } from '../../../schemas/config/index.ts'
import { readStateFile } from './state-file.ts'

export type UpPorts = Readonly<Record<UpPortName, number>>

const NAMES: readonly UpPortName[] = [
  'apiserver',
  'cloudhub',
  'certificates',
  'stream',
  'tunnel',
  'router',
  'mqtt',
  'mqttWebsocket',
  'http',
  'metaserver',
  'metricsCloud',
  'metricsEdge',
  'servicebus',
  'pump',
  'opcua',
]

/** The wanted ports, each proven free just now. A taken one is refused with its name and the way out. */
export async function fixedPorts(wanted: UpPorts): Promise<UpPorts> {
  for (const name of NAMES) {
    if (wanted[name] !== 0 && !(await isFree(wanted[name]))) {
      throw new RefusedError(
        `port ${wanted[name]} (${UP_PORTS[name].what}) is taken by another process: stop that process, or add --ports auto to take free ports`,
        { code: 'PROCESS_PORT_TAKEN', fields: { port: wanted[name], name } },
      )
    }
  }
  return NAMES.some((name) => wanted[name] === 0) ? takeFree(wanted) : wanted
}

/**
 * Free ports, remembered in `DIR/ports.json`: the next `--ports auto` on the same directory takes the same ones where they are
 * still free, so that kubeconfigs and MQTT clients of yesterday work today.
 */
export async function automaticPorts(directory: string): Promise<UpPorts> {
  const file = join(directory, 'ports.json')
  const remembered = parsePorts(await readStateFile(file, 'remove it, and other ports are taken'))
  const kept: Record<UpPortName, number> = { ...remembered }
  for (const name of NAMES) {
    if (kept[name] !== 0 && !(await isFree(kept[name]))) kept[name] = 0
  }
  const ports = await takeFree(kept)
  await writeFileAtomic(file, `${JSON.stringify(ports, undefined, 2)}\n`, 0o600)
  return ports
}

function parsePorts(value: unknown): UpPorts {
  const read: Record<UpPortName, number> = {
    apiserver: 0,
    cloudhub: 0,
    certificates: 0,
    stream: 0,
    tunnel: 0,
    router: 0,
    mqtt: 0,
    mqttWebsocket: 0,
    http: 0,
    metaserver: 0,
    metricsCloud: 0,
    metricsEdge: 0,
    servicebus: 0,
    pump: 0,
    opcua: 0,
  }
  if (typeof value !== 'object' || value === null) return read
  for (const [name, port] of Object.entries(value)) {
    const known = NAMES.find((each) => each === name)
    if (known && typeof port === 'number' && Number.isInteger(port)) read[known] = port
  }
  return read
}

/** Holds all new ports open until the last is known, so that none is given twice. */
async function takeFree(ports: UpPorts): Promise<UpPorts> {
  const taken: Record<UpPortName, number> = { ...ports }
  const servers: AsyncDisposable[] = []
  try {
    for (const name of NAMES) {
      if (taken[name] !== 0) continue
      const held = await holdAny()
      servers.push(held)
      taken[name] = held.port
    }
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]()
  }
  return taken
}

async function isFree(port: number): Promise<boolean> {
  try {
    await using _held = await hold(port)
    return true
  } catch (error) {
    if (isTaken(error)) return false
    throw error
  }
}

function hold(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())),
      })
    })
  })
}

/**
 * Below the ports that systems give to outgoing connections (IANA, RFC 6335: from 49152; Linux: from 32768): one of those could
 * take the port before the part that is to have it listens. Processes that look for ports at the same time begin apart, and none
 * gives the same port twice.
 */
const FIRST_PORT = 11_000
const PER_PROCESS = 32
const PROCESSES = 656
const MOST_TRIES = 500

let given = 0

async function holdAny(): Promise<AsyncDisposable & { readonly port: number }> {
  const start = (process.pid % PROCESSES) * PER_PROCESS
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    try {
      return await hold(FIRST_PORT + ((start + given++) % (PROCESSES * PER_PROCESS)))
    } catch (error) {
      if (!isTaken(error)) throw error
    }
  }
  return hold(0)
}

function isTaken(error: unknown): boolean {
  return hasCode(error, 'EADDRINUSE', 'EACCES')
}

/** A port that was free just now. */
export async function freePort(): Promise<number> {
  await using held = await holdAny()
  return held.port
}
