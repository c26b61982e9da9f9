/** What a request asks for, and who made it. */
export interface CertificateWish {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly usages: readonly string[]
  readonly requester: { readonly name: string; readonly groups: readonly string[] }
}

export const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'
export const KUBELET_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
export const KUBELET_SERVING_SIGNER = 'kubernetes.io/kubelet-serving'

export interface Signer {
  readonly usage: 'clientAuth' | 'serverAuth'
  /** Why it never signs this. */
  refuse(wish: CertificateWish): string | undefined
}

const NODES = 'system:nodes'
const NODE_PREFIX = 'system:node:'
const KEY_USAGES: readonly string[] = ['digital signature', 'key encipherment']

/** Those that the API's own authority signs for, by name. */
export const SIGNERS: Readonly<Record<string, Signer>> = {
  [CLIENT_SIGNER]: {
    usage: 'clientAuth',
    refuse: ({ usages }) => {
      const allowed = [...KEY_USAGES, 'client auth']
      if (usages.includes('client auth') && usages.every((each) => allowed.includes(each))) return undefined
      return `usages have to be client auth, and no other than ${allowed.join(', ')}`
    },
  },
  [KUBELET_CLIENT_SIGNER]: {
    usage: 'clientAuth',
    refuse: (wish) => refuseNode(wish) ?? refuseNames(wish) ?? refuseUsages(wish, 'client auth'),
  },
  [KUBELET_SERVING_SIGNER]: {
    usage: 'serverAuth',
    // Who asked is for whoever approves it to look at: a cloud half asks for its edges.
    refuse(wish) {
      const { dnsNames, ipAddresses } = wish
      if (dnsNames.length + ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
      return refuseNode(wish) ?? refuseUsages(wish, 'server auth')
    },
  },
}

function refuseNode({ commonName, organizations }: CertificateWish): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== NODES) return `subject organization is not ${NODES}`
  if (commonName.startsWith(NODE_PREFIX) && commonName.length > NODE_PREFIX.length) return undefined
  return `subject common name does not begin with ${NODE_PREFIX}`
}

function refuseNames({ dnsNames, ipAddresses }: CertificateWish): string | undefined {
  if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  return ipAddresses.length > 0 ? 'IP subjectAltNames are not allowed' : undefined
}

function refuseUsages({ usages }: CertificateWish, needed: string): string | undefined {
  const allowed = [...KEY_USAGES, needed]
  const isRight =
    usages.includes(needed) && usages.includes('digital signature') && usages.every((each) => allowed.includes(each))
  return isRight ? undefined : `usages did not match [${[...allowed].sort().join(' ')}]`
}
