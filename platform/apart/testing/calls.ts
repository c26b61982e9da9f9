import { ConfigError } from '../../lifecycle/errors.ts'

const parent = process.ppid

export function echo(input: unknown) {
  return { pid: process.pid !== parent, input }
}

export function refuse(): never {
  throw new ConfigError('not like this', { code: 'TEST_REFUSED', fields: { line: 3 } })
}

export function die(): never {
  process.exit(3)
}

export function hang(): Promise<void> {
  setInterval(() => undefined, 1000)
  return new Promise(() => undefined)
}
