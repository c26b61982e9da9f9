import { LineFile } from '../../../platform/files/index.ts'
import type { Metrics } from '../../../platform/health/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { CLOUD_GROUP } from '../../serving/access/authorization.ts'
import type { Answered } from '../../serving/http/answered.ts'
import { auditEvent } from './audit-event.ts'

export interface AuditOptions {
  readonly file: string
  /** `writes`: without what the cloud half does all the time (see `isRoutine`). `all`: reads, too. */
  readonly what: 'writes' | 'all'
  /** Of one file. */
  readonly mostBytes: number
  /** Older files that are kept. */
  readonly keep: number
}

/** Who did what, line by line, in a file. */
export interface AuditLog extends AsyncDisposable {
  /** Never waits. */
  record(answered: Answered): void
}

const MOST_WAITING = 8 * 1024 * 1024
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options'])
/** Status, leases, events and receipts: what gateways say of themselves, many times a minute. */
const ROUTINE: ReadonlySet<string> = new Set([
  'leases',
  'events',
  'devicestatuses',
  'objectsyncs',
  'clusterobjectsyncs',
])

export function createAuditLog(
  options: AuditOptions,
  { clock, log, metrics }: { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics },
): AuditLog {
  const lines = metrics.counter({ name: 'skerry_api_audit_lines_total', help: 'Requests in the audit log.' })
  const dropped = metrics.counter({
    name: 'skerry_api_audit_dropped_total',
    help: 'Lines of the audit log that were lost: too many waited for the disk, or it took none.',
  })
  const complaints = boundedLogger(log, { clock, most: 1 })
  const file = new LineFile({
    ...{ path: options.file, mostBytes: options.mostBytes, keep: options.keep, mostWaiting: MOST_WAITING },
    onDropped(count, error) {
      dropped.add(count)
      complaints.error('Lines of the audit log are lost', { file: options.file, error })
    },
  })
  return {
    record(answered) {
      if (options.what === 'writes' && (READS.has(answered.verb) || isRoutine(answered))) return
      lines.add(1)
      file.add(JSON.stringify(auditEvent(answered)))
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

/** What the cloud half writes for gateways as long as they live, and was admitted: it would hide what people do. */
function isRoutine({ sender, actedAs, attributes, code }: Answered): boolean {
  if (code >= 400 || actedAs || !sender?.groups.includes(CLOUD_GROUP)) return false
  const resource = attributes?.resource
  return resource !== undefined && (resource.subresource === 'status' || ROUTINE.has(resource.plural))
}
