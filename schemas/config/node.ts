import { Type } from 'typebox'
import { strict } from './fields.ts'

/** Kubernetes' rules of labels: an optional prefix with a slash, then a name; values may be empty. */
const LABEL_KEY = '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'
const LABEL_VALUE = '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'
const labelValue = Type.String({ pattern: LABEL_VALUE, maxLength: 63 })

const percent = (fallback: number, description: string) =>
  Type.Number({ default: fallback, minimum: 0, maximum: 100, description })

const NodeTaint = Type.Object(
  {
    key: Type.String({ pattern: LABEL_KEY, description: 'Such as example.com/harbour.' }),
    value: Type.Optional(Type.String({ pattern: LABEL_VALUE, maxLength: 63, description: 'Value of the taint.' })),
    effect: Type.Union([Type.Literal('NoSchedule'), Type.Literal('PreferNoSchedule'), Type.Literal('NoExecute')], {
      description: 'What it does to pods that do not tolerate it.',
    }),
  },
  strict,
)

/** `node` of `skerry edge`. */
export const NodeConfig = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 253,
      pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
      description:
        'Name of this node, as in spec.nodeName of its devices: lower-case letters, digits, dots and hyphens.',
    }),
    labels: Type.Record(Type.String({ pattern: LABEL_KEY }), labelValue, {
      default: {},
      description: 'Labels of the Node, beside its own; set at each connection.',
    }),
    taints: Type.Array(NodeTaint, {
      default: [],
      description: 'Taints that the Node is made with; on a Node that exists they are changed with kubectl.',
    }),
    address: Type.Optional(
      Type.String({ minLength: 1, description: 'InternalIP of the Node. Default: the first address of this machine.' }),
    ),
    leaseSeconds: Type.Integer({
      default: 40,
      minimum: 4,
      maximum: 3600,
      description:
        'Duration of the Lease by which a cluster knows that this node lives. Four times in that it is renewed, and the node looks at itself.',
    }),
    pressure: Type.Object(
      {
        memoryBytes: Type.Integer({
          default: 104_857_600,
          minimum: 0,
          description: 'MemoryPressure below so many available bytes.',
        }),
        diskPercent: percent(10, 'DiskPressure below this part of the disk of the data directory.'),
        inodePercent: percent(5, 'DiskPressure below this part of its inodes.'),
        pidPercent: percent(10, 'PIDPressure below this part of the process ids.'),
      },
      { ...strict, default: {}, description: 'When the conditions of pressure turn True. 0 turns one off.' },
    ),
  },
  { ...strict, description: 'This gateway.' },
)
