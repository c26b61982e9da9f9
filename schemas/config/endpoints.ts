import { type Static, Type } from 'typebox'

const url = (description: string) => Type.Optional(Type.String({ description }))

/** `DIR/endpoints.json`: where the parts of a running process are. URLs, or paths for files and sockets; absent where a part is off. */
export const Endpoints = Type.Object(
  {
    kubeconfig: url('File for kubectl --kubeconfig.'),
    apiserver: url('Kubernetes API.'),
    mqtt: url('MQTT broker of the edge.'),
    mqttExternal: url('External MQTT broker that the edge uses.'),
    mqtts: url('The same over TLS.'),
    mqttWebsocket: url('The same over WebSocket.'),
    cloudhub: url('CloudHub, WSS.'),
    certificates: url('Certificate endpoint, HTTPS.'),
    console: url('Web console.'),
    metrics: Type.Optional(
      Type.Object({
        cloud: url('Metrics and health of the cloud half.'),
        edge: url('Metrics and health of the edge half.'),
      }),
    ),
    metaserver: url('Edge-local Kubernetes API.'),
    servicebus: url('ServiceBus.'),
    router: url('Router.'),
    stream: url('Stream endpoint for kubectl logs and exec.'),
    tunnel: url('Tunnel for gateways.'),
    edged: url('Edged.'),
    http: url('Local HTTP API of the edge.'),
    dmi: url('DMI socket.'),
    simulators: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Simulated devices by name.' })),
  },
  { description: 'Where the parts of a running process are.' },
)
export type Endpoints = Static<typeof Endpoints>
