/** Freezes it in depth and returns it. Bytes cannot be frozen and stay. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
