import { describeError } from '../../../platform/lifecycle/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { fieldValue, resourceValue } from '../pod/downward.ts'
import { expand } from '../pod/expand.ts'
import type { PodFacts } from '../pod/facts.ts'
import { objectIn } from '../pod/json.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import type { PodObjects } from '../pod/pod-objects.ts'
import type { Container, EnvFrom, EnvVar } from '../pod/schema/container.ts'

export interface EnvironmentInput {
  readonly pod: Pod
  readonly container: Container
  readonly facts: PodFacts
  readonly objects: PodObjects
  /** What the container has beside its own, which its own may name. */
  readonly given?: ReadonlyMap<string, string>
  readonly signal: AbortSignal
}

/** Kubernetes, EnvVar.name: printable, and no equals sign. */
const NAME = /^[ -<>-~]+$/

/**
 * The environment that a pod gives its container. Rejects with an ObstacleError, reason `CreateContainerConfigError`, where it
 * cannot be had now.
 */
export async function environmentOf(input: EnvironmentInput): Promise<ReadonlyMap<string, string>> {
  const sources = new Sources(input)
  const environment = new Map<string, string>()
  for (const from of input.container.envFrom) {
    for (const [key, value] of await sources.all(from)) {
      const name = from.prefix + key
      if (NAME.test(name)) environment.set(name, checked(name, value))
    }
  }
  for (const variable of input.container.env) {
    if (!NAME.test(variable.name)) throw obstacle(`"${variable.name}" cannot be the name of an environment variable`)
    const value = variable.value
      ? expand(variable.value, (name) => environment.get(name) ?? input.given?.get(name))
      : await sources.valueOf(variable, input)
    if (value !== undefined) environment.set(variable.name, checked(variable.name, value))
  }
  return environment
}

/** The configmaps and secrets of one container, each asked for once. */
class Sources {
  readonly #input: EnvironmentInput
  readonly #known = new Map<string, Source | undefined>()

  constructor(input: EnvironmentInput) {
    this.#input = input
  }

  async all({ configMapRef, secretRef }: EnvFrom): Promise<Source> {
    const ref = configMapRef ?? secretRef
    if (!ref) return new Map()
    return (await this.#source(configMapRef ? 'configmap' : 'secret', ref.name, ref.optional)) ?? new Map()
  }

  /** Undefined: the variable is not set. */
  async valueOf({ name, valueFrom }: EnvVar, { pod, container, facts }: EnvironmentInput) {
    if (!valueFrom) return ''
    const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom
    if (fieldRef) return known(fieldValue(pod, facts, fieldRef.fieldPath), name, fieldRef.fieldPath)
    if (resourceFieldRef) {
      return known(resourceValue(pod, container, facts, resourceFieldRef), name, resourceFieldRef.resource)
    }
    const ref = configMapKeyRef ?? secretKeyRef
    if (!ref) return ''
    const kind = configMapKeyRef ? 'configmap' : 'secret'
    const source = await this.#source(kind, ref.name, ref.optional)
    const value = source?.get(ref.key)
    if (value !== undefined || ref.optional) return value
    const title = configMapKeyRef ? 'ConfigMap' : 'Secret'
    throw obstacle(`couldn't find key ${ref.key} in ${title} ${pod.namespace}/${ref.name}`)
  }

  async #source(kind: Kind, name: string, isOptional: boolean): Promise<Source | undefined> {
    const key = `${kind}/${name}`
    if (!this.#known.has(key)) this.#known.set(key, await this.#read(kind, name))
    const source = this.#known.get(key)
    if (!source && !isOptional) throw obstacle(`${kind} "${name}" not found`)
    return source
  }

  async #read(kind: Kind, name: string): Promise<Source | undefined> {
    const { objects, pod, signal } = this.#input
    try {
      const object = await (kind === 'configmap'
        ? objects.configMap(pod.namespace, name, signal)
        : objects.secret(pod.namespace, name, signal))
      return object && (kind === 'configmap' ? textsIn(object) : decodedIn(object))
    } catch (error) {
      signal.throwIfAborted()
      throw obstacle(`${kind} "${name}" cannot be had now: ${describeError(error)}`, error)
    }
  }
}

type Kind = 'configmap' | 'secret'
type Source = ReadonlyMap<string, string>

/** What is binary in a ConfigMap is for volumes alone. */
function textsIn(configMap: JsonObject): Source {
  return new Map(stringsIn(configMap))
}

function decodedIn(secret: JsonObject): Source {
  return new Map(stringsIn(secret).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

function stringsIn(object: JsonObject): readonly (readonly [string, string])[] {
  return Object.entries(objectIn(object, 'data')).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  )
}

/** No process can have such a value, and the runtime would say so in words that nobody understands. */
function checked(name: string, value: string): string {
  if (value.includes('\0')) throw obstacle(`the value of environment variable ${name} has a NUL byte`)
  return value
}

function known(value: string | undefined, name: string, path: string): string {
  if (value === undefined) throw obstacle(`environment variable ${name}: ${path} cannot be told to containers`)
  return value
}

function obstacle(message: string, cause?: unknown): ObstacleError {
  return new ObstacleError({ reason: 'CreateContainerConfigError', message }, cause)
}
