import { notAcceptable } from '../../kube/status.ts'

/** In which form a client wants objects. */
export interface Form {
  readonly encoding: 'json' | 'yaml'
  readonly as: 'object' | 'table' | 'metadata'
  /** Of the Table or PartialObjectMetadata: `meta.k8s.io/v1`. */
  readonly apiVersion: string
}

export interface MediaType {
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  readonly quality: number
}

const SERVED = ['application/json', 'application/yaml']

/** The first form of an Accept header that is served here. Throws a NotAcceptable Status. */
export function negotiate(accept: string | undefined): Form {
  for (const media of parseAccept(accept)) {
    const form = formOf(media)
    if (form) return form
  }
  throw notAcceptable(SERVED)
}

/** Media types in the order of preference; an absent header accepts everything. */
export function parseAccept(accept: string | undefined): readonly MediaType[] {
  if (accept === undefined || accept.trim() === '') return [{ type: '*/*', parameters: {}, quality: 1 }]
  return accept
    .split(',')
    .map(parseMediaType)
    .filter(({ quality }) => quality > 0)
    .sort((one, other) => other.quality - one.quality)
}

export function parseMediaType(text: string): MediaType {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const pairs = parameters.map((parameter) => {
    const [name = '', value = ''] = parameter.split('=', 2)
    return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')] as const
  })
  const known = Object.fromEntries(pairs)
  const quality = Number(known['q'] ?? '1')
  return { type: type.toLowerCase(), parameters: known, quality: Number.isFinite(quality) ? quality : 1 }
}

function formOf({ type, parameters }: MediaType): Form | undefined {
  const encoding = encodingOf(type)
  if (!encoding) return undefined
  const { as, g: group, v: version = 'v1' } = parameters
  if (as === undefined) return { encoding, as: 'object', apiVersion: 'v1' }
  if (group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  const apiVersion = `${group}/${version}`
  if (as === 'Table') return { encoding, as: 'table', apiVersion }
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
    return { encoding, as: 'metadata', apiVersion }
  }
  return undefined
}

function encodingOf(type: string): Form['encoding'] | undefined {
  if (type === '*/*' || type === 'application/*' || type === 'application/json') return 'json'
  return type === 'application/yaml' ? 'yaml' : undefined
}
