import { join } from 'node:path'
import { generateKeyPair, loadKeyPair, pemOf } from '../../../../platform/certificates/index.ts'
import { createCsr } from '../../../../platform/certificates/issuing/index.ts'
import { readFileIfPresent, removeFile, writeFileAtomic } from '../../../../platform/files/index.ts'
import { RefusedError } from '../../../../platform/lifecycle/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import {
  type Json,
  type JsonObject,
  NODE_ORGANIZATION,
  nodeCommonName,
  requestObject,
  writeObject,
} from '../../../../schemas/index.ts'
import { certificateIn, hasVerdict, KUBELET_SERVING_SIGNER } from '../../../kube/certificates/index.ts'
import { isApiObject, isJsonObject, textAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { type Identity, writePair } from '../../../serving/access/stored-identity.ts'
import { type CertificatePorts, isFit, PAIR } from './certificate-files.ts'

export type Asked =
  | { readonly identity: Identity }
  /** Not yet: why, for people. */
  | { readonly waiting: string }

/** A request under way. On disk, so that who approves it later approves the one that is waited for. */
interface Pending {
  readonly name: string
  readonly privateKey: string
  readonly names: readonly string[]
}

const FILE = 'pods-request.json'
const DEADLINE = seconds(10)
/** Kubernetes, kubelet-serving: these alone, and key encipherment for RSA. */
const USAGES: Json = ['digital signature', 'server auth']

/**
 * One step towards a serving certificate by the cluster: asks for it, or looks what became of the last request. A certificate is on disk
 * when this settles. Rejects where the cloud is away or does not answer.
 */
export async function askCertificate(ports: CertificatePorts, signal: AbortSignal): Promise<Asked> {
  const { folder, names } = ports
  const file = join(folder, FILE)
  const before = await readPending(file, names)
  const pending = before ?? (await newPending(ports, file))
  const known = before && (await find(ports, pending.name, signal))
  const request = known ?? (await insert(ports, pending, signal))
  const refused = (['Denied', 'Failed'] as const).find((verdict) => request && hasVerdict(request, verdict))
  if (refused) {
    await removeFile(file)
    return { waiting: `the cluster says ${refused} to CertificateSigningRequest ${pending.name}` }
  }
  const certificate = request ? certificateIn(request) : ''
  if (certificate === '') {
    const approve = `kubectl certificate approve ${pending.name}`
    return {
      waiting: `CertificateSigningRequest ${pending.name} is not signed yet; where nobody approves it: ${approve}`,
    }
  }
  const { privateKey } = pending
  const identity = { certificate: Buffer.from(certificate, 'base64').toString('latin1'), privateKey }
  if (isFit(identity, names)) await writePair(folder, PAIR, identity)
  await removeFile(file)
  return isFit(identity, names) ? { identity } : { waiting: `the cluster signed something else for ${pending.name}` }
}

async function newPending({ nodeName, names, random }: CertificatePorts, file: string): Promise<Pending> {
  const { privateKeyPem: privateKey } = await generateKeyPair()
  const own = Buffer.from(random.bytes(5)).toString('hex')
  // Names of objects end at 253 characters.
  const pending = { name: `skerry-metaserver-${nodeName.slice(0, 220)}-${own}`, privateKey, names }
  await writeFileAtomic(file, JSON.stringify(pending), 0o600)
  return pending
}

async function readPending(file: string, names: readonly string[]): Promise<Pending | undefined> {
  const text = await readFileIfPresent(file)
  try {
    const value: unknown = JSON.parse(text ?? '')
    if (!isJsonObject(value) || JSON.stringify(value['names']) !== JSON.stringify(names)) return undefined
    const pending = { name: textAt(value, 'name'), privateKey: textAt(value, 'privateKey'), names }
    return pending.name === '' || pending.privateKey === '' ? undefined : pending
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Undefined: the cluster has no such request, or no longer. */
async function find({ bus }: CertificatePorts, name: string, signal: AbortSignal): Promise<ApiObject | undefined> {
  try {
    const question = { resource: resourceOf(name), freshness: 'cloud' } as const
    return whole((await bus.request(requestObject, question, { deadline: DEADLINE, signal })).object)
  } catch (error) {
    if (error instanceof RefusedError && error.fields['status'] === 404) return undefined
    throw error
  }
}

async function insert(ports: CertificatePorts, pending: Pending, signal: AbortSignal): Promise<ApiObject | undefined> {
  const { bus, nodeName, addresses, dnsNames } = ports
  const csr = await createCsr({
    keyPair: loadKeyPair(pending.privateKey),
    subject: { commonName: nodeCommonName(nodeName), organizations: [NODE_ORGANIZATION] },
    ...{ dnsNames, ipAddresses: addresses },
  })
  const content: JsonObject = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: pending.name },
    spec: {
      request: Buffer.from(pemOf(csr, 'CERTIFICATE REQUEST')).toString('base64'),
      signerName: KUBELET_SERVING_SIGNER,
      usages: USAGES,
    },
  }
  const write = { operation: 'insert', resource: resourceOf(pending.name), content } as const
  return whole(await bus.request(writeObject, write, { deadline: DEADLINE, signal }))
}

/** Clusters have them without a namespace; on the road everything has one. */
function resourceOf(name: string): string {
  return `default/certificatesigningrequest/${name}`
}

function whole(answer: Json | undefined): ApiObject | undefined {
  if (answer === undefined || !isJsonObject(answer)) return undefined
  const object = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', ...answer }
  return isApiObject(object) ? object : undefined
}
