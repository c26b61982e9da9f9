import { PACKAGES, TYPES } from './types.generated.ts'

export interface TypeField {
  readonly name: string
  readonly isRequired: boolean
  /**
   * One letter: `s` text, `y` bytes, `t` time, `m` time in microseconds, `b` boolean, `i` and `l` whole numbers of 32 and 64 bits,
   * `d` number, `x` number or text, `a` anything. Before it `*` a list of, `%` a map of; `@Name` a structure.
   */
  readonly code: string
}

/** Fields of a structure by its class name, such as `V1PodSpec`. */
export function fieldsOfType(model: string): readonly TypeField[] {
  const fields = (TYPES[model] ?? '').split(' ').filter((field) => field !== '')
  return fields.map((field) => {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon)
    return { name: name.replace('!', ''), isRequired: name.endsWith('!'), code: field.slice(colon + 1) }
  })
}

/** `io.k8s.api.core.v1.PodSpec` of `V1PodSpec`. */
export function nameOfType(model: string): string {
  return names().get(model) ?? `io.k8s.api.core.v1.${shortName(model)}`
}

/** `V1PodSpec` of `io.k8s.api.core.v1.PodSpec`. */
export function modelOfType(name: string): string | undefined {
  models ??= new Map([...names()].map(([model, each]) => [each, model]))
  return models.get(name)
}

let known: ReadonlyMap<string, string> | undefined
let models: ReadonlyMap<string, string> | undefined

function names(): ReadonlyMap<string, string> {
  known ??= new Map(
    Object.entries(PACKAGES).flatMap(([home, list]) =>
      list.split(' ').map((model): readonly [string, string] => [model, `${home}.${shortName(model)}`]),
    ),
  )
  return known
}

function shortName(model: string): string {
  return model.replace(/^(Core|Events|Discovery|Rbac|Apiextensions|Admissionregistration|Authentication)?V1/, '')
}
