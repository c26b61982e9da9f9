import { callMutants } from './call-mutants.ts'
import { linkMutants } from './link-mutants.ts'
import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = [...callMutants, ...linkMutants]
