import { type Static, Type } from 'typebox'
import { type ConfigSchema, configSchema } from '../contract/index.ts'
import { NUMBER_TYPES } from '../payload/index.ts'
import { refuseSecret } from './config.ts'

const BinaryType = Type.Union(
  [...NUMBER_TYPES, 'text', 'bytes'].map((type) => Type.Literal(type)),
  { description: 'What stands there.' },
)

const template = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))
const pointer = (description: string) => Type.Optional(Type.String({ description }))

const Binary = Type.Object(
  {
    offset: Type.Integer({ default: 0, minimum: 0, maximum: 1_048_576, description: 'First byte, counted from 0.' }),
    type: BinaryType,
    length: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Bytes of text and bytes. Default: all that follow.' }),
    ),
    littleEndian: Type.Boolean({ default: false, description: 'The lowest byte comes first.' }),
  },
  { description: 'The value is binary.' },
)

const Ack = Type.Object(
  {
    by: Type.Union([Type.Literal('state'), Type.Literal('answer'), Type.Literal('response'), Type.Literal('none')], {
      description:
        'state: the state topic shows the new value. answer: a message on topic. response: an MQTT 5 response to this command. none: the receipt of the broker is enough.',
    }),
    topic: template('Topic of answers. With response: the response topic; default: one of this client.'),
    correlation: pointer(
      'JSON pointer in an answer to what {id} in the command was; other answers are not for this command.',
    ),
    pointer: pointer('JSON pointer to the word of an answer. Default: the whole payload.'),
    ok: Type.Optional(Type.Array(Type.String(), { description: 'Words for: done. Any other word is a failure.' })),
    error: Type.Optional(
      Type.Array(Type.String(), { description: 'Words for: failed; * stands for any characters. They win over ok.' }),
    ),
    errorPointer: pointer('JSON pointer to the reason of a failure. Where something stands there, the command failed.'),
    timeout: Type.Optional(
      Type.Integer({
        minimum: 50,
        maximum: 60_000,
        description: 'Milliseconds to wait. Default: timeout of the device.',
      }),
    ),
  },
  { description: 'How the device says that it did what it was told. Default: by state, where topic is given.' },
)

/** Where the value of one property is in what the device publishes, and how it is set. */
const Visitor = Type.Object(
  {
    topic: template(
      'Topic filter on which the device publishes the value. Placeholders: {device}, {namespace}, {property}, {base} and the variables of the device.',
    ),
    qos: Type.Integer({ default: 1, minimum: 0, maximum: 2, description: 'QoS of subscriptions and commands.' }),
    pointer: pointer('JSON pointer to the value, e.g. /ENERGY/Power. Default: the whole payload.'),
    between: Type.Optional(
      Type.Object(
        {
          start: Type.String({ default: '', description: 'Text just before the value.' }),
          end: Type.String({ default: '', description: 'Text just after it.' }),
        },
        { description: 'The value is the text between two others.' },
      ),
    ),
    separator: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'The value is one of several, with this text between them; see index.',
      }),
    ),
    index: Type.Integer({ default: 0, minimum: 0, maximum: 100_000, description: 'Which of them, counted from 0.' }),
    binary: Type.Optional(Binary),
    match: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description:
          'Words of the device and the values that they stand for, e.g. {"ON": "true", "OFF": "false"}. Commands use it the other way round.',
      }),
    ),
    time: pointer('JSON pointer to the time of the value.'),
    timeFormat: Type.Union([Type.Literal('auto'), Type.Literal('iso'), Type.Literal('s'), Type.Literal('ms')], {
      default: 'auto',
      description:
        'How the time is written. auto: ISO 8601 text (UTC without a zone); numbers from 100000000000 are milliseconds, smaller ones seconds.',
    }),
    retained: Type.Union([Type.Literal('accept'), Type.Literal('uncertain'), Type.Literal('ignore')], {
      default: 'accept',
      description:
        'What a message is worth that the broker had kept: as good as any, of uncertain quality, or nothing.',
    }),
    maxAge: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Milliseconds after which a value is uncertain when it arrives, by its own time; a kept one without a time is uncertain.',
      }),
    ),
    commandTopic: template('Topic on which the device takes commands; placeholders as in topic.'),
    commandPayload: Type.String({
      default: '{value}',
      description:
        'What is published. {value} is the text, {value:json} a JSON value, {value:number} a number, {id} an id of this command, {time}, {time:s} and {time:ms} the time; other placeholders as in topic.',
    }),
    commandRetain: Type.Boolean({
      default: false,
      description: 'The broker keeps the command for a device that is away.',
    }),
    ack: Type.Optional(Ack),
    getTopic: template('Topic on which the device takes questions for the value; it answers on topic.'),
    getPayload: Type.String({
      default: '',
      description: 'Payload of a question; placeholders as in commandPayload, but {value}.',
    }),
    poll: Type.Boolean({
      default: false,
      description:
        'Ask each collectCycle. Default: the device is asked at the start, when it comes back, and as often as a time to live needs.',
    }),
    missing: Type.Union([Type.Literal('fail'), Type.Literal('ignore')], {
      default: 'fail',
      description:
        'What a message means that has nothing at pointer: the value cannot be read, or it is about something else.',
    }),
  },
  { title: 'mqtt visitor', description: 'How a property of an MQTT device is reached.' },
)
export type VisitorConfig = Static<typeof Visitor>
export type AckConfig = Static<typeof Ack>

const schema = configSchema(Visitor, {
  aliases: {
    topic: ['stateTopic', 'subTopic', 'subscribeTopic'],
    pointer: ['jsonPointer', 'path'],
    commandTopic: ['setTopic', 'pubTopic', 'publishTopic'],
    commandPayload: ['setPayload', 'payload'],
    commandRetain: ['retain', 'retained_command'],
  },
})

export const visitorConfig: ConfigSchema<VisitorConfig> = {
  jsonSchema: schema.jsonSchema,
  parse(input) {
    const secret = refuseSecret(input)
    return secret ? { ok: false, issues: [secret] } : schema.parse(input)
  },
}
