import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { needsSmallDisk, smallDisk } from '../../../tools/testing/small-disk.ts'
import { Fleet, Half, offer, publish } from '../testing/fleet.ts'
import { eventually } from '../testing/run.ts'

const STATUS = (type: string) => `{.status.conditions[?(@.type=="${type}")].status}`
/** The node looks at its disk four times in that. */
const LOOKS_OFTEN = { node: { leaseSeconds: 8 } }
const TAINTS = '{range .spec.taints[*]}{.key}:{.effect} {end}'

it('a gateway whose disk is full says so and lives on, and takes messages again when there is room', {
  skip: needsSmallDisk() || needs('kubectl', 'mosquitto_pub'),
}, async (t) => {
  const disk = await smallDisk(t, '48m')
  await using fleet = await Fleet.start()
  const edge = await fleet.join('edge-1', new Half('edge', join(disk.path, 'edge'), disk.on), LOOKS_OFTEN)
  await fleet.untilField('node', 'edge-1', STATUS('Ready'), 'True')
  assert.equal(await fleet.field('node', 'edge-1', STATUS('DiskPressure')), 'False')
  await publish(edge, 'app/user/log', 'one')
  await disk.fill()
  await fleet.untilField('node', 'edge-1', STATUS('DiskPressure'), 'True')
  await fleet.untilField('node', 'edge-1', TAINTS, 'node.kubernetes.io/disk-pressure:NoSchedule ')
  assert.equal(await fleet.field('node', 'edge-1', STATUS('Ready')), 'True')
  // What cannot be kept is not acknowledged.
  const refused = () => edge.metric('skerry_store_errors_total', 'PLATFORM_STORE_FULL')
  const before = await refused()
  const waiting = new AbortController()
  const offered = offer(edge, 'app/user/log', 'x'.repeat(100_000), waiting.signal)
  await eventually('the disk refuses it', async () => ((await refused()) > before ? true : undefined))
  waiting.abort()
  assert.equal(await offered, false)
  await disk.free()
  await eventually('a message is taken again', async () => {
    await publish(edge, 'app/user/log', 'two')
    return true
  })
  assert.equal((await edge.status())['state'], 'ready')
})
