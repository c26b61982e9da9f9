export interface Subject {
  readonly commonName: string
  /** Kubernetes reads them as groups. */
  readonly organizations?: readonly string[]
}

export interface AlternativeNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

export type Usage = 'serverAuth' | 'clientAuth'

/** Object identifiers of the extended key usages (RFC 5280, 4.2.1.12). */
export const USAGE_IDS: Readonly<Record<Usage, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}
