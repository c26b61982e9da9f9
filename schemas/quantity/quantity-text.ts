import type { Json } from '../device/index.ts'
import { parseQuantity } from './quantity.ts'

const NANO = 1_000_000_000n
const MOST = (2n ** 63n - 1n) * NANO
/** From billionths on. */
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const EXPONENT = DECIMAL.map((_, position) => (position === 3 ? '' : `e${(position - 3) * 3}`))
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/**
 * The one way in which Kubernetes writes an amount: `500m` for `0.5`, `1536Mi` for `1.5Gi` (resource.Quantity). What is finer than
 * `finest` billionths is rounded up; what is no amount stays as it is.
 */
export function quantityText(value: Json, finest = 1n): string {
  const text = String(value)
  const exact = parseQuantity(value)
  if (exact === undefined || exact < 0n || exact > MOST) return text
  if (exact === 0n) return '0'
  const amount = ((exact + finest - 1n) / finest) * finest
  const isBinary = text.endsWith('i') && amount % NANO === 0n && amount >= 1024n * NANO
  if (isBinary) return written(amount / NANO, 1024n, BINARY)
  return written(amount, 1000n, /[eE][+-]?\d+$/.test(text) ? EXPONENT : DECIMAL)
}

function written(amount: bigint, base: bigint, units: readonly string[]): string {
  let [rest, unit] = [amount, 0]
  while (unit < units.length - 1 && rest % base === 0n) {
    rest /= base
    unit++
  }
  return `${rest}${units[unit] ?? ''}`
}
