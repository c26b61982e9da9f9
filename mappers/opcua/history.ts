import {
  AttributeIds,
  HistoryData,
  HistoryReadRequest,
  ReadRawModifiedDetails,
  TimestampsToReturn,
} from 'node-opcua-client'
import type { Report } from '../contract/index.ts'
import { type Link, type Located, locate, type OpcuaVisit } from './link.ts'
import { inBatches } from './service/batches.ts'
import { describeStatus, isBad, toOutcome } from './values/reading.ts'

/** Bit of AccessLevel. OPC UA part 3, 8.57. */
const HISTORY_READ = 0x04
/** Values of one property in one answer. */
const PAGE = 1000
/** Answers without a value, but with more to come, before a server is taken to turn in circles. */
const MOST_EMPTY = 10
/** The clock of the server may be ahead of ours by so much, ms. */
const AHEAD_MS = 24 * 60 * 60 * 1000

/** What the server recorded of these values since then, oldest first, as far as it records them at all. */
export async function readHistory(
  link: Link,
  visits: readonly OpcuaVisit[],
  since: number,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const wanted = visits.filter(({ device, visitor }) => device.history && isValue(visitor))
  const located = await locate(link, wanted, () => undefined, signal)
  for (const one of await recorded(link, located, signal)) await readOne(link, one, since, report, signal)
}

function isValue({ attribute, method }: OpcuaVisit['visitor']): boolean {
  return attribute === 'Value' && method === undefined
}

async function recorded(link: Link, located: readonly Located[], signal: AbortSignal): Promise<readonly Located[]> {
  const { session, lifeline, limits } = link
  const levels = await inBatches(located, limits.read, (batch) =>
    lifeline.run(
      signal,
      session.read(batch.map(({ target: { nodeId } }) => ({ nodeId, attributeId: AttributeIds.UserAccessLevel }))),
    ),
  )
  return located.filter((_, at) => {
    const level = levels[at]
    const bits: unknown = level?.ok ? level.value.value.value : 0
    return typeof bits === 'number' && (bits & HISTORY_READ) !== 0
  })
}

async function readOne(
  { session, lifeline, log, clock }: Link,
  { visit, target }: Located,
  since: number,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const limit = visit.device.historyLimit
  let continuationPoint: Buffer | undefined
  let count = 0
  let empty = 0
  do {
    const request = new HistoryReadRequest({
      historyReadDetails: new ReadRawModifiedDetails({
        isReadModified: false,
        startTime: new Date(since),
        endTime: new Date(clock.now() + AHEAD_MS),
        numValuesPerNode: Math.min(PAGE, limit - count),
        returnBounds: false,
      }),
      nodesToRead: [{ ...nodeOf(target), ...(continuationPoint ? { continuationPoint } : {}) }],
      releaseContinuationPoints: count >= limit,
      timestampsToReturn: TimestampsToReturn.Both,
    })
    const response = await lifeline.run(signal, session.historyRead(request))
    if (count >= limit) {
      log.warn('Not all that the server recorded during the outage was read', { property: visit.property.name, limit })
      return
    }
    const result = response.results?.[0]
    if (!result || isBad(result.statusCode)) {
      const cause = result ? describeStatus(result.statusCode) : 'no answer'
      log.debug('The server gave no history', { property: visit.property.name, cause })
      return
    }
    const values = result.historyData instanceof HistoryData ? (result.historyData.dataValues ?? []) : []
    // A server may send more than it was asked for.
    for (const value of values.slice(0, limit - count)) {
      // A mark of the server that it recorded nothing is no reading.
      if (!isBad(value.statusCode)) report(visit.id, toOutcome(value, visit.property.type, visit.visitor.indexRange))
    }
    count += values.length
    empty = values.length === 0 ? empty + 1 : 0
    if (empty > MOST_EMPTY) {
      log.warn('The server promises more of a history and gives nothing', { property: visit.property.name })
      return
    }
    const next: Buffer | null | undefined = result.continuationPoint
    continuationPoint = next && next.length > 0 ? next : undefined
  } while (continuationPoint)
}

function nodeOf({ nodeId, indexRange }: Located['target']) {
  return { nodeId, ...(indexRange === undefined ? {} : { indexRange }) }
}
