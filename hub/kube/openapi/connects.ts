import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition, SubresourceConnect } from '../resource.ts'
import { gvk } from './components.ts'
import { operationId, pathParameter, query, tag } from './operations.ts'

const container = query('container', 'Which container; the only one, where a pod has one.')
const streams = [
  container,
  query('stderr', 'Hear the standard error.', 'boolean'),
  query('stdin', 'Write to the standard input.', 'boolean'),
  query('stdout', 'Hear the standard output.', 'boolean'),
  query('tty', 'In a terminal.', 'boolean'),
]
const path = query('path', 'Path of the request that goes on.')

const OPTIONS: Readonly<Record<string, readonly JsonObject[]>> = {
  attach: streams,
  exec: [query('command', 'A word of the command; there is no shell.'), ...streams],
  log: [
    container,
    query('follow', 'Go on with what is written.', 'boolean'),
    query('insecureSkipTLSVerifyBackend', 'Take the certificate of the node as it is.', 'boolean'),
    query('limitBytes', 'About so many bytes.', 'integer'),
    query('previous', 'Of the container that ended last.', 'boolean'),
    query('sinceSeconds', 'Not older than that.', 'integer'),
    query('sinceTime', 'Not older than that (RFC 3339).'),
    query('stream', 'All, Stdout or Stderr.'),
    query('tailLines', 'So many lines from the end.', 'integer'),
    query('timestamps', 'Each line with its time.', 'boolean'),
  ],
  portforward: [query('ports', 'Ports of the pod.', 'integer')],
  proxy: [path],
}
const METHODS = {
  create: ['post'],
  delete: ['delete'],
  get: ['get', 'head', 'options'],
  patch: ['patch'],
  update: ['put'],
}
const UPGRADES = { create: ['post'], get: ['get'] }
const LOG_TYPES = ['text/plain', 'application/json', 'application/yaml']

/** `paths` of a subresource that leads elsewhere. */
export function connectPaths(
  definition: ResourceDefinition,
  connect: SubresourceConnect,
  base: string,
  shared: readonly JsonObject[],
): JsonObject {
  const { subresource } = connect
  const parameters = [...(OPTIONS[subresource] ?? []), ...shared]
  if (subresource === 'log') return { [base]: { get: log(definition), parameters } }
  const paths: Record<string, JsonObject> = { [base]: { ...operations(definition, connect, ''), parameters } }
  if (subresource !== 'proxy') return paths
  paths[`${base}/{path}`] = {
    ...operations(definition, connect, 'WithPath'),
    parameters: [...parameters, pathParameter('path')],
  }
  return paths
}

function operations(definition: ResourceDefinition, connect: SubresourceConnect, suffix: string): JsonObject {
  const { group, version } = definition
  const part = connect.subresource.charAt(0).toUpperCase() + connect.subresource.slice(1)
  const methods = Object.entries(connect.subresource === 'proxy' ? METHODS : UPGRADES).flatMap(([, names]) => names)
  return Object.fromEntries(
    methods.map((method): readonly [string, Json] => {
      const word = method.charAt(0).toUpperCase() + method.slice(1)
      return [
        method,
        {
          operationId: operationId(definition, 'connect', `${part}${suffix}`, word),
          tags: [tag(definition)],
          responses: text(['*/*']),
          'x-kubernetes-action': 'connect',
          'x-kubernetes-group-version-kind': gvk({ group, version, kind: connect.kind }),
        },
      ]
    }),
  )
}

function log(definition: ResourceDefinition): JsonObject {
  return {
    operationId: operationId(definition, 'read', 'Log'),
    tags: [tag(definition)],
    responses: text(LOG_TYPES),
    'x-kubernetes-action': 'get',
    'x-kubernetes-group-version-kind': gvk(definition),
  }
}

function text(types: readonly string[]): JsonObject {
  const schema = { type: 'string' }
  const content = Object.fromEntries(types.map((type): readonly [string, Json] => [type, { schema }]))
  return { '200': { description: 'OK', content }, '401': { description: 'Unauthorized' } }
}
