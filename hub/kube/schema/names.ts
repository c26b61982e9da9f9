const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${QUALIFIED})?`

const isLabel = new RegExp(`^${LABEL}$`)
const isSubdomain = new RegExp(`^${SUBDOMAIN}$`)
const isQualified = new RegExp(`^${QUALIFIED}$`)
const isLabelValue = new RegExp(`^${LABEL_VALUE}$`)

const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
  `alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  `with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`
const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  `character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  `with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${LABEL_VALUE}')`
const KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or " +
  "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

/** Each function answers what is wrong with a name, in Kubernetes' words; an empty list means that it is right. */
export type NameRule = (name: string) => readonly string[]

export const dnsLabel: NameRule = (name) => [
  ...(isLabel.test(name) ? [] : [LABEL_TEXT]),
  ...(name.length > 63 ? ['must be no more than 63 bytes'] : []),
]

export const dnsSubdomain: NameRule = (name) => [
  ...(isSubdomain.test(name) ? [] : [SUBDOMAIN_TEXT]),
  ...(name.length > 253 ? ['must be no more than 253 bytes'] : []),
]

/** Label and annotation keys, finalizers: an optional DNS prefix, a slash, a name. */
export const qualifiedName: NameRule = (key) => {
  const parts = key.split('/')
  const name = parts.at(-1) ?? ''
  if (parts.length > 2) {
    return [`a qualified name must consist of an optional DNS subdomain prefix, '/' and a name: ${QUALIFIED_TEXT}`]
  }
  const prefix = parts.length === 2 ? parts[0] : undefined
  const prefixErrors = prefix === '' ? ['prefix part must be non-empty'] : prefix ? dnsSubdomain(prefix) : []
  return [
    ...prefixErrors.map((text) => (text.startsWith('prefix') ? text : `prefix part ${text}`)),
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...(name.length > 63 ? ['name part must be no more than 63 bytes'] : []),
    ...(isQualified.test(name) ? [] : [QUALIFIED_TEXT]),
  ]
}

export const labelValue: NameRule = (value) => [
  ...(value.length > 63 ? ['must be no more than 63 bytes'] : []),
  ...(isLabelValue.test(value) ? [] : [LABEL_VALUE_TEXT]),
]

/** Keys of ConfigMaps and Secrets: they become file names. */
export const configKey: NameRule = (key) => {
  if (key.length > 253) return ['must be no more than 253 bytes']
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) return [KEY_TEXT]
  if (key === '.') return ["must not be '.'"]
  if (key === '..') return ["must not be '..'"]
  return key.startsWith('..') ? ["must not start with '..'"] : []
}
