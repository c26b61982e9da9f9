import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { child, type FieldError, forbidden, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { dnsSubdomain } from '../schema/names.ts'
import { partErrors } from './version-parts.ts'

const DNS_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const DNS_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and " +
  "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

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
      ? [
          invalid(
            'spec.preserveUnknownFields',
            true,
            'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
          ),
        ]
      : []),
    ...(old ? changeErrors(crd, old) : approvalErrors(crd, spec['group'])),
  ]
}

function nameErrors(crd: ApiObject, spec: JsonObject): readonly FieldError[] {
  const name = at(crd.metadata, 'name')
  const plural = at(spec, 'names', 'plural')
  if (name === `${text(plural)}.${text(spec['group'])}`) return []
  return [invalid('metadata.name', name ?? '', 'must be spec.names.plural+"."+spec.group')]
}

/** Groups of the Kubernetes community are approved by it. */
function approvalErrors(crd: ApiObject, group: Json | undefined): readonly FieldError[] {
  const annotation = 'api-approved.kubernetes.io'
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(text(group)) || at(crd.metadata, 'annotations', annotation)) return []
  const where = 'see https://github.com/kubernetes/enhancements/pull/1111'
  const why = `protected groups must have approval annotation "${annotation}", ${where}`
  return [required(`metadata.annotations[${annotation}]`, why)]
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
  const categories = isJsonArray(names['categories']) ? names['categories'] : []
  const errors = (['plural', 'singular'] as const).flatMap((key) => labelErrors(names[key], `spec.names.${key}`))
  const kinds = (['kind', 'listKind'] as const).flatMap((key) => kindErrors(names[key], `spec.names.${key}`))
  const shorts = shortNames.flatMap((each, position) => labelErrors(each, index('spec.names.shortNames', position)))
  const groups = categories.flatMap((each, position) => labelErrors(each, index('spec.names.categories', position)))
  if (names['kind'] !== undefined && names['kind'] === names['listKind']) {
    return [
      ...errors,
      ...kinds,
      ...shorts,
      ...groups,
      invalid('spec.names.listKind', names['listKind'], 'kind and listKind may not be the same'),
    ]
  }
  return [...errors, ...kinds, ...shorts, ...groups]
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
  const given = isJsonArray(versions) ? versions : []
  const stored = given.filter((version) => at(version, 'storage') === true)
  const names = given.map((version) => at(version, 'name') ?? '')
  const wrong = (detail: string) => invalid('spec.versions', given.map(shownVersion), detail)
  const first = labelErrors(names[0], 'spec.version')
  return [
    ...given.flatMap((version, position) => versionErrors(version, index('spec.versions', position))),
    ...partErrors(given),
    ...(new Set(names).size < names.length ? [wrong('must contain unique version names')] : []),
    ...(stored.length === 1
      ? []
      : [
          wrong('must have exactly one version marked as storage version'),
          ...(stored.length === 0
            ? [invalid('status.storedVersions', null, 'must have at least one stored version')]
            : []),
        ]),
    ...(given.length > 0 ? first : []),
  ]
}

/** As the structure of an API server shows it when what versions share stands elsewhere. */
function shownVersion(version: Json): Json {
  return {
    Name: at(version, 'name') ?? '',
    Served: at(version, 'served') ?? false,
    Storage: at(version, 'storage') ?? false,
    Deprecated: at(version, 'deprecated') ?? false,
    DeprecationWarning: at(version, 'deprecationWarning') ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }
}

function versionErrors(version: Json, path: string): readonly FieldError[] {
  return [...labelErrors(at(version, 'name'), child(path, 'name')), ...deprecationErrors(version, path)]
}

function deprecationErrors(version: Json, path: string): readonly FieldError[] {
  const warning = at(version, 'deprecationWarning')
  if (typeof warning !== 'string') return []
  const wrong = (detail: string) => [invalid(child(path, 'deprecationWarning'), warning, detail)]
  if (at(version, 'deprecated') !== true) return wrong('can only be set for deprecated versions')
  if (warning === '') return wrong('must not be an empty string')
  if (Buffer.byteLength(warning) > 256) return wrong('must be <= 256 characters long')
  const odd = [...warning].findIndex((sign) => !/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(sign))
  if (odd < 0) return []
  return wrong(`must only contain printable UTF-8 characters; non-printable character found at index ${odd}`)
}

function conversionErrors(conversion: Json | undefined): readonly FieldError[] {
  const path = 'spec.conversion'
  const strategy = at(conversion, 'strategy') ?? 'None'
  const webhook = at(conversion, 'webhook')
  if (strategy === 'None') {
    return webhook === undefined
      ? []
      : ['webhookClientConfig', 'conversionReviewVersions'].map((part) =>
          forbidden(child(path, part), 'should not be set when strategy is not set to Webhook'),
        )
  }
  if (strategy !== 'Webhook') return [notSupported(`${path}.strategy`, strategy, ['None', 'Webhook'])]
  return [
    ...clientErrors(at(webhook, 'clientConfig'), `${path}.webhookClientConfig`),
    ...reviewErrors(at(webhook, 'conversionReviewVersions'), `${path}.conversionReviewVersions`),
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
            `missing from spec.versions; ${text(version)} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${text(version)} and removes ${text(version)} from status.storedVersions`,
          ),
        ],
  )
  return [...changed, ...lost]
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
