import type { Random } from '../../../platform/time/index.ts'
import type { Behaviour, Linear } from './behaviour.ts'

/** What a property is before it is rounded and given its type. */
export type RawValue = number | boolean | string

/** A value that moves as its behaviour says. */
export interface Mover {
  readonly value: RawValue
  /** Lets time pass; `seconds` is short wherever another property is looked at. */
  advance(seconds: number): void
}

export interface Surroundings {
  readonly random: Random
  /** The last value of another property. */
  look(property: string): RawValue
  /** Where a counter begins again. */
  readonly most: number
}

/** Undefined for what is held: nothing moves it. */
export function createMover(behaviour: Behaviour, around: Surroundings): Mover | undefined {
  switch (behaviour.kind) {
    case 'hold':
      return undefined
    case 'follow':
      return following(behaviour, around)
    case 'sine':
      return sine(behaviour)
    case 'walk':
      return walking(behaviour, around)
    case 'count':
      return counting(behaviour, around)
    case 'above':
    case 'below':
      return limit(behaviour, around)
    case 'cycle':
      return cycling(behaviour)
    case 'noisy':
      return noisy(behaviour, around)
  }
}

type Of<Kind extends Behaviour['kind']> = Extract<Behaviour, { readonly kind: Kind }>

function following({ source, seconds, gate }: Of<'follow'>, around: Surroundings): Mover {
  const goal = () => (gate === undefined || truth(around.look(gate)) ? linear(source, around) : 0)
  let value: number | undefined
  return moving(
    () => {
      value ??= goal()
      return value
    },
    (passed) => {
      const to = goal()
      // Exact for a goal that stands still, so that the length of the steps hardly matters.
      value = seconds === 0 ? to : to + ((value ?? to) - to) * Math.exp(-passed / seconds)
    },
  )
}

function sine({ low, high, seconds }: Of<'sine'>): Mover {
  let at = 0
  return moving(
    () => (low + high) / 2 + ((high - low) / 2) * Math.sin((2 * Math.PI * at) / seconds),
    (passed) => {
      at = (at + passed) % seconds
    },
  )
}

function walking({ low, high, seconds }: Of<'walk'>, { random }: Surroundings): Mover {
  const range = high - low
  let value = low + range * (0.25 + random.next() / 2)
  return moving(
    () => value,
    (passed) => {
      // Steps grow with the root of time, so that looking more often does not make it livelier.
      const step = (random.next() - 0.5) * 2 * range * Math.sqrt(Math.min(1, passed / seconds))
      value = folded(value + step, low, high)
    },
  )
}

function counting({ rate }: Of<'count'>, around: Surroundings): Mover {
  let value = 0
  return moving(
    () => value,
    (passed) => {
      value = Math.max(0, value + linear(rate, around) * passed) % around.most
    },
  )
}

function limit({ kind, source, on, off }: Of<'above' | 'below'>, around: Surroundings): Mover {
  let value = false
  const look = () => {
    const seen = numeric(around.look(source))
    if (kind === 'above') value = seen > on || (value && seen > off)
    else value = seen < on || (value && seen < off)
  }
  return moving(() => value, look)
}

function cycling({ seconds, values }: Of<'cycle'>): Mover {
  let at = 0
  return moving(
    () => values[Math.floor(at / seconds)] ?? '',
    (passed) => {
      at = (at + passed) % (seconds * values.length)
    },
  )
}

function noisy({ inner, amount }: Of<'noisy'>, around: Surroundings): Mover {
  const mover = createMover(inner, around)
  const first = inner.kind === 'hold' ? Number(inner.value) : 0
  let noise = 0
  return moving(
    () => numeric(mover ? mover.value : first) + noise,
    (passed) => {
      mover?.advance(passed)
      noise = (around.random.next() - 0.5) * 2 * amount
    },
  )
}

function moving(value: () => RawValue, advance: (seconds: number) => void): Mover {
  return {
    get value() {
      return value()
    },
    advance,
  }
}

function linear({ factor, property, offset }: Linear, around: Surroundings): number {
  return property === undefined ? offset : factor * numeric(around.look(property)) + offset
}

/** What left the range comes back into it, as from a mirror. */
function folded(value: number, low: number, high: number): number {
  const inside = value > high ? 2 * high - value : value < low ? 2 * low - value : value
  return Math.min(Math.max(inside, low), high)
}

export function numeric(value: RawValue): number {
  const number = Number(value)
  return Number.isFinite(number) ? number : 0
}

function truth(value: RawValue): boolean {
  return value === true || value === 'true' || numeric(value) !== 0
}
