import { CLOUD_NAMESPACE } from '../../schemas/access/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import type { Values } from './part.ts'

export const NAME = 'skerry-cloud'
export const PORTS = {
  cloudhub: 10000,
  certificates: 10002,
  stream: 10003,
  tunnel: 10004,
  webhook: 8443,
  router: 9443,
  replicas: 9444,
  metrics: 9091,
} as const
/** One for each gateway with a tunnel; named so that a NetworkPolicy can name them. */
export const NODE_PORTS = { first: 20_000, last: 29_999 } as const
export const SELECTOR = { 'app.kubernetes.io/name': 'skerry', 'app.kubernetes.io/component': 'cloud' } as const

const CONFIG = 'skerry.dev/config'
const CONFIG_FOLDER = '/etc/skerry'
const VOLUME = '/var/lib/skerry'
/** Of its own making: to the folder of an emptyDir itself, everybody may write, and the product refuses that. */
const DATA = `${VOLUME}/cloud`
/** Of the image; any other that cannot be root would do. */
const USER = 65532

/**
 * The cloud half. Its configuration is an annotation of its pods that they see as a file: whatever changes it rolls them, and there
 * is no second object that could be left behind.
 */
export function deployment(values: Values): JsonObject {
  const pod: JsonObject = {
    serviceAccountName: NAME,
    automountServiceAccountToken: true,
    imagePullSecrets: values.of('image.pullSecrets'),
    priorityClassName: values.of('priorityClassName'),
    // The cloud half takes up to 30 s to stop cleanly.
    terminationGracePeriodSeconds: 40,
    securityContext: {
      ...{ runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    nodeSelector: values.of('nodeSelector'),
    tolerations: values.of('tolerations'),
    affinity: values.of('affinity'),
    topologySpreadConstraints: [
      {
        ...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
        labelSelector: { matchLabels: SELECTOR },
      },
    ],
    containers: [container(values)],
    volumes: [
      // Sockets, locks, and messages that edges keep too (256 MiB, hub/cloud/router); what lasts is in the API.
      { name: 'data', emptyDir: { sizeLimit: '512Mi' } },
      {
        name: 'config',
        downwardAPI: {
          // With the version that an API server puts in: two managers with the same items are not in conflict.
          items: [
            { path: 'cloud.yaml', fieldRef: { apiVersion: 'v1', fieldPath: `metadata.annotations['${CONFIG}']` } },
          ],
        },
      },
    ],
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME, namespace: CLOUD_NAMESPACE, labels: SELECTOR },
    spec: {
      replicas: values.of('replicas'),
      selector: { matchLabels: SELECTOR },
      template: { metadata: { labels: SELECTOR, annotations: { [CONFIG]: configuration(values) } }, spec: pod },
    },
  }
}

function container(values: Values): JsonObject {
  const probe = (path: string, more: JsonObject) => ({ httpGet: { path, port: 'metrics' }, ...more })
  return {
    name: 'cloud',
    image: `${values.bare('image.repository')}:${values.bare('image.tag')}`,
    imagePullPolicy: values.of('image.pullPolicy'),
    args: ['cloud', '--config', `${CONFIG_FOLDER}/cloud.yaml`],
    env: [
      { name: 'SKERRY_DATA', value: DATA },
      // Where API servers reach the kubelets of the gateways whose tunnels are in this pod, and other replicas this one.
      { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
    ],
    ports: Object.entries(PORTS).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    startupProbe: probe('/healthz', { periodSeconds: 2, failureThreshold: 60 }),
    livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    readinessProbe: probe('/readyz', { periodSeconds: 5, timeoutSeconds: 5 }),
    resources: values.of('resources'),
    securityContext: {
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, privileged: false },
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'data', mountPath: VOLUME },
      { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
    ],
  }
}

/** `cloud.yaml`. */
function configuration({ json, isSeveral }: Values): string {
  const cloudhub = ['advertise', 'nodeLimit', 'certificateDays', 'renewalGraceDays', 'keadmToken']
  return [
    'cloudhub:',
    `  host: ${json('listen')}`,
    `  port: ${PORTS.cloudhub}`,
    `  certificatePort: ${PORTS.certificates}`,
    ...cloudhub.map((name) => `  ${name}: ${json(`cloudhub.${name}`)}`),
    'cloudstream:',
    `  tunnelPort: ${PORTS.tunnel}`,
    '  kubelets:',
    `    host: ${json('listen')}`,
    `    port: ${PORTS.stream}`,
    `    nodePorts: ${NODE_PORTS.first}-${NODE_PORTS.last}`,
    'router:',
    `  host: ${json('listen')}`,
    `  port: ${PORTS.router}`,
    `  replicas: {enabled: ${isSeveral('replicas')}, port: ${PORTS.replicas}}`,
    'admission:',
    `  host: ${json('listen')}`,
    `  port: ${PORTS.webhook}`,
    `  service: {namespace: ${CLOUD_NAMESPACE}, name: ${NAME}-internal}`,
    'metrics:',
    `  host: ${json('listen')}`,
    `  port: ${PORTS.metrics}`,
    `devices: ${json('devices')}`,
    `log: {level: ${json('log.level')}, format: json}`,
    '',
  ].join('\n')
}
