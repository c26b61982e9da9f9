import {
  DEVICE_STATES,
  type DeviceReport,
  type DeviceStateReport,
  type PropertyReading,
  type WriteResult,
} from '../../schemas/index.ts'

/**
 * A report as its contract wants it. Drivers are other people's code and on the far side of a port: what one of them gets wrong
 * must not make a twin that cannot be read back from disk. The same report when nothing is wrong with it.
 */
export function soundReport(report: DeviceReport, now: number): DeviceReport {
  const { readings, writes } = report
  if (isList(readings) && isList(writes) && readings.every(isSoundReading) && writes.every(isSoundWrite)) return report
  return {
    ...report,
    readings: isList(readings) ? readings.filter(isNamed).map((reading) => soundReading(reading, now)) : [],
    writes: isList(writes) ? writes.filter(isNamed).map(soundWrite) : [],
  }
}

/** Undefined for a state that there is not. */
export function soundState(report: DeviceStateReport): DeviceStateReport | undefined {
  if (!DEVICE_STATES.includes(report.state)) return undefined
  const { reason, code, ...rest } = report
  if ((reason === undefined || isText(reason)) && (code === undefined || isText(code))) return report
  return { ...rest, ...(isText(reason) ? { reason } : {}) }
}

function soundReading(reading: PropertyReading, now: number): PropertyReading {
  if (isSoundReading(reading)) return reading
  const { property, value, sourceTime, quality, cause, history } = reading
  const rest = {
    property,
    ...(history === true ? { history } : {}),
    sourceTime: Number.isFinite(sourceTime) ? sourceTime : now,
    ...(isText(cause) ? { cause } : {}),
  }
  if (isText(value)) return { ...rest, value, quality: isQuality(quality) ? quality : 'uncertain' }
  return {
    ...(value === undefined ? {} : { cause: 'the mapper gave a value that is no text' }),
    ...rest,
    quality: 'bad',
  }
}

function soundWrite(write: WriteResult): WriteResult {
  if (isSoundWrite(write)) return write
  const { reason, message } = Object(write.failure)
  const failure = {
    reason: isText(reason) ? reason : 'WriteFailed',
    message: isText(message) ? message : 'the mapper gave no reason',
  }
  return { property: write.property, orderId: String(write.orderId), value: String(write.value), failure }
}

function isSoundReading(reading: PropertyReading): boolean {
  if (!isNamed(reading)) return false
  const { value, sourceTime, quality, cause } = reading
  return (
    (value === undefined || isText(value)) &&
    Number.isFinite(sourceTime) &&
    isQuality(quality) &&
    (cause === undefined || isText(cause))
  )
}

function isSoundWrite(write: WriteResult): boolean {
  if (!isNamed(write) || !isText(write.orderId)) return false
  const { failure } = write
  return failure === undefined || (failure !== null && isText(failure.reason) && isText(failure.message))
}

function isNamed(item: { readonly property: string } | null): boolean {
  return typeof item === 'object' && item !== null && isText(item.property)
}

function isList(value: unknown): boolean {
  return Array.isArray(value)
}

function isQuality(value: unknown): boolean {
  return value === 'good' || value === 'uncertain' || value === 'bad'
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
