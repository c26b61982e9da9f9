import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { minutes, ms, seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { serialInLine } from '../authority/node-certificate.ts'
import { createInformer } from '../kubernetes/informer.ts'
import { NODES, SECRETS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import { createNodeRegisterModule } from './module.ts'
import { NODES_SECRET, type NodeRegister } from './node-register.ts'

const DAY = 86_400_000
const AT = { namespace: 'kubeedge', name: NODES_SECRET }
const random = countingRandom()

/** A cloud half that looks at this API, as one replica or after a restart. */
async function startRegister(kubernetes: FakeKubernetes, clock: FakeClock) {
  const ports = { kubernetes, clock, random, log: silentLogger }
  const nodes = createInformer(NODES, {}, ports)
  const { register, ...module } = createNodeRegisterModule({ ...ports, nodes })
  const scope = createScope('register', {
    clock: systemClock,
    log: silentLogger,
    deadline: seconds(5),
    onCrash: (error) => {
      throw error
    },
  })
  scope.run((signal) => nodes.run(signal))
  await module.start(scope)
  const settle = () => clock.advance(ms(5))
  await settle()
  return {
    register,
    settle,
    signal: scope.signal,
    /** Joins, and gives the certificate. */
    join: (node: string, made = clock.now()) => joinAt(register, clock, { node, made }),
    async stop() {
      const closing = scope[Symbol.asyncDispose]()
      kubernetes.dropWatches()
      await clock.advance(seconds(1))
      await closing
    },
  }
}

async function joinAt(
  register: NodeRegister,
  clock: FakeClock,
  { node = 'edge-1', made = clock.now() }: { readonly node?: string; readonly made?: number } = {},
) {
  const validity = { issued: clock.now(), expires: clock.now() + 365 * DAY }
  const verdict = await register.admit(node, validity, made, new AbortController().signal)
  if (!verdict.ok) throw new Error(verdict.reason)
  return { node, serial: serialInLine(verdict.line, random), expires: validity.expires }
}

async function bench() {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  return { kubernetes, clock, ...(await startRegister(kubernetes, clock)) }
}

const edgeNode = (name: string) => ({ metadata: { name, labels: { 'node-role.kubernetes.io/edge': '' } } })

test('a revoked node is refused with every certificate until then, and its connection ends at once', async () => {
  const { register, join, stop, signal } = await bench()
  const certificate = await join('edge-1')
  const other = await join('edge-2')
  const ended: string[] = []
  using _held = register.hold(certificate, (reason) => ended.push(reason))
  using _other = register.hold(other, () => ended.push('edge-2'))
  assert.equal(register.refusal(certificate), undefined)
  await register.revoke('edge-1')
  assert.equal(ended.length, 1)
  assert.match(ended[0] ?? '', /revoked/)
  assert.equal(register.refusal(certificate)?.status, 403)
  assert.deepEqual(await register.renew(certificate, { issued: 1, expires: 2 }, signal), {
    ok: false,
    status: 401,
    reason: register.refusal(certificate)?.reason,
  })
  assert.equal(register.refusal(other), undefined)
  const late: string[] = []
  using _late = register.hold(certificate, (reason) => late.push(reason))
  assert.equal(late.length, 1, 'a connection that was under way when the node was revoked ends as it begins')
  await stop()
})

test('revoked and joined again within one millisecond, the new certificates count and the old ones do not', async () => {
  const { register, clock, join, stop, signal } = await bench()
  const old = await join('edge-1')
  await register.revoke('edge-1')
  await assert.rejects(join('edge-1', clock.now()), /older than the revocation/)
  const fresh = await join('edge-1', clock.now() + 1)
  assert.equal(register.refusal(fresh), undefined)
  assert.equal(register.refusal(old)?.status, 403)
  const renewed = await register.renew(fresh, { issued: clock.now(), expires: clock.now() + DAY }, signal)
  assert.ok(renewed.ok)
  assert.equal(register.refusal({ ...fresh, serial: serialInLine(renewed.line, random) }), undefined)
  await register.revoke('edge-1')
  assert.equal(register.refusal(fresh)?.status, 403, 'a second revocation ends what came after the first')
  await stop()
})

test('a token made before the revocation does not undo it, and neither does one whose making is not known', async () => {
  const { register, clock, join, stop, signal } = await bench()
  await join('edge-1')
  const made = clock.now()
  await clock.advance(seconds(1))
  await register.revoke('edge-1')
  await assert.rejects(join('edge-1', made), /create a new one/)
  assert.equal((await register.admit('edge-1', { issued: 1, expires: 2 }, undefined, signal)).ok, false)
  await stop()
})

test('a renewal that races the revocation yields a certificate that nobody takes', async () => {
  const { register, join, clock, stop, signal } = await bench()
  const certificate = await join('edge-1')
  const [renewal] = await Promise.all([
    register.renew(certificate, { issued: clock.now(), expires: clock.now() + DAY }, signal),
    register.revoke('edge-1'),
  ])
  assert.ok(renewal.ok)
  assert.equal(register.refusal({ ...certificate, serial: serialInLine(renewal.line, random) })?.status, 403)
  await stop()
})

test('a certificate of cloudcore, whose serial number says nothing, can be revoked and renewed like any other', async () => {
  const { register, clock, stop, signal } = await bench()
  const foreign = { node: 'edge-1', serial: '7b1d2c', expires: clock.now() + DAY }
  assert.equal(register.refusal(foreign), undefined)
  const renewed = await register.renew(foreign, { issued: clock.now(), expires: clock.now() + DAY }, signal)
  assert.ok(renewed.ok)
  await register.revoke('edge-1')
  assert.equal(register.refusal(foreign)?.status, 403)
  assert.equal(register.refusal({ ...foreign, serial: serialInLine(renewed.line, random) })?.status, 403)
  await stop()
})

test('a node that is let in again may use its old certificates', async () => {
  const { register, join, stop } = await bench()
  const certificate = await join('edge-1')
  assert.equal(await register.allow('edge-1'), false)
  await register.revoke('edge-1')
  assert.equal(await register.allow('edge-1'), true)
  assert.equal(register.refusal(certificate), undefined)
  await stop()
})

test('deleting a Node revokes the node; one that has joined and not registered yet is not taken for deleted', async () => {
  const { kubernetes, register, join, settle, stop } = await bench()
  const [one, two] = [await join('edge-1'), await join('edge-2')]
  await kubernetes.create(NODES, undefined, edgeNode('edge-1'))
  await settle()
  assert.equal(register.entries.get('edge-1')?.registered, true)
  await kubernetes.delete(NODES, { name: 'edge-1' })
  await settle()
  assert.equal(register.refusal(one)?.status, 403)
  assert.equal(register.refusal(two), undefined)
  const again = await join('edge-1')
  await settle()
  assert.equal(register.refusal(again), undefined, 'joined again, it has time to register')
  await stop()
})

test('between the deletion of a Node and its record the node is held off, and a successor under its name does not help it', async () => {
  const { kubernetes, register, join, clock, settle, stop, signal } = await bench()
  const certificate = await join('edge-1')
  await kubernetes.create(NODES, undefined, edgeNode('edge-1'))
  await settle()
  kubernetes.fail('GET nodes edge-1', 503)
  await kubernetes.delete(NODES, { name: 'edge-1' })
  await settle()
  assert.equal(register.refusal(certificate)?.status, 503)
  const renewal = await register.renew(certificate, { issued: 1, expires: 2 }, signal)
  assert.deepEqual([renewal.ok, 'status' in renewal && renewal.status], [false, 503])
  await kubernetes.create(NODES, undefined, edgeNode('edge-1'))
  await clock.advance(seconds(1))
  assert.equal(register.refusal(certificate)?.status, 403)
  await stop()
})

test('a Node deleted while the cloud half was down is revoked before anybody is let in', async () => {
  const { kubernetes, clock, join, settle, stop } = await bench()
  const certificate = await join('edge-1')
  await kubernetes.create(NODES, undefined, edgeNode('edge-1'))
  await settle()
  await stop()
  await kubernetes.delete(NODES, { name: 'edge-1' })
  const ports = { kubernetes, clock, random, log: silentLogger }
  const nodes = createInformer(NODES, {}, ports)
  const { register, start } = createNodeRegisterModule({ ...ports, nodes })
  assert.equal(register.refusal(certificate)?.status, 503, 'nothing is known before the start')
  await using scope = createScope('again', {
    clock: systemClock,
    log: silentLogger,
    deadline: seconds(5),
    onCrash: (error) => {
      throw error
    },
  })
  kubernetes.fail('GET nodes edge-1', 503)
  scope.run((signal) => nodes.run(signal))
  await start(scope)
  assert.equal(register.refusal(certificate)?.status, 503, 'it is held off until its deletion is written down')
  await clock.advance(seconds(1))
  assert.equal(register.refusal(certificate)?.status, 403)
  scope.defer(() => kubernetes.dropWatches())
})

test('a Node deleted and made anew while no watch told of it is revoked, also where the cloud half was down', async () => {
  for (const isDown of [false, true]) {
    const { kubernetes, clock, join, settle, stop, register } = await bench()
    const certificate = await join('edge-1')
    await kubernetes.create(NODES, undefined, edgeNode('edge-1'))
    await settle()
    assert.equal(register.refusal(certificate), undefined)
    if (isDown) await stop()
    const deleting = kubernetes.delete(NODES, { name: 'edge-1' })
    const creating = kubernetes.create(NODES, undefined, edgeNode('edge-1'))
    kubernetes.compact()
    await Promise.all([deleting, creating])
    const later = isDown ? await startRegister(kubernetes, clock) : { register, stop }
    await clock.advance(seconds(1))
    assert.equal(later.register.refusal(certificate)?.status, 403)
    const again = await joinAt(later.register, clock)
    await clock.advance(seconds(1))
    assert.equal(later.register.refusal(again), undefined, 'joined again, it is not taken for deleted another time')
    await later.stop()
  }
})

test('an API restored from a backup that is older than the Node takes nobody for deleted', async () => {
  const { kubernetes, clock, join, settle, stop, register } = await bench()
  const certificate = await join('edge-1')
  const backup = await kubernetes.get(SECRETS, AT)
  await kubernetes.create(NODES, undefined, edgeNode('edge-1'))
  await settle()
  assert.equal(register.entries.get('edge-1')?.registered, true)
  await stop()
  // The state of the backup: the entry without the mark, and no Node.
  await kubernetes.delete(NODES, { name: 'edge-1' })
  await kubernetes.patch(SECRETS, AT, { data: backup?.data }, { type: 'merge' })
  const restored = await startRegister(kubernetes, clock)
  await restored.settle()
  assert.equal(restored.register.refusal(certificate), undefined)
  await restored.stop()
})

test('another replica and a later start know who is revoked', async () => {
  const { kubernetes, clock, register, join, stop } = await bench()
  const other = await startRegister(kubernetes, clock)
  const certificate = await join('edge-1')
  const ended: string[] = []
  using _held = other.register.hold(certificate, (reason) => ended.push(reason))
  await register.revoke('edge-1')
  await other.settle()
  assert.equal(ended.length, 1)
  const later = await startRegister(kubernetes, clock)
  assert.equal(later.register.refusal(certificate)?.status, 403)
  for (const each of [other, later]) await each.stop()
  await stop()
})

test('a connection ends when its certificate does', async () => {
  const { register, clock, join, stop } = await bench()
  const certificate = { ...(await join('edge-1')), expires: clock.now() + 90_000 }
  const ended: string[] = []
  using _held = register.hold(certificate, (reason) => ended.push(reason))
  await clock.advance(minutes(1))
  assert.deepEqual(ended, [])
  await clock.advance(minutes(1))
  assert.match(ended[0] ?? '', /expired/)
  await stop()
})

test('writers that meet lose nothing, and a damaged entry admits nobody', async () => {
  const { kubernetes, clock, register, join, settle, stop } = await bench()
  const other = await startRegister(kubernetes, clock)
  const names = Array.from({ length: 20 }, (_, at) => `edge-${at}`)
  await Promise.all(names.flatMap((name) => [join(`a-${name}`), other.join(`b-${name}`)]))
  await settle()
  assert.equal(register.entries.size, 40)
  const certificate = await join('edge-1')
  const broken = { 'edge-1': Buffer.from('{').toString('base64') }
  await kubernetes.patch(SECRETS, AT, { data: broken }, { type: 'merge' })
  await settle()
  assert.equal(register.refusal(certificate)?.status, 403)
  await other.stop()
  await stop()
})

test('what nobody can use any more is forgotten, revoked or not', async () => {
  const { register, clock, join, settle, stop } = await bench()
  await join('edge-1')
  await join('edge-2')
  await register.revoke('edge-2')
  clock.jump(minutes(24 * 60 * 800))
  await join('edge-3')
  await settle()
  assert.deepEqual([...register.entries.keys()], ['edge-3'])
  await stop()
})
