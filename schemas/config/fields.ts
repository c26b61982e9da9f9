import { Type } from 'typebox'

export const strict = { additionalProperties: false } as const

export const host = (fallback: string, description: string) =>
  Type.String({ default: fallback, minLength: 1, description })
export const port = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 0, maximum: 65535, description: `${description} 0 takes a free port.` })
