import { type AnyObject, keyOf } from '../../kubernetes/index.ts'
import { isMirror, type PodReferences, referencesOf } from './pod-references.ts'

export type ReferencedKind = 'ConfigMap' | 'Secret' | 'ServiceAccount' | 'PersistentVolumeClaim'

interface Entry {
  readonly node: string
  readonly namespace: string
  readonly references: readonly string[]
}

/** Which node uses what, as its pods say; those that it made itself say nothing. */
export class ReferenceIndex {
  readonly #pods = new Map<string, Entry>()
  /** By reference, then by node: how many of its pods. */
  readonly #users = new Map<string, Map<string, number>>()
  /** By namespace, then by node: how many of its pods. */
  readonly #namespaces = new Map<string, Map<string, number>>()

  /** A pod is there, or there in another form. True where it changed what its node needs. */
  set(node: string, pod: AnyObject): boolean {
    const key = keyOf(pod)
    if (isMirror(pod)) return this.delete(key)
    const namespace = pod.metadata.namespace ?? 'default'
    const references = keysOf(namespace, referencesOf(pod))
    const before = this.#pods.get(key)
    if (before?.node === node && same(before.references, references)) return false
    if (before) this.#forget(before)
    this.#pods.set(key, { node, namespace, references })
    for (const reference of references) raise(this.#users, reference, node)
    raise(this.#namespaces, namespace, node)
    return true
  }

  /** `namespace/name` of a pod that is gone. True where it was there. */
  delete(key: string): boolean {
    const before = this.#pods.get(key)
    if (before) this.#forget(before)
    return this.#pods.delete(key)
  }

  isUsed(node: string, kind: ReferencedKind, namespace: string, name: string): boolean {
    return this.#users.get(keyOfReference(kind, namespace, name))?.has(node) ?? false
  }

  nodesUsing(kind: ReferencedKind, namespace: string, name: string): readonly string[] {
    return [...(this.#users.get(keyOfReference(kind, namespace, name))?.keys() ?? [])]
  }

  nodesIn(namespace: string): readonly string[] {
    return [...(this.#namespaces.get(namespace)?.keys() ?? [])]
  }

  /** Namespaces with pods. */
  namespaces(): ReadonlySet<string> {
    return new Set(this.#namespaces.keys())
  }

  #forget({ node, namespace, references }: Entry): void {
    for (const reference of references) lower(this.#users, reference, node)
    lower(this.#namespaces, namespace, node)
  }
}

function keysOf(namespace: string, references: PodReferences): readonly string[] {
  const { configMaps, secrets, claims, serviceAccount } = references
  return [
    ...[...configMaps].map((name) => keyOfReference('ConfigMap', namespace, name)),
    ...[...secrets].map((name) => keyOfReference('Secret', namespace, name)),
    ...[...claims].map((name) => keyOfReference('PersistentVolumeClaim', namespace, name)),
    keyOfReference('ServiceAccount', namespace, serviceAccount),
  ]
}

function keyOfReference(kind: ReferencedKind, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at])
}

function raise(counts: Map<string, Map<string, number>>, key: string, node: string): void {
  const ofKey = counts.get(key) ?? new Map<string, number>()
  counts.set(key, ofKey)
  ofKey.set(node, (ofKey.get(node) ?? 0) + 1)
}

function lower(counts: Map<string, Map<string, number>>, key: string, node: string): void {
  const ofKey = counts.get(key)
  const left = (ofKey?.get(node) ?? 1) - 1
  if (left > 0) ofKey?.set(node, left)
  else ofKey?.delete(node)
  if (ofKey?.size === 0) counts.delete(key)
}
