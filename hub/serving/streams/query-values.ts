import { badRequest } from '../../kube/status.ts'

/** As Kubernetes reads a flag in a query: absent, `0` and `false` are false, everything else is true. */
export function flagIn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

const LARGEST = 2n ** 63n - 1n
const SMALLEST = -(2n ** 63n)

/** An int64; undefined where it is not there. Throws a BadRequest Status in the words of Go. */
export function integerIn(query: URLSearchParams, name: string): bigint | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = BigInt(text.replace('+', ''))
  if (value > LARGEST || value < SMALLEST) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  }
  return value
}
