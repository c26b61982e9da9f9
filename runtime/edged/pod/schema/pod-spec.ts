import { type Static, Type } from 'typebox'
import { Container } from './container.ts'
import { closed, count, flag, foreign, list, optional, text } from './parts.ts'
import { PodSecurity } from './security.ts'
import { Volume } from './volume.ts'

const DnsOption = Type.Object({ name: text(), value: optional(text()) }, closed)
const DnsConfig = Type.Object(
  { nameservers: list(text()), searches: list(text()), options: list(DnsOption) },
  { ...closed, default: {} },
)

/** The fields of a PodSpec of Kubernetes that this node acts upon, and those that are somebody else's. */
export const PodSpec = Type.Object(
  {
    initContainers: list(Container),
    containers: Type.Array(Container, { minItems: 1 }),
    /** Added to running pods by `kubectl debug`. Not run, which their status says. */
    ephemeralContainers: foreign,
    volumes: list(Volume),
    restartPolicy: Type.Union([Type.Literal('Always'), Type.Literal('OnFailure'), Type.Literal('Never')], {
      default: 'Always',
    }),
    terminationGracePeriodSeconds: count(30),
    activeDeadlineSeconds: optional(Type.Integer({ minimum: 1 })),
    hostNetwork: flag(false),
    hostPID: flag(false),
    hostIPC: flag(false),
    shareProcessNamespace: flag(false),
    hostUsers: optional(Type.Literal(true)),
    hostname: optional(text()),
    subdomain: optional(text()),
    setHostnameAsFQDN: flag(false),
    hostAliases: list(Type.Object({ ip: text(), hostnames: list(text()) }, closed)),
    dnsPolicy: Type.Union(
      [
        Type.Literal('ClusterFirst'),
        Type.Literal('ClusterFirstWithHostNet'),
        Type.Literal('Default'),
        Type.Literal('None'),
      ],
      { default: 'ClusterFirst' },
    ),
    dnsConfig: DnsConfig,
    securityContext: PodSecurity,
    serviceAccountName: text('default'),
    serviceAccount: foreign,
    automountServiceAccountToken: foreign,
    imagePullSecrets: list(Type.Object({ name: text('') }, closed)),
    runtimeClassName: optional(text()),
    readinessGates: list(Type.Object({ conditionType: text() }, closed)),
    os: optional(Type.Object({ name: Type.Literal('linux') }, closed)),
    enableServiceLinks: foreign,
    nodeName: text(''),
    nodeSelector: foreign,
    affinity: foreign,
    tolerations: foreign,
    topologySpreadConstraints: foreign,
    schedulerName: foreign,
    schedulingGates: foreign,
    priority: foreign,
    priorityClassName: foreign,
    preemptionPolicy: foreign,
  },
  closed,
)
export type PodSpec = Static<typeof PodSpec>
