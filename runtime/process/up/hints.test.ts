import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hints } from './hints.ts'

const SAMPLES = ['pump-1', 'other-1']
const endpoints = {
  kubeconfig: "/home/o'neil/my data/kubeconfig",
  mqtt: 'mqtt://127.0.0.1:1884',
  metrics: { edge: 'http://127.0.0.1:9092' },
}
const lines = (options: { directory?: string; samples: readonly string[] }) =>
  hints({ endpoints, ...options }).map((hint) => hint.command)

describe('the lines that skerry up ends with', () => {
  it('quote what a shell would take apart, and name the data directory where it is not the usual one', () => {
    const shown = lines({ directory: '/home/my data', samples: SAMPLES })
    assert.equal(shown[0], "export KUBECONFIG='/home/o'\\''neil/my data/kubeconfig'")
    assert.ok(shown.includes("npx skerry stop pump --data '/home/my data'"))
    assert.ok(lines({ samples: SAMPLES }).includes('npx skerry stop pump'))
  })

  it('name no pump where there is none', () => {
    assert.doesNotMatch(lines({ samples: [] }).join('\n'), /pump/)
    assert.ok(lines({ samples: [] }).some((line) => line.includes('-p 1884')))
  })

  it('leave out what does not run', () => {
    const shown = hints({ endpoints: {}, samples: SAMPLES }).map((hint) => hint.command)
    assert.doesNotMatch(shown.join('\n'), /kubectl|mosquitto|curl/)
  })
})
