import { invalid, type StatusCause } from '../../kube/status.ts'
import { managerOf, type OptionsKind } from './manager-name.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** metav1.CreateOptions, UpdateOptions and PatchOptions. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
  /** `fieldManager`, or what the client calls itself. */
  readonly manager: string
}

/** Throws an Invalid Status. */
export function writeOptions(query: URLSearchParams, userAgent: string, kind: OptionsKind): WriteOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  const validation = query.get('fieldValidation') ?? ''
  const causes = [...dryRunCauses(dryRun), ...validationCauses(validation)]
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', causes)
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: validation === 'Ignore' || validation === 'Strict' ? validation : 'Warn',
    manager: managerOf(query, userAgent),
  }
}

export function dryRunCauses(given: readonly string[]): readonly StatusCause[] {
  if (given.every((value) => value === 'All')) return []
  const message = `Unsupported value: ${JSON.stringify(given)}: supported values: "All"`
  return [{ reason: 'FieldValueNotSupported', message, field: 'dryRun' }]
}

function validationCauses(given: string): readonly StatusCause[] {
  if (given === '' || given === 'Ignore' || given === 'Warn' || given === 'Strict') return []
  const message = `Unsupported value: ${JSON.stringify(given)}: supported values: "", "Ignore", "Strict", "Warn"`
  return [{ reason: 'FieldValueNotSupported', message, field: 'fieldValidation' }]
}

/** A boolean parameter as Kubernetes reads it: named without a value it is true, and only `0` and `false` are not. */
export function flag(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}
