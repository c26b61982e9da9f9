import { badRequest } from '../../kube/status.ts'
import { managerOf } from './manager-name.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** metav1.CreateOptions, UpdateOptions and PatchOptions. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
  /** `fieldManager`, or what the client calls itself. */
  readonly manager: string
}

export function writeOptions(query: URLSearchParams, userAgent: string): WriteOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  const wrong = dryRun.find((value) => value !== 'All')
  if (wrong !== undefined) throw badRequest(`dryRun: Unsupported value: "${wrong}": supported values: "All"`)
  const validation = query.get('fieldValidation') ?? ''
  if (validation !== '' && validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw badRequest(
      `fieldValidation: Unsupported value: "${validation}": supported values: "Ignore", "Strict", "Warn"`,
    )
  }
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: validation === '' ? 'Warn' : validation,
    manager: managerOf(query, userAgent),
  }
}

/** A boolean parameter as Kubernetes reads it: named without a value it is true, and only `0` and `false` are not. */
export function flag(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}
