import { DEVICES } from '../../cloud/kubernetes/resources.ts'
import type { Deed, Deeds } from './deeds/deed.ts'
import { begin, EDITS, setDesired } from './deeds/edits.ts'
import { CLOUD_FAULTS, EDGE_FAULTS, heal, NETWORK_FAULTS } from './deeds/faults.ts'
import { FIELD } from './deeds/field.ts'
import { SeededRandom } from './ground/seeded-random.ts'
import { type Violation, World, type WorldOptions } from './world.ts'

export const DEEDS: Deeds = { ...EDITS, ...FIELD, ...NETWORK_FAULTS, ...EDGE_FAULTS, ...CLOUD_FAULTS }

/** One deed of a history. Its chance is its own, so that a history stays what it is when others are left out. */
export interface Planned {
  readonly at: number
  readonly what: string
  readonly seed: string
}

export interface Outcome {
  readonly seed: string
  readonly violations: readonly Violation[]
  readonly hash: string
  readonly trace: readonly string[]
  /** Virtual ms until everything was at rest. */
  readonly lasted: number
  readonly moments: number
}

export interface RunOptions extends Omit<WorldOptions, 'seed'> {
  /** Instead of what the seed plans. */
  readonly plan?: readonly Planned[]
  /** Virtual ms after the faults within which everything has to be as promised. */
  readonly patience?: number
}

const PATIENCE_MS = 900_000
const LOOK_EVERY_MS = 5000

/** The deeds of a seed, in the order of their times; only of these kinds. */
export function planOf(seed: string, deeds: readonly string[] = Object.keys(DEEDS)): readonly Planned[] {
  const random = new SeededRandom(`${seed}/plan`)
  const bag = deeds.flatMap((what) => Array.from({ length: DEEDS[what]?.weight ?? 0 }, () => what))
  // Some histories are calm, so that faults meet work that is under way alone.
  const count = random.pick([8, 16, 28])
  const length = random.pick([10_000, 40_000, 90_000])
  const planned = Array.from({ length: count }, (_, index) => ({
    at: Math.floor(random.next() * length),
    what: random.pick(bag) ?? '',
    seed: `${seed}/deed/${index}`,
  }))
  return planned.sort((a, b) => a.at - b.at)
}

/** Lives through the history of a seed: its deeds, then a time in which nothing fails, until all is as promised. */
export async function live(seed: string, given: RunOptions = {}): Promise<Outcome> {
  const { plan = planOf(seed), patience = PATIENCE_MS, ...options } = given
  using world = new World({ ...options, seed })
  using _watched = watchRejections(world)
  await run(world, { seed, plan, patience })
  const { violations, trace, scheduler } = world
  return {
    ...{ seed, violations, hash: trace.hash, trace: trace.lines },
    ...{ lasted: scheduler.now, moments: scheduler.moments },
  }
}

interface Course {
  readonly seed: string
  readonly plan: readonly Planned[]
  readonly patience: number
}

async function run(world: World, { seed, plan, patience }: Course): Promise<void> {
  const { scheduler, violations } = world
  const isBroken = () => violations.length > 0
  for (const replica of world.replicas) world.startCloud(replica)
  for (const machine of world.machines) world.startEdge(machine)
  perform(world, begin(world, new SeededRandom(`${seed}/begin`)))
  await scheduler.run(3000)
  const start = scheduler.now
  for (const { at, what, seed: dice } of plan) {
    await scheduler.run(start + at - scheduler.now)
    world.sample()
    if (isBroken()) return
    const deed: Deed | undefined = DEEDS[what]
    if (deed) perform(world, deed.act(world, new SeededRandom(dice)))
  }
  await scheduler.run(1000)
  heal(world)
  if (!(await rest(world, patience)) || isBroken()) return
  await lastWord(world, seed)
  if (await rest(world, patience)) await stay(world)
}

/** False where it did not become as promised. */
async function rest(world: World, patience: number): Promise<boolean> {
  const end = world.now + patience
  for (;;) {
    await world.scheduler.run(LOOK_EVERY_MS)
    world.sample()
    if (world.violations.length > 0) return false
    const unrest = await world.unrest()
    if (!unrest) return true
    if (world.now < end) continue
    world.violate(unrest.promise, unrest.detail)
    return false
  }
}

/** Whatever happened, the next change goes all the way. */
async function lastWord(world: World, seed: string): Promise<void> {
  const dice = new SeededRandom(`${seed}/last`)
  for (const device of (await world.cluster.list(DEVICES, {})).items)
    await setDesired(world, device, 'speed', String(dice.between(1, 8) * 10 + 5))
}

/** What is as promised stays so. */
async function stay(world: World): Promise<void> {
  await world.scheduler.run(12_000)
  world.sample()
  const unrest = await world.unrest()
  if (unrest) world.violate(unrest.promise, `${unrest.detail} (it was as promised before, and nothing has happened)`)
}

function perform(world: World, work: Promise<void> | void): void {
  Promise.resolve(work).catch((error: unknown) => {
    world.violate('the simulation itself', error instanceof Error ? (error.stack ?? error.message) : String(error))
  })
}

/** A rejection that nobody handles would end a process. */
function watchRejections(world: World): Disposable {
  const onRejection = (error: unknown) => {
    world.violate(
      'nothing crashes',
      `a rejection that nobody handles: ${error instanceof Error ? error.stack : String(error)}`,
    )
  }
  process.on('unhandledRejection', onRejection)
  return { [Symbol.dispose]: () => void process.off('unhandledRejection', onRejection) }
}
