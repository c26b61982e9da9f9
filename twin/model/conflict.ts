import type {
  CloudIntent,
  Conflict,
  ConflictingWish,
  Desired,
  DesiredPolicy,
  TwinProperty,
} from '../../schemas/index.ts'

/** A changed desired value of the spec that is new to the edge. */
export interface ArrivedIntent {
  /** metadata.uid of the Device, and the name of the property. */
  readonly uid: string
  readonly name: string
  readonly value: string
  readonly generation: number
  /** What the cloud says of it; undefined where it says nothing, and then its time is that of its arrival. */
  readonly told: CloudIntent | undefined
  readonly arrivedAt: number
  readonly policy: DesiredPolicy
}

/** Whoever the cloud does not name. */
const CLOUD = 'cloud'
const EDGE = 'edge'
/** Closed conflicts that a property keeps: the cloud hears of each, unless more than these end while it listens to nobody. */
const PAST_KEPT = 4
/** UTF-16 units of a value in a conflict. */
const SHOWN = 1000

/**
 * The conflict between an arrived intent and a wish of the edge that means something else, and who wins; undefined when the
 * cloud knew the wish: then its intent is simply the later one.
 */
export function conflictOf(intent: ArrivedIntent, wish: Desired): Conflict | undefined {
  const { uid, name, generation, told, policy } = intent
  const { seen } = told ?? {}
  if (seen && seen.edge === wish.version.edge && seen.timestamp === wish.timestamp) return undefined
  return {
    id: `${uid}/${name}/${generation}/${wish.version.edge}.${wish.timestamp}`,
    winner: winnerOf(policy, told?.timestamp, wish.timestamp),
    policy,
    cloud: { ...shown(intent.value, told?.timestamp ?? intent.arrivedAt, told?.author ?? CLOUD), generation },
    edge: shown(wish.value, wish.timestamp, wish.author ?? EDGE),
  }
}

/** The property without its conflict, which is over. */
export function withoutConflict(property: TwinProperty): TwinProperty {
  const { conflict, pastConflicts = [], ...rest } = property
  if (!conflict) return property
  return { ...rest, pastConflicts: [...pastConflicts, conflict].slice(-PAST_KEPT) }
}

/** An intent without a time is as new as its arrival, whatever the clock of the edge has done meanwhile. */
function winnerOf(policy: DesiredPolicy, cloudTime: number | undefined, edgeTime: number): Conflict['winner'] {
  if (policy === 'CloudWins') return 'cloud'
  if (policy === 'EdgeWins') return 'edge'
  return cloudTime !== undefined && edgeTime > cloudTime ? 'edge' : 'cloud'
}

function shown(value: string, timestamp: number, author: string): ConflictingWish {
  return { value: value.length > SHOWN ? `${value.slice(0, SHOWN).toWellFormed()}…` : value, timestamp, author }
}
