import { AMOUNTS } from './amounts.ts'
import { CONVERSIONS } from './conversions.ts'
import { NAMED_FORMATS } from './formats.ts'
import { LISTS } from './lists.ts'
import { NETWORK } from './network.ts'
import { OPERATORS } from './operators.ts'
import { OPTIONALS } from './optionals.ts'
import type { Overload } from './signature.ts'
import { STRINGS } from './strings.ts'
import { TIMES } from './times.ts'

/** All that rules may call; what is missing here does not compile. */
const FUNCTIONS: ReadonlyMap<string, readonly Overload[]> = Map.groupBy(
  [
    ...OPERATORS,
    ...STRINGS,
    ...LISTS,
    ...CONVERSIONS,
    ...OPTIONALS,
    ...TIMES,
    ...NETWORK,
    ...AMOUNTS,
    ...NAMED_FORMATS,
  ],
  (each) => each.name,
)

export function overloadsOf(name: string): readonly Overload[] {
  return FUNCTIONS.get(name) ?? []
}
