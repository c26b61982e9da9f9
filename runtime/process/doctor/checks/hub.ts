import { readFile } from 'node:fs/promises'
import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { identityFiles } from '../../../../hub/edge/index.ts'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'
import type { EdgeSetup } from '../setup.ts'

const FAR_MS = 60_000

/** The way to the cloud half: CloudHub by mutual TLS, and what its clock says. */
export const hub = (now: () => number): Check => ({
  name: 'hub',
  async run({ edge, status }, signal) {
    if (!edge) return []
    const road = status?.processes.find((each) => each.road)?.road
    if (road) {
      return [
        road.connected
          ? ok(`connected to ${road.cloud}`)
          : fail(`not connected to ${road.cloud}: ${road.detail}`, 'see skerry status'),
      ]
    }
    const { server, certificates } = edge.config.cloud
    return [await handshake(edge, server, signal), await clockOf(certificates, now, signal)]
  },
})

async function handshake(edge: EdgeSetup, server: string, signal: AbortSignal): Promise<Finding> {
  const { host, port } = addressOf(server)
  try {
    const isTrusted = await dial(edge, server, signal)
    return ok(isTrusted ? `CloudHub at ${server} answers, and is the one that this node trusts` : `${server} answers`)
  } catch (error) {
    const advice = `is the cloud half running, and cloud.server right? Try: nc -vz ${host} ${port}`
    return fail(`CloudHub at ${server} does not let this node in: ${textOf(error)}`, advice)
  }
}

/** Connects to a server of the cloud half, HOST:PORT, as this node; true where it could see that the server is trusted. */
export async function dial(edge: EdgeSetup, server: string, signal: AbortSignal): Promise<boolean> {
  const files = identityFiles(edge.directory, edge.config.certificates)
  const { host, port } = addressOf(server)
  const read = (file: string) => readFile(file, 'utf8').catch(() => undefined)
  const [ca, cert, key] = await Promise.all([read(files.ca), read(files.certificate), read(files.key)])
  if (ca === undefined || cert === undefined || key === undefined) {
    await settled(connectPlain({ host, port }), 'connect', signal)
    return false
  }
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
  await settled(connectTls({ host, port, ca, cert, key, minVersion: 'TLSv1.2', ...name }), 'secureConnect', signal)
  return true
}

/** The endpoint answers anybody; its certificate is not looked at, because only its clock is asked. */
async function clockOf(certificates: string, now: () => number, signal: AbortSignal): Promise<Finding> {
  const { host, port } = addressOf(certificates)
  const { request } = await import('node:https')
  const date = await new Promise<string | undefined>((resolve) => {
    const asked = request(
      { host, port, path: '/ca.crt', method: 'HEAD', rejectUnauthorized: false, signal },
      (response) => {
        response.resume()
        resolve(response.headers.date)
      },
    )
    asked.on('error', () => resolve(undefined))
    asked.end()
  })
  if (date === undefined) {
    return warn(
      `the certificate endpoint ${certificates} does not answer`,
      'it is needed when a certificate is renewed: see cloud.certificates',
    )
  }
  return judgeClock(now() - Date.parse(date))
}

export function judgeClock(aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) < FAR_MS) return ok('the clock agrees with that of the cloud half')
  return warn(
    `the clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the cloud half`,
    'let both follow a time server (timedatectl set-ntp true): certificates and times of values depend on it',
  )
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function addressOf(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}

interface Socket {
  once(event: string, listener: (error: Error) => void): unknown
  destroy(): unknown
}

async function settled(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(event, () => resolve())
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the connection was closed')))
      signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true })
    })
  } finally {
    socket.once('error', () => undefined)
    socket.destroy()
  }
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
