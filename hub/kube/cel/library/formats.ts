import { isBase64, isDateTime } from '../../schema/formats.ts'
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../../schema/names.ts'
import { type CelValue, listValue } from '../values.ts'
import { boxed, text } from './arguments.ts'
import { define, type Overload } from './signature.ts'

const NEEDS_1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and " +
  "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

/** Each says what is wrong with a text. */
const FORMATS: Readonly<Record<string, (value: string) => readonly string[]>> = {
  dns1123Label: dnsLabel,
  dns1123Subdomain: dnsSubdomain,
  dns1035Label: (value) => (/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value) ? [] : [NEEDS_1035]),
  dns1123LabelPrefix: (value) => dnsLabel(value.replace(/-$/, '')),
  dns1123SubdomainPrefix: (value) => dnsSubdomain(value.replace(/[-.]$/, '')),
  dns1035LabelPrefix: (value) => (/^[a-z][-a-z0-9]{0,62}$/.test(value) ? [] : [NEEDS_1035]),
  qualifiedName,
  labelValue,
  uri: (value) => (URL.canParse(value) ? [] : ['must be a valid URI']),
  uuid: (value) =>
    /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value)
      ? []
      : ['does not match the UUID format'],
  byte: (value) => (isBase64(value) ? [] : ['invalid base64']),
  date: (value) => (/^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) ? [] : ['invalid date']),
  datetime: (value) => (isDateTime(value) ? [] : ['invalid datetime']),
}

export const NAMED_FORMATS: readonly Overload[] = [
  ...Object.keys(FORMATS).map((name) => define(`format.${name}(): format`, (): CelValue => ({ kind: 'format', name }))),
  define('format.named(string): optional(format)', (args) => {
    const name = text(args, 0)
    return { kind: 'optional', value: Object.hasOwn(FORMATS, name) ? { kind: 'format', name } : undefined }
  }),
  define('format -> validate(string): optional(list(string))', (args) => {
    const wrong = FORMATS[boxed(args, 0, 'format').name]?.(text(args, 1)) ?? []
    return { kind: 'optional', value: wrong.length === 0 ? undefined : listValue(wrong) }
  }),
]
