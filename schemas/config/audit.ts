import { Type } from 'typebox'
import { strict } from './fields.ts'

export const AuditConfig = Type.Object(
  {
    log: Type.Union([Type.Literal('off'), Type.Literal('writes'), Type.Literal('all')], {
      default: 'writes',
      description:
        'writes: what people and programs change, or try to, without the reports that the cloud half writes for gateways. all: reads and those reports, too.',
    }),
    maxMegabytes: Type.Integer({
      default: 50,
      minimum: 1,
      maximum: 10_000,
      description: 'A file that has become so large is put aside.',
    }),
    keep: Type.Integer({
      default: 4,
      minimum: 1,
      maximum: 100,
      description: 'Files that are put aside; the oldest goes.',
    }),
  },
  {
    ...strict,
    default: {},
    description:
      'Who did what in the embedded Kubernetes API: lines of JSON (audit.k8s.io/v1 Event, level Metadata) in DIR/audit/kubernetes.log. What objects hold is never in it.',
  },
)
