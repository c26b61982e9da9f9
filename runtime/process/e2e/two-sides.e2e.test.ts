import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import {
  mqttAt,
  PUMP_TOPIC,
  patchSpeed,
  registerOf,
  setDesired,
  untilDeviceField,
  waitSynced,
} from '../testing/pump.ts'
import { eventually, run } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

const AGREED = '{.status.conditions[?(@.type=="Agreed")]}'
const SYNCED = '{.status.conditions[?(@.type=="Synced")].reason}'

describe('a desired value from two sides', {
  skip: needs('kubectl', 'mbpoll', 'mosquitto_pub', 'mosquitto_sub'),
}, () => {
  let up: RunningUp

  before(async () => {
    up = await startUp(temporaryDirectory())
    await untilDeviceField(up, '{.status.state}', 'online')
  })

  after(() => up.stop())

  const part = async (verb: 'stop' | 'start', name: 'cloud' | 'edge') => {
    const ran = await up.skerry(verb, name)
    assert.equal(ran.code, 0, ran.stderr)
  }
  const panelSets = async (value: string) => {
    const message = JSON.stringify({ event_id: '', twin: { targetSpeed: { expected: { value } } } })
    const to = [...mqttAt(up), '-i', 'panel', '-q', '1', '-t', `${PUMP_TOPIC}/twin/update`, '-m', message]
    await eventually('the panel gets its receipt', async () =>
      (await run('mosquitto_pub', to)).code === 0 ? true : undefined,
    )
  }
  const untilRegister = (value: number) =>
    eventually(`the register holds ${value}`, async () => ((await registerOf(up)) === value ? true : undefined), 20_000)
  const conflictEvents = async (): Promise<readonly string[]> => {
    const ran = await up.kubectl('get', 'events', '-o', 'json')
    assert.equal(ran.code, 0, ran.stderr)
    const items: readonly { reason: string; message: string }[] = JSON.parse(ran.stdout).items
    return items.filter(({ reason }) => reason === 'DesiredConflict').map(({ message }) => message)
  }

  it('is honoured at the edge at once, and shown in the cloud with who wrote it', async () => {
    assert.equal((await patchSpeed(up, '1000')).code, 0)
    await waitSynced(up)
    await panelSets('900')
    await untilRegister(900)
    const shown = '{.status.twins[?(@.propertyName=="targetSpeed")].observedDesired}'
    const told = JSON.parse(await untilDeviceField(up, shown, /"value":"900"/))
    assert.deepEqual([told.metadata.origin, told.metadata.author], ['edge', 'mqtt:panel'])
    await untilDeviceField(up, SYNCED, 'EdgeOverride')
    await untilDeviceField(up, AGREED, /"status":"True"/)
    assert.equal((await patchSpeed(up, '1100')).code, 0)
    await untilRegister(1100)
    await waitSynced(up)
    assert.deepEqual(await conflictEvents(), [], 'who has seen the override is not in conflict with it')
  })

  it('the newer of two wishes that did not know of each other wins, and the conflict is told once', async () => {
    await part('stop', 'edge')
    assert.equal((await patchSpeed(up, '1500')).code, 0)
    await part('stop', 'cloud')
    await part('start', 'edge')
    await panelSets('800')
    await untilRegister(800)
    await part('start', 'cloud')
    const agreed = JSON.parse(await untilDeviceField(up, AGREED, /EdgeWon/, 30_000))
    for (const word of ['targetSpeed', '1500', '800', 'mqtt:panel', 'NewestIntent'])
      assert.ok(agreed.message.includes(word))
    await untilDeviceField(up, SYNCED, 'EdgeOverride', 30_000)
    await untilRegister(800)
    const topic = 'twins/default/pump-1/targetSpeed/conflict'
    const heard = await run('mosquitto_sub', [...mqttAt(up), '-t', topic, '-C', '1', '-W', '10'])
    const conflict = JSON.parse(heard.stdout)
    assert.deepEqual([conflict.winner, conflict.cloud.value, conflict.edge.value], ['edge', 1500, 800])
    const [event, ...more] = await conflictEvents()
    assert.deepEqual([event, more], [agreed.message, []])
    await part('stop', 'cloud')
    await part('start', 'cloud')
    await untilDeviceField(up, AGREED, /EdgeWon/, 30_000)
    await untilDeviceField(up, SYNCED, 'EdgeOverride', 30_000)
    assert.equal((await conflictEvents()).length, 1)
  })

  it('the next wish of a side that knows of the conflict ends it', async () => {
    assert.equal((await patchSpeed(up, '1200')).code, 0)
    await untilRegister(1200)
    await untilDeviceField(up, AGREED, /"status":"True"/)
    await waitSynced(up)
  })

  it('a policy that cannot be understood is refused; one that can decides', async () => {
    const annotate = (text: string) =>
      up.kubectl('annotate', '--overwrite', 'device', 'pump-1', `skerry.dev/desired-policy=${text}`)
    const refused = await annotate('targetSpeed=Nobody')
    assert.notEqual(refused.code, 0)
    assert.match(
      refused.stderr,
      /metadata\.annotations\[skerry\.dev\/desired-policy\].*CloudWins, EdgeWins, NewestIntent/,
    )
    assert.equal((await annotate('targetSpeed=CloudWins, *=NewestIntent')).code, 0)
    await part('stop', 'edge')
    assert.equal((await patchSpeed(up, '1300')).code, 0)
    await part('stop', 'cloud')
    await part('start', 'edge')
    await eventually('the edge takes the wish', async () => {
      await setDesired(up, 'targetSpeed', '700')
      return true
    })
    await untilRegister(700)
    await part('start', 'cloud')
    await untilRegister(1300)
    await untilDeviceField(up, AGREED, /CloudWon/, 30_000)
    await waitSynced(up)
    assert.equal((await conflictEvents()).length, 2)
  })
})
