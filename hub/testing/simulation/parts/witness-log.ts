import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { LogFields, Logger } from '../../../../platform/log/index.ts'
import type { Trace } from '../ground/trace.ts'

/** Lines of level error that say what a fault did, not that a promise broke. */
const EXPECTED: readonly RegExp[] = [
  /^A change from the cloud could not be stored$/,
  /^Reconciling passed its deadline$/,
]

/** The log of one process. Warnings are part of the history; an error that no fault explains breaks a promise. */
export function witnessLog(who: string, trace: Trace, isAlive: () => boolean, onError: (text: string) => void): Logger {
  const say = (level: string, message: string, fields?: LogFields) => {
    if (trace.isRead && isAlive()) trace.remark(who, `${level} ${message} ${textOf(fields)}`)
  }
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => say('warns:', message, fields),
    error(message, fields) {
      say('error:', message, fields)
      if (isAlive() && !EXPECTED.some((each) => each.test(message))) onError(`${message} ${textOf(fields)}`)
    },
    child: () => log,
  }
  return log
}

function textOf(fields: LogFields | undefined): string {
  return Object.entries(fields ?? {})
    .map(([key, value]) => `${key}=${value instanceof Error ? describeError(value) : JSON.stringify(value)}`)
    .join(' ')
}
