import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import type { Random } from '../../../platform/time/index.ts'

export interface EpochPorts {
  readonly store: Store
  readonly random: Random
  readonly log: Logger
  readonly incarnation?: number
}

/**
 * Identity of this database: made once, so that the cloud notices when the edge starts with another, and made anew when a
 * backup took its place, or when some of it was lost. What the cloud had confirmed of the lost state says nothing about this one.
 */
export async function openEpoch({ store, random, incarnation = 0, log }: EpochPorts): Promise<string> {
  const known = await fact(store, 'epoch')
  const before = await fact(store, 'incarnation')
  const isSame = (before ?? '0') === String(incarnation)
  if (known !== undefined && isSame) return known
  const epoch = random.uuid()
  await store.write([
    setFact('epoch', epoch),
    setFact('incarnation', String(incarnation)),
    { statement: 'meta.unmarkAll', parameters: [] },
  ])
  if (known !== undefined)
    log.warn('The database is an earlier one: everything is asked from the cloud and told to it again')
  return epoch
}

/**
 * Whether the cloud remembers something else than last time: then what was confirmed is forgotten on disk, and the caller
 * forgets it in memory. A cloud without an identity (KubeEdge's) is not judged.
 */
export async function isAnotherCloud(cloudEpoch: string, { store, log }: EpochPorts): Promise<boolean> {
  if (cloudEpoch === '') return false
  try {
    const known = await fact(store, 'cloud')
    if (known === cloudEpoch) return false
    if (known !== undefined) log.warn('The cloud has lost its memory: everything is told to it again')
    await store.write([setFact('cloud', cloudEpoch), { statement: 'meta.unmarkAll', parameters: [] }])
  } catch (error) {
    // It is found out again with the next link.
    log.warn('The identity of the cloud could not be noted', { error: describeError(error) })
  }
  return true
}

async function fact(store: Store, name: string): Promise<string | undefined> {
  const value = (await store.read({ statement: 'meta.fact', parameters: [name] }))[0]?.['value']
  return typeof value === 'string' ? value : undefined
}

function setFact(name: string, value: string) {
  return { statement: 'meta.setFact', parameters: [name, value] }
}
