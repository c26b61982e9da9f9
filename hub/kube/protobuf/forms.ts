import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { timeMessage, timeText } from './times.ts'

/** A message that JSON shows as something else than an object of its fields. */
export interface Form {
  /** JSON of the message; undefined where it says nothing. */
  toJson(message: JsonObject): Json | undefined
  /** The message of what stands in JSON. */
  toMessage(json: Json): Readonly<Record<string, unknown>>
}

/** Kinds of IntOrString. */
const IS_TEXT = 1

/** By the name of the message. */
export const FORMS: Readonly<Record<string, Form>> = {
  Time: { toJson: (message) => timeText(message, false), toMessage: (json) => timeMessage(String(json)) },
  MicroTime: { toJson: (message) => timeText(message, true), toMessage: (json) => timeMessage(String(json)) },
  Quantity: {
    toJson: ({ string }) => (typeof string === 'string' ? string : '0'),
    toMessage: (json) => ({ string: String(json) }),
  },
  IntOrString: {
    toJson: ({ type, intVal, strVal }) => (type === IS_TEXT ? (strVal ?? '') : (intVal ?? 0)),
    toMessage: (json) =>
      typeof json === 'number' ? { type: 0, intVal: json } : { type: IS_TEXT, strVal: String(json) },
  },
  RawExtension: { toJson: ({ raw }) => parsed(raw), toMessage: (json) => ({ raw: bytesOf(json) }) },
  FieldsV1: { toJson: ({ Raw: raw }) => parsed(raw) ?? {}, toMessage: (json) => ({ Raw: bytesOf(json) }) },
  ExtraValue: {
    toJson: ({ items }) => (isJsonArray(items) ? items : []),
    toMessage: (json) => ({ items: isJsonArray(json) ? json : [] }),
  },
}

/** JSON that a message carries as bytes; they stand here as base64. Throws a SyntaxError. */
function parsed(raw: Json | undefined): Json | undefined {
  if (typeof raw !== 'string' || raw === '') return undefined
  const value: Json = JSON.parse(Buffer.from(raw, 'base64').toString('utf8'))
  return isJsonObject(value) || isJsonArray(value) ? value : undefined
}

function bytesOf(json: Json): Uint8Array {
  return Buffer.from(JSON.stringify(json))
}
