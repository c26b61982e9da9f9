/** Description of the API, OpenAPI 3.1; `routes.ts` serves it. */
export function openApi(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Skerry local API',
      version,
      description:
        'Twins and methods of the devices of this node, for programs without MQTT. Whoever calls may do what he may on MQTT: nobody ' +
        'has to log in where the broker lets him in without, but for pods, which show the account of their annotations. A pod that asks for ' +
        'more at a time than it may have is answered with 429. Nothing is changed by GET.',
    },
    servers: [{ url: '/' }],
    security: [{}, { basic: [] }],
    paths: PATHS,
    components: {
      schemas: SCHEMAS,
      responses: RESPONSES,
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
    },
  }
}

const inPath = (name: string, description: string) => ({
  ...{ name, in: 'path', required: true, description },
  schema: { type: 'string' },
})
const inQuery = (name: string, description: string, schema: object = { type: 'string' }) => ({
  ...{ name, in: 'query', description, schema },
})
const DEVICE = [inPath('namespace', 'Namespace of the Device.'), inPath('name', 'Name of the Device.')]
const PROPERTY = [...DEVICE, inPath('property', 'Name of the property, percent-encoded where it needs that.')]

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: object) => ({ 'application/json': { schema } })
const ok = (description: string, schema: object) => ({ description, content: json(schema) })
const failures = (...codes: readonly number[]) =>
  Object.fromEntries([...codes, 'default'].map((code) => [code, { $ref: '#/components/responses/Problem' }]))

const PATHS = {
  '/openapi.json': {
    get: {
      operationId: 'describe',
      summary: 'This description.',
      responses: { 200: ok('OpenAPI 3.1.', { type: 'object' }), ...failures() },
    },
  },
  '/v1/devices': {
    get: {
      operationId: 'listDevices',
      summary: 'The devices that the caller may see, by name.',
      parameters: [
        inQuery('namespace', 'Only of this namespace.'),
        inQuery('limit', 'Most devices in one answer.', { type: 'integer', minimum: 1, maximum: 500, default: 500 }),
        inQuery('continue', '`continue` of the page before.'),
      ],
      responses: { 200: ok('A page of devices.', ref('DeviceList')), ...failures(400, 401) },
    },
  },
  '/v1/devices/{namespace}/{name}': {
    get: {
      operationId: 'readDevice',
      summary: 'The twin of a device.',
      parameters: DEVICE,
      responses: { 200: ok('The twin.', ref('Twin')), ...failures(401, 404) },
    },
  },
  '/v1/devices/{namespace}/{name}/properties/{property}': {
    get: {
      operationId: 'readProperty',
      summary: 'One property of a twin.',
      parameters: PROPERTY,
      responses: { 200: ok('The property.', ref('Property')), ...failures(401, 404) },
    },
  },
  '/v1/devices/{namespace}/{name}/properties/{property}/desired': {
    put: {
      operationId: 'setProperty',
      summary: 'Sets the desired value of a property. It is on disk when this is answered; the device follows.',
      parameters: PROPERTY,
      requestBody: {
        required: true,
        content: {
          ...json({ type: 'object', required: ['value'], properties: { value: ref('Value') } }),
          'text/plain': { schema: { type: 'string', description: 'The bare value.' } },
          'application/octet-stream': { schema: { description: 'The bytes of a property of type BYTES.' } },
        },
      },
      responses: { 200: ok('What is desired now.', ref('Desired')), ...failures(400, 401, 403, 404, 413, 415) },
    },
  },
  '/v1/devices/{namespace}/{name}/desired': {
    patch: {
      operationId: 'setProperties',
      summary: 'Sets the desired values of several properties: all of them, or none.',
      parameters: DEVICE,
      requestBody: { required: true, content: json({ type: 'object', additionalProperties: ref('Value') }) },
      responses: { 200: ok('What is desired now.', ref('Desired')), ...failures(400, 401, 403, 404, 413, 415) },
    },
  },
  '/v1/devices/{namespace}/{name}/methods': {
    get: {
      operationId: 'listMethods',
      summary: 'The methods of a device.',
      parameters: DEVICE,
      responses: {
        200: ok('Its methods.', {
          type: 'object',
          required: ['items'],
          properties: { items: { type: 'array', items: ref('Method') } },
        }),
        ...failures(401, 404),
      },
    },
  },
  '/v1/devices/{namespace}/{name}/methods/{method}': {
    post: {
      operationId: 'callMethod',
      summary: 'Calls a method, at most once.',
      parameters: [
        ...[...DEVICE, inPath('method', 'Name of the method.')],
        inQuery('timeout', 'Milliseconds for the device to answer.', {
          ...{ type: 'integer', minimum: 1, maximum: 300_000, default: 10_000 },
        }),
      ],
      requestBody: {
        description: 'Arguments by name of property; none without a body.',
        content: json({ type: 'object', additionalProperties: true }),
      },
      responses: {
        200: ok('What it gave back; null: nothing.', {
          type: 'object',
          required: ['results'],
          properties: { results: { type: 'object', additionalProperties: true } },
        }),
        ...failures(400, 401, 403, 404, 502, 503, 504),
      },
    },
  },
  '/v1/events': {
    get: {
      operationId: 'follow',
      summary: 'Twins as they are and as they change, as server-sent events.',
      description:
        'First a `twin` for each device and one `synced`; then a `twin` for each that changed and `gone`, with `{"device": ...}`, for ' +
        'each that went. Each says all of its device: who comes again misses nothing that still holds.',
      parameters: [
        inQuery('namespace', 'Only of this namespace.'),
        inQuery('device', 'Only these, as NAMESPACE/NAME; may be repeated.', {
          type: 'array',
          items: { type: 'string' },
        }),
      ],
      responses: {
        200: { description: 'The events.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        ...failures(401, 429, 503),
      },
    },
  },
} as const

const text = { type: 'string' }
const time = { type: 'string', format: 'date-time' }

const SCHEMAS = {
  Value: {
    type: ['string', 'number', 'boolean'],
    description: 'Integers beyond 2^53 are strings, and so are BYTES, in base64.',
  },
  DeviceList: {
    type: 'object',
    required: ['items'],
    properties: {
      items: { type: 'array', items: ref('Twin') },
      continue: { ...text, description: 'For the next page.' },
    },
  },
  Twin: {
    type: 'object',
    required: ['device', 'namespace', 'name', 'state', 'properties'],
    properties: {
      device: { ...text, description: 'NAMESPACE/NAME.' },
      ...{ namespace: text, name: text, state: text, stateReason: text, lastOnlineTime: time },
      properties: { type: 'object', additionalProperties: ref('Property') },
    },
  },
  Property: {
    type: 'object',
    required: ['type'],
    properties: {
      value: { ...ref('Value'), description: 'What the device said; absent until it has.' },
      desired: ref('Value'),
      ...{ type: text, unit: text },
      timestamp: { ...time, description: 'When the twin took the value.' },
      sourceTime: { ...time, description: 'When its source measured it.' },
      quality: { enum: ['good', 'uncertain', 'bad'] },
      cause: { ...text, description: 'Why it is not good.' },
      stale: { const: true, description: 'It is older than its time to live.' },
      staleSince: time,
      origin: { enum: ['cloud', 'edge'], description: 'Who wrote the desired value last.' },
      author: text,
      conflict: { type: 'object', description: 'What cloud and edge want at once.' },
      failure: { type: 'object', description: 'Why the desired value is not on the device.' },
    },
  },
  Desired: {
    type: 'object',
    required: ['device', 'desired'],
    properties: { device: text, desired: { type: 'object', additionalProperties: ref('Value') } },
  },
  Method: {
    type: 'object',
    required: ['name'],
    properties: { name: text, description: text, propertyNames: { type: 'array', items: text } },
  },
  Problem: {
    type: 'object',
    required: ['status', 'detail'],
    properties: { status: { type: 'integer' }, detail: { ...text, description: 'What is wrong, and what to do.' } },
  },
}

const RESPONSES = {
  Problem: { description: 'Not done.', content: { 'application/problem+json': { schema: ref('Problem') } } },
}
