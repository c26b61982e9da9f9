import type { Endpoints } from '../../../schemas/config/index.ts'

/** A line to paste, and what it shows. */
export interface Hint {
  readonly what: string
  readonly command: string
}

export interface HintOptions {
  readonly endpoints: Endpoints
  /** Data directory that the commands have to name; undefined where they find it in the working directory. */
  readonly directory?: string | undefined
  /** Names of the sample devices that are there to play with. */
  readonly samples: readonly string[]
}

const PUMP = 'pump-1'

/** The lines that `skerry up` ends with. Each works when pasted into a shell in the folder where `skerry up` was called. */
export function hints({ endpoints, directory, samples }: HintOptions): readonly Hint[] {
  const list: Hint[] = []
  const hasPump = samples.includes(PUMP)
  if (endpoints.kubeconfig !== undefined) {
    list.push(
      { what: 'point kubectl here', command: `export KUBECONFIG=${quote(endpoints.kubeconfig)}` },
      ...(samples.length > 0
        ? [{ what: `the devices: ${samples.join(', ')}`, command: 'kubectl get devices' }]
        : [{ what: 'the edge node', command: 'kubectl get nodes' }]),
      ...(hasPump ? pumpOnKubernetes : []),
    )
  }
  if (endpoints.mqtt !== undefined) list.push(...onMqtt(endpoints.mqtt, hasPump))
  if (endpoints.metrics?.edge !== undefined) {
    list.push({ what: 'is all well', command: `curl -s '${endpoints.metrics.edge}/readyz?verbose'` })
  }
  const data = directory === undefined ? '' : ` --data ${quote(directory)}`
  if (hasPump) {
    list.push(
      { what: 'the pump fails: its device goes offline', command: `npx skerry stop pump${data}` },
      { what: 'and heals', command: `npx skerry start pump${data}` },
    )
  }
  list.push({ what: 'all parts and their modules', command: `npx skerry status${data}` })
  return list
}

const pumpOnKubernetes: readonly Hint[] = [
  { what: 'one of them, whole', command: 'kubectl get device pump-1 -o yaml' },
  {
    what: 'set the speed of the pump',
    command: `kubectl patch device pump-1 --type=json -p '[{"op":"add","path":"/spec/properties/0/desired","value":{"value":"1500"}}]'`,
  },
  { what: 'wait until the pump has it', command: 'kubectl wait --for=condition=Synced device/pump-1 --timeout=10s' },
]

function onMqtt(url: string, hasPump: boolean): readonly Hint[] {
  const { hostname, port } = new URL(url)
  const at = `-h ${hostname} -p ${port}`
  if (!hasPump) {
    return [
      { what: 'see all values', command: `mosquitto_sub ${at} -v -t 'twins/+/+/+'` },
      { what: 'see every twin change', command: `mosquitto_sub ${at} -v -t '$hw/events/device/#'` },
    ]
  }
  const pump = '$hw/events/device/default/pump-1'
  return [
    { what: 'see its values (Ctrl-C ends it)', command: `mosquitto_sub ${at} -v -t 'twins/default/pump-1/+'` },
    { what: 'see its twin change (Ctrl-C ends it)', command: `mosquitto_sub ${at} -v -t '${pump}/#'` },
    {
      what: 'set it from the edge',
      command: `mosquitto_pub ${at} -q 1 -t '${pump}/twin/update' -m '{"event_id":"1","twin":{"targetSpeed":{"expected":{"value":"900"}}}}'`,
    },
  ]
}

/** Quotes for a POSIX shell where needed. */
function quote(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
