import { AGE, defineCrd } from './definition.ts'
import { described, flag, int64, list, listMap, object, oneOf, root, text, texts } from './schema-parts.ts'

const group = 'rules.kubeedge.io'

/** KubeEdge has the first three. There is no subresource, as it has none: status is written with the object. */
const status = object({
  successMessages: described('Messages and calls that reached their target.', int64),
  failMessages: described('Those that did not, and are not tried again.', int64),
  errors: described('Why the last ones did not, the newest last.', list(text)),
  conditions: listMap(
    object(
      {
        type: described('Accepted: the rule is followed.', text),
        status: oneOf('True', 'False', 'Unknown'),
        reason: text,
        message: text,
        lastTransitionTime: { type: 'string', format: 'date-time' },
      },
      ['type', 'status'],
    ),
    'type',
  ),
  deadLetters: described(
    'The last messages that were given up, the newest last.',
    list(
      object({
        time: { type: 'string', format: 'date-time' },
        node: described('Where it came from.', text),
        topic: described('On which it was published, or the URL that was called.', text),
        id: described('Of the message, as the target got it.', text),
        reason: text,
        bytes: described('How long it is.', int64),
        payload: described('Its beginning, base64.', text),
        truncated: described('It is longer than what stands here.', flag),
      }),
    ),
  ),
})

export const ruleCrd = defineCrd({ group, scope: 'Namespaced', kind: 'Rule', plural: 'rules', singular: 'rule' }, [
  {
    name: 'v1',
    storage: true,
    columns: [
      { name: 'Source', type: 'string', jsonPath: '.spec.source' },
      { name: 'Target', type: 'string', jsonPath: '.spec.target' },
      { name: 'Delivered', type: 'integer', jsonPath: '.status.successMessages' },
      { name: 'Failed', type: 'integer', jsonPath: '.status.failMessages' },
      { name: 'Accepted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Accepted")].status' },
      {
        name: 'Reason',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Accepted")].reason',
        priority: 1,
      },
      AGE,
    ],
    schema: root('Sends messages from one endpoint to another.', {
      spec: object({ source: text, sourceResource: texts, target: text, targetResource: texts }, [
        'source',
        'sourceResource',
        'target',
        'targetResource',
      ]),
      status,
    }),
  },
])

export const ruleEndpointCrd = defineCrd(
  {
    group,
    scope: 'Namespaced',
    kind: 'RuleEndpoint',
    plural: 'ruleendpoints',
    singular: 'ruleendpoint',
    shortNames: ['re'],
  },
  [
    {
      name: 'v1',
      storage: true,
      columns: [{ name: 'Type', type: 'string', jsonPath: '.spec.ruleEndpointType' }, AGE],
      schema: root('A place where messages come from or go to.', {
        spec: object({ ruleEndpointType: oneOf('rest', 'eventbus', 'servicebus'), properties: texts }, [
          'ruleEndpointType',
        ]),
      }),
    },
  ],
)
