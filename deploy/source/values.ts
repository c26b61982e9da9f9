import type { Json, JsonObject } from '../../schemas/index.ts'

/** One setting of the chart: its default, and what may be given instead. */
export interface Setting {
  readonly default: Json
  /** JSON Schema of what may be given. */
  readonly schema: JsonObject
  readonly what: string
}

export type Settings = { readonly [name: string]: Setting | Settings }

const text = { type: 'string' }
const texts = { type: 'array', items: { type: 'string', minLength: 1 } }
const object = { type: 'object' }
const objects = { type: 'array', items: object }
const textMap = { type: 'object', additionalProperties: text }
const truth = { type: 'boolean' }
const count = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum })
const setting = (what: string, fallback: Json, schema: JsonObject): Setting => ({
  what,
  default: fallback,
  schema,
})

/** Everything that an operator may set; `values.yaml`, its schema and the plain manifests are made from it. */
export const SETTINGS = {
  image: {
    repository: setting('Where the image is: the one that you built and pushed.', 'skerry', {
      ...text,
      pattern: '^[a-z0-9][A-Za-z0-9._:/-]*$',
    }),
    tag: setting('Its tag.', 'latest', { ...text, pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$' }),
    pullPolicy: setting('When it is pulled.', 'IfNotPresent', { enum: ['Always', 'IfNotPresent', 'Never'] }),
    pullSecrets: setting('Secrets for a private registry: [{name: ...}].', [], objects),
  },
  replicas: setting('Cloud halves that run at a time. Each serves any gateway.', 2, count(1, 20)),
  cloudhub: {
    advertise: setting(
      'Names and addresses that gateways dial. They stand in the serving certificate; the first goes into join tokens.',
      ['skerry-cloud.kubeedge.svc'],
      { ...texts, minItems: 1 },
    ),
    nodeLimit: setting('Most gateways connected to one replica.', 1000, count(1, 1_000_000)),
    certificateDays: setting('Lifetime of certificates of gateways.', 365, count(1, 36_500)),
    renewalGraceDays: setting(
      'So many days after its end a gateway may still renew its certificate.',
      30,
      count(0, 36_500),
    ),
    keadmToken: setting('Keep a join token for any node where "keadm gettoken" reads it.', false, truth),
  },
  devices: setting(
    'Section "devices" of the configuration: what states of devices may cost the API server.',
    { copiesPerSecond: 50, writesPerSecond: 150 },
    object,
  ),
  log: { level: setting('Least severe level that is written.', 'info', { enum: ['debug', 'info', 'warn', 'error'] }) },
  listen: setting('Address on which the pods listen; "::" where pods have IPv6 alone.', '0.0.0.0', {
    ...text,
    minLength: 2,
  }),
  workloads: {
    allNamespaces: setting(
      'Pods of gateways may use Secrets, ConfigMaps and service accounts of every namespace; then the cloud half can read all Secrets.',
      false,
      truth,
    ),
    namespaces: setting('Otherwise: namespaces that have to exist, and whose pods may.', ['default'], texts),
  },
  service: {
    type: setting('How gateways reach the cluster.', 'LoadBalancer', {
      enum: ['ClusterIP', 'LoadBalancer', 'NodePort'],
    }),
    annotations: setting('For the load balancer.', {}, textMap),
  },
  metrics: {
    annotations: setting(
      'Of the Service whose port "metrics" serves /metrics.',
      { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9091' },
      textMap,
    ),
  },
  networkPolicy: {
    enabled: setting('Let pods be reached at their ports alone.', true, truth),
    metricsFrom: setting(
      'Who may read metrics: peers of a NetworkPolicy. An empty list is everybody.',
      [{ namespaceSelector: {} }],
      objects,
    ),
    egress: setting(
      'What the pods may reach: the Kubernetes API and DNS.',
      [
        { ports: [443, 6443].map((port) => ({ port, protocol: 'TCP' })) },
        { ports: ['UDP', 'TCP'].map((protocol) => ({ port: 53, protocol })) },
      ],
      objects,
    ),
  },
  podDisruptionBudget: {
    enabled: setting('Let drains take one pod at a time.', true, truth),
  },
  crds: {
    install: setting('Install and upgrade the custom resource definitions; they stay after an uninstall.', true, truth),
  },
  resources: setting(
    'Of the container.',
    { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    object,
  ),
  nodeSelector: setting('Where the pods run.', { 'kubernetes.io/os': 'linux' }, textMap),
  tolerations: setting('Taints that they bear.', [], objects),
  affinity: setting(
    'Never on gateways.',
    {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'node-role.kubernetes.io/edge', operator: 'DoesNotExist' }] },
          ],
        },
      },
    },
    object,
  ),
  priorityClassName: setting('Of the pods; "" for the default.', '', text),
} as const satisfies Settings

/** `values.yaml`, with what each setting is for. */
export function valuesYaml(settings: Settings = SETTINGS, indent = ''): string {
  return Object.entries(settings)
    .map(([name, entry]) =>
      isSetting(entry)
        ? `${indent}# ${entry.what}\n${indent}${name}: ${JSON.stringify(entry.default)}\n`
        : `${indent}${name}:\n${valuesYaml(entry, `${indent}  `)}`,
    )
    .join('')
}

/** `values.schema.json`: helm refuses what is misspelt. */
export function valuesSchema(): JsonObject {
  const { properties, ...schema } = schemaOf(SETTINGS)
  // Helm hands it to charts that others depend on.
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...schema,
    properties: { ...properties, global: object },
  }
}

function schemaOf(settings: Settings): JsonObject & { readonly properties: JsonObject } {
  const properties: Record<string, JsonObject> = {}
  for (const [name, entry] of Object.entries(settings))
    properties[name] = isSetting(entry) ? { description: entry.what, ...entry.schema } : schemaOf(entry)
  return { type: 'object', additionalProperties: false, properties }
}

export function isSetting(entry: Setting | Settings): entry is Setting {
  return 'schema' in entry && 'default' in entry
}
