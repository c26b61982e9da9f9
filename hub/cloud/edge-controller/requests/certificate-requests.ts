import { CertificateError, derOf } from '../../../../platform/certificates/index.ts'
import { parseCsr } from '../../../../platform/certificates/issuing/index.ts'
import { RefusedError } from '../../../../platform/lifecycle/index.ts'
import { type JsonObject, NODE_ORGANIZATION, nodeCommonName } from '../../../../schemas/index.ts'
import { isJsonObject } from '../../kubernetes/guards.ts'
import { type AnyObject, CERTIFICATE_REQUESTS, type Kubernetes, NODES } from '../../kubernetes/index.ts'
import { asJson, foreign, found, objectOf, type RequestTable, refused } from './ask.ts'

/** Signers whose certificates are those of nodes. */
const SIGNERS: ReadonlySet<unknown> = new Set([
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/kube-apiserver-client-kubelet',
])

/** Certificates that the cluster signs for a node, with the name of that node alone. */
export function certificateRequests(kubernetes: Kubernetes): RequestTable {
  return {
    'insert certificatesigningrequest': {
      shape: 'object',
      async perform(ask, signal) {
        const object = objectOf({ ...ask, namespace: '' })
        await check(ask.node, object['spec'])
        const { status: _status, ...request } = object
        const made = await kubernetes.create(CERTIFICATE_REQUESTS, undefined, request, signal)
        // Where this cloud half may not decide, a person does.
        await approve(kubernetes, ask.node, made, signal).catch((error: unknown) => {
          if (!(error instanceof RefusedError)) throw error
        })
        return asJson(made)
      },
    },
    'query certificatesigningrequest': {
      shape: 'bare',
      async perform(ask, signal) {
        const object = await found(kubernetes, CERTIFICATE_REQUESTS, { name: ask.name }, signal)
        await check(ask.node, object.spec)
        return asJson(object)
      },
    },
  }
}

const SERVING = 'kubernetes.io/kubelet-serving'
const USAGES: ReadonlySet<unknown> = new Set(['digital signature', 'key encipherment', 'server auth'])
/** Where a node is reached from itself; the last is MetaServer's address for its pods. */
const OWN_NAMES = ['localhost']
const OWN_ADDRESSES = ['127.0.0.1', '::1', '169.254.30.10']

/**
 * What serves on a node may bear the names of that node: such a request is approved, as nothing in it is another's. Anything else is left
 * for a person to decide.
 */
async function approve(kubernetes: Kubernetes, node: string, made: AnyObject, signal: AbortSignal): Promise<void> {
  const spec = made.spec ?? {}
  if (spec['signerName'] !== SERVING || !isServing(spec['usages'])) return
  const { dnsNames, ipAddresses } = await parsedOf(spec['request'])
  const addresses = addressesOf(await kubernetes.get(NODES, { name: node }, signal))
  const names = new Set([node, ...OWN_NAMES, ...addresses])
  const places = new Set([...OWN_ADDRESSES, ...addresses])
  if (dnsNames.length + ipAddresses.length === 0) return
  if (!dnsNames.every((name) => names.has(name)) || !ipAddresses.every((address) => places.has(address))) return
  const message = `The request is for names and addresses of node ${node} alone`
  const condition = { type: 'Approved', status: 'True', reason: 'NodeServing', message }
  const status = { ...made.status, conditions: [condition] }
  const at = { name: made.metadata.name }
  await kubernetes.replace(CERTIFICATE_REQUESTS, at, { ...made, status }, { subresource: 'approval' }, signal)
}

function isServing(usages: unknown): boolean {
  return Array.isArray(usages) && usages.includes('server auth') && usages.every((usage) => USAGES.has(usage))
}

function addressesOf(node: AnyObject | undefined): readonly string[] {
  const addresses = node?.status?.['addresses']
  if (!Array.isArray(addresses)) return []
  return addresses.filter(isJsonObject).flatMap(({ address }) => (typeof address === 'string' ? [address] : []))
}

async function check(node: string, spec: unknown): Promise<void> {
  const { signerName, request } = isJsonObject(spec) ? spec : {}
  if (!SIGNERS.has(signerName)) throw refused('Forbidden', `nodes ask these signers alone: ${[...SIGNERS].join(', ')}`)
  const { commonName, organizations } = (await parsedOf(request)).subject
  if (commonName !== nodeCommonName(node)) throw foreign(`the certificate would not be that of node ${node}`)
  if (organizations.length !== 1 || organizations[0] !== NODE_ORGANIZATION) {
    throw refused('Forbidden', `the organization of the request has to be ${NODE_ORGANIZATION}`)
  }
}

async function parsedOf(request: JsonObject[string] | undefined) {
  try {
    if (typeof request !== 'string') throw refused('BadRequest', 'spec.request is missing')
    return await parseCsr(derOf(Buffer.from(request, 'base64').toString('latin1')))
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw refused('BadRequest', `spec.request is no certificate signing request in PEM: ${error.message}`)
  }
}
