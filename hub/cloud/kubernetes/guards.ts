import type { Json, JsonObject, KubeObject } from '../../../schemas/index.ts'

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value that came out of JSON is an object; what JSON.parse made has only JSON inside. */
export function isJsonObject(value: unknown): value is JsonObject {
  return isRecord(value)
}

/** Parses JSON text; nothing where it is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isKubeObject(value: unknown): value is KubeObject {
  if (!isRecord(value)) return false
  const metadata = value['metadata']
  return isRecord(metadata) && typeof metadata['name'] === 'string'
}

/** Values of a string map, as in labels; anything else is an empty one. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {}
  const texts: Record<string, string> = {}
  for (const [key, text] of Object.entries(value)) if (typeof text === 'string') texts[key] = text
  return texts
}
