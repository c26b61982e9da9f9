import { chown, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory, readFileIfPresent, removeFile, writeFileAtomic } from '../../../platform/files/index.ts'
import type { Pod } from '../pod/pod.ts'
import { soleUser } from '../pod/sole-user.ts'

/** Where containers have it. */
export const MOUNT_PATH = '/var/run/secrets/skerry.io/mqtt'

export interface Place {
  readonly host: string
  readonly port: number
}

/** With the place of the broker. */
export interface Handout extends Place {
  /** Of the local HTTP API, where there is one. */
  readonly http?: Place | undefined
  readonly username: string
  readonly password: string
}

export function urlOf({ host, port }: Place): string {
  return `mqtt://${host.includes(':') ? `[${host}]` : host}:${port}`
}

export function httpUrlOf({ host, port }: Place): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * Puts the files that a pod gets into its folder. `parent` is for this process alone, so that on the node nobody else reaches
 * them; in the pod its containers have to read the password, whoever they run as.
 */
export async function writeHandout(parent: string, pod: Pod, handout: Handout): Promise<string> {
  await ensureDirectory(parent, 0o700)
  const folder = join(parent, pod.uid)
  await ensureDirectory(folder, 0o755)
  const { host, port, http, username, password } = handout
  const files = { host, port: String(port), url: urlOf(handout), username }
  for (const [name, text] of Object.entries(files)) await writeIfNew(join(folder, name), text, 0o444)
  const httpUrl = join(folder, 'http-url')
  if (http) await writeIfNew(httpUrl, httpUrlOf(http), 0o444)
  else await removeFile(httpUrl)
  const owner = process.getuid?.() === 0 ? soleUser(pod) : undefined
  const path = join(folder, 'password')
  await writeIfNew(path, password, owner === undefined ? 0o444 : 0o400)
  if (owner !== undefined) await chown(path, owner, -1)
  return folder
}

export async function removeHandout(parent: string, uid: string): Promise<void> {
  await rm(join(parent, uid), { recursive: true, force: true })
}

async function writeIfNew(path: string, text: string, mode: number): Promise<void> {
  if ((await readFileIfPresent(path)) !== text) await writeFileAtomic(path, text, mode)
}
