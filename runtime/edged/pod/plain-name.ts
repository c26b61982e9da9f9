import { BugError } from '../../../platform/lifecycle/index.ts'

/** Two bytes less than a file system takes (NAME_MAX), for a dot before it and one more. */
const LONGEST = 253

/** What Kubernetes calls a DNS label or subdomain: one part of a path that means nothing else. */
export function isPlainName(name: string): boolean {
  return /^[a-zA-Z0-9]([-._a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name) && name.length <= LONGEST
}

/** Whoever reads names refuses those that are not plain; one that comes here all the same must not become a path. */
export function plainName(name: string): string {
  if (isPlainName(name)) return name
  throw new BugError('A name that is to be part of a path is not plain', {
    code: 'EDGED_NAME_NOT_PLAIN',
    fields: { name: name.slice(0, 300) },
  })
}
