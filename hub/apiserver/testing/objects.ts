import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import type { ApiObject } from '../../kube/resource.ts'
import { type Ask, ask, open, type Reply } from './request.ts'
import type { ServedApi } from './serve.ts'

export const MAPS = '/api/v1/namespaces/default/configmaps'
export const WIDGETS = '/apis/acme.io/v1/namespaces/default/widgets'

export function configMap(name: string, more: { readonly [key: string]: unknown } = {}, data = { key: 'value' }) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more }, data }
}

export function widget(name: string, spec: { readonly [key: string]: unknown } = { size: 1 }) {
  return { apiVersion: 'acme.io/v1', kind: 'Widget', metadata: { name }, spec }
}

/** A kind that somebody else brought: two versions, a status, a default and bounds. */
export const WIDGET_CRD: ApiObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.acme.io' },
  spec: {
    group: 'acme.io',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wg'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Color', type: 'string', jsonPath: '.spec.color', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 10 },
                  color: { type: 'string', default: 'red' },
                },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
      {
        name: 'v1beta1',
        served: true,
        storage: false,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

/** The value at a path of keys and indices of anything. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value
  for (const step of path) here = typeof here === 'object' && here !== null ? Reflect.get(here, step) : undefined
  return here
}

/** A request that has to succeed. */
export async function done(api: Pick<ServedApi, 'url' | 'pki'>, options: Ask): Promise<unknown> {
  const { status, json, text } = await ask(api, options)
  assert.ok(status < 300, `${options.method ?? 'GET'} ${options.path}: ${status} ${text}`)
  return json
}

/** A request that has to be refused with this code and reason. */
export async function refused(api: ServedApi, options: Ask, code: number, reason: string): Promise<Reply> {
  const reply = await ask(api, options)
  assert.deepEqual(
    [reply.status, at(reply.json, 'kind'), at(reply.json, 'reason')],
    [code, 'Status', reason],
    reply.text,
  )
  return reply
}

export interface Watched {
  readonly type: string
  readonly object: unknown
}

/** The events of a watch, one by one. Disposing ends it. */
export interface Watching extends Disposable {
  next(): Promise<Watched>
  /** The next events, as `TYPE name`. */
  take(count: number): Promise<readonly string[]>
  /** Settles when the server ended the watch. */
  readonly ended: Promise<void>
}

export async function watch(
  api: Pick<ServedApi, 'url' | 'pki'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Watching> {
  const response = await open(api, { path, headers })
  assert.equal(response.statusCode, 200)
  const lines = createInterface({ input: response })[Symbol.asyncIterator]()
  const next = async (): Promise<Watched> => {
    const { value, done: isOver } = await lines.next()
    assert.ok(!isOver, 'the watch ended')
    const event: unknown = JSON.parse(String(value))
    return { type: String(at(event, 'type')), object: at(event, 'object') }
  }
  return {
    next,
    async take(count) {
      const seen: string[] = []
      while (seen.length < count) {
        const { type, object } = await next()
        seen.push(`${type} ${String(at(object, 'metadata', 'name'))}`)
      }
      return seen
    },
    ended: endOf(response),
    [Symbol.dispose]: () => void response.destroy(),
  }
}

/** Waits until an object is gone or as wanted, by watching it. */
export async function until(
  api: Pick<ServedApi, 'url' | 'pki'>,
  path: string,
  isWanted: (object: unknown) => boolean,
): Promise<unknown> {
  const [collection = '', name = ''] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  using watching = await watch(api, `${collection}?watch=true&fieldSelector=metadata.name%3D${name}&timeoutSeconds=20`)
  for (;;) {
    const { type, object } = await watching.next()
    if (isWanted(type === 'DELETED' ? undefined : object)) return object
  }
}

/** Waits until an object is gone. */
export async function gone(api: ServedApi, path: string): Promise<void> {
  const [collection = '', name = ''] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  const list = await done(api, { path: collection })
  const items = at(list, 'items')
  if (!Array.isArray(items) || !items.some((item) => at(item, 'metadata', 'name') === name)) return
  const version = String(at(list, 'metadata', 'resourceVersion'))
  const query = `watch=true&fieldSelector=metadata.name%3D${name}&timeoutSeconds=20&resourceVersion=${version}`
  using watching = await watch(api, `${collection}?${query}`)
  while ((await watching.next()).type !== 'DELETED');
}

function endOf(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => response.once('close', resolve))
}
