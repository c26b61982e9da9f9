import { dirname } from 'node:path'
import { ensureDirectory, readFileIfPresent, removeFile, writeFileAtomic } from '../../../platform/files/index.ts'
import type { LinkIdentity } from '../../link/index.ts'

/** Where the identity of a node is: PEM files, under KubeEdge's own names by default. */
export interface IdentityFiles {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/**
 * Three files cannot be replaced in one step. So CA, certificate and key are written to one file first: from then on they are the
 * identity, and whoever finds that file carries on from it.
 */
function journalOf(files: IdentityFiles): string {
  return `${files.key}.new`
}

/** Replaces the identity as one. After a power cut it is the old one or the new one, whole. */
export async function commitIdentity(files: IdentityFiles, identity: LinkIdentity): Promise<void> {
  for (const file of Object.values(files)) await ensureDirectory(dirname(file), 0o700)
  await writeFileAtomic(journalOf(files), JSON.stringify(identity), 0o600)
  await finishCommit(files)
}

/** Carries out what a power cut left half done. */
export async function finishCommit(files: IdentityFiles): Promise<void> {
  const identity = await readJournal(files)
  if (!identity) return
  await writeFileAtomic(files.ca, identity.ca, 0o600)
  await writeFileAtomic(files.certificate, identity.certificate, 0o600)
  await writeFileAtomic(files.key, identity.key, 0o600)
  await removeFile(journalOf(files))
}

/** The identity that is committed and not yet in its files; nothing writes for it. */
export async function readJournal(files: IdentityFiles): Promise<LinkIdentity | undefined> {
  const text = await readFileIfPresent(journalOf(files))
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { ca, certificate, key } = { ca: undefined, certificate: undefined, key: undefined, ...value }
    if (typeof ca !== 'string' || typeof certificate !== 'string' || typeof key !== 'string') return undefined
    return { ca, certificate, key }
  } catch {
    // Nothing that a commit has written: it is never half there.
    return undefined
  }
}
