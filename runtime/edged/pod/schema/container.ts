import { type Static, Type } from 'typebox'
import { Hook, Probe } from './actions.ts'
import { Amount, closed, FieldReference, flag, foreign, list, optional, ResourceReference, text } from './parts.ts'
import { ContainerSecurity } from './security.ts'

const KeyOf = Type.Object({ name: text(''), key: text(), optional: flag(false) }, closed)
const AllOf = Type.Object({ name: text(''), optional: flag(false) }, closed)

export const EnvVar = Type.Object(
  {
    name: text(),
    value: optional(text()),
    valueFrom: optional(
      Type.Object(
        {
          fieldRef: optional(FieldReference),
          resourceFieldRef: optional(ResourceReference),
          configMapKeyRef: optional(KeyOf),
          secretKeyRef: optional(KeyOf),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type EnvVar = Static<typeof EnvVar>

export const EnvFrom = Type.Object(
  { prefix: text(''), configMapRef: optional(AllOf), secretRef: optional(AllOf) },
  closed,
)
export type EnvFrom = Static<typeof EnvFrom>

export const ContainerPort = Type.Object(
  {
    name: optional(text()),
    containerPort: Type.Integer({ minimum: 1, maximum: 65535 }),
    hostPort: optional(Type.Integer({ minimum: 0, maximum: 65535 })),
    hostIP: optional(text()),
    protocol: Type.Union([Type.Literal('TCP'), Type.Literal('UDP'), Type.Literal('SCTP')], { default: 'TCP' }),
  },
  closed,
)
export type ContainerPort = Static<typeof ContainerPort>

export const VolumeMount = Type.Object(
  {
    name: text(),
    mountPath: text(),
    readOnly: flag(false),
    recursiveReadOnly: optional(Type.Literal('Disabled')),
    subPath: text(''),
    subPathExpr: text(''),
    mountPropagation: Type.Union(
      [Type.Literal('None'), Type.Literal('HostToContainer'), Type.Literal('Bidirectional')],
      { default: 'None' },
    ),
  },
  closed,
)
export type VolumeMount = Static<typeof VolumeMount>

const Amounts = Type.Record(Type.String(), Amount, { default: {} })
export const Resources = Type.Object({ limits: Amounts, requests: Amounts }, { ...closed, default: {} })
export type Resources = Static<typeof Resources>

export const Container = Type.Object(
  {
    name: text(),
    image: text(),
    imagePullPolicy: optional(
      Type.Union([Type.Literal('Always'), Type.Literal('IfNotPresent'), Type.Literal('Never')]),
    ),
    command: list(text()),
    args: list(text()),
    workingDir: optional(text()),
    env: list(EnvVar),
    envFrom: list(EnvFrom),
    ports: list(ContainerPort),
    resources: Resources,
    resizePolicy: foreign,
    volumeMounts: list(VolumeMount),
    lifecycle: Type.Object({ postStart: optional(Hook), preStop: optional(Hook) }, { ...closed, default: {} }),
    livenessProbe: optional(Probe),
    readinessProbe: optional(Probe),
    startupProbe: optional(Probe),
    securityContext: ContainerSecurity,
    terminationMessagePath: text('/dev/termination-log'),
    terminationMessagePolicy: Type.Union([Type.Literal('File'), Type.Literal('FallbackToLogsOnError')], {
      default: 'File',
    }),
    stdin: flag(false),
    stdinOnce: flag(false),
    tty: flag(false),
    /** Of init containers: with `Always` it runs beside the containers after it. */
    restartPolicy: optional(Type.Literal('Always')),
  },
  closed,
)
export type Container = Static<typeof Container>
