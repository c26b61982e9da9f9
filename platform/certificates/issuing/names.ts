import { isIP } from 'node:net'
import { certificateError } from '../errors.ts'
import { type AlternativeNames, type Subject, USAGE_IDS, type Usage } from '../names.ts'
import { Name, SubjectAlternativeNameExtension } from './vendor.ts'

/** What a node's or operator's name needs is far below it (X.520 ub-common-name is 64). */
const LONGEST_COMMON_NAME = 320

export function nameOf({ commonName, organizations = [] }: Subject): Name {
  if (commonName === '' || commonName.length > LONGEST_COMMON_NAME) {
    throw certificateError(`The common name must have 1 to ${LONGEST_COMMON_NAME} characters`)
  }
  return new Name([
    ...organizations.map((organization) => ({ O: [textOf(organization)] })),
    { CN: [textOf(commonName)] },
  ])
}

/** With its type: a bare text is read as RFC 4514 writes it, so that `#` or a quote would make another name of it. */
function textOf(value: string) {
  return Name.isPrintableString(value) ? { printableString: value } : { utf8String: value }
}

export function subjectOf(name: Name): Required<Subject> {
  return { commonName: name.getField('CN').at(-1) ?? '', organizations: name.getField('O') }
}

/** Undefined without names: the extension must not be empty (RFC 5280, 4.2.1.6). */
export function alternativeNamesExtension({
  dnsNames = [],
  ipAddresses = [],
}: Partial<AlternativeNames>): SubjectAlternativeNameExtension | undefined {
  const wrong = ipAddresses.find((address) => isIP(address) === 0)
  if (wrong !== undefined) throw certificateError(`${wrong} is not an IP address`)
  if (dnsNames.length + ipAddresses.length === 0) return undefined
  return new SubjectAlternativeNameExtension([
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ])
}

export function alternativeNamesOf(extension: SubjectAlternativeNameExtension | null): AlternativeNames {
  const items = extension?.names.items ?? []
  return {
    dnsNames: items.filter(({ type }) => type === 'dns').map(({ value }) => value),
    ipAddresses: items.filter(({ type }) => type === 'ip').map(({ value }) => value),
  }
}

export function usageIds(usages: readonly Usage[]): string[] {
  return usages.map((usage) => USAGE_IDS[usage])
}
