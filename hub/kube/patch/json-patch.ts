import { applyPatch, type Operation } from 'rfc6902'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { DEEPEST, depthOf, isJsonArray, isJsonObject, sameJson } from '../object/index.ts'
import { PatchError } from './patch-error.ts'

/** Kubernetes' own bound. */
const MOST_OPERATIONS = 10_000
/** Copies of copies double what they copy: all of them together may add this much JSON text. */
const MOST_COPIED = 3 * 1024 * 1024
/** Members that no Kubernetes object has and that mean something else to JavaScript. */
const NO_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/** JSON patch (RFC 6902). The value given stays as it is. Throws PatchError, in the words of an API server. */
export function applyJsonPatch(value: JsonObject, patch: Json): JsonObject {
  const operations = parseOperations(patch)
  const document: { root: Json } = { root: structuredClone(value) }
  let copied = 0
  for (const operation of operations) {
    if (isMissingAsExpected(document.root, operation)) continue
    checkPlaces(document.root, operation)
    copied += checkGrowth(document.root, operation)
    if (copied > MOST_COPIED) throw new PatchError(413, `The JSON patch copies more than ${MOST_COPIED} bytes`)
    run(document, operation)
  }
  const { root } = document
  if (!isJsonObject(root)) throw new PatchError(422, 'the patched document is not an object')
  return root
}

function parseOperations(patch: Json): readonly Operation[] {
  if (!isJsonArray(patch)) {
    const got = isJsonObject(patch) ? 'object' : typeof patch
    throw new PatchError(
      400,
      `error decoding patch: json: cannot unmarshal ${got} into Go value of type []handlers.jsonPatchOp`,
    )
  }
  if (patch.length > MOST_OPERATIONS) {
    const text = `The allowed maximum operations in a JSON patch is ${MOST_OPERATIONS}, got ${patch.length}`
    throw new PatchError(413, text)
  }
  return patch.map(parseOperation)
}

function parseOperation(entry: Json): Operation {
  const { op, path, from, value } = isJsonObject(entry) ? entry : {}
  if (typeof path !== 'string') throw new PatchError(422, 'operation has no path')
  checkPointer(path)
  if (op === 'remove') return { op, path }
  if (op === 'move' || op === 'copy') {
    if (typeof from !== 'string') throw new PatchError(422, `${op} operation has no from`)
    checkPointer(from)
    return { op, path, from }
  }
  if (op !== 'add' && op !== 'replace' && op !== 'test') {
    throw new PatchError(422, `Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`)
  }
  if (value === undefined && op !== 'test') throw new PatchError(422, `${op} operation has no value`)
  return { op, path, value: value ?? null }
}

function checkPointer(pointer: string): void {
  if (pointer !== '' && !pointer.startsWith('/')) throw new PatchError(422, `${pointer} is no JSON pointer`)
  if (tokensOf(pointer).some((token) => NO_KEYS.has(token))) {
    throw new PatchError(422, `${pointer} names a member that is not allowed`)
  }
}

/** What Kubernetes answers for places that are not there; the library below would be more lenient. */
function checkPlaces(root: Json, operation: Operation): void {
  const { op, path } = operation
  if (op === 'move' || op === 'copy') {
    const source = find(root, operation.from)
    if (source.value === undefined) {
      throw new PatchError(
        422,
        `${op} operation does not apply: doc is missing from path: ${operation.from}: missing value`,
      )
    }
    if (op === 'move' && path.startsWith(`${operation.from}/`)) {
      throw new PatchError(422, `move operation does not apply: ${path} is inside of ${operation.from}`)
    }
  }
  const place = find(root, path)
  if (!place.hasParent) throw new PatchError(422, missingPath(op, path))
  if (place.isBadIndex) throw new PatchError(422, `${op} operation does not apply: ${path}: invalid index referenced`)
  if (op === 'remove' && place.value === undefined) {
    const key = JSON.stringify(place.key).slice(1, -1)
    throw new PatchError(
      422,
      `error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
    )
  }
  if (op === 'replace' && place.value === undefined) {
    throw new PatchError(422, `replace operation does not apply: doc is missing key: ${path}: missing value`)
  }
  if (op === 'remove' && path === '') throw new PatchError(422, 'the document itself cannot be removed')
}

function missingPath(op: string, path: string): string {
  const text = op === 'add' || op === 'remove' ? JSON.stringify(path) : path
  return op === 'test'
    ? `testing value ${path} failed: test failed`
    : `${op} operation does not apply: doc is missing path: ${text}: missing value`
}

/** A test for null passes where there is nothing, as people use it to ask for absence. */
function isMissingAsExpected(root: Json, operation: Operation): boolean {
  return operation.op === 'test' && operation.value === null && find(root, operation.path).value === undefined
}

function run(document: { root: Json }, operation: Operation): void {
  if (operation.op === 'test') {
    // The library looks for the shortest way from one list to the other.
    if (sameJson(find(document.root, operation.path).value, operation.value)) return
    throw new PatchError(422, `testing value ${operation.path} failed: test failed`)
  }
  const shifted = 'from' in operation ? { ...operation, from: `/root${operation.from}` } : operation
  const [problem] = applyPatch(document, [{ ...shifted, path: `/root${operation.path}` }])
  if (!problem) return
  throw new PatchError(422, `${operation.op} operation does not apply: ${operation.path}: ${problem.message}`)
}

interface Place {
  readonly hasParent: boolean
  readonly key: string
  readonly value: Json | undefined
  /** The parent is an array that this key cannot point into. */
  readonly isBadIndex: boolean
}

function find(root: Json, pointer: string): Place {
  let parent: Json | undefined
  let value: Json | undefined = root
  let key = ''
  for (const token of tokensOf(pointer)) {
    parent = value
    key = token
    value = memberOf(parent, token)
  }
  if (pointer === '') return { hasParent: true, key, value, isBadIndex: false }
  const hasParent = isJsonArray(parent) || isJsonObject(parent)
  return { hasParent, key, value, isBadIndex: isJsonArray(parent) && !isIndex(key, parent.length) }
}

function memberOf(parent: Json | undefined, token: string): Json | undefined {
  if (isJsonArray(parent)) return /^(0|[1-9]\d*)$/.test(token) ? parent[Number(token)] : undefined
  return isJsonObject(parent) && Object.hasOwn(parent, token) ? parent[token] : undefined
}

function isIndex(key: string, length: number): boolean {
  return key === '-' || (/^(0|[1-9]\d*)$/.test(key) && Number(key) <= length)
}

function tokensOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** How much JSON text is copied. What is made by a patch must not be deeper than what may come in. */
function checkGrowth(root: Json, operation: Operation): number {
  const depth = tokensOf(operation.path).length
  if (!('from' in operation)) {
    if ('value' in operation) checkDepth(depth + depthOf(operation.value))
    return 0
  }
  if (operation.op === 'move' && depth <= tokensOf(operation.from).length) return 0
  const { value = null } = find(root, operation.from)
  checkDepth(depth + depthOf(value))
  return JSON.stringify(value).length
}

function checkDepth(depth: number): void {
  if (depth > DEEPEST) throw new PatchError(400, `The JSON patch makes an object that is nested deeper than ${DEEPEST}`)
}
