import type { SeededRandom } from '../ground/seeded-random.ts'
import type { World } from '../world.ts'

/** Chance of one deed, drawn when the history is planned: leaving out others does not change it. */
export type Dice = Pick<SeededRandom, 'next' | 'between' | 'pick' | 'chance'>

export interface Deed {
  readonly weight: number
  act(world: World, dice: Dice): Promise<void> | void
}

export type Deeds = Readonly<Record<string, Deed>>
