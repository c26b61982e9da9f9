import type { Json, JsonObject } from '../../schemas/index.ts'

/** Where settings are asked for: their values in the plain manifests, places for them in the chart. */
export interface Values {
  /** The setting as a value of an object. */
  of(path: string): Json
  /** The setting inside a text, as JSON; YAML takes that anywhere. */
  json(path: string): string
  /** The setting inside a text, as it stands; its schema holds it to letters that need no quotes. */
  bare(path: string): string
  /** `true` or `false` inside a text: whether the setting, a number, is more than 1. */
  isSeveral(path: string): string
}

/** One object of an installation, and when it is there. */
export type Part =
  | { readonly object: JsonObject; readonly when?: string }
  /** One object for each item of a list of texts. */
  | { readonly each: string; readonly unless: string; readonly make: (item: Json) => JsonObject }

/** A file of manifests, and the template of the same name. */
export interface PartFile {
  readonly name: string
  readonly parts: readonly Part[]
  /** Of the manifests alone, which helm does by itself. */
  readonly notInChart?: true
  /** Of the whole file. */
  readonly when?: string
}
