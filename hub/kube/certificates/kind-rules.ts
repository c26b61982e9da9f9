import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { KindRules } from '../builtin/kind-rules.ts'
import { arrayAt, objectAt, sameJson, textAt, withContent } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { duplicate, type FieldError, forbidden, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { dnsSubdomain } from '../schema/names.ts'
import { certificateIn, conditionsOf } from './conditions.ts'

const SHORTEST_SECONDS = 600

const USAGES: readonly string[] = [
  ...['any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment'],
  ...['decipher only', 'digital signature', 'email protection', 'encipher only', 'ipsec end system', 'ipsec tunnel'],
  ...['ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime'],
  ...['server auth', 'signing', 'timestamping'],
]

/** Of a CertificateSigningRequest: what was asked never changes, and each part of its status has its own way in. */
export const CERTIFICATE_REQUEST_RULES: KindRules = {
  onCreate: (request) => withContent(request, { status: {} }),
  onUpdate: (request, old) => withContent(request, { spec: old['spec'], status: old['status'] }),
  parts: {
    approval: (request, old) => withStatus(request, old, { conditions: conditionsOf(request) }),
    status(request, old) {
      const decided = conditionsOf(old).filter(isDecision)
      const others = conditionsOf(request).filter((each) => !isDecision(each))
      const certificate = certificateIn(request) || certificateIn(old)
      return withStatus(request, old, {
        conditions: [...decided, ...others],
        ...(certificate === '' ? {} : { certificate }),
      })
    },
  },
  validate: (request, old) => [
    ...(old ? changeErrors(request, old) : specErrors(request)),
    ...conditionErrors(request),
  ],
}

function withStatus(request: ApiObject, old: ApiObject, status: JsonObject): ApiObject {
  return withContent({ ...old, metadata: request.metadata }, { status: { ...objectAt(old, 'status'), ...status } })
}

function isDecision({ type }: JsonObject): boolean {
  return type === 'Approved' || type === 'Denied'
}

function specErrors(request: ApiObject): readonly FieldError[] {
  const spec = objectAt(request, 'spec')
  const usages = arrayAt(spec, 'usages')
  const seconds = spec['expirationSeconds']
  return [
    ...requestErrors(textAt(spec, 'request')),
    ...(usages.length === 0 ? [required('spec.usages')] : []),
    ...usages.flatMap((usage, position) => usageErrors(usage, usages.indexOf(usage) < position, position)),
    ...signerErrors(textAt(spec, 'signerName')),
    ...(typeof seconds === 'number' && seconds < SHORTEST_SECONDS
      ? [invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 600 seconds (10 minutes)')]
      : []),
  ]
}

/** What is in the block only its reader knows. */
function requestErrors(request: string): readonly FieldError[] {
  const pem = Buffer.from(request, 'base64').toString('latin1')
  if (pem.includes('-----BEGIN CERTIFICATE REQUEST-----')) return []
  return [invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST')]
}

function usageErrors(usage: Json, isRepeated: boolean, position: number): readonly FieldError[] {
  const field = index('spec.usages', position)
  if (!USAGES.some((each) => each === usage)) return [notSupported(field, usage, USAGES)]
  return isRepeated ? [duplicate(field, usage)] : []
}

const SIGNER = 'spec.signerName'

/** `domain/path`, the domain with a dot. */
function signerErrors(name: string): readonly FieldError[] {
  if (name === '') return [required(SIGNER)]
  if (name === 'kubernetes.io/legacy-unknown') {
    return [invalid(SIGNER, name, 'the legacy signerName is not allowed via this API version')]
  }
  const [domain = '', ...path] = name.split('/')
  if (path.length !== 1 || path[0] === '') {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    return [invalid(SIGNER, name, why)]
  }
  if (!domain.includes('.'))
    return [invalid(SIGNER, domain, 'should be a domain with at least two segments separated by dots')]
  return [...dnsSubdomain(domain), ...dnsSubdomain(path[0] ?? '')].map((text) => invalid(SIGNER, name, text))
}

const CONDITIONS = 'status.conditions'

function conditionErrors(request: ApiObject): readonly FieldError[] {
  const conditions = conditionsOf(request)
  const types = conditions.map((each) => textAt(each, 'type'))
  const both = types.includes('Approved') && types.includes('Denied')
  return [
    ...conditions.flatMap((each, position) => {
      const status = textAt(each, 'status')
      const allowed = isDecision(each) || each['type'] === 'Failed' ? ['True'] : ['False', 'True', 'Unknown']
      const field = index(CONDITIONS, position)
      return [
        ...(types[position] === '' ? [required(`${field}.type`)] : []),
        ...(status === '' ? [required(`${field}.status`)] : []),
        ...(status === '' || allowed.includes(status) ? [] : [notSupported(`${field}.status`, status, allowed)]),
        ...(types.indexOf(types[position] ?? '') < position ? [duplicate(`${field}.type`, types[position] ?? '')] : []),
      ]
    }),
    ...(both ? [invalid(CONDITIONS, types.at(-1) ?? '', 'Approved and Denied conditions are mutually exclusive')] : []),
  ]
}

function changeErrors(request: ApiObject, old: ApiObject): readonly FieldError[] {
  const has = (object: ApiObject, type: string) => conditionsOf(object).some((each) => each['type'] === type)
  const lost = ['Approved', 'Denied', 'Failed'].filter((type) => has(old, type) && !has(request, type))
  const issued = certificateIn(old)
  return [
    ...lost.map((type) => forbidden(CONDITIONS, `updates may not remove a condition of type "${type}"`)),
    ...(issued !== '' && !sameJson(issued, certificateIn(request))
      ? [forbidden('status.certificate', 'updates may not modify existing certificate content')]
      : []),
  ]
}
