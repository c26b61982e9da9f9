import { type Static, Type } from 'typebox'
import { closed, list, optional, text } from './parts.ts'

/** Those of users and groups; the kernel and runtimes take no higher ones. */
const Id = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })
const Selinux = Type.Object(
  { user: optional(text()), role: optional(text()), type: optional(text()), level: optional(text()) },
  closed,
)

export const Profile = Type.Object(
  {
    type: Type.Union([Type.Literal('RuntimeDefault'), Type.Literal('Unconfined'), Type.Literal('Localhost')]),
    localhostProfile: optional(text()),
  },
  closed,
)
export type Profile = Static<typeof Profile>

const shared = {
  runAsUser: optional(Id),
  runAsGroup: optional(Id),
  runAsNonRoot: optional(Type.Boolean()),
  seLinuxOptions: optional(Selinux),
  seccompProfile: optional(Profile),
  appArmorProfile: optional(Profile),
}

export const PodSecurity = Type.Object(
  {
    ...shared,
    supplementalGroups: list(Id),
    supplementalGroupsPolicy: optional(Type.Literal('Merge')),
    fsGroup: optional(Id),
    fsGroupChangePolicy: optional(Type.Union([Type.Literal('Always'), Type.Literal('OnRootMismatch')])),
    sysctls: list(Type.Object({ name: text(), value: text() }, closed)),
  },
  { ...closed, default: {} },
)
export type PodSecurity = Static<typeof PodSecurity>

export const ContainerSecurity = Type.Object(
  {
    ...shared,
    privileged: optional(Type.Boolean()),
    allowPrivilegeEscalation: optional(Type.Boolean()),
    readOnlyRootFilesystem: optional(Type.Boolean()),
    procMount: optional(Type.Literal('Default')),
    capabilities: optional(Type.Object({ add: list(text()), drop: list(text()) }, closed)),
  },
  { ...closed, default: {} },
)
export type ContainerSecurity = Static<typeof ContainerSecurity>
