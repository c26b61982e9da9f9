import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import {
  child,
  duplicate,
  type FieldError,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
} from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject, isSame } from '../schema/json.ts'
import { dnsSubdomain } from '../schema/names.ts'
import { parseJsonPath } from '../table/json-path.ts'
import { ruleErrors } from './rule-errors.ts'
import { isSchema, structuralErrors } from './structural.ts'

const DNS_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const DNS_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and " +
  "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const COLUMN_TYPES = ['integer', 'number', 'string', 'boolean', 'date']

/** What is wrong with a CustomResourceDefinition (after prepareCrd), in Kubernetes' words. `old`: the stored one. */
export function validateCrd(crd: ApiObject, old?: ApiObject): readonly FieldError[] {
  const spec = at(crd, 'spec')
  if (!isJsonObject(spec)) return [required('spec')]
  return [
    ...nameErrors(crd, spec),
    ...groupErrors(spec['group']),
    ...scopeErrors(spec['scope']),
    ...namesErrors(spec['names']),
    ...versionsErrors(spec['versions']),
    ...conversionErrors(spec['conversion']),
    ...(spec['preserveUnknownFields'] === true
      ? [invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema')]
      : []),
    ...(old ? changeErrors(crd, old) : []),
  ]
}

function nameErrors(crd: ApiObject, spec: JsonObject): readonly FieldError[] {
  const name = at(crd.metadata, 'name')
  const plural = at(spec, 'names', 'plural')
  if (name === `${text(plural)}.${text(spec['group'])}`) return []
  return [invalid('metadata.name', name ?? '', 'must be spec.names.plural+"."+spec.group')]
}

function groupErrors(group: Json | undefined): readonly FieldError[] {
  if (typeof group !== 'string' || group === '') return [required('spec.group')]
  const errors = dnsSubdomain(group).map((detail) => invalid('spec.group', group, detail))
  return group.includes('.')
    ? errors
    : [...errors, invalid('spec.group', group, 'should be a domain with at least one dot')]
}

function scopeErrors(scope: Json | undefined): readonly FieldError[] {
  if (scope === undefined || scope === '') return [required('spec.scope')]
  return scope === 'Cluster' || scope === 'Namespaced'
    ? []
    : [notSupported('spec.scope', scope, ['Cluster', 'Namespaced'])]
}

function namesErrors(names: Json | undefined): readonly FieldError[] {
  if (!isJsonObject(names)) return [required('spec.names')]
  const shortNames = isJsonArray(names['shortNames']) ? names['shortNames'] : []
  const errors = (['plural', 'singular'] as const).flatMap((key) => labelErrors(names[key], `spec.names.${key}`))
  const kinds = (['kind', 'listKind'] as const).flatMap((key) => kindErrors(names[key], `spec.names.${key}`))
  const shorts = shortNames.flatMap((each, position) => labelErrors(each, index('spec.names.shortNames', position)))
  if (names['kind'] !== undefined && names['kind'] === names['listKind']) {
    return [
      ...errors,
      ...kinds,
      ...shorts,
      invalid('spec.names.listKind', names['listKind'], 'kind and listKind may not be the same'),
    ]
  }
  return [...errors, ...kinds, ...shorts]
}

function kindErrors(kind: Json | undefined, field: string): readonly FieldError[] {
  if (typeof kind !== 'string' || kind === '') return [required(field)]
  return DNS_1035.test(kind.toLowerCase())
    ? []
    : [invalid(field, kind, `may have mixed case, but should otherwise match: ${DNS_1035_TEXT}`)]
}

function labelErrors(name: Json | undefined, field: string): readonly FieldError[] {
  if (typeof name !== 'string' || name === '') return [required(field)]
  return DNS_1035.test(name) && name.length <= 63 ? [] : [invalid(field, name, DNS_1035_TEXT)]
}

function versionsErrors(versions: Json | undefined): readonly FieldError[] {
  if (!isJsonArray(versions) || versions.length === 0) {
    return [required('spec.versions', 'must have at least one version')]
  }
  const stored = versions.filter((version) => at(version, 'storage') === true)
  const shared = sharedParts(versions)
  const names = versions.map((version) => at(version, 'name') ?? '')
  return [
    ...versions.flatMap((version, position) => versionErrors(version, index('spec.versions', position), shared)),
    ...sharedErrors(versions[0] ?? null, shared),
    ...names.flatMap((name, position) =>
      names.indexOf(name) < position ? [duplicate(child(index('spec.versions', position), 'name'), name)] : [],
    ),
    ...(stored.length === 1
      ? []
      : [invalid('spec.versions', names, 'must have exactly one version marked as storage version')]),
  ]
}

/** Where the parts that are the same in all versions stand for an API server, which judges them once and not for each version. */
const SHARED = { schema: 'spec.validation', additionalPrinterColumns: 'spec.additionalPrinterColumns' } as const
type Part = keyof typeof SHARED

function sharedParts(versions: readonly Json[]): ReadonlySet<Part> {
  const parts = ['schema', 'additionalPrinterColumns'] as const
  const isShared = (part: Part) => versions.every((version) => isSame(at(version, part), at(versions[0], part)))
  return new Set(parts.filter(isShared))
}

function sharedErrors(version: Json, shared: ReadonlySet<Part>): readonly FieldError[] {
  return [...shared].flatMap((part) => partErrors(version, part, SHARED[part]))
}

function versionErrors(version: Json, path: string, shared: ReadonlySet<Part>): readonly FieldError[] {
  const parts = ['schema', 'additionalPrinterColumns'] as const
  return [
    ...labelErrors(at(version, 'name'), child(path, 'name')),
    ...parts.filter((part) => !shared.has(part)).flatMap((part) => partErrors(version, part, child(path, part))),
  ]
}

function partErrors(version: Json, part: Part, path: string): readonly FieldError[] {
  return part === 'schema'
    ? schemaErrors(at(version, 'schema', 'openAPIV3Schema'), child(path, 'openAPIV3Schema'))
    : columnErrors(at(version, part), path)
}

function schemaErrors(schema: Json | undefined, path: string): readonly FieldError[] {
  if (schema === undefined) return [required(path, 'schemas are required')]
  const errors = structuralErrors(schema, path)
  return errors.length === 0 && isSchema(schema) ? ruleErrors(schema, path) : errors
}

function columnErrors(columns: Json | undefined, path: string): readonly FieldError[] {
  if (!isJsonArray(columns)) return []
  return columns.flatMap((column, position) => {
    const here = index(path, position)
    const type = at(column, 'type') ?? ''
    const jsonPath = at(column, 'jsonPath')
    return [
      ...(at(column, 'name') ? [] : [required(child(here, 'name'))]),
      ...(typeof type === 'string' && COLUMN_TYPES.includes(type)
        ? []
        : [invalid(child(here, 'type'), type, `must be one of ${COLUMN_TYPES.join(',')}`)]),
      ...jsonPathErrors(jsonPath, child(here, 'jsonPath')),
    ]
  })
}

function jsonPathErrors(path: Json | undefined, field: string): readonly FieldError[] {
  if (typeof path !== 'string' || path === '') return [required(field)]
  if (!path.startsWith('.')) return [invalid(field, path, 'must be a simple json path starting with .')]
  try {
    parseJsonPath(path)
    return []
  } catch (error) {
    if (error instanceof SyntaxError) return [invalid(field, path, error.message)]
    throw error
  }
}

function conversionErrors(conversion: Json | undefined): readonly FieldError[] {
  const path = 'spec.conversion'
  const strategy = at(conversion, 'strategy') ?? 'None'
  const webhook = at(conversion, 'webhook')
  if (strategy === 'None') {
    return webhook === undefined
      ? []
      : [forbidden(`${path}.webhook`, 'should not be set when strategy is not set to Webhook')]
  }
  if (strategy !== 'Webhook') return [notSupported(`${path}.strategy`, strategy, ['None', 'Webhook'])]
  return [
    ...clientErrors(at(webhook, 'clientConfig'), `${path}.webhook.clientConfig`),
    ...reviewErrors(at(webhook, 'conversionReviewVersions'), `${path}.webhook.conversionReviewVersions`),
  ]
}

function clientErrors(client: Json | undefined, path: string): readonly FieldError[] {
  if (!isJsonObject(client)) return [required(path, 'required when strategy is set to Webhook')]
  const { url, service, caBundle } = client
  if ((url === undefined) === (service === undefined)) {
    return [required(path, 'exactly one of url or service is required')]
  }
  return [
    ...(url === undefined ? serviceErrors(service, child(path, 'service')) : urlErrors(url, child(path, 'url'))),
    ...(caBundle === undefined || isPem(text(caBundle))
      ? []
      : [invalid(child(path, 'caBundle'), '<CA bundle>', 'unable to load root certificates: no certificate found')]),
  ]
}

/** A service is taken, as in a cluster, though this API cannot reach one: the version that is stored needs no conversion. */
function serviceErrors(service: Json | undefined, path: string): readonly FieldError[] {
  return ['namespace', 'name'].flatMap((key) =>
    text(at(service, key)) === '' ? [required(child(path, key), `service ${key} is required`)] : [],
  )
}

function urlErrors(value: Json | undefined, path: string): readonly FieldError[] {
  const shown = value ?? ''
  const url = URL.parse(text(value))
  if (!url) return [invalid(path, shown, 'must be a URL, such as https://example.com/convert')]
  if (url.protocol !== 'https:') return [invalid(path, shown, "'https' is the only allowed URL scheme")]
  if (url.username !== '' || url.password !== '') {
    return [invalid(path, shown, 'user information is not permitted in the URL')]
  }
  if (url.search !== '') return [invalid(path, shown, 'query parameters are not permitted in the URL')]
  return url.hash === '' ? [] : [invalid(path, shown, 'fragments are not permitted in the URL')]
}

function isPem(base64: string): boolean {
  return Buffer.from(base64, 'base64').toString('latin1').includes('-----BEGIN CERTIFICATE-----')
}

function reviewErrors(versions: Json | undefined, path: string): readonly FieldError[] {
  const given = isJsonArray(versions) ? versions : []
  if (given.length === 0) return [required(path)]
  const wrong = given.findIndex((version) => !DNS_1035.test(text(version)))
  if (wrong >= 0) return [invalid(index(path, wrong), given[wrong] ?? '', DNS_1035_TEXT)]
  return given.includes('v1') ? [] : [invalid(path, given, 'must include at least one of v1')]
}

/** What must stay as it is, because objects were stored under it. */
function changeErrors(crd: ApiObject, old: ApiObject): readonly FieldError[] {
  const fixed = [['group'], ['scope'], ['names', 'plural'], ['names', 'kind']] as const
  const changed = fixed
    .filter((path) => at(crd, 'spec', ...path) !== at(old, 'spec', ...path))
    .map((path) => invalid(`spec.${path.join('.')}`, at(crd, 'spec', ...path) ?? '', 'field is immutable'))
  const stored = at(crd, 'status', 'storedVersions') ?? at(old, 'status', 'storedVersions')
  const versions = at(crd, 'spec', 'versions')
  const names = isJsonArray(versions) ? versions.map((version) => at(version, 'name')) : []
  const lost = (isJsonArray(stored) ? stored : []).flatMap((version, position) =>
    names.includes(version)
      ? []
      : [
          invalid(
            index('status.storedVersions', position),
            version,
            'missing from spec.versions; objects are stored in it',
          ),
        ],
  )
  return [...changed, ...lost]
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
