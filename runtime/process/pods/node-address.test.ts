import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AddressTools, openNodeAddress } from './node-address.ts'

const ADDRESS = '169.254.30.10'

/** A machine on which `ip` fails with what stands at the first words of its arguments. */
function machine(given: {
  readonly has?: readonly string[]
  readonly fails?: Readonly<Record<string, string>>
  readonly racing?: boolean
}) {
  const addresses = [...(given.has ?? ['127.0.0.1'])]
  const commands: string[] = []
  const tools: AddressTools = {
    addresses: () => addresses,
    async ip(...args) {
      const command = args.join(' ')
      commands.push(command)
      if (given.racing) addresses.push(ADDRESS)
      const failure = Object.entries(given.fails ?? {}).find(([start]) => command.startsWith(start))
      if (failure) throw new Error(failure[1])
      if (command.startsWith('address add')) addresses.push(ADDRESS)
    },
  }
  return { tools, commands }
}

test('an address that the machine has is taken as it is, whoever made it', async () => {
  const { tools, commands } = machine({ has: ['127.0.0.1', ADDRESS] })
  assert.deepEqual(await openNodeAddress(ADDRESS, tools), { address: ADDRESS })
  assert.deepEqual(commands, [])
})

test('the address goes to an interface of its own, also one that was left there without it', async () => {
  for (const fails of [{}, { 'link add': 'RTNETLINK answers: File exists' }]) {
    const { tools, commands } = machine({ fails })
    assert.deepEqual(await openNodeAddress(ADDRESS, tools), { address: ADDRESS, device: 'skerry0' })
    assert.deepEqual(commands, [
      'link add skerry0 type dummy',
      'link set skerry0 up',
      `address add ${ADDRESS}/32 dev skerry0`,
    ])
  }
})

test('a kernel without dummy interfaces has the address on its loopback', async () => {
  const { tools } = machine({ fails: { 'link add': 'Error: Unknown device type.' } })
  assert.deepEqual(await openNodeAddress(ADDRESS, tools), { address: ADDRESS, device: 'lo' })
})

test('without the rights for it, people are told what to do', async () => {
  const denied = 'RTNETLINK answers: Operation not permitted'
  const { tools } = machine({ fails: { 'link add': denied, 'address add': denied } })
  const found = await openNodeAddress(ADDRESS, tools)
  assert.ok('refusal' in found)
  assert.match(found.refusal, /Operation not permitted/)
  assert.match(found.refusal, /ip address add 169\.254\.30\.10\/32 dev lo/)
})

test('an address that another instance adds at the same time is shared', async () => {
  const exists = 'RTNETLINK answers: File exists'
  const { tools } = machine({ racing: true, fails: { 'address add': exists } })
  assert.deepEqual(await openNodeAddress(ADDRESS, tools), { address: ADDRESS })
})

test('an address of a network is never made up', async () => {
  const { tools, commands } = machine({})
  const found = await openNodeAddress('10.88.0.1', tools)
  assert.ok('refusal' in found)
  assert.match(found.refusal, /edged\.twins\.address/)
  assert.deepEqual(commands, [])
})
