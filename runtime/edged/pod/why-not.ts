/** As the schema library tells of what is wrong. */
export interface SchemaError {
  readonly keyword: string
  /** JSON pointer. */
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

/** Why this node does not run a pod, by the first thing that is wrong with its spec; a field that is not known before all else. */
export function whyNot(errors: readonly SchemaError[]): string {
  const unknown = errors.find(({ keyword }) => keyword === 'additionalProperties')
  if (unknown) return `${placed(unknown.instancePath, namesIn(unknown.params)[0])} is not supported on this node`
  const constants = errors.filter(({ keyword }) => keyword === 'const')
  const [first] = errors.filter(({ keyword }) => keyword !== 'boolean')
  if (!first) return 'spec is not valid'
  const allowed = constants.flatMap((error) => (error.instancePath === first.instancePath ? allowedBy(error) : []))
  if (allowed.length > 0) return `${placed(first.instancePath)} may only be ${allowed.join(', ')} on this node`
  return `${placed(first.instancePath)} ${first.message}`
}

/** `spec.containers[0].image` */
function placed(pointer: string, key?: string): string {
  const parts = [...pointer.split('/').slice(1), ...(key === undefined ? [] : [key])]
  return parts.reduce((text, part) => (/^\d+$/.test(part) ? `${text}[${part}]` : `${text}.${part}`), 'spec')
}

function namesIn(params: object): readonly string[] {
  const names: unknown = Reflect.get(params, 'additionalProperties')
  return Array.isArray(names) ? names.map(String) : []
}

function allowedBy({ params }: SchemaError): readonly string[] {
  const value: unknown = Reflect.get(params, 'allowedValue')
  return value === undefined ? [] : [JSON.stringify(value)]
}
