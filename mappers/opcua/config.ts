import { type Static, Type } from 'typebox'
import { configSchema } from '../contract/index.ts'
import { parseBrowsePath, parseNodeId } from './address.ts'

export const SECURITY_MODES = ['None', 'Sign', 'SignAndEncrypt'] as const
export type SecurityMode = (typeof SECURITY_MODES)[number]

/** Weakest first. */
export const SECURITY_POLICIES = ['None', 'Aes128_Sha256_RsaOaep', 'Basic256Sha256', 'Aes256_Sha256_RsaPss'] as const
export type SecurityPolicyName = (typeof SECURITY_POLICIES)[number]

const MODES_OR_AUTO = ['auto', ...SECURITY_MODES] as const
const POLICIES_OR_AUTO = ['auto', ...SECURITY_POLICIES] as const

const file = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))
const milliseconds = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, maximum, description })

/** One OPC UA server, and who we are to it. */
export const DeviceConfig = Type.Object(
  {
    url: Type.String({
      pattern: '^opc\\.tcp://[^/\\s]+(/\\S*)?$',
      description: 'Endpoint of the server, e.g. opc.tcp://plc:4840.',
    }),
    root: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Where the browse paths of this device begin, so that devices of one type share their visitors: a path from the folder Objects, e.g. /2:Boiler1, or a node id. Default: Objects.',
      }),
    ),
    securityMode: Type.Union(
      MODES_OR_AUTO.map((mode) => Type.Literal(mode)),
      {
        default: 'auto',
        description:
          'How messages are protected. auto: the strongest that the server offers, but never None, which has to be asked for.',
      },
    ),
    securityPolicy: Type.Union(
      POLICIES_OR_AUTO.map((policy) => Type.Literal(policy)),
      {
        default: 'auto',
        description: 'Algorithms that protect messages. auto: the strongest that the server offers, but never None.',
      },
    ),
    trust: Type.Union([Type.Literal('pinned'), Type.Literal('first-use'), Type.Literal('any')], {
      default: 'pinned',
      description:
        'Which certificate of the server is accepted. pinned: one that somebody has trusted. first-use: the first that the server shows, and from then on no other. any: every one, which protects against nobody in between.',
    }),
    fingerprint: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$',
        description:
          'SHA-256 fingerprint of the certificate of the server. Only this one is accepted, and needs no other trust.',
      }),
    ),
    checkHost: Type.Boolean({
      default: true,
      description: 'The certificate of the server has to name the host of the url.',
    }),
    acceptExpired: Type.Boolean({
      default: false,
      description: 'A trusted certificate of the server may be outside its period of validity.',
    }),
    username: Type.Optional(Type.String({ minLength: 1, description: 'Name of the user. Default: anonymous.' })),
    passwordFile: file(
      'File on the gateway with the password of the user, from / on, mode 0600, read at each connection.',
    ),
    plainPassword: Type.Boolean({
      default: false,
      description: 'The password may travel without encryption, where the server takes it in no other way.',
    }),
    userCertificateFile: file(
      'File with the certificate (PEM or DER) by which the user is known, instead of a password.',
    ),
    userPrivateKeyFile: file('File with the private key (PEM) of userCertificateFile.'),
    certificateFile: file(
      'File with the certificate (PEM or DER) of Skerry as an application. Default: one that Skerry makes for itself.',
    ),
    privateKeyFile: file('File with the private key (PEM) of certificateFile.'),
    applicationUri: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Name of Skerry as an application, a URI; goes into the certificate that Skerry makes. Default: urn:HOST:skerry.',
      }),
    ),
    applicationName: Type.String({
      default: 'Skerry',
      minLength: 1,
      description: 'Name that the server shows for its client.',
    }),
    timeout: milliseconds(
      5000,
      100,
      120_000,
      'Milliseconds within which the server has to answer a request; after them its devices are offline.',
    ),
    sessionTimeout: milliseconds(
      60_000,
      10_000,
      3_600_000,
      'Milliseconds for which the server is asked to keep a session that it hears nothing of.',
    ),
    subscribe: Type.Boolean({
      default: true,
      description: 'The server reports changes. false: values are read every samplingInterval instead.',
    }),
    publishingInterval: milliseconds(500, 10, 3_600_000, 'Milliseconds between two reports of the server.'),
    samplingInterval: milliseconds(
      500,
      0,
      3_600_000,
      'Milliseconds between two looks of the server at a value; 0 is as fast as it can.',
    ),
    queueSize: Type.Integer({
      default: 10,
      minimum: 1,
      maximum: 10_000,
      description: 'Changes of one value that the server keeps between two reports; the oldest is lost first.',
    }),
    keepAlive: milliseconds(
      5000,
      100,
      3_600_000,
      'Milliseconds after which the server reports that it is there although nothing changed. A server that misses one by more than the timeout is offline.',
    ),
    history: Type.Boolean({
      default: true,
      description: 'After an outage, what the server recorded meanwhile is read where it records anything.',
    }),
    historyLimit: Type.Integer({
      default: 10_000,
      minimum: 1,
      maximum: 1_000_000,
      description: 'Recorded values of one property that are read after an outage at most; the oldest come first.',
    }),
  },
  { title: 'opcua device', description: 'How an OPC UA server is reached.' },
)
export type DeviceConfig = Static<typeof DeviceConfig>

/** Attributes that hold something a property can be, by their number in OPC UA part 6, annex A. */
export const ATTRIBUTES = {
  NodeId: 1,
  NodeClass: 2,
  BrowseName: 3,
  DisplayName: 4,
  Description: 5,
  Value: 13,
  DataType: 14,
  ValueRank: 15,
  AccessLevel: 17,
  UserAccessLevel: 18,
  MinimumSamplingInterval: 19,
  Historizing: 20,
  Executable: 21,
  UserExecutable: 22,
} as const
export type AttributeName = keyof typeof ATTRIBUTES

const attributeNames: readonly AttributeName[] = [
  'Value',
  'NodeId',
  'NodeClass',
  'BrowseName',
  'DisplayName',
  'Description',
  'DataType',
  'ValueRank',
  'AccessLevel',
  'UserAccessLevel',
  'MinimumSamplingInterval',
  'Historizing',
  'Executable',
  'UserExecutable',
]

/** One value on a server, or one method. */
export const VisitorConfig = Type.Object(
  {
    nodeId: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Node of the value, e.g. ns=2;s=Boiler.Level. With nsu=URI; instead of ns=NUMBER; it stays right when the server numbers its namespaces anew.',
      }),
    ),
    browsePath: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Way from the root of the device to the node, instead of nodeId: names with their namespace, e.g. /2:Boiler/2:Level or /{urn:acme}:Boiler/{urn:acme}:Level.',
      }),
    ),
    attribute: Type.Union(
      attributeNames.map((name) => Type.Literal(name)),
      { default: 'Value', description: 'Attribute of the node.' },
    ),
    indexRange: Type.Optional(
      Type.String({
        pattern: '^\\d+(:\\d+)?(,\\d+(:\\d+)?)*$',
        description: 'Part of an array, counted from 0: 3 is one element, 0:4 are five.',
      }),
    ),
    samplingInterval: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        description: 'Milliseconds between two looks of the server at this value. Default: that of the device.',
      }),
    ),
    queueSize: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'Changes of this value that the server keeps between two reports. Default: that of the device.',
      }),
    ),
    method: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Node of a method, instead of nodeId. The property can then be called, not read.',
      }),
    ),
    objectId: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Node of the object that the method is called on. Default: the object that has the method.',
      }),
    ),
  },
  { title: 'opcua visitor', description: 'How a property of an OPC UA server is reached.' },
)
export type VisitorConfig = Static<typeof VisitorConfig>

const lowered = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name.toLowerCase(), name]))
const policyUris = Object.fromEntries(
  SECURITY_POLICIES.map((policy) => [`http://opcfoundation.org/ua/securitypolicy#${policy.toLowerCase()}`, policy]),
)

export const deviceConfig = configSchema(DeviceConfig, {
  aliases: {
    url: ['endpoint', 'endpointUrl', 'endpointURL'],
    username: ['userName', 'user'],
    passwordFile: ['password'],
    certificateFile: ['certificate'],
    privateKeyFile: ['privateKey'],
    userCertificateFile: ['userCertificate'],
    userPrivateKeyFile: ['userPrivateKey'],
  },
  values: {
    securityMode: { ...lowered(SECURITY_MODES), sign_and_encrypt: 'SignAndEncrypt', '': 'auto' },
    securityPolicy: { ...lowered(SECURITY_POLICIES), ...policyUris, '': 'auto' },
    trust: { firstuse: 'first-use', tofu: 'first-use' },
  },
})

export const visitorConfig = configSchema(VisitorConfig, {
  aliases: { nodeId: ['nodeID', 'node'], browsePath: ['browseName', 'path'], method: ['methodId', 'methodID'] },
  values: { attribute: lowered(attributeNames) },
})

/** Why the keys of a device contradict each other, or nothing. */
export function contradiction(device: DeviceConfig): string | undefined {
  const { securityMode, securityPolicy } = device
  if (
    (securityMode === 'None') !== (securityPolicy === 'None') &&
    securityMode !== 'auto' &&
    securityPolicy !== 'auto'
  ) {
    return `securityMode ${securityMode} does not go with securityPolicy ${securityPolicy}: both are None, or neither`
  }
  const { root } = device
  if (root !== undefined && !parseNodeId(root) && !parseBrowsePath(root)) {
    return `root "${root}" is neither a path such as /2:Boiler1 nor a node id such as ns=2;s=Boiler1`
  }
  if (device.passwordFile !== undefined && device.username === undefined) return 'passwordFile needs a username'
  // The text is not repeated: it may be the password.
  if (device.passwordFile !== undefined && !device.passwordFile.startsWith('/')) {
    return 'passwordFile names a file on the gateway, from / on; the password itself does not belong into a manifest'
  }
  if (device.username !== undefined && device.userCertificateFile !== undefined) {
    return 'username and userCertificateFile: a user is known by one of them'
  }
  const pairs = [
    ['certificateFile', 'privateKeyFile'],
    ['userCertificateFile', 'userPrivateKeyFile'],
  ] as const
  for (const [certificate, key] of pairs) {
    if ((device[certificate] === undefined) !== (device[key] === undefined))
      return `${certificate} and ${key} go together`
  }
  return undefined
}
