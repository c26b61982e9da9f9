import { type Device, type Frame, type Json, parseIntents } from '../../../../schemas/index.ts'
import { EPOCH_ANNOTATION, VERSION_ANNOTATION } from '../../../cloud/cloudhub/record-form.ts'
import { deviceVersion } from '../../../cloud/device-controller/deliveries/source.ts'
import { OBJECT_SYNCS } from '../../../cloud/kubernetes/resources.ts'
import type { CloudRun } from '../parts/cloud-run.ts'
import { parseDevice } from './parse.ts'
import { type Scene, textOf, type Witness } from './promise.ts'

const NAME = 'no needless resend'

/** What a node has acknowledged, and the API has on record, is not sent again, whoever restarts. */
export function noNeedlessResend(scene: Scene): Witness {
  const seen = new Set<string>()
  /** By node and uid: the version that was sent last, and when. */
  const sent = new Map<string, { readonly version: string; readonly at: number }>()
  const look = async (node: string, frame: Frame, run: CloudRun) => {
    const device = parseDevice(frame.content)
    if (!device) return
    const { namespace = 'default', uid } = device.metadata
    const before = sent.get(`${node}/${uid}`)
    const version = versionIn(device, frame.content)
    sent.set(`${node}/${uid}`, { version, at: scene.now })
    const record = await scene.cluster.get(OBJECT_SYNCS, { namespace, name: `${node}.${uid}` })
    const annotations = record?.metadata.annotations ?? {}
    if (annotations[VERSION_ANNOTATION] !== version) return
    // What is on record may be behind what the node has acknowledged since.
    const rows = scene.machine(node)?.disk.rows('meta.all') ?? []
    const held = rows.find((row) => textOf(row, 'key') === frame.route.resource)
    const stored: Json = held ? JSON.parse(textOf(held, 'value')) : null
    const present = parseDevice(stored)
    if (!present || versionIn(present, stored) !== version) return
    const epoch = scene.machine(node)?.disk.rows('meta.fact', 'epoch')[0]
    if (!epoch || textOf(epoch, 'value') !== annotations[EPOCH_ANNOTATION]?.split('/').at(-1)) return
    const written = scene.recordWrites.get(`${node}.${uid}`)
    // Another process may have written it after this one looked.
    if (!written || written.at <= scene.troubledAt || (written.run !== run.number && written.at > run.startedAt)) return
    // Another version that was sent since may be on its way still.
    if (before && before.version !== version && before.at >= written.at) return
    scene.violate(NAME, `${frame.route.resource} goes to ${node} again, which has acknowledged this version of it`)
  }
  return {
    name: NAME,
    onFrame(node, way, frame, { run, isArrival }) {
      if (way === 'up' || isArrival || frame.route.group !== 'resource' || scene.apiSetbacks > 0) return
      const { operation, resource } = frame.route
      if ((operation !== 'insert' && operation !== 'update') || resource?.split('/')[1] !== 'device') return
      if (seen.has(frame.header.msg_id)) return
      seen.add(frame.header.msg_id)
      void look(node, frame, run)
    },
  }
}

function versionIn(device: Device, content: Json): string {
  return deviceVersion(device, parseIntents(Reflect.get(Object(content), 'skerry')))
}
