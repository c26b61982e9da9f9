import type { ConfigIssue, ConfigSchema } from '../contract/index.ts'

/** A step after the schema: rules between keys, and the form that the driver works with. */
export type Refine<Raw, T> = (raw: Raw, issue: (key: string, message: string) => void) => T

/** The schema, then `refine`. Issues point at the key as its author spelled it. */
export function refinedSchema<Raw, T extends object>(
  schema: ConfigSchema<Raw>,
  aliases: Readonly<Record<string, readonly string[]>>,
  refine: Refine<Raw, T>,
): ConfigSchema<T> {
  return {
    jsonSchema: schema.jsonSchema,
    parse(input) {
      const parsed = schema.parse(input)
      if (!parsed.ok) return parsed
      const issues: ConfigIssue[] = []
      const value = refine(parsed.value, (key, message) => {
        issues.push({ pointer: `/${spelling(input, key, aliases[key] ?? [])}`, message })
      })
      return issues.length > 0 ? { ok: false, issues } : { ok: true, value: Object.freeze(value) }
    },
  }
}

function spelling(input: unknown, key: string, aliases: readonly string[]): string {
  if (typeof input !== 'object' || input === null || key in input) return key
  const known = [key, ...aliases].map((each) => each.toLowerCase())
  return Object.keys(input).find((each) => known.includes(each.toLowerCase())) ?? key
}
