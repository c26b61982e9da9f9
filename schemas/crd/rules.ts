import { AGE, defineCrd } from './definition.ts'
import { int64, list, object, oneOf, root, text, texts } from './schema-parts.ts'

const group = 'rules.kubeedge.io'

export const ruleCrd = defineCrd({ group, scope: 'Namespaced', kind: 'Rule', plural: 'rules', singular: 'rule' }, [
  {
    name: 'v1',
    storage: true,
    columns: [
      { name: 'Source', type: 'string', jsonPath: '.spec.source' },
      { name: 'Target', type: 'string', jsonPath: '.spec.target' },
      { name: 'Delivered', type: 'integer', jsonPath: '.status.successMessages' },
      { name: 'Failed', type: 'integer', jsonPath: '.status.failMessages' },
      AGE,
    ],
    schema: root('Sends messages from one endpoint to another.', {
      spec: object({ source: text, sourceResource: texts, target: text, targetResource: texts }, [
        'source',
        'sourceResource',
        'target',
        'targetResource',
      ]),
      status: object({ successMessages: int64, failMessages: int64, errors: list(text) }),
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
