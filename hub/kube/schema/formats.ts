import { isIPv4, isIPv6 } from 'node:net'
import { entryOf } from '../object/access.ts'

/** RFC 3339, as Go's time package parses it. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const FORMATS: Readonly<Record<string, (value: string) => boolean>> = {
  'date-time': isDateTime,
  date: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)),
  byte: isBase64,
  ipv4: isIPv4,
  ipv6: isIPv6,
  uuid: (value) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value),
  uri: (value) => URL.canParse(value),
  email: (value) => /^[^\s@]+@[^\s@]+$/.test(value),
  hostname: (value) => /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?$/i.test(value),
  cidr: isCidr,
}

/** Formats that a schema may name but nobody here knows are descriptions, not rules (as in Kubernetes). */
export function matchesFormat(format: string, value: string): boolean {
  return entryOf(FORMATS, format)?.(value) ?? true
}

export function isDateTime(value: string): boolean {
  return DATE_TIME.test(value) && !Number.isNaN(Date.parse(value))
}

/** Standard alphabet with padding; line breaks are skipped, as Go's decoder does. */
export function isBase64(value: string): boolean {
  return BASE64.test(value.replaceAll(/[\r\n]/g, ''))
}

function isCidr(value: string): boolean {
  const [address = '', length = ''] = value.split('/', 2)
  if (!/^\d{1,3}$/.test(length)) return false
  return (isIPv4(address) && Number(length) <= 32) || (isIPv6(address) && Number(length) <= 128)
}
