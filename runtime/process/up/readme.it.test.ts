import assert from 'node:assert/strict'
import { it } from 'node:test'
import { commandsOf } from '../testing/page.ts'
import { hints } from './hints.ts'

it('the README shows lines that skerry up ends with, which are pasted in another test', async () => {
  const endpoints = { kubeconfig: '.skerry/kubeconfig', mqtt: 'mqtt://127.0.0.1:1883' }
  const printed = hints({ endpoints, samples: ['pump-1'] }).map((hint) => hint.command)
  const shown = (await commandsOf('README.md')).filter((line) => /^(kubectl|mosquitto)/.test(line))
  assert.ok(shown.length >= 6)
  assert.deepEqual(
    shown.filter((line) => !printed.includes(line)),
    [],
  )
})
