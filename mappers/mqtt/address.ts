import { readFile, stat } from 'node:fs/promises'
import type { LocalBroker, MapperContext } from '../contract/index.ts'
import type { DeviceConfig } from './config.ts'

/** Where a broker is and how a client proves who it is; files are paths. */
export interface Address extends LocalBroker {
  readonly isLocal: boolean
}

/** What a device says of its broker; undefined for the broker of the node. */
export function ownBroker(device: DeviceConfig): string | undefined {
  if (device.host !== undefined)
    return `mqtt://${device.host.includes(':') ? `[${device.host}]` : device.host}:${device.port}`
  return device.broker === 'local' ? undefined : device.broker
}

/** Devices with the same broker and identity share one client. */
export function connectionKey(device: DeviceConfig): string {
  const { username, passwordFile, ca, certificate, key, insecureSkipVerify } = device
  const identity = [username, passwordFile, ca, certificate, key, insecureSkipVerify]
  const { clientId, keepAlive, cleanSession, protocolVersion } = device
  const session = [clientId, keepAlive, cleanSession, protocolVersion]
  return `${ownBroker(device) ?? 'local'} ${JSON.stringify([...identity, ...session])}`
}

export function addressOf(device: DeviceConfig, local: LocalBroker | undefined): Address {
  const url = ownBroker(device)
  if (url === undefined) {
    if (!local) throw new Error('this node lends mappers no MQTT broker: name one in broker')
    return { ...local, isLocal: true }
  }
  const { username, passwordFile, ca, certificate, key, insecureSkipVerify } = device
  return {
    ...{ url, isLocal: false, insecureSkipVerify },
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  }
}

export interface Credentials {
  readonly username?: string
  readonly password?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Read anew for each connection, so that renewed files count. Rejects with the key of a file that is none. */
export async function readCredentials(address: Address, log: MapperContext['log']): Promise<Credentials> {
  const { username } = address
  const secret = await readSecret('passwordFile', address, log)
  const authority = await readText('ca', address)
  const cert = await readText('certificate', address)
  const secretKey = await readSecret('key', address, log)
  const password = address.password ?? (secret === undefined ? undefined : passwordOf(secret, address))
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(authority === undefined ? {} : { ca: authority }),
    ...(cert === undefined ? {} : { cert }),
    ...(secretKey === undefined ? {} : { key: secretKey }),
  }
}

/** One line: a key or a kubeconfig of the node, named by mistake or on purpose, is not sent to a broker. */
function passwordOf(text: string, { passwordFile }: Address): string {
  const password = text.replace(/\r?\n$/, '')
  if (/[\r\n]/.test(password)) throw new Error(`passwordFile ${passwordFile} has several lines: a password is one line`)
  return password
}

type FileKey = 'passwordFile' | 'ca' | 'certificate' | 'key'

/** More than any chain of certificates. */
const MOST_FILE_BYTES = 1_048_576

async function readSecret(key: FileKey, address: Address, log: MapperContext['log']): Promise<string | undefined> {
  const file = address[key]
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
  if (found && (found.mode & 0o004) !== 0) log.warn('Others on this machine may read a secret: chmod 600', { file })
  return readText(key, address)
}

/** Only files: a device or a pipe would never end. */
async function readText(key: FileKey, address: Address): Promise<string | undefined> {
  const file = address[key]
  if (file === undefined) return undefined
  const found = await stat(file).catch((cause: unknown) => {
    throw new Error(`${key} ${file} cannot be read: put it onto the node, readable for the user of the edge`, { cause })
  })
  if (!found.isFile() || found.size > MOST_FILE_BYTES) throw new Error(`${key} ${file} is no file of at most 1 MiB`)
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`${key} ${file} cannot be read: make it readable for the user of the edge`, { cause })
  })
}
