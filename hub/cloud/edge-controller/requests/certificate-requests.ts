import { CertificateError, derOf } from '../../../../platform/certificates/index.ts'
import { parseCsr } from '../../../../platform/certificates/issuing/index.ts'
import { type JsonObject, NODE_ORGANIZATION, nodeCommonName } from '../../../../schemas/index.ts'
import { isJsonObject } from '../../kubernetes/guards.ts'
import { CERTIFICATE_REQUESTS, type Kubernetes } from '../../kubernetes/index.ts'
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
        return asJson(await kubernetes.create(CERTIFICATE_REQUESTS, undefined, request, signal))
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

async function check(node: string, spec: unknown): Promise<void> {
  const { signerName, request } = isJsonObject(spec) ? spec : {}
  if (!SIGNERS.has(signerName)) throw refused('Forbidden', `nodes ask these signers alone: ${[...SIGNERS].join(', ')}`)
  const { commonName, organizations } = await subjectOf(request)
  if (commonName !== nodeCommonName(node)) throw foreign(`the certificate would not be that of node ${node}`)
  if (organizations.length !== 1 || organizations[0] !== NODE_ORGANIZATION) {
    throw refused('Forbidden', `the organization of the request has to be ${NODE_ORGANIZATION}`)
  }
}

async function subjectOf(request: JsonObject[string] | undefined) {
  try {
    if (typeof request !== 'string') throw refused('BadRequest', 'spec.request is missing')
    const { subject } = await parseCsr(derOf(Buffer.from(request, 'base64').toString('latin1')))
    return subject
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw refused('BadRequest', `spec.request is no certificate signing request in PEM: ${error.message}`)
  }
}
