import {
  type Conflict,
  isConflict,
  type Json,
  type StateSync,
  type TwinSync,
  type TwinSyncExtra,
  type TwinSyncProperty,
  type Version,
} from '../../../../schemas/index.ts'
import { isRecord, parseJson } from '../../kubernetes/guards.ts'

/** What an edge says about one device. */
export type DeviceReport =
  | { readonly kind: 'twin'; readonly namespace: string; readonly name: string; readonly sync: TwinSync }
  | { readonly kind: 'state'; readonly namespace: string; readonly name: string; readonly sync: StateSync }

const TWIN = /^device\/([^/]+)\/([^/]+)\/twin\/edge_updated$/
const STATE = /^device\/([^/]+)\/([^/]+)\/state\/update$/

/** Nothing where the frame is no such report, or is malformed. Content may be an object or a text that holds one. */
export function parseReport(resource: string | undefined, content: Json): DeviceReport | undefined {
  const body = typeof content === 'string' ? parseJson(content) : content
  if (!isRecord(body)) return undefined
  const twin = TWIN.exec(resource ?? '')
  if (twin?.[1] && twin[2]) {
    const sync = parseTwinSync(body)
    return sync && { kind: 'twin', namespace: twin[1], name: twin[2], sync }
  }
  const state = STATE.exec(resource ?? '')
  if (state?.[1] && state[2]) {
    const sync = parseStateSync(body)
    return sync && { kind: 'state', namespace: state[1], name: state[2], sync }
  }
  return undefined
}

type Fields = Readonly<Record<string, unknown>>

function parseTwinSync(body: Fields): TwinSync | undefined {
  const twin = body['twin']
  if (!isRecord(twin)) return undefined
  const skerry = isRecord(body['skerry']) ? parseExtra(body['skerry']) : undefined
  return {
    event_id: textOf(body['event_id']) ?? '',
    timestamp: numberOf(body['timestamp']) ?? 0,
    twin: parsedEach(twin, parseProperty),
    ...(skerry ? { skerry } : {}),
  }
}

function parseProperty(property: Fields): TwinSyncProperty {
  const expected = parseValue(property['expected'])
  const actual = parseValue(property['actual'])
  const version = parseVersion(property['expected_version'])
  const metadata = property['metadata']
  const type = isRecord(metadata) ? textOf(metadata['type']) : undefined
  return {
    ...(expected ? { expected } : {}),
    ...(version ? { expected_version: version } : {}),
    ...(actual ? { actual } : {}),
    ...(type ? { metadata: { type } } : {}),
  }
}

function parseVersion(version: unknown): Version | undefined {
  if (!isRecord(version)) return undefined
  const cloud = numberOf(version['cloud'])
  const edge = numberOf(version['edge'])
  return cloud === undefined || edge === undefined ? undefined : { cloud, edge }
}

/** A side without a value says nothing (old edges send empty objects). */
function parseValue(side: unknown): TwinSyncProperty['actual'] | undefined {
  if (!isRecord(side)) return undefined
  const value = textOf(side['value'])
  if (value === undefined) return undefined
  const timestamp = isRecord(side['metadata']) ? numberOf(side['metadata']['timestamp']) : undefined
  return { value, ...(timestamp === undefined ? {} : { metadata: { timestamp } }) }
}

function parseExtra(skerry: Fields): TwinSyncExtra | undefined {
  const uid = textOf(skerry['uid'])
  const generation = numberOf(skerry['generation'])
  const revision = revisionOf(skerry['revision'])
  if (uid === undefined || generation === undefined || revision === undefined) return undefined
  const given = isRecord(skerry['properties']) ? skerry['properties'] : {}
  const refusals = skerry['refusals']
  const state = isRecord(skerry['state']) ? parseState(skerry['state']) : undefined
  return {
    uid,
    generation,
    revision,
    ...(state ? { state } : {}),
    properties: parsedEach(given, parsePropertyExtra),
    ...(Array.isArray(refusals) ? { refusals: refusals.flatMap(parseRefusal) } : {}),
  }
}

/** By name, `__proto__` among them; what is no object is left out. */
function parsedEach<T>(given: Fields, parse: (each: Fields) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, each]) => (isRecord(each) ? [[name, parse(each)] as const] : [])),
  )
}

function parsePropertyExtra(extra: Fields): TwinSyncExtra['properties'][string] {
  const { quality, origin, failure, conflict } = extra
  const author = textOf(extra['author'])
  const past = extra['pastConflicts']
  const cause = textOf(extra['cause'])
  const sourceTime = numberOf(extra['sourceTime'])
  const timeToLive = numberOf(extra['timeToLive'])
  const staleSince = numberOf(extra['staleSince'])
  return {
    ...(quality === 'good' || quality === 'uncertain' || quality === 'bad' ? { quality } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(sourceTime === undefined ? {} : { sourceTime }),
    ...(timeToLive === undefined ? {} : { timeToLive }),
    ...(extra['stale'] === true ? { stale: true } : {}),
    ...(staleSince === undefined ? {} : { staleSince }),
    ...(origin === 'cloud' || origin === 'edge' ? { origin } : {}),
    ...(author === undefined ? {} : { author }),
    ...(isConflict(conflict) ? { conflict: plainConflict(conflict) } : {}),
    ...(Array.isArray(past) ? { pastConflicts: past.slice(-PAST_BOUND).filter(isConflict).map(plainConflict) } : {}),
    ...(isRecord(failure)
      ? {
          failure: {
            value: textOf(failure['value']) ?? '',
            reason: textOf(failure['reason']) ?? '',
            message: textOf(failure['message']) ?? '',
          },
        }
      : {}),
  }
}

/** An edge keeps fewer. */
const PAST_BOUND = 16

/** Without what the schema of Device does not know. */
function plainConflict({ id, winner, policy, cloud, edge }: Conflict): Conflict {
  const wish = ({ value, timestamp, author }: Conflict['edge']) => ({ value, timestamp: Math.trunc(timestamp), author })
  return { id, winner, policy, cloud: { ...wish(cloud), generation: Math.trunc(cloud.generation) }, edge: wish(edge) }
}

function parseRefusal(refusal: unknown) {
  if (!isRecord(refusal)) return []
  const said = { pointer: textOf(refusal['pointer']) ?? '', message: textOf(refusal['message']) ?? '' }
  return [refusal['warning'] === true ? { ...said, warning: true } : said]
}

/** It becomes the reason of a condition. */
const CODE = /^[A-Z][A-Za-z]{0,62}$/

function parseStateSync(body: Fields): StateSync | undefined {
  const device = body['device']
  if (!isRecord(device)) return undefined
  const state = textOf(device['state'])
  if (!state) return undefined
  const lastOnlineTime = textOf(device['lastOnlineTime'])
  const skerry = isRecord(body['skerry']) ? parseStateExtra(body['skerry']) : undefined
  return {
    event_id: textOf(body['event_id']) ?? '',
    timestamp: numberOf(body['timestamp']) ?? 0,
    device: { name: textOf(device['name']) ?? '', state, ...(lastOnlineTime ? { lastOnlineTime } : {}) },
    ...(skerry ? { skerry } : {}),
  }
}

function parseState(given: Fields): TwinSyncExtra['state'] {
  const state = textOf(given['state'])
  return state ? { state, ...parseWhy(given) } : undefined
}

function parseStateExtra(extra: Fields): NonNullable<StateSync['skerry']> {
  const uid = textOf(extra['uid'])
  const revision = revisionOf(extra['revision'])
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(revision === undefined ? {} : { revision }),
    ...parseWhy(extra),
  }
}

function parseWhy(extra: Fields): { readonly reason?: string; readonly code?: string } {
  const [reason, code] = [textOf(extra['reason']), textOf(extra['code'])]
  return {
    ...(reason ? { reason } : {}),
    ...(reason && code !== undefined && CODE.test(code) ? { code } : {}),
  }
}

/** It has to be remembered exactly. */
function revisionOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
