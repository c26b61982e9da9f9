import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'

/**
 * Makes the database that of this node. Where it was another's (the gateway joined under a new name, or the directory is a copy of
 * another gateway's), objects and tokens that the cloud gave that node go, Secrets among them; as another database, this one is
 * given everything that is its own.
 */
export async function takeOver(nodeName: string, store: Store, log: Logger): Promise<void> {
  const known = (await store.read({ statement: 'meta.fact', parameters: ['node'] }))[0]?.['value']
  if (known === nodeName) return
  const before = known ?? (await nodeOfRows(nodeName, store))
  const note = { statement: 'meta.setFact', parameters: ['node', nodeName] }
  if (before === undefined) {
    // A full disk does not keep a gateway from serving what it has; the next start notes it.
    await store.write([note]).catch((error: unknown) => {
      log.warn('The name of the node could not be noted', { error: describeError(error) })
    })
    return
  }
  await store.write([...FORGET_ALL, note])
  log.warn('The database was that of another node: what the cloud gave that one is deleted', { node: nodeName, before })
}

const FORGET_ALL = [
  { statement: 'meta.clear', parameters: [] },
  { statement: 'meta.clearTokens', parameters: [] },
  { statement: 'meta.clearCopies', parameters: [] },
  { statement: 'meta.clearDocuments', parameters: [] },
  { statement: 'meta.unmarkAll', parameters: [] },
  { statement: 'meta.forgetFact', parameters: ['epoch'] },
]

/** Of a database that does not say whose it is: the Node object that it holds. */
async function nodeOfRows(nodeName: string, store: Store): Promise<string | undefined> {
  const rows = await store.read({ statement: 'meta.nodes', parameters: [] })
  const names = rows.map((row) => String(row['key']).split('/').at(-1))
  return names.includes(nodeName) ? undefined : names[0]
}
