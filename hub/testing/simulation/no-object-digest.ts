import { OBJECT_DIGEST_RESOURCE } from '../../../schemas/index.ts'
import { altered } from './altered-link.ts'
import type { Mutant } from './mutants.ts'

/** The cloud never hears what an edge says that it holds. Found where the API goes back to a backup. */
export const NO_OBJECT_DIGEST: Mutant = {
  caller: (caller) => altered(caller, (frame) => (frame.route.resource === OBJECT_DIGEST_RESOURCE ? undefined : frame)),
}
