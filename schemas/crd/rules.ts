import { AGE, defineCrd } from './definition.ts'
import { described, flag, int64, list, listMap, object, oneOf, root, text, texts } from './schema-parts.ts'

const group = 'rules.kubeedge.io'
const TIME = { type: 'string', format: 'date-time' }

/** KubeEdge has the first three. There is no subresource, as it has none: status is written with the object. */
const status = described(
  'What became of the messages and calls, written by the Router.',
  object({
    successMessages: described('Messages and calls that reached their target.', int64),
    failMessages: described('Those that did not, and are not tried again.', int64),
    errors: described('Why the last ones did not, the newest last.', list(text)),
    conditions: described(
      'Whether the rule is followed.',
      listMap(
        object(
          {
            type: described('Accepted: the rule is followed.', text),
            status: described('Whether it is.', oneOf('True', 'False', 'Unknown')),
            reason: described('Why, in one word for programs.', text),
            message: described('Why, and what to do about it, for people.', text),
            lastTransitionTime: described('When status last changed.', TIME),
          },
          ['type', 'status'],
        ),
        'type',
      ),
    ),
    deadLetters: described(
      'The last messages that were given up, the newest last.',
      list(
        object({
          time: described('When it was given up.', TIME),
          node: described('Where it came from.', text),
          topic: described('On which it was published, or the URL that was called.', text),
          id: described('Of the message, as the target got it.', text),
          reason: described('Why it was given up.', text),
          bytes: described('How long it is.', int64),
          payload: described('Its beginning, base64.', text),
          truncated: described('It is longer than what stands here.', flag),
        }),
      ),
    ),
  }),
)

const ruleSpec = object(
  {
    source: described('Name of the RuleEndpoint that messages come from, in the same namespace.', text),
    sourceResource: described(
      'What of the source is meant. rest: path, below which the Router is called. eventbus: topic and node_name. servicebus: target_url and node_name.',
      texts,
    ),
    target: described('Name of the RuleEndpoint that messages go to, in the same namespace.', text),
    targetResource: described(
      'What of the target is meant. rest: resource, a URL. eventbus: topic, and node_name unless the source says which. servicebus: path.',
      texts,
    ),
  },
  ['source', 'sourceResource', 'target', 'targetResource'],
)

const endpointSpec = object(
  {
    ruleEndpointType: described(
      'rest: HTTP in the cloud. eventbus: MQTT topics of nodes. servicebus: HTTP services of nodes.',
      oneOf('rest', 'eventbus', 'servicebus'),
    ),
    properties: described(
      'servicebus: service_port, the port of the HTTP service on the node. rest, as a target: ca, certificates as PEM that the server may have been signed by; allow_link_local, "true" for link-local addresses.',
      texts,
    ),
  },
  ['ruleEndpointType'],
)

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
      spec: described('Which messages go where.', ruleSpec),
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
        spec: described('What kind of place it is.', endpointSpec),
      }),
    },
  ],
)
