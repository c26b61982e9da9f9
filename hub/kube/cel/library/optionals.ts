import { CelError } from '../errors.ts'
import { type CelValue, isBoxed, listValue, membersOf } from '../values.ts'
import { any, boxed, list } from './arguments.ts'
import { define, type Overload } from './signature.ts'

export const OPTIONALS: readonly Overload[] = [
  define('optional.of(A): optional(A)', (args) => ({ kind: 'optional', value: any(args, 0) })),
  define('optional.none(): optional(A)', () => ({ kind: 'optional', value: undefined })),
  define('optional.ofNonZeroValue(A): optional(A)', (args) => ({
    kind: 'optional',
    value: isZero(any(args, 0)) ? undefined : any(args, 0),
  })),
  define('optional(A) -> hasValue(): bool', (args) => boxed(args, 0, 'optional').value !== undefined),
  define('optional(A) -> value(): A', (args) => {
    const { value } = boxed(args, 0, 'optional')
    if (value === undefined) throw new CelError('optional.none() dereference')
    return value
  }),
  define('optional(A) -> or(optional(A)): optional(A)', (args) =>
    boxed(args, boxed(args, 0, 'optional').value === undefined ? 1 : 0, 'optional'),
  ),
  define('optional(A) -> orValue(A): A', (args) => boxed(args, 0, 'optional').value ?? any(args, 1)),
  define('optional.unwrap(list(optional(A))): list(A)', (args) => unwrapped(args)),
  define('list(optional(A)) -> unwrapOpt(): list(A)', (args) => unwrapped(args)),
]

function unwrapped(args: readonly CelValue[]): CelValue {
  const present = [...membersOf(list(args, 0))].flatMap((each) =>
    isBoxed(each) && each.kind === 'optional' && each.value !== undefined ? [each.value] : [],
  )
  return listValue(present)
}

function isZero(value: CelValue): boolean {
  if (value instanceof Uint8Array) return value.length === 0
  if (!isBoxed(value)) return !value
  if (value.kind === 'list') return value.length === 0
  if (value.kind === 'map') return value.keys.length === 0
  if (value.kind === 'uint') return value.value === 0n
  return value.kind === 'duration' && value.nanos === 0n
}
