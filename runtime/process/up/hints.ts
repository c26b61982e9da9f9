import type { Endpoints } from '../../../schemas/config/index.ts'

/** A line to paste, and what it shows. */
export interface Hint {
  readonly what: string
  readonly command: string
}

/** The lines that `skerry up` ends with. Each works when pasted into a shell, from any folder. */
export function hints(endpoints: Endpoints, directory: string): readonly Hint[] {
  const list: Hint[] = []
  if (endpoints.kubeconfig !== undefined) {
    list.push(
      { what: 'point kubectl here', command: `export KUBECONFIG=${quote(endpoints.kubeconfig)}` },
      { what: 'the devices', command: 'kubectl get devices' },
      { what: 'one of them, whole', command: 'kubectl get device pump-1 -o yaml' },
      {
        what: 'set the speed of the pump',
        command: `kubectl patch device pump-1 --type=json -p '[{"op":"add","path":"/spec/properties/0/desired","value":{"value":"1500"}}]'`,
      },
      {
        what: 'wait until the pump has it',
        command: 'kubectl wait --for=condition=Synced device/pump-1 --timeout=10s',
      },
    )
  }
  if (endpoints.mqtt !== undefined) {
    const { hostname, port } = new URL(endpoints.mqtt)
    const at = `-h ${hostname} -p ${port}`
    const pump = '$hw/events/device/default/pump-1'
    list.push(
      { what: 'see its twin change', command: `mosquitto_sub ${at} -v -t '${pump}/#'` },
      {
        what: 'set it from the edge',
        command: `mosquitto_pub ${at} -q 1 -t '${pump}/twin/update' -m '{"event_id":"1","twin":{"targetSpeed":{"expected":{"value":"900"}}}}'`,
      },
    )
  }
  if (endpoints.metrics?.edge !== undefined) {
    list.push({ what: 'is all well', command: `curl -s '${endpoints.metrics.edge}/readyz?verbose'` })
  }
  list.push({ what: 'stop the pump, and start it again', command: `npx skerry stop pump --data ${quote(directory)}` })
  return list
}

/** Quotes for a POSIX shell where needed. */
function quote(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
