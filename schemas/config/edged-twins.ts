import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

const SharedTwins = Type.Object(
  {
    namespace: Type.String({
      pattern: '^([a-z0-9][-a-z0-9]*\\*?|\\*)$',
      description: 'Namespace of the pods; may end in `*`.',
    }),
    twins: Type.Array(Type.String({ pattern: '^([^/*+#]+\\*?|\\*)/([^/*+#]+\\*?|\\*)$' }), {
      minItems: 1,
      description: 'Twins of other namespaces, as `NAMESPACE/NAME`; both may end in `*`.',
    }),
    access: Type.Union([Type.Literal('read'), Type.Literal('write')], {
      default: 'read',
      description: 'read: hears and asks. write: also sets desired values and calls methods.',
    }),
  },
  strict,
)

/** `edged.twins`. */
export const EdgedTwinsConfig = Type.Object(
  {
    address: Type.String({
      default: '169.254.30.10',
      minLength: 1,
      description:
        'Address at which pods find this node: its broker, its local HTTP API and MetaServer. A link-local one (169.254.0.0/16) is added to this machine where it is not there; any other one has to be there.',
    }),
    shared: Type.Array(SharedTwins, {
      default: [],
      description: 'Which twins of other namespaces pods may use; those of its own namespace each pod may.',
    }),
  },
  { ...strict, default: {}, description: 'Pods that use twins, by their annotations twins.skerry.io/read and /write.' },
)
export type EdgedTwinsConfig = Static<typeof EdgedTwinsConfig>
