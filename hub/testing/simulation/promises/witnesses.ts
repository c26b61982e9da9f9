import { boundedQueues } from './bounds.ts'
import { nothingResurrected } from './deletions.ts'
import { latestDesired } from './desired.ts'
import { trueNodes } from './nodes.ts'
import { exactObjects } from './objects.ts'
import type { MakeWitness } from './promise.ts'
import { noNeedlessResend } from './resends.ts'
import { trueStatus } from './status.ts'

/** Beside those that the deeds of a world speak to. */
export const WITNESSES: readonly MakeWitness[] = [
  exactObjects,
  nothingResurrected,
  latestDesired,
  trueStatus,
  noNeedlessResend,
  boundedQueues,
  trueNodes,
]
