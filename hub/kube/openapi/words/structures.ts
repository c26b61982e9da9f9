const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** What is said of structures that have no class in the client package, by their full names. */
export function structureWords(): Readonly<Record<string, string>> {
  return {
    [`${EXTENSIONS}.CustomResourceSubresourceStatus`]: 'Empty: that it is there serves /status.',
    [`${EXTENSIONS}.JSON`]: 'Any value that JSON can hold.',
    [`${EXTENSIONS}.JSONSchemaPropsOrStringArray`]: 'A schema, or a list of names.',
    'io.k8s.apimachinery.pkg.api.resource.Quantity':
      'An amount: a number, with a suffix where need be. Decimal suffixes are n, u, m, k, M, G, T, P and E, binary ones Ki, Mi, Gi, Ti, Pi and Ei; an exponent as in 1e3 also does. cpu counts cores (500m is half a core), memory and storage count bytes.',
    [`${META}.FieldsV1`]:
      'A set of fields as a tree: f:NAME is a field, k:{KEYS} an item of a list by its keys, v:VALUE an item by its value, i:INDEX one by its place, and a dot the field or item itself.',
    [`${META}.Patch`]:
      'A change of an object: JSON Patch, JSON Merge Patch, strategic merge patch or an applied configuration, as Content-Type says.',
    [`${META}.Time`]: 'A time of whole seconds as in RFC 3339: 2026-05-01T12:00:00Z.',
    'io.k8s.apimachinery.pkg.runtime.RawExtension': 'An object of any kind, kept as it is.',
  }
}
