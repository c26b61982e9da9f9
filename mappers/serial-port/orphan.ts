import { readdir, readFile, readlink, realpath } from 'node:fs/promises'

const OWN = '/proc/self'
/** Longer than closing a port takes, in ms. */
const BETWEEN_LOOKS = 250

/**
 * The lock of a port that a worker thread of this process held when it was ended from outside, with nobody left to close it. A
 * port that is in use has two descriptors more. Undefined where there is none, or where it cannot be known.
 */
export async function findOrphan(
  path: string,
  context: {
    readonly clock: { sleep(milliseconds: number, signal: AbortSignal): Promise<void> }
    readonly signal: AbortSignal
  },
): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined
  const first = await lonelyLock(path)
  if (first === undefined) return undefined
  await context.clock.sleep(BETWEEN_LOOKS, context.signal)
  return (await lonelyLock(path)) === first ? first : undefined
}

async function lonelyLock(path: string): Promise<number | undefined> {
  const port = await realpath(path)
  const locks: number[] = []
  let others = 0
  for (const name of await readdir(`${OWN}/fd`)) {
    // One that is closed meanwhile has no link.
    const target = await readlink(`${OWN}/fd/${name}`).catch(() => undefined)
    if (target !== port) continue
    const facts = await readFile(`${OWN}/fdinfo/${name}`, 'utf8').catch(() => '')
    if (facts.includes('FLOCK')) locks.push(Number(name))
    else others++
  }
  return locks.length === 1 && others < 2 ? locks[0] : undefined
}
