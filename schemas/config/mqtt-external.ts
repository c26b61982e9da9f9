import { Type } from 'typebox'
import { strict } from './fields.ts'

const file = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))
const clientId = (kind: 'sub' | 'pub') =>
  Type.String({
    default: '',
    maxLength: 65_535,
    description: `Client id of the connection that ${kind === 'sub' ? 'subscribes' : 'publishes'}. Empty: hub-client-${kind}-<10 digits>.`,
  })

/** The external MQTT broker, in modes `external` and `both`. */
export const ExternalMqttConfig = Type.Object(
  {
    url: Type.String({
      default: 'mqtt://127.0.0.1:1883',
      pattern: '^(mqtt|tcp|mqtts|ssl)://[^/@?#\\s]+/?$',
      description: 'Address of the broker: mqtt:// or tcp:// plain (1883), mqtts:// or ssl:// with TLS (8883).',
    }),
    username: Type.Optional(Type.String({ minLength: 1, description: 'User at the broker.' })),
    passwordFile: file('File with the password, read at each connection; a newline at its end does not count.'),
    subscribeClientId: clientId('sub'),
    publishClientId: clientId('pub'),
    ca: file('CA certificate of the broker, PEM. Default: the CAs that Node.js trusts.'),
    certificate: file('Client certificate for the broker, PEM.'),
    key: file('Key of the client certificate, PEM.'),
    insecureSkipVerify: Type.Boolean({
      default: false,
      description:
        'Do not check the certificate of the broker. Anybody in between can then read and change everything.',
    }),
    plainView: Type.Boolean({
      default: true,
      description: 'Keep the plain values of devices on this broker too, as retained messages.',
    }),
  },
  { ...strict, default: {}, description: 'The external MQTT broker, for mode external and both.' },
)
