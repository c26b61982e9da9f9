import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubernetesVersionText } from '../../../schemas/index.ts'
import { machineStatus } from './node-object.ts'

test('a Node tells the Kubernetes that it is made for, then whose it is', () => {
  const facts = { cpus: 1, memoryBytes: 1024, os: 'linux', kernel: '6.1', architecture: 'x64', hostname: 'gw' }
  const { nodeInfo } = machineStatus({ nodeName: 'gw', version: '0.1.0' }, facts)
  assert.equal(Object(nodeInfo).kubeletVersion, `${kubernetesVersionText()}-skerry-0.1.0`)
})
