import { join } from 'node:path'

/** PEM. */
export interface ServingIdentity {
  readonly cert: string
  readonly key: string
  /** Of client certificates. */
  readonly ca?: string
}

/** What clients have to trust where the certificate is self-made. */
export function caFile(folder: string): string {
  return join(folder, 'ca.crt')
}
