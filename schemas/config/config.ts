import { type Static, Type } from 'typebox'
import { AuditConfig } from './audit.ts'
import { DeviceStatesConfig } from './device-states.ts'
import { EdgedConfig, UpEdgedConfig } from './edged.ts'
import { host, port, strict } from './fields.ts'
import { LocalApiConfig } from './http.ts'
import { MappersConfig, UpMappersConfig } from './mappers.ts'
import { MetaServerConfig } from './metaserver.ts'
import { MqttConfig } from './mqtt.ts'
import { NodeConfig } from './node.ts'
import { ObjectsConfig } from './objects.ts'
import { RouterConfig } from './router.ts'
import { ServiceBusConfig } from './servicebus.ts'
import { ServicesConfig } from './services.ts'
import { StoreConfig } from './store.ts'
import { CloudStreamConfig, EdgeTunnelConfig } from './streams.ts'
import { TwinsConfig } from './twins.ts'
import { UserMessagesConfig } from './user-messages.ts'

const LogConfig = Type.Object(
  {
    level: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')], {
      default: 'info',
      description: 'Least severe level that is written.',
    }),
    format: Type.Union([Type.Literal('auto'), Type.Literal('human'), Type.Literal('json')], {
      default: 'auto',
      description: 'auto: human text on a terminal, JSON otherwise.',
    }),
  },
  { ...strict, default: {}, description: 'Structured log, written to standard error.' },
)

const MetricsConfig = Type.Object(
  {
    host: host('127.0.0.1', 'Address of /metrics, /healthz and /readyz.'),
    port: port(9091, 'Port of /metrics, /healthz and /readyz.'),
  },
  { ...strict, default: {}, description: 'Prometheus metrics and health over HTTP.' },
)

/** `skerry edge`. */
export const EdgeConfig = Type.Object(
  {
    node: NodeConfig,
    cloud: Type.Object(
      {
        server: Type.String({ default: '127.0.0.1:10000', description: 'HOST:PORT of CloudHub.' }),
        certificates: Type.String({
          default: '127.0.0.1:10002',
          description: 'HOST:PORT of the certificate endpoint.',
        }),
        projectId: Type.String({
          default: 'e632aba927ea4ac2b575ec1603d56f10',
          description: 'First segment of the path that KubeEdge peers expect.',
        }),
        maxFrameBytes: Type.Integer({
          default: 33_554_432,
          minimum: 1_048_576,
          maximum: 268_435_456,
          description: 'Largest message of the cloud that is read; the connection ends at a larger one.',
        }),
        silenceSeconds: Type.Integer({
          default: 30,
          minimum: 3,
          maximum: 600,
          description:
            'A connection on which nothing of the cloud has come for so long, no answer to a ping either, is made anew.',
        }),
        retrySeconds: Type.Integer({
          default: 30,
          minimum: 1,
          maximum: 3600,
          description:
            'Longest pause between two attempts to connect; pauses grow from half a second, and are jittered.',
        }),
        tunnel: EdgeTunnelConfig,
        objects: ObjectsConfig,
        userMessages: UserMessagesConfig,
      },
      { ...strict, default: {}, description: 'The cloud half that this node belongs to.' },
    ),
    certificates: Type.Object(
      {
        ca: Type.Optional(Type.String({ description: 'CA certificate, PEM. Default: DIR/pki/rootCA.crt.' })),
        certificate: Type.Optional(
          Type.String({ description: 'Certificate of this node, PEM. Default: DIR/pki/server.crt.' }),
        ),
        key: Type.Optional(Type.String({ description: 'Key of this node, PEM (SEC1). Default: DIR/pki/server.key.' })),
      },
      { ...strict, default: {}, description: 'Where the identity of this node is; KubeEdge paths work too.' },
    ),
    mqtt: MqttConfig,
    twins: TwinsConfig,
    store: StoreConfig,
    mappers: MappersConfig,
    edged: EdgedConfig,
    http: LocalApiConfig,
    metaServer: MetaServerConfig,
    serviceBus: ServiceBusConfig,
    metrics: MetricsConfig,
    log: LogConfig,
  },
  { ...strict, title: 'skerry edge', description: 'Configuration of the edge half.' },
)
export type EdgeConfig = Static<typeof EdgeConfig>

/** `skerry cloud`. */
export const CloudConfig = Type.Object(
  {
    kubernetes: Type.Object(
      {
        kubeconfig: Type.Optional(
          Type.String({
            description:
              'Kubeconfig of an existing cluster. Absent: the embedded API, or the cluster that this runs in.',
          }),
        ),
        host: host('127.0.0.1', 'Address of the embedded Kubernetes API.'),
        port: port(6443, 'Port of the embedded Kubernetes API.'),
        names: Type.Array(Type.String({ minLength: 1 }), {
          default: [],
          description: 'More host names and IP addresses for its certificate.',
        }),
        nodeGraceSeconds: Type.Integer({
          default: 40,
          minimum: 5,
          maximum: 3600,
          description:
            'A Node that has been silent for so long turns Unknown in the embedded API; one that never spoke after half as long again. Not less than node.leaseSeconds of the gateways.',
        }),
        kubeletCa: Type.Optional(
          Type.String({
            description:
              'CA of the serving certificates of kubelets, PEM, by which the embedded API checks them. Default: what CloudStream shows is checked by the CA of the cloud half, kubelets at other addresses are not checked.',
          }),
        ),
        audit: AuditConfig,
      },
      { ...strict, default: {}, description: 'The Kubernetes API that holds devices and nodes.' },
    ),
    cloudhub: Type.Object(
      {
        host: host('127.0.0.1', 'Address of CloudHub (WSS). 0.0.0.0 for gateways on other hosts.'),
        port: port(10000, 'Port of CloudHub.'),
        certificatePort: port(10002, 'Port of the certificate endpoint (HTTPS), on the same address.'),
        advertise: Type.Array(Type.String({ minLength: 1 }), {
          default: ['127.0.0.1', 'localhost'],
          minItems: 1,
          description:
            'Host names and IP addresses that gateways dial; they stand in the serving certificate. The first goes into join tokens.',
        }),
        nodeLimit: Type.Integer({ default: 1000, minimum: 1, description: 'Most nodes connected at a time.' }),
        maxFrameBytes: Type.Integer({
          default: 33_554_432,
          minimum: 1_048_576,
          maximum: 268_435_456,
          description: 'Largest message of a node that is read; its connection ends at a larger one.',
        }),
        certificateDays: Type.Integer({
          default: 365,
          minimum: 1,
          maximum: 36500,
          description: 'Lifetime of node certificates.',
        }),
        renewalGraceDays: Type.Integer({
          default: 30,
          minimum: 0,
          maximum: 36500,
          description:
            'So many days after its end a node that was offline may still renew its certificate. CloudHub itself takes none that has ended.',
        }),
        keadmToken: Type.Boolean({
          default: false,
          description:
            'Keep a join token for any node, valid for 24 hours and made anew every 12, in Secret kubeedge/tokensecret, where keadm gettoken reads it.',
        }),
      },
      { ...strict, default: {}, description: 'CloudHub and the certificate endpoint.' },
    ),
    cloudstream: CloudStreamConfig,
    router: RouterConfig,
    devices: DeviceStatesConfig,
    services: ServicesConfig,
    admission: Type.Object(
      {
        host: host('127.0.0.1', 'Address of the admission webhook (HTTPS).'),
        port: port(0, 'Port of the admission webhook.'),
        url: Type.Optional(
          Type.String({
            description: 'URL under which the API server reaches the webhook. Default: from host and port.',
          }),
        ),
        service: Type.Optional(
          Type.Object(
            {
              namespace: Type.String({ minLength: 1, description: 'Namespace of that Service.' }),
              name: Type.String({ minLength: 1, description: 'Name of that Service.' }),
              port: Type.Integer({ default: 443, minimum: 1, maximum: 65535, description: 'Port of that Service.' }),
            },
            {
              ...strict,
              description: 'Service by which an API server reaches the webhook of a pod, instead of a URL.',
            },
          ),
        ),
      },
      { ...strict, default: {}, description: 'Admission of Device and DeviceModel.' },
    ),
    metrics: MetricsConfig,
    log: LogConfig,
  },
  { ...strict, title: 'skerry cloud', description: 'Configuration of the cloud half.' },
)
export type CloudConfig = Static<typeof CloudConfig>

/** Ports of `skerry up`; each default is the field's own. */
export const UP_PORTS = {
  apiserver: { port: 6443, what: 'Kubernetes API' },
  cloudhub: { port: 10000, what: 'CloudHub' },
  certificates: { port: 10002, what: 'certificate endpoint' },
  stream: { port: 10003, what: 'stream endpoint' },
  tunnel: { port: 10004, what: 'tunnel server' },
  router: { port: 9443, what: 'Router' },
  mqtt: { port: 1883, what: 'MQTT broker' },
  mqttWebsocket: { port: 9001, what: 'MQTT over WebSocket' },
  http: { port: 9061, what: 'local HTTP API' },
  metaserver: { port: 10550, what: 'MetaServer' },
  metricsCloud: { port: 9091, what: 'metrics of the cloud half' },
  metricsEdge: { port: 9092, what: 'metrics of the edge half' },
  servicebus: { port: 9060, what: 'ServiceBus' },
  pump: { port: 5020, what: 'simulated pump (Modbus TCP)' },
  opcua: { port: 4840, what: 'simulated OPC UA device' },
} as const
export type UpPortName = keyof typeof UP_PORTS

/** `skerry up`. */
export const UpConfig = Type.Object(
  {
    node: Type.String({ default: 'edge-1', minLength: 1, maxLength: 253, description: 'Name of the edge node.' }),
    ports: Type.Object(
      {
        apiserver: port(UP_PORTS.apiserver.port, 'Kubernetes API.'),
        cloudhub: port(UP_PORTS.cloudhub.port, 'CloudHub.'),
        certificates: port(UP_PORTS.certificates.port, 'Certificate endpoint.'),
        stream: port(UP_PORTS.stream.port, 'Stream endpoint.'),
        tunnel: port(UP_PORTS.tunnel.port, 'Tunnel server.'),
        router: port(UP_PORTS.router.port, 'Router.'),
        mqtt: port(UP_PORTS.mqtt.port, 'MQTT broker.'),
        mqttWebsocket: port(UP_PORTS.mqttWebsocket.port, 'MQTT over WebSocket.'),
        http: port(UP_PORTS.http.port, 'Local HTTP API.'),
        metaserver: port(UP_PORTS.metaserver.port, 'MetaServer.'),
        metricsCloud: port(UP_PORTS.metricsCloud.port, 'Metrics of the cloud half.'),
        metricsEdge: port(UP_PORTS.metricsEdge.port, 'Metrics of the edge half.'),
        servicebus: port(UP_PORTS.servicebus.port, 'ServiceBus.'),
        pump: port(UP_PORTS.pump.port, 'Simulated pump.'),
        opcua: port(UP_PORTS.opcua.port, 'Simulated OPC UA device.'),
      },
      { ...strict, default: {}, description: 'Loopback ports of the parts.' },
    ),
    samples: Type.Boolean({ default: true, description: 'Start the simulators and apply the sample devices.' }),
    mappers: Type.Optional(UpMappersConfig),
    edged: Type.Optional(UpEdgedConfig),
    log: LogConfig,
  },
  { ...strict, title: 'skerry up', description: 'Configuration of everything on this machine.' },
)
export type UpConfig = Static<typeof UpConfig>
